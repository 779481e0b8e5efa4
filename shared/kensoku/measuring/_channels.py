"""Which channels an instrument has at a moment, how they are oriented and how they turn ground motion into counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.measuring._stretch import RATE_HZ, Counts
from kensoku.times import NS_PER_S
from kensoku.v1.inventory_pb2 import GROUND_MOTION_UNSPECIFIED, ChannelEpoch, Station

ALIGNED_DEG = 0.05  # nearer to north and east than that, horizontals are left as they are
LEAST_AREA = 0.5  # of the parallelogram that two horizontals span: nearly parallel ones tell nothing of the other way

Rotation = tuple[tuple[float, float], tuple[float, float]]  # north and east, of the first and the second each


@dataclass(frozen=True, slots=True)
class Channel:
    """One component. Without a response its amplitudes stay in counts."""

    code: str  # "HHZ"
    response: bytes = b""  # kensoku.v1.Response as bytes, so that filters can be kept by it
    clip_counts: float = 0.0  # 0: unknown
    azimuth_deg: float | None = None
    dip_deg: float | None = None
    since_ns: int = 0  # before it the channel had another response; 0: none is known
    until_ns: int = 0  # the same from there on

    @property
    def is_upside_down(self) -> bool:
        return self.dip_deg is not None and self.dip_deg > 0


@dataclass(frozen=True, slots=True)
class Channels:
    """The vertical and two horizontals, in the order of the records: Z, N or 1, E or 2."""

    vertical: Channel
    first: Channel
    second: Channel

    @classmethod
    def of(
        cls, station: Station | None, location: str, band_instrument: str, time_ns: int, components: str = "ZNE"
    ) -> "Channels":
        """As the inventory knows it at a moment; what it does not know has a code alone."""
        if len(components) != 3:
            raise ValueError(f"{components!r}; expected three letters, such as ZNE or Z12")
        epochs = [e for e in (station.epochs if station else ()) if e.location == location]
        return cls(*(_channel(epochs, band_instrument + letter, time_ns) for letter in components))

    @property
    def channels(self) -> tuple[Channel, Channel, Channel]:
        return self.vertical, self.first, self.second

    def within_epochs(self, counts: Counts, first_ns: int) -> Counts:
        """NaN where a channel had another response than at that moment: a change of gain is no motion of the ground."""
        if not any(channel.since_ns or channel.until_ns for channel in self.channels):
            return counts
        times_ns = first_ns + NS_PER_S // RATE_HZ * np.arange(counts.shape[1])
        others = [(times_ns < c.since_ns) | (bool(c.until_ns) & (times_ns >= c.until_ns)) for c in self.channels]
        return np.where(others, np.nan, counts)

    @property
    def rotation(self) -> Rotation | None:
        """What makes north and east of the horizontals; None where they are so already, or where nobody knows."""
        azimuths = [c.azimuth_deg for c in (self.first, self.second) if c.azimuth_deg is not None and c.response]
        if len(azimuths) < 2:
            return None
        (north_1, east_1), (north_2, east_2) = (
            (math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))) for azimuth in azimuths
        )
        area = north_1 * east_2 - east_1 * north_2
        aligned = math.sin(math.radians(ALIGNED_DEG))
        if abs(area) < LEAST_AREA or (north_1 > 0 < east_2 and max(abs(east_1), abs(north_2)) < aligned):
            return None
        return (east_2 / area, -east_1 / area), (-north_2 / area, north_1 / area)


def _holds(epoch: ChannelEpoch, time_ns: int) -> bool:
    return (not epoch.start_ns or epoch.start_ns <= time_ns) and (not epoch.end_ns or time_ns < epoch.end_ns)


def _channel(epochs: Sequence[ChannelEpoch], code: str, time_ns: int) -> Channel:
    """An epoch without a code stands for every channel; it knows of no directions."""
    own = sorted((e for e in epochs if e.code in ("", code)), key=lambda e: not e.code)
    epoch = next((e for e in own if _holds(e, time_ns)), None)
    if epoch is None:
        return Channel(code)
    others = [e for e in own if e.HasField("response") and e.response != epoch.response]
    known = epoch.HasField("response") and epoch.response.input != GROUND_MOTION_UNSPECIFIED
    return Channel(
        code=code,
        response=epoch.response.SerializeToString(deterministic=True) if known else b"",
        clip_counts=epoch.response.clip_counts if known else 0.0,
        azimuth_deg=epoch.azimuth_deg if epoch.HasField("azimuth_deg") else None,
        dip_deg=epoch.dip_deg if epoch.HasField("dip_deg") else None,
        since_ns=max((e.end_ns for e in others if e.end_ns and e.end_ns <= time_ns), default=0) if known else 0,
        until_ns=min((e.start_ns for e in others if e.start_ns > time_ns), default=0) if known else 0,
    )
