"""Which seismograms of a station are shown, filtered and cut around an earthquake."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, detrend, sosfilt

from kensoku.errors import SettingInvalid
from kensoku.packets import ChannelSamples
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.times import NS_PER_S

FloatArray = npt.NDArray[np.float64]
Records = Mapping[str, Sequence[ChannelSamples]]  # by NET.STA; an ObsPy Stream is taken as well
Place = tuple[float, float]  # latitude and longitude, degrees

WARM_UP_S = 20.0  # before what is shown, for the filter
UPRIGHT = ("Z", "3")


@dataclass(frozen=True, slots=True)
class Band:
    """Corners of the filter that the seismograms are shown through."""

    low_hz: float = 2.0
    high_hz: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.low_hz < self.high_hz:
            raise SettingInvalid(f"found a band from {self.low_hz:g} to {self.high_hz:g} Hz, expected 0 < low < high")


@dataclass(frozen=True, slots=True)
class Trace:
    """Pieces of one component: seconds after the origin, and filtered samples; all pieces have one scale."""

    code: str
    pieces: tuple[tuple[FloatArray, FloatArray], ...]
    peak: float


def channels_of(records: Any) -> Records:
    """By NET.STA; an ObsPy Stream becomes what packets hold."""
    if isinstance(records, Mapping):
        return records
    found: dict[str, list[ChannelSamples]] = {}
    for trace in records:
        about = trace.stats
        samples = trace.data
        if isinstance(samples, np.ma.MaskedArray):  # a gap
            samples = np.where(samples.mask, np.nan, np.asarray(samples.data, np.float64))
        start_ns, rate_hz = int(about.starttime.ns), float(about.sampling_rate)
        channel = ChannelSamples(about.location, about.channel, start_ns, rate_hz, samples)
        found.setdefault(f"{about.network}.{about.station}", []).append(channel)
    return found


def shown_traces(
    channels: Sequence[ChannelSamples],
    preferred: Iterable[str],
    origin_ns: int,
    first_s: float,
    last_s: float,
    band: Band,
) -> tuple[Trace | None, Trace | None]:
    """The vertical of the instrument that was picked, and the larger of its horizontals."""
    at_once = [one for one in channels if _touches(one, origin_ns, first_s, last_s)]
    instruments = {(one.location, one.code[:-1]) for one in at_once}
    wanted = [key for key in preferred_first(instruments, preferred)][:1]
    of_one = [one for one in at_once if [(one.location, one.code[:-1])] == wanted]
    traces = []
    for code in sorted({one.code for one in of_one}):
        pieces = [one for one in of_one if one.code == code]
        trace = _trace(code, pieces, origin_ns, first_s, last_s, band)
        if trace is not None:
            traces.append(trace)
    vertical = next((trace for trace in traces if trace.code.endswith(UPRIGHT)), None)
    level = [trace for trace in traces if trace is not vertical]
    return vertical, max(level, key=lambda trace: trace.peak, default=None)


def preferred_first(instruments: Iterable[tuple[str, str]], preferred: Iterable[str]) -> list[tuple[str, str]]:
    """`preferred` are such as 10.HH: those that arrivals were picked on."""
    wanted = set(preferred)
    return sorted(instruments, key=lambda key: (f"{key[0]}.{key[1]}" not in wanted, key[1][1:] != "H", key))


def _touches(channel: ChannelSamples, origin_ns: int, first_s: float, last_s: float) -> bool:
    start_s = (channel.start_ns - origin_ns) / NS_PER_S
    return channel.rate_hz > 0 and start_s < last_s and start_s + channel.samples.size / channel.rate_hz > first_s


def _trace(
    code: str, channels: Sequence[ChannelSamples], origin_ns: int, first_s: float, last_s: float, band: Band
) -> Trace | None:
    pieces: list[tuple[FloatArray, FloatArray]] = []
    for channel in sorted(channels, key=lambda one: one.start_ns):
        pieces += _pieces(channel, origin_ns, first_s, last_s, band)
    peak = max((float(np.abs(samples).max()) for _, samples in pieces), default=0.0)
    return Trace(code, tuple(pieces), peak) if peak > 0 else None


def _pieces(
    channel: ChannelSamples, origin_ns: int, first_s: float, last_s: float, band: Band
) -> Iterable[tuple[FloatArray, FloatArray]]:
    """Between gaps, which NaN marks as well."""
    rate_hz, offset_s = channel.rate_hz, (channel.start_ns - origin_ns) / NS_PER_S
    begin = max(math.floor((first_s - WARM_UP_S - offset_s) * rate_hz), 0)
    end = min(math.ceil((last_s - offset_s) * rate_hz) + 1, channel.samples.size)
    samples = np.asarray(channel.samples[begin:end], np.float64)
    is_there = np.isfinite(samples)
    edges = np.flatnonzero(np.diff(np.r_[False, is_there, False].astype(np.int8)))
    for first, last in edges.reshape(-1, 2).tolist():
        if last - first < rate_hz:
            continue  # less than a second shows nothing
        times_s = offset_s + (begin + np.arange(first, last)) / rate_hz
        filtered = _filter(samples[first:last], rate_hz, band)
        is_shown = times_s >= first_s
        if is_shown.any():
            yield times_s[is_shown], filtered[is_shown]


def _filter(samples: FloatArray, rate_hz: float, band: Band) -> FloatArray:
    """Causal, so that nothing is seen before it has come."""
    high_hz = min(band.high_hz, 0.45 * rate_hz)
    level = detrend(samples)
    taper = min(level.size // 4, round(2 * rate_hz))
    level[:taper] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(taper) / max(taper, 1))
    if band.low_hz >= high_hz:
        return np.asarray(level)
    return np.asarray(sosfilt(butter(2, [band.low_hz, high_hz], "bandpass", fs=rate_hz, output="sos"), level))


def distance_azimuth(origin: Place, station: Place) -> tuple[float, float]:
    """km on a sphere, and degrees clockwise from north."""
    first, second = (math.radians(place[0]) for place in (origin, station))
    along = math.radians(station[1] - origin[1])
    east = math.cos(second) * math.sin(along)
    north = math.cos(first) * math.sin(second) - math.sin(first) * math.cos(second) * math.cos(along)
    up = math.sin(first) * math.sin(second) + math.cos(first) * math.cos(second) * math.cos(along)
    return EARTH_RADIUS_KM * math.atan2(math.hypot(east, north), up), math.degrees(math.atan2(east, north)) % 360
