"""Which of an event's magnitudes is shown first."""

from collections.abc import Sequence
from dataclasses import dataclass

from kensoku.magnitudes._estimate import Estimate

ORDER = ("ML", "Mv(JMA)", "Mpv", "Mpd", "Mtauc")  # Mpv is absent where it would saturate


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """The first type in `order` that at least `stations` stations made and of which bounds are not the larger part."""

    order: tuple[str, ...] = ORDER
    stations: int = 3


def preferred_magnitude(estimates: Sequence[Estimate], preference: Preference | None = None) -> tuple[str, str]:
    """The type, empty if none has a value, and the rule that decided in words.

    Where no magnitude has enough stations, that with the most; of as many, the first in order.
    """
    rule = preference or Preference()
    valued = sorted(
        (each for each in estimates if each.has_value), key=lambda each: _place(each.magnitude.type, rule.order)
    )
    for each in valued:
        magnitude = each.magnitude
        if magnitude.stations >= rule.stations and each.bounds <= each.firm:
            return magnitude.type, f"the first of {', '.join(rule.order)} with {rule.stations} stations or more"
    if not valued:
        return "", "no magnitude has a value"
    most = max(valued, key=lambda each: min(each.magnitude.stations, each.firm))
    return most.magnitude.type, f"none has {rule.stations} stations that are no bounds; this one has the most"


def _place(magnitude_type: str, order: Sequence[str]) -> int:
    return order.index(magnitude_type) if magnitude_type in order else len(order)
