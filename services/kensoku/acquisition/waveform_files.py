"""Waveform files: which there are, what each holds and when, and their samples piece by piece.

miniSEED is read in pieces of 64 KiB, so that an archive may be larger than the memory; other formats file by file.
What cannot be used is handed on as a Fault with its bytes, record by record where the format has records.
"""

import glob
import io
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import obspy
from obspy.io.mseed import InternalMSEEDWarning
from obspy.io.mseed.core import _is_mseed, _read_mseed
from obspy.io.mseed.util import get_record_information

from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples, Samples, check_channel, check_station

PIECE_BYTES = 65_536
MARK_BYTES = 2**20  # from one mark in a stretch to the next
SHOWN_BYTES = 65_536  # of a file that is no waveform
RATE_TOLERANCE = 1e-3  # relative; digitisers' clocks agree with their nominal rate far better
NO_WAVEFORMS = {".csv", ".html", ".jpg", ".json", ".md", ".pdf", ".png", ".svg", ".toml", ".xml", ".yaml", ".yml"}
NO_NETWORK = "XX"  # FDSN's code for what has none, for formats such as SAC that often leave it out


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples of one channel without a gap."""

    network: str
    station: str
    location: str
    code: str
    start_ns: int
    rate_hz: float
    samples: Samples  # int32 or float32

    @property
    def station_key(self) -> str:
        return f"{self.network}.{self.station}"

    def time_ns(self, sample: int) -> int:
        return self.start_ns + round(sample * 1e9 / self.rate_hz)


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be used, and why."""

    path: Path
    offset: int
    reason: str
    payload: bytes

    def __str__(self) -> str:
        return f"{self.path} at byte {self.offset}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive bytes of a file whose pieces follow each other in time."""

    path: Path
    offset: int
    length: int
    record_bytes: int  # 0: not read in pieces
    start_ns: int
    end_ns: int
    rates_hz: Mapping[str, float]  # of each channel of the file, where it occurs first
    marks: tuple[tuple[int, int], ...] = ()  # now and then an offset, and when the last sample before it was taken

    @property
    def stations(self) -> set[str]:
        """NET.STA of the whole file."""
        codes = [channel.split(".") for channel in self.rates_hz]
        return {f"{network or NO_NETWORK}.{station}" for network, station, *_ in codes}

    def since(self, start_ns: int) -> "Stretch":
        """Without what was all recorded before, to the last mark."""
        count = bisect_left(self.marks, start_ns, key=lambda mark: mark[1])
        offset = self.marks[count - 1][0] if count else self.offset
        return replace(self, offset=offset, length=self.offset + self.length - offset, marks=self.marks[count:])


Piece = Sequence[Segment | Fault]


# --- what there is ----------------------------------------------------------------------------------------------------


