"""From the contracts and to them: picks in, `Association` out."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from kensoku.associating._associate import NS_PER_S, Candidate
from kensoku.associating._fit import offset, travel
from kensoku.associating._life import event_id
from kensoku.associating._network import WAVES, Network
from kensoku.associating._values import Onset
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.event_pb2 import EventStatus, Hypocentre
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_UNIT_M_PER_S,
    DECISION_FAINT,
    DECISION_KEPT,
    DECISION_UNSPECIFIED,
    PHASE_P,
    PHASE_S,
    Instrument,
    Phase,
    Pick,
    PickMeasurement,
)

PHASES: tuple[Phase, Phase] = (PHASE_P, PHASE_S)
LEAST_UNCERTAINTY_S = 0.02
CLEAR = 3.0  # over its noise


def station_of(instrument: Instrument) -> str:
    return f"{instrument.network}.{instrument.station}"


def onset_of(pick: Pick) -> Onset | None:
    """None of what was rejected, and of what has no phase."""
    if pick.phase not in PHASES or pick.decision not in (DECISION_KEPT, DECISION_FAINT, DECISION_UNSPECIFIED):
        return None
    p, s = pick.probabilities.p, pick.probabilities.s
    return Onset(
        id=pick.id,
        station=station_of(pick.instrument),
        phase=WAVES[PHASES.index(pick.phase)],
        onset_ns=pick.onset_ns,
        uncertainty_s=max(pick.onset_uncertainty_s, LEAST_UNCERTAINTY_S),
        p=p if p + s > 0 else None,
        s=s if p + s > 0 else None,
        amplitude=_amplitude_of(pick),
        is_faint=pick.decision == DECISION_FAINT,
    )


def _amplitude_of(pick: Pick) -> float | None:
    """The largest velocity of ground, of the first message alone, so that nothing changes when it is measured again;
    none without a response, and none that noise or the instrument's limits made."""
    speeds = [
        each
        for each in pick.amplitudes
        if each.kind == AMPLITUDE_KIND_PEAK_VELOCITY and each.unit == AMPLITUDE_UNIT_M_PER_S
    ]
    if not speeds or any(each.clipped for each in speeds):
        return None
    largest = max(speeds, key=lambda each: each.value)
    return largest.value if largest.value > CLEAR * largest.noise else None


def names_of(candidate: Candidate, region: str, picks: Mapping[str, Pick]) -> list[str]:
    """Ids that it may have, the first by its earliest P."""
    members = sorted(candidate.members, key=lambda each: (each[1], picks[each[0]].onset_ns, each[0]))
    return [event_id(region, member[0]) for member in members]


def association_of(
    candidate: Candidate,
    status: EventStatus,
    region: str,
    picks: Mapping[str, Pick],
    measurements: Mapping[str, PickMeasurement],
    silent: Iterable[Instrument] = (),
) -> Association:
    """Of revision 1 and its first id; whoever knows better changes them."""
    place = candidate.latitude_deg, candidate.longitude_deg, candidate.depth_km
    found = Association(
        event_id=names_of(candidate, region, picks)[0],
        revision=1,
        status=status,
        region=region,
        trial=Hypocentre(time_ns=candidate.time_ns, latitude_deg=place[0], longitude_deg=place[1], depth_km=place[2]),
        score=candidate.log_odds,
        silent=silent,
    )
    for pick, phase, residual_s, probability in candidate.members:
        own = AssociatedPick(pick=picks[pick], phase=PHASES[phase], residual_s=residual_s, probability=probability)
        if pick in measurements:
            own.measurement.CopyFrom(measurements[pick])
        found.picks.append(own)
    return found


def silent_stations(
    candidate: Candidate, network: Network, picks: Mapping[str, Pick], has_heard: Callable[[str, int], bool]
) -> list[str]:
    """Those nearer than the farthest that picked something, which were listened to past P and picked nothing."""
    heard = {station_of(picks[member[0]].instrument) for member in candidate.members}
    distances = distances_km(candidate, network)
    farthest = max((distances[network.number[code]] for code in heard if code in network.number), default=0.0)
    silent = []
    for number, code in enumerate(network.codes):
        if code in heard or distances[number] > farthest:
            continue
        time, _, _ = travel(network.earth.times, 0, distances[number], candidate.depth_km)
        if has_heard(code, candidate.time_ns + round(time * NS_PER_S)):
            silent.append(code)
    return silent


def distances_km(candidate: Candidate, network: Network) -> Sequence[float]:
    place = np.array(network.turn.there(np.array(candidate.latitude_deg), np.array(candidate.longitude_deg)))
    stations = zip(network.stations.latitude, network.stations.longitude, strict=True)
    return [float(np.hypot(*offset(place, latitude, longitude))) for latitude, longitude in stations]
