"""Find the P and S arrivals in a stream of ObsPy:

    import kensoku.pick
    picks = kensoku.pick(stream, inventory)  # options: help(kensoku.pick.pick)

`kensoku` is a namespace that several folders fill, so it has no `__init__` in which a function could stand. The module
itself can be called instead; `from kensoku.pick import pick` is the same function, and what type checkers understand.
"""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from numbers import Integral, Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kensoku.acquisition.seconds import SECOND_NS, Span, StationSecond, station_seconds
from kensoku.acquisition.waveform_files import NO_NETWORK, Segment, Stretch, to_counts
from kensoku.batch import EVERYWHERE, FoundPick, PickTable, Piece, open_listener, pick_pieces
from kensoku.errors import InputInvalid, KensokuError
from kensoku.inventory import Reading, has_epoch, read_inventory
from kensoku.models import default_repository
from kensoku.packets import ChannelSamples, check_channel, check_station, unmet_patterns
from kensoku.v1.inventory_pb2 import Station

__all__ = ["FoundPick", "PickTable", "pick"]

AT_ONCE_S = 60  # of a station that is handed on together
Inventory = Any  # of ObsPy, a path, or several paths


def pick(
    stream: Any,
    inventory: Inventory | None = None,
    *,
    model: str = "picker",
    models: str = "local",
    threshold: float | None = None,
    jobs: int = 2,
    classic: bool | str = False,
) -> PickTable:
    """The P and S arrivals of a stream, in the order of time. Nothing that is given is changed, or written to disk.

    stream: ObsPy's Stream or Trace, or a file's name. Raw counts, 20 to 1,000 Hz, of any number of stations; gaps,
        masked samples and NaN are missing. What cannot be used is left out with a warning.
    inventory: ObsPy's Inventory, or paths of StationXML or csv files. Without it amplitudes stay in counts.
    model: its folder in the repository: `picker`, `picker_live` or one of your own.
    models: `local` (ONNX Runtime in this process), `local:FOLDER` with other models, or `triton://host:port`.
    threshold: least score of P and S, 0 to 1; None: the model's own.
    jobs: requests to the model at once.
    classic: pick by STA/LTA and AR-AIC; the denoiser judges each pick, and `model` refines its onset. True: at all
        stations; patterns such as "NZ.*,CI.CLC": at these.

    A notebook shows the result as a table; `to_dataframe()` is for pandas. It holds the picks that were kept;
    `faint` has those below the threshold, `rejected` those of wrong samples.

        picks = pick(obspy.read(), obspy.read_inventory())
        picks[0].time, picks[0].phase, picks[0].uncertainty_s
    """
    is_threshold = threshold is None or (isinstance(threshold, Real) and 0 <= threshold <= 1)
    if not (isinstance(jobs, Integral) and jobs >= 1 and is_threshold):
        raise InputInvalid(f"found jobs {jobs!r} and threshold {threshold!r}, expected 1 or more, and 0 to 1 or None")
    if not isinstance(classic, bool | str):
        raise InputInvalid(f"found classic {classic!r}, expected True, False or patterns such as 'NZ.*,CI.CLC'")
    patterns = classic if isinstance(classic, str) else EVERYWHERE if classic else ""
    traces, reading = _traces(stream), _inventory(inventory)
    stations = reading.stations
    repository = Path(models.removeprefix("local:")) if models.startswith("local:") else default_repository()
    url = f"local:{repository}" if models.startswith("local") else models
    left_out: dict[str, str] = {}

    def tell(name: str, reason: str) -> None:
        left_out.setdefault(name, reason)

    opened = open_listener(repository, url, model, threshold, classic=patterns)
    with opened as listener, ThreadPoolExecutor(jobs) as executor:
        pieces = _pieces(traces, tell)
        found = PickTable.of(pick_pieces(pieces, listener, stations, executor, tell))
    for note in reading.notes:
        warnings.warn(f"inventory: {note}", stacklevel=2)
    for name, reason in left_out.items():
        warnings.warn(f"left out {name}: {reason}", stacklevel=2)
    for code in sorted({_code(trace) for trace in traces} - stations.keys()) if stations else ():
        warnings.warn(f"found no {code} in the inventory, so its amplitudes stay in counts", stacklevel=2)
    for pattern in unmet_patterns(patterns, map(_code, traces)) if patterns != EVERYWHERE else ():
        warnings.warn(f"found no station of classic {pattern!r} in the stream", stacklevel=2)
    for name in sorted({trace.id for trace in traces if not _has_epoch(trace, stations)} - left_out.keys()):
        warnings.warn(
            f"found no epoch of {name} at that time in the inventory: its amplitudes stay in counts", stacklevel=2
        )
    return found


