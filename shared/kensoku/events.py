"""An event's status, type, quality and size, and what became of a pick, in words, whichever part asks."""

import math
from typing import Any

from kensoku.sphere import distance_km
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import Event, EventStatus, EventType, Magnitude, Origin, Quality
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Decision, Pick

PHASES = {PHASE_P: "P", PHASE_S: "S"}


def status_name(event: Event | Association) -> str:
    """`FINAL`; of a status from a newer version its number."""
    return _name(EventStatus, int(event.status), "EVENT_STATUS_")


def type_name(event: Event) -> str:
    """`EARTHQUAKE`"""
    return _name(EventType, int(event.type), "EVENT_TYPE_")


def quality_name(event: Event) -> str:
    """`A`, or nothing."""
    return _name(Quality, int(event.origin.quality), "QUALITY_") if event.origin.quality else ""


def decision_name(pick: Pick) -> str:
    """`KEPT`, `REJECTED_QUALITY`"""
    return _name(Decision, int(pick.decision), "DECISION_")


def preferred_magnitude(event: Event) -> Magnitude | None:
    """The one that stands for the event; None when it has no value."""
    if not event.preferred_magnitude:
        return None
    return next((m for m in event.magnitudes if m.type == event.preferred_magnitude and has_value(m)), None)


def has_value(magnitude: Magnitude) -> bool:
    return not magnitude.absent_reason and math.isfinite(magnitude.value)


def epicentres_apart_km(one: Origin, other: Origin) -> float:
    return distance_km(one.latitude_deg, one.longitude_deg, other.latitude_deg, other.longitude_deg)


def is_known(origin: Origin, name: str) -> bool:
    """Of a number about how the origin fits: where nobody counted phases, 0 says that nobody said it."""
    return bool(getattr(origin, name) or origin.phases_used)


def has_depth(origin: Origin) -> bool:
    """False where a catalogue left it out, which we hold as fixed at 0 km."""
    return not origin.depth_is_fixed or is_known(origin, "depth_km") or has_depth_interval(origin)


def has_depth_interval(origin: Origin) -> bool:
    return origin.depth_lower_km < origin.depth_upper_km


def _name(enum: Any, value: int, prefix: str) -> str:
    found = enum.DESCRIPTOR.values_by_number.get(value)
    return str(found.name.removeprefix(prefix)) if found else str(value)
