"""Reading waveform files: what there is, and that one bad record costs no more than itself."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

from kensoku.acquisition import waveform_files
from kensoku.acquisition.waveform_files import Fault, Segment, Stretch, find_files, read, scan, to_counts
from kensoku.errors import InputInvalid
from kensoku.packets import Samples

START = UTCDateTime(2019, 7, 4, 15, 50)
RECORD_BYTES = 512
TURNS = ("HHN", "HHZ")


def trace(samples: Samples, code: str = "HHZ", start: UTCDateTime = START, rate_hz: float = 100.0) -> Trace:
    header = {"network": "CI", "station": "PASC", "channel": code, "starttime": start, "sampling_rate": rate_hz}
    return Trace(samples, header)


def noise(size: int, seed: int = 1) -> Samples:
    counts: Samples = np.cumsum(np.random.default_rng(seed).normal(0, 500, size)).astype(np.int32)
    return counts


def write(path: Path, *traces: Trace) -> Path:
    Stream(list(traces)).write(str(path), format="MSEED", reclen=RECORD_BYTES)
    return path


def read_all(parts: Iterable[Stretch | Fault]) -> tuple[list[Segment], list[Fault]]:
    found: list[Segment | Fault] = []
    for part in parts:
        found += [part] if isinstance(part, Fault) else [piece_part for piece in read(part) for piece_part in piece]
    return [p for p in found if isinstance(p, Segment)], [p for p in found if isinstance(p, Fault)]


def overwrite(path: Path, record: int, at: int, octets: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[record * RECORD_BYTES + at : record * RECORD_BYTES + at + len(octets)] = octets
    path.write_bytes(content)


def test_a_file_longer_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    samples = noise(200_000)
    path = write(tmp_path / "long.mseed", trace(samples))
    (stretch,) = scan([path])
    assert isinstance(stretch, Stretch)
    assert (stretch.start_ns, stretch.stations) == (START.ns, {"CI.PASC"})
    segments, faults = read_all([stretch])
    assert not faults
    assert len(segments) > 3
    assert np.array_equal(np.concatenate([segment.samples for segment in segments]), samples)
    assert segments[1].start_ns == segments[0].time_ns(segments[0].samples.size)


def test_the_last_piece_of_a_file_is_not_lost_when_channels_follow_each_other(tmp_path: Path) -> None:
    channels = {code: noise(60_000, seed) for seed, code in enumerate(("HHE", "HHN", "HHZ"))}
    path = write(tmp_path / "many.mseed", *(trace(samples, code) for code, samples in channels.items()))
    segments, faults = read_all(scan([path]))
    assert not faults
    for code, samples in channels.items():
        mine = sorted((s for s in segments if s.code == code), key=lambda s: s.start_ns)
        assert np.array_equal(np.concatenate([s.samples for s in mine]), samples)


@pytest.mark.parametrize("after_s", [0, 61, 333.3, 1999, 2600])
def test_what_lies_long_before_is_not_read_and_nothing_is_lost_from_then_on(
    after_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two channels that take turns, one of them a minute late."""
    monkeypatch.setattr(waveform_files, "MARK_BYTES", waveform_files.PIECE_BYTES)
    late = (write(tmp_path / f"{n}", trace(noise(200_000, n), code, START + 60 * n)) for n, code in enumerate(TURNS))
    octets = [file.read_bytes() for file in late]
    records = [[each[at : at + RECORD_BYTES] for at in range(0, len(each), RECORD_BYTES)] for each in octets]
    path = tmp_path / "turns.mseed"
    path.write_bytes(b"".join(map(b"".join, zip(*records, strict=False))))
    (stretch,) = scan([path])
    assert isinstance(stretch, Stretch)
    start_ns = START.ns + round(after_s * 1e9)
    later = stretch.since(start_ns)
    assert samples_from(start_ns, later) == samples_from(start_ns, stretch)
    assert later.length < stretch.length * (1 - after_s / 2060) + 4 * waveform_files.PIECE_BYTES


def samples_from(start_ns: int, stretch: Stretch) -> set[tuple[str, int, int]]:
    segments, _ = read_all([stretch])
    every = ((one.code, one.time_ns(n), int(value)) for one in segments for n, value in enumerate(one.samples))
    return {each for each in every if each[1] >= start_ns}


