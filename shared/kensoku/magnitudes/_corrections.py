"""Corrections of stations from the magnitudes of a catalogue: what each reads less than its network."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from kensoku.magnitudes._formula_files import Corrections
from kensoku.v1.event_pb2 import MAGNITUDE_BOUND_UNSPECIFIED, Magnitude

FEWEST = 5  # events of a station
PRIOR_EVENTS = 3.0  # as many say that a station needs none


def learn_corrections(magnitudes: Iterable[Magnitude]) -> Mapping[str, Corrections]:
    """By formula and station; the median residual without the correction of then, drawn towards zero for few events.

    A bound, as of a clipped record, does not say what a station reads. Their mean over a formula's stations is zero, so
    that the network's magnitudes stay what they were.
    """
    residuals: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for magnitude in magnitudes:
        for each in magnitude.contributions:
            if each.weight > 0 and each.bound == MAGNITUDE_BOUND_UNSPECIFIED:
                station = f"{each.instrument.network}.{each.instrument.station}"
                residuals[magnitude.formula][station].append(each.residual - each.correction)
    return {formula: _of(stations) for formula, stations in residuals.items()}


def _of(stations: Mapping[str, list[float]]) -> Corrections:
    drawn = {
        station: -median(found) * len(found) / (len(found) + PRIOR_EVENTS)
        for station, found in stations.items()
        if len(found) >= FEWEST
    }
    mean = sum(drawn.values()) / max(len(drawn), 1)
    return {station: correction - mean for station, correction in sorted(drawn.items())}
