"""What of an event changed so much that people must be told: the rule by which a revision is published."""

from collections.abc import Iterator
from dataclasses import dataclass

from kensoku.errors import SettingInvalid
from kensoku.events import epicentres_apart_km, preferred_magnitude, quality_name, type_name
from kensoku.v1.event_pb2 import Event, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    moved: float = 0.5  # of the uncertainty that was published
    least_epicentre_km: float = 0.2
    least_depth_km: float = 0.5
    uncertainty: float = 0.3  # by which the horizontal uncertainty shrinks or grows, of what it was
    magnitude: float = 0.1
    phases: float = 0.2  # that come or go, of those that were used

    def __post_init__(self) -> None:
        for name in ("moved", "least_epicentre_km", "least_depth_km", "uncertainty", "magnitude", "phases"):
            if not getattr(self, name) > 0:
                raise SettingInvalid(f"found {name} {getattr(self, name)}, expected more than 0")


DEFAULTS = ChangeSettings()


def changes(before: Event, after: Event, settings: ChangeSettings = DEFAULTS) -> tuple[str, ...]:
    """Sentences about what matters; none when a reader of `before` knows enough."""
    return (*_of_origins(before.origin, after.origin, settings), *_of_events(before, after, settings))


def _of_origins(before: Origin, after: Origin, settings: ChangeSettings) -> Iterator[str]:
    moved_km = epicentres_apart_km(before, after)
    if moved_km >= max(settings.least_epicentre_km, settings.moved * before.horizontal_uncertainty_km):
        yield f"the epicentre moved by {moved_km:.1f} km"
    deeper_km = after.depth_km - before.depth_km
    half_km = (before.depth_upper_km - before.depth_lower_km) / 2
    if after.depth_is_fixed != before.depth_is_fixed:
        yield f"the depth is {'not resolved any more' if after.depth_is_fixed else 'resolved now'}"
    elif abs(deeper_km) >= max(settings.least_depth_km, settings.moved * half_km):
        yield f"{abs(deeper_km):.1f} km {'deeper' if deeper_km > 0 else 'shallower'}"
    ratio = after.horizontal_uncertainty_km / max(before.horizontal_uncertainty_km, 1e-9)
    if not 1 - settings.uncertainty < ratio < 1 / (1 - min(settings.uncertainty, 0.99)):
        yield f"horizontal uncertainty {after.horizontal_uncertainty_km:.1f} km"


def _of_events(before: Event, after: Event, settings: ChangeSettings) -> Iterator[str]:
    old, new = preferred_magnitude(before), preferred_magnitude(after)
    if (old is None) != (new is None) or (old and new and old.type != new.type):
        yield f"{new.type} {new.value:.1f}" if new else "no magnitude any more"
    elif old and new and abs(new.value - old.value) >= settings.magnitude - 1e-9:
        yield f"{new.type} {new.value - old.value:+.1f}"
    came, went = _phases(after) - _phases(before), _phases(before) - _phases(after)
    if max(len(came), len(went)) >= max(1.0, settings.phases * len(_phases(before))):
        yield f"{len(came)} phases came, {len(went)} went"
    if before.type != after.type:
        yield f"{type_name(after).lower().replace('_', ' ')}"
    if before.origin.quality != after.origin.quality:
        yield f"quality {quality_name(after)}"


def _phases(event: Event) -> set[tuple[str, int]]:
    return {(arrival.pick_id, int(arrival.phase)) for arrival in event.arrivals if not arrival.is_outlier}