def find_files(source: Path) -> list[Path]:
    """Every file below a folder, or the one file, in an order that is always the same. Tables, texts and pictures that
    lie in the folder are none of them."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputInvalid(f"found nothing at {source}, expected a waveform file or a folder of them; check the path")
    files = [path for path in source.rglob("*") if path.is_file() and not path.name.startswith(".")]
    files = [path for path in files if path.suffix.lower() not in NO_WAVEFORMS]
    if not files:
        raise InputInvalid(
            f"found no file below {source} that may hold waveforms, expected miniSEED or anything else ObsPy reads; "
            "check the path"
        )
    return sorted(files)


def scan(files: Iterable[Path]) -> Iterator[Stretch | Fault]:
    """Read the headers of every file, and no samples."""
    for path in files:
        try:
            yield from _scan_file(path)
        except Exception as error:  # ObsPy's readers raise whatever they meet
            yield _unreadable(path, error)


def _scan_file(path: Path) -> Iterator[Stretch | Fault]:
    size = path.stat().st_size
    if size == 0:
        yield Fault(path, 0, "found an empty file, expected waveforms; copy it again", b"")
        return
    record_bytes = _record_bytes(path)
    stretches = _scan_pieces(path, size, record_bytes) if record_bytes else []
    yield from stretches or [_scan_whole(path, size)]


def _record_bytes(path: Path) -> int:
    if not _is_mseed(str(path)):
        return 0
    return int(get_record_information(str(path))["record_length"])


def _scan_whole(path: Path, size: int) -> Stretch:
    traces = _quietly_read_file(path, headonly=True)
    start_ns = min(trace.stats.starttime.ns for trace in traces)
    return Stretch(path, 0, size, 0, start_ns, max(trace.stats.endtime.ns for trace in traces), _first_rates(traces))


def _scan_pieces(path: Path, size: int, record_bytes: int) -> list[Stretch]:
    """Stretches of pieces that hold the same channels one after the other; nothing if records differ in length."""
    stretches: list[Stretch] = []
    rates_hz: dict[str, float] = {}
    last_channels, last_start_ns = None, 0
    for offset, piece in _pieces(path, 0, size, record_bytes):
        traces = _headers(piece, record_bytes)
        if any(trace.stats.mseed.record_length != record_bytes for trace in traces):
            return []
        rates_hz = _first_rates(traces) | rates_hz
        channels = {trace.id for trace in traces} or last_channels  # none can be read: reading tells why
        start_ns = min((trace.stats.starttime.ns for trace in traces), default=last_start_ns)
        end_ns = max((trace.stats.endtime.ns for trace in traces), default=last_start_ns)
        if stretches and channels == last_channels and start_ns >= last_start_ns:
            begun = stretches[-1]
            length, marks = offset + len(piece) - begun.offset, begun.marks
            if offset >= (marks[-1][0] if marks else begun.offset) + MARK_BYTES:
                marks = (*marks, (offset, begun.end_ns))
            stretches[-1] = replace(begun, length=length, end_ns=max(begun.end_ns, end_ns), marks=marks)
        else:
            stretches.append(Stretch(path, offset, len(piece), record_bytes, start_ns, end_ns, {}))
        last_channels, last_start_ns = channels, start_ns
    return [replace(stretch, rates_hz=rates_hz) for stretch in stretches]


def _headers(piece: bytes, record_bytes: int) -> list[Any]:
    try:
        return list(_quietly_read_mseed(piece, headonly=True))
    except Exception:
        return [trace for _, record in _split(piece, record_bytes) for trace in _headers_of_record(record)]


def _headers_of_record(record: bytes) -> list[Any]:
    try:
        return list(_quietly_read_mseed(record, headonly=True))
    except Exception:
        return []  # becomes a fault when its samples are read


def _first_rates(traces: Iterable[Any]) -> dict[str, float]:
    rates_hz: dict[str, float] = {}
    for trace in traces:
        if trace.stats.sampling_rate > 0:
            rates_hz.setdefault(trace.id, trace.stats.sampling_rate)
    return rates_hz


# --- the samples ------------------------------------------------------------------------------------------------------


def read(stretch: Stretch) -> Iterator[Piece]:
    """The pieces of a stretch, each in the order of time."""
    if not stretch.record_bytes:
        yield _read_whole(stretch)
        return
    try:
        for offset, piece in _pieces(stretch.path, stretch.offset, stretch.length, stretch.record_bytes):
            yield _read_piece(stretch, offset, piece)
    except OSError as error:  # it was there when the headers were read
        reason = f"found that it cannot be read ({error.strerror}), expected the file of before; put it back"
        yield [Fault(stretch.path, stretch.offset, reason, b"")]


def _read_whole(stretch: Stretch) -> Piece:
    try:
        traces = _quietly_read_file(stretch.path)
    except Exception as error:
        return [_unreadable(stretch.path, error)]
    parts: list[Segment | Fault] = []
    for trace in traces:
        try:
            parts += _segments([trace], stretch.rates_hz)
        except InputInvalid as error:
            parts.append(Fault(stretch.path, 0, str(error), b""))
    return parts


def _read_piece(stretch: Stretch, offset: int, piece: bytes) -> Piece:
    try:
        return _segments(_quietly_read_mseed(piece), stretch.rates_hz)
    except Exception:  # something in it is wrong: take it record by record, and leave out only what is
        return [
            part
            for at, record in _split(piece, stretch.record_bytes)
            for part in _read_record(stretch, offset + at, record)
        ]


def _read_record(stretch: Stretch, offset: int, record: bytes) -> Piece:
    if len(record) < stretch.record_bytes:
        reason = (
            f"found {len(record)} bytes at the end, expected a record of {stretch.record_bytes}; the file was cut off"
        )
        return [Fault(stretch.path, offset, reason, record)]
    try:
        return _segments(_quietly_read_mseed(record), stretch.rates_hz)
    except InputInvalid as error:
        reason = str(error)
    except Exception as error:
        reason = f"found a damaged record ({_sentence(error)}), expected miniSEED; it is left out"
    return [Fault(stretch.path, offset, reason, record)]


def _segments(traces: Iterable[Any], rates_hz: Mapping[str, float]) -> list[Segment]:
    return [_segment(trace, rates_hz) for trace in traces if len(trace.data)]


def _segment(trace: Any, rates_hz: Mapping[str, float]) -> Segment:
    stats = trace.stats
    rate_hz = float(stats.sampling_rate)
    first_hz = rates_hz.get(trace.id, rate_hz)
    if abs(rate_hz - first_hz) > RATE_TOLERANCE * first_hz:
        raise InputInvalid(
            f"found {rate_hz} Hz in {trace.id}, expected {first_hz} Hz as before in this file; "
            "correct the header, or split the file where the rate changed"
        )
    network = stats.network or NO_NETWORK
    samples = to_counts(trace.data)
    check_station(network, stats.station)
    check_channel(ChannelSamples(stats.location, stats.channel, stats.starttime.ns, rate_hz, samples))
    return Segment(network, stats.station, stats.location, stats.channel, stats.starttime.ns, rate_hz, samples)


def to_counts(samples: Samples) -> Samples:
    """int32 where nothing is lost, otherwise float32, in which what is not a finite number is a missing sample."""
    if samples.dtype.kind in "iu":
        limits = np.iinfo(np.int32)
        if samples.itemsize < 4 or (samples.min() >= limits.min and samples.max() <= limits.max):
            return np.ascontiguousarray(samples, dtype=np.int32)
    if samples.dtype.kind not in "iuf":
        raise InputInvalid(
            f"found samples of {samples.dtype}, expected integers or floating point numbers; leave it out"
        )
    with np.errstate(over="ignore"):
        floats = np.array(samples, dtype=np.float32)
    floats[~np.isfinite(floats)] = np.nan
    return floats


# --- bytes ------------------------------------------------------------------------------------------------------------


def _pieces(path: Path, offset: int, length: int, record_bytes: int) -> Iterator[tuple[int, bytes]]:
    step = max(PIECE_BYTES // record_bytes, 1) * record_bytes
    with path.open("rb") as file:
        for start in range(offset, offset + length, step):
            file.seek(start)
            yield start, file.read(min(step, offset + length - start))


def _split(piece: bytes, record_bytes: int) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(piece), record_bytes):
        yield at, piece[at : at + record_bytes]


def _quietly_read_mseed(piece: bytes, headonly: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", InternalMSEEDWarning)  # of records that it skips or whose checks fail
        return _read_mseed(io.BytesIO(piece), headonly=headonly)


def _quietly_read_file(path: Path, headonly: bool = False) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return obspy.read(glob.escape(str(path)), headonly=headonly)


def _unreadable(path: Path, error: Exception) -> Fault:
    try:
        with path.open("rb") as file:
            payload = file.read(SHOWN_BYTES)
    except OSError:
        payload = b""
    reason = (
        f"found no waveforms ({_sentence(error)}), expected miniSEED or another format that ObsPy reads; leave it out"
    )
    return Fault(path, 0, reason, payload)


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
