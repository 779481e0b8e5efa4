"""What the compiled loops read: earth, stations, picks and rules as arrays."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Earth(NamedTuple):
    times: Singles  # phase, depth, distance: s, every kilometre
    error_s: float  # of a travel time, one standard deviation, at least
    error_share: float  # of the travel time
    shallowest_km: float
    deepest_km: float
    usual_km: float  # depth
    spread_km: float  # of depths


class Stations(NamedTuple):
    latitude: Floats  # degrees
    longitude: Floats
    delay: Floats  # phase, station: s to add to the travel time
    evaluated: Floats  # s to which its record was listened to
    first_gap: Ints  # of each station, and one more
    gaps: Floats  # begin and end, gap: s in which it recorded nothing


class Picks(NamedTuple):
    """Sorted by station, then onset."""

    onset: Floats  # s
    first: Ints  # of each station, and one more
    station: Ints
    sigma: Floats  # of the onset, s
    label: Floats  # phase, pick: how probably an event's P or S is labelled so
    faint: Ints  # pick: 1 where its picker alone would not have told it
    background: Floats  # pick: picks a second of its label, as faint, at its station that no event explains
    log_amplitude: Floats  # pick: log10 of ground motion; NaN: not known
    has_amplitudes: bool


class Rules(NamedTuple):
    reach_km: float
    detected: float  # of the stations near an event
    widest_s: float  # residual
    least_picks: int
    least_p: int  # or so many P
    least_clear: int  # that are not faint
    least_stations: int
    least_log_odds: float
    log_density: float  # of events: a second and cubic kilometre, where nothing is known


class Density(NamedTuple):
    """How many earthquakes a second and cubic kilometre are to be expected."""

    log_mean: float  # logarithm, of the whole volume
    area_km2: float
    near_km: float  # of an earthquake lie half of those that it has around it
    latitude: Floats  # of those that were found
    longitude: Floats
    event: Ints  # their numbers


class Given(NamedTuple):
    """What every loop is given."""

    earth: Earth
    stations: Stations
    picks: Picks
    rules: Rules


class Nodes(NamedTuple):
    """Where the search begins, and when each station would hear of it."""

    latitude: Floats
    longitude: Floats
    depth: Floats  # km
    first: Ints  # entry of each station, and one more
    node: Ints  # of each entry
    times: Singles  # phase, entry: s
    blur_s: Floats  # phase
    near_km: float  # half of what lies between nodes, and a little


class Work(NamedTuple):
    """Room for one fit."""

    found: Ints
    values: Floats
    normal: Floats
    chosen: Ints
    distance: Floats  # station: km
    heard: Floats  # phase, station: when it would have been picked at the latest
    hidden: Floats  # phase, station: 1 where other waves may hide it
    has: Ints  # phase, station
    rival: Floats
    pairs: Ints  # how many were found last
