"""Where continuous records may be called noise: only what no network would take for an earthquake.

An earthquake is suspected where one station has two triggers that can be P and S, or three stations have one within
seconds of each other.
"""

from collections.abc import Mapping, Sequence

Stretch = tuple[float, float]  # moments, in seconds

S_MINUS_P_S = (0.3, 20.0)
COINCIDENCE_S, STATIONS = 10.0, 3
BEFORE_S, AFTER_S = 5.0, 30.0  # of a suspected earthquake, for fainter waves than those that triggered
ALONE_S = (2.0, 10.0)  # before and after a trigger that is nobody's


def doubt(triggers: Mapping[str, Sequence[float]]) -> dict[str, list[Stretch]]:
    """Stretches of each station that are not to be called noise."""
    shared = _coincidences(triggers)
    return {station: sorted([*shared, *_own(times_s)]) for station, times_s in triggers.items()}


def _coincidences(triggers: Mapping[str, Sequence[float]]) -> list[Stretch]:
    ordered = sorted((time_s, station) for station, times_s in triggers.items() for time_s in times_s)
    stretches, first = [], 0
    for last, (time_s, _) in enumerate(ordered):
        while ordered[first][0] < time_s - COINCIDENCE_S:
            first += 1
        if len({station for _, station in ordered[first : last + 1]}) >= STATIONS:
            stretches.append((ordered[first][0] - BEFORE_S, time_s + AFTER_S))
    return stretches


def _own(times_s: Sequence[float]) -> list[Stretch]:
    stretches = []
    for number, time_s in enumerate(times_s):
        stretches.append((time_s - ALONE_S[0], time_s + ALONE_S[1]))
        for later_s in times_s[number + 1 :]:
            if later_s - time_s > S_MINUS_P_S[1]:
                break
            if later_s - time_s >= S_MINUS_P_S[0]:
                stretches.append((time_s - BEFORE_S, later_s + AFTER_S))
    return stretches
