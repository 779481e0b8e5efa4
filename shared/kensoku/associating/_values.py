"""What association reads and what it answers: onsets in, groups of them out, each of one earthquake."""

from dataclasses import dataclass

from kensoku.errors import SettingInvalid
from kensoku.traveltime import DEEPEST_KM, Wave


@dataclass(frozen=True, slots=True)
class Onset:
    """A pick; `p` and `s` are the probabilities that its picker gave, or those of its label."""

    id: str
    station: str  # "NET.STA"
    phase: Wave
    onset_ns: int
    uncertainty_s: float = 0.1
    p: float | None = None
    s: float | None = None
    amplitude: float | None = None  # of ground motion; of all picks of a phase in the same unit
    is_faint: bool = False  # its picker alone would not have told it


@dataclass(frozen=True, slots=True)
class Member:
    index: int  # of the onset that was given
    phase: Wave  # as associated
    residual_s: float  # at the trial hypocentre
    probability: float  # that it belongs here


@dataclass(frozen=True, slots=True)
class Group:
    """The onsets of one earthquake, and where association saw it."""

    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    log_odds: float  # of an earthquake against picks that have nothing in common
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class AssociationSettings:
    """What is None follows from how the stations stand."""

    reach_km: float | None = None  # of picks that count
    spacing_km: float | None = None  # of the places where a search begins
    margin_km: float | None = None  # around the stations in which earthquakes are sought
    deepest_km: float = DEEPEST_KM
    usual_depth_km: float = 10.0
    depth_spread_km: float = 10.0  # one standard deviation
    error_s: float = 0.15  # of a travel time, one standard deviation, at least
    error_share: float = 0.02  # of the travel time
    widest_s: float = 2.0  # residual
    detected: float = 0.8  # of the stations near an earthquake
    swapped: float = 0.03  # of labels
    least_picks: int = 5
    least_p: int = 4  # or so many P
    least_clear: int = 4  # of its picks, that their picker alone would have told
    least_stations: int = 3
    least_log_odds: float = 0.0
    few_picks: int = 8  # an event that has fewer in the end needs better odds
    few_log_odds: float = 1.0  # by so much for each pick less
    bias: float = 2.5  # of the logarithm of the odds, against what a simple model of picks gives
    least_stack: float = 13.0  # of the search, before anything is fitted

    def __post_init__(self) -> None:
        for name in ("reach_km", "spacing_km", "margin_km"):
            value = getattr(self, name)
            self._require(value is None or value > 0, name, "more than 0 km")
        self._require(self.deepest_km >= 1, "deepest_km", "1 km or more")
        self._require(self.depth_spread_km > 0, "depth_spread_km", "more than 0 km")
        self._require(self.error_s > 0, "error_s", "more than 0 s")
        self._require(0 <= self.error_share < 0.5, "error_share", "from 0 to 0.5")
        self._require(self.widest_s > 0, "widest_s", "more than 0 s")
        self._require(0 < self.detected < 1, "detected", "between 0 and 1")
        self._require(0 < self.swapped < 0.5, "swapped", "between 0 and 0.5")
        self._require(self.least_picks >= 4, "least_picks", "4 or more: a place, a depth and a time are unknown")
        self._require(self.least_p >= 4, "least_p", "4 or more: a place, a depth and a time are unknown")
        self._require(self.least_clear >= 0, "least_clear", "0 or more")
        self._require(self.least_stations >= 3, "least_stations", "3 or more")

    def _require(self, is_so: bool, name: str, expected: str) -> None:
        if not is_so:
            raise SettingInvalid(f"found {name} {getattr(self, name)}, expected {expected}")
