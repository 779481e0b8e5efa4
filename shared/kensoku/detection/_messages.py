"""What is told of an arrival: at once, and once more when half a minute of it is there."""

import logging
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Counter

from kensoku.continuous import RATE_HZ, SAMPLE_NS, Timeline, time_of
from kensoku.detection._arrivals import Arrival, onset_ns
from kensoku.detection._second_look import Refined, share_out
from kensoku.measuring import EARLY, FULL, LEAD, Channels, Measured, describe_pick, measure, pick_measurement
from kensoku.picking import Phase
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import (
    PHASE_P,
    PHASE_S,
    PhaseProbabilities,
    Pick,
    PickLatency,
    PickMeasurement,
)

Stations = Callable[[str], Station | None]  # what the inventory says of NET.STA

log = logging.getLogger("kensoku.detection")

UNMEASURED = Counter(
    "triggering_unmeasured", "Stretches of picks measured in counts, since the response of their channels failed"
)

USED = RATE_HZ  # samples around an onset in which a channel counts as used


def describe(arrival: Arrival, stations: Stations, *, late: bool, ready_ns: int, inferred_ns: int) -> Pick:
    """The first message. It depends on samples before `arrival.used_to` alone, but for the stamps."""
    timeline, index = arrival.step.timeline, arrival.index
    station = stations(arrival.instrument.key)
    pick = Pick(
        id=arrival.id,
        instrument=arrival.instrument.to_message(),
        channels=timeline.channels(index - USED, min(index + USED, arrival.used_to)),
        phase=PHASE_P if arrival.phase == "P" else PHASE_S,
        onset_ns=arrival.onset_ns,
        onset_uncertainty_s=arrival.uncertainty_s,
        onset_index=index,
        probabilities=_probabilities(arrival),
        method=arrival.method,
        model=arrival.model,
        inventory_hash=station.hash if station else "",
        decision=arrival.decision,
        decision_reason=arrival.decision_reason,
        judges=arrival.judges,
        late=late,
        latency=PickLatency(
            last_sample_ns=time_of(arrival.used_to - 1) + timeline.offset_ns(index),
            packet_arrival_ns=arrival.step.arrival_ns,
            window_ready_ns=ready_ns,
            inferred_ns=inferred_ns,
        ),
        software_version=_software_version(),
    )
    describe_first(pick, timeline, stations, arrival.used_to)
    return pick


def describe_first(pick: Pick, timeline: Timeline, stations: Stations, end: int) -> None:
    """What is measured of the samples before `end`."""
    first = pick.onset_index - LEAD - 1
    measured = _measured(pick, timeline, stations, first, end)
    describe_pick(pick, measured, _first_ns(timeline, first, pick.onset_index))


def describe_fully(
    pick: Pick, timeline: Timeline, stations: Stations, refined: Refined | None = None
) -> PickMeasurement:
    """The second message, of the half minute after the onset; of what the first one says and the record alone.

    Of P also of its first seconds, of which early magnitudes are made: the first message has seen one alone.
    """
    first = pick.onset_index - LEAD - 1
    ends = (FULL, EARLY) if pick.phase == PHASE_P else (FULL,)
    measured, *early = (_measured(pick, timeline, stations, first, pick.onset_index + end) for end in ends)
    message = pick_measurement(pick, measured, _first_ns(timeline, first, pick.onset_index), *early)
    message.models.append(pick.model)
    station = stations(timeline.instrument.key)
    message.inventory_hash = station.hash if station else ""  # of now, as the amplitudes are
    if refined is not None:
        _refine(message, refined, timeline)
    return message


def _refine(message: PickMeasurement, refined: Refined, timeline: Timeline) -> None:
    message.models.extend(refined.models)
    if refined.sample is not None:
        message.onset_ns = onset_ns(timeline, refined.sample)
        message.onset_uncertainty_s = refined.uncertainty_s
    if refined.probabilities is not None:
        message.probabilities.CopyFrom(refined.probabilities)
    if refined.blast is not None:
        message.blast_probability = refined.blast


def _measured(pick: Pick, timeline: Timeline, stations: Stations, first: int, end: int) -> Measured:
    instrument, index = timeline.instrument, pick.onset_index
    station = stations(instrument.key)
    letters = timeline.orientations(index)
    channels = Channels.of(station, instrument.location, instrument.band_instrument, pick.onset_ns, letters)
    first_ns = _first_ns(timeline, first, index)
    onset = (pick.onset_ns - first_ns) / SAMPLE_NS
    phase: Phase = "P" if pick.phase == PHASE_P else "S"
    counts = channels.within_epochs(timeline.read(first, end), first_ns)
    try:
        return measure(counts, onset, end - first, channels, phase, pick.onset_uncertainty_s)
    except Exception:  # of a response that nobody has foreseen: the picks of all other stations would wait behind it
        UNMEASURED.inc()
        _tell_unmeasured(instrument.code, pick.inventory_hash)
        in_counts = Channels.of(None, instrument.location, instrument.band_instrument, pick.onset_ns, letters)
        return measure(counts, onset, end - first, in_counts, phase, pick.onset_uncertainty_s)


@cache
def _tell_unmeasured(instrument: str, inventory_hash: str) -> None:
    """Once of what the inventory says of it."""
    log.exception(
        "%s (inventory %s): found a response that cannot be applied, expected one of a seismometer; its amplitudes stay"
        " in counts until the inventory has another",
        instrument,
        inventory_hash[:12],
    )


def _first_ns(timeline: Timeline, first: int, index: int) -> int:
    """The time of a sample, by the clock at another one."""
    return time_of(first) + timeline.offset_ns(index) - timeline.delay_ns(index)


def _probabilities(arrival: Arrival) -> PhaseProbabilities:
    other = arrival.s if arrival.phase == "P" else arrival.p
    if not (arrival.score or arrival.noise or other):  # no model was asked
        return PhaseProbabilities()
    return share_out(arrival.phase, arrival.score, arrival.noise, other)


@cache
def _software_version() -> str:
    try:
        return version("kensoku")
    except PackageNotFoundError:
        return ""
