"""What happened in a cut of a scenario, and how well it could be seen."""

from collections.abc import Mapping

import numpy as np

from benchmarks._catalogue_records import Cut
from kensoku.simulation.engine import World
from kensoku.v1.event_pb2 import Event, Magnitude, Origin

NS_PER_S = 10**9
SEEN_SNR, SEEN_STATIONS = 3.0, 6


def truth_of(world: World, cut: Cut) -> list[Event]:
    """What happened, by row; from a minute before, since its waves may still come."""
    catalogue, found = world.catalogue, []
    first, last = np.searchsorted(catalogue.time_ns, [(cut.start - 60) * NS_PER_S, cut.end * NS_PER_S])
    for row in range(first, last):
        origin = Origin(
            time_ns=int(catalogue.time_ns[row]),
            latitude_deg=float(catalogue.latitude_deg[row]),
            longitude_deg=float(catalogue.longitude_deg[row]),
            depth_km=float(catalogue.depth_km[row]),
        )
        size = Magnitude(type="ML", value=float(catalogue.ml[row]))
        found.append(Event(id=str(row), origin=origin, magnitudes=[size], preferred_magnitude="ML"))
    return found


def seen_at(cut: Cut, phases: tuple[int, ...] = (0, 1)) -> Mapping[str, int]:
    """At how many stations one of these phases (0: P, 1: S) of an event stands out."""
    stations: dict[str, set[str]] = {}
    for name, arrivals in cut.arrivals.items():
        is_seen = (arrivals["snr"] > SEEN_SNR) & np.isin(arrivals["phase"], phases)
        for row in np.unique(arrivals["row"][is_seen]):
            stations.setdefault(str(row), set()).add(name)
    return {row: len(names) for row, names in stations.items()}


def first_p_ns(cut: Cut) -> Mapping[str, list[int]]:
    """By event, of each station."""
    found: dict[str, list[int]] = {}
    for arrivals in cut.arrivals.values():
        for row, time_ns in arrivals[["row", "time_ns"]][arrivals["phase"] == 0].tolist():
            found.setdefault(str(row), []).append(time_ns)
    return found