def test_other_formats_are_read(tmp_path: Path) -> None:
    Stream([trace(noise(500).astype(np.float32))]).write(str(tmp_path / "a [1].sac"), format="SAC")
    (segment,), faults = read_all(scan(find_files(tmp_path)))
    assert not faults
    assert (segment.station_key, segment.code, str(segment.samples.dtype), segment.samples.size) == (
        "CI.PASC",
        "HHZ",
        "float32",
        500,
    )


def test_a_file_that_was_cut_off_loses_only_its_last_record(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.mseed", trace(noise(10_000)))
    path.write_bytes(path.read_bytes()[: 10 * RECORD_BYTES + 100])
    segments, (fault,) = read_all(scan([path]))
    assert (fault.offset, len(fault.payload)) == (10 * RECORD_BYTES, 100)
    assert "found 100 bytes at the end, expected a record of 512" in fault.reason
    assert sum(segment.samples.size for segment in segments) > 1000


@pytest.mark.parametrize(
    ("at", "octets", "words"),
    [
        (0, bytes(RECORD_BYTES), "found a damaged record"),
        (100, b"\x80" * 300, "found a damaged record"),
        (75, b"\x55", "integrity check"),  # the last sample, as the record has it
        (32, bytes(4), "found 0.0 Hz in CI.PASC..HHZ, expected 100.0 Hz"),
        (32, b"\x00\x32\x00\x01", "found 50.0 Hz in CI.PASC..HHZ, expected 100.0 Hz"),
    ],
)
def test_a_bad_record_is_put_aside_and_the_others_are_used(tmp_path: Path, at: int, octets: bytes, words: str) -> None:
    samples = noise(10_000)
    path = write(tmp_path / "bad.mseed", trace(samples))
    whole, _ = read_all(scan([path]))
    overwrite(path, 5, at, octets)
    segments, (fault,) = read_all(scan([path]))
    assert words in fault.reason
    assert (fault.offset, len(fault.payload)) == (5 * RECORD_BYTES, RECORD_BYTES)
    lost = samples.size - sum(segment.samples.size for segment in segments)
    assert 0 < lost < 500
    assert np.array_equal(segments[0].samples, whole[0].samples[: segments[0].samples.size])


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "found an empty file"), (b"time,station\n" * 100, "found no waveforms")]
)
def test_what_is_no_waveform_is_a_fault(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    (fault,) = scan([path])
    assert isinstance(fault, Fault)
    assert words in fault.reason
    assert fault.payload == content


def test_a_code_nobody_could_use_is_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "lower.mseed", trace(noise(100), code="hhz"))
    segments, (fault,) = read_all(scan([path]))
    assert not segments
    assert "found channel 'hhz'" in fault.reason


def test_files_are_found_in_the_same_order_and_what_lies_beside_them_is_left_alone(tmp_path: Path) -> None:
    for name in ("b.mseed", "a/z.mseed", ".hidden", "stations.xml", "a/picks.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find_files(tmp_path)] == ["z.mseed", "b.mseed"]
    assert find_files(tmp_path / "stations.xml") == [tmp_path / "stations.xml"], "who names it has a reason"


def test_a_folder_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="found no file below"):
        find_files(tmp_path)
    with pytest.raises(InputInvalid, match="found nothing at"):
        find_files(tmp_path / "nowhere")


def test_samples_become_int32_where_nothing_is_lost() -> None:
    assert to_counts(np.array([1, -2], np.int16)).dtype == np.int32
    assert to_counts(np.array([2**31 - 1, -(2**31)], np.int64)).tolist() == [2**31 - 1, -(2**31)]
    assert to_counts(np.array([2**40], np.int64)).dtype == np.float32


def test_what_is_no_finite_number_is_a_missing_sample() -> None:
    floats = to_counts(np.array([1.5, np.nan, np.inf, 1e300], np.float64))
    assert floats.dtype == np.float32
    assert np.array_equal(floats, np.array([1.5, np.nan, np.nan, np.nan], np.float32), equal_nan=True)