def _has_epoch(trace: Any, stations: Mapping[str, Station]) -> bool:
    """Of a station that the inventory knows."""
    stats, station = trace.stats, stations.get(_code(trace))
    end_ns = stats.endtime.ns + 1
    return station is None or has_epoch(station, stats.location, stats.channel, stats.starttime.ns, end_ns)


def _code(trace: Any) -> str:
    return f"{trace.stats.network or NO_NETWORK}.{trace.stats.station}"


def _traces(stream: Any) -> list[Any]:
    if isinstance(stream, str | Path):
        from obspy import read

        try:
            stream = read(str(stream))
        except (OSError, TypeError) as error:
            raise InputInvalid(f"cannot read {stream}: {error}; expected a file of waveforms") from None
    traces = list(stream) if isinstance(stream, Iterable) and not hasattr(stream, "stats") else [stream]
    if wrong := [type(trace).__name__ for trace in traces if not hasattr(trace, "stats")]:
        raise InputInvalid(f"found {wrong[0]} as a stream or in it, expected ObsPy's Stream, Trace or a file's name")
    return sorted(traces, key=lambda trace: (trace.stats.starttime.ns, trace.id))


def _pieces(traces: Iterable[Any], tell: Callable[[str, str], None]) -> Iterator[Piece]:
    """In the order of time, as files are read."""
    segments: dict[int, Segment] = {}
    for number, trace in enumerate(traces):
        try:
            if len(trace.data):
                segments[number] = _segment(trace)
        except KensokuError as error:
            tell(trace.id, str(error))
    stretches = [
        Stretch(Path(), number, 0, 0, one.start_ns, one.time_ns(one.samples.size), {})
        for number, one in segments.items()
    ]
    for item in station_seconds(stretches, lambda stretch: iter([[segments[stretch.offset]]]), Span(), AT_ONCE_S):
        if isinstance(item, StationSecond):
            yield Piece(item.network, item.station, item.channels, item.second * SECOND_NS, item.end_ns)


def _segment(trace: Any) -> Segment:
    stats, samples = trace.stats, to_counts(_without_mask(trace.data))
    network, start_ns, rate_hz = stats.network or NO_NETWORK, stats.starttime.ns, float(stats.sampling_rate)
    check_station(network, stats.station)
    check_channel(ChannelSamples(stats.location, stats.channel, start_ns, rate_hz, samples))
    return Segment(network, stats.station, stats.location, stats.channel, start_ns, rate_hz, samples)


def _without_mask(samples: Any) -> Any:
    return samples.astype(np.float32).filled(np.nan) if hasattr(samples, "mask") else samples


def _inventory(inventory: Inventory | None) -> Reading:
    if inventory is None:
        return Reading({})
    if hasattr(inventory, "networks"):  # ObsPy's
        content = BytesIO()
        inventory.write(content, format="STATIONXML")
        return read_inventory({"inventory": content.getvalue()})
    paths = list(inventory) if isinstance(inventory, list | tuple) else [inventory]
    if wrong := [type(path).__name__ for path in paths if not isinstance(path, str | Path)]:
        raise InputInvalid(f"found {wrong[0]} as inventory, expected ObsPy's Inventory, or paths of StationXML or csv")
    try:
        return read_inventory({str(path): Path(path).read_bytes() for path in paths})
    except OSError as error:
        raise InputInvalid(f"cannot read {error.filename}: {error.strerror}; expected StationXML or csv") from None


class _Callable(ModuleType):
    __call__ = staticmethod(pick)  # with its signature, and without a frame of its own: warnings name the caller's line


__signature__ = inspect.signature(pick)
sys.modules[__name__].__class__ = _Callable
