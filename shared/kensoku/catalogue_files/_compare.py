"""How two catalogues of the same time and place differ, event by event."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from kensoku.errors import SettingInvalid
from kensoku.events import epicentres_apart_km, has_value, preferred_magnitude
from kensoku.times import NS_PER_S
from kensoku.v1.event_pb2 import Event, Magnitude

NS_PER_US = 1000
CLOSE = 1e-9
MOST_LINKS = 10_000_000  # 1.5 GB


@dataclass(frozen=True, slots=True)
class Limits:
    """Within these, two events may be one earthquake."""

    seconds: float = 3.0
    km: float = 30.0


@dataclass(frozen=True, slots=True)
class Pair:
    """One earthquake in both; differences are b minus a."""

    a: Event
    b: Event

    @property
    def later_s(self) -> float:
        return (self.b.origin.time_ns - self.a.origin.time_ns) / NS_PER_S

    @property
    def moved_km(self) -> float:
        """Epicentres."""
        return epicentres_apart_km(self.a.origin, self.b.origin)

    @property
    def deeper_km(self) -> float:
        return self.b.origin.depth_km - self.a.origin.depth_km

    @property
    def larger(self) -> float | None:
        """In magnitude; None unless both have one on the same scale."""
        both = self._magnitudes()
        return both[1].value - both[0].value if both else None

    @property
    def magnitude_type(self) -> str:
        """The scale on which they are compared; empty: on none."""
        both = self._magnitudes()
        return both[0].type if both else ""

    @property
    def has_other_scale(self) -> bool:
        """Whether both have magnitudes that say nothing of each other."""
        return all(preferred_magnitude(event) for event in (self.a, self.b)) and not self._magnitudes()

    def _magnitudes(self) -> tuple[Magnitude, Magnitude] | None:
        """Of a scale that both know, the preferred one of either if that can be."""
        a, b = preferred_magnitude(self.a), preferred_magnitude(self.b)
        if a is None or b is None:
            return None
        if is_one_scale(a, b):
            return a, b
        pairs = [(a, other) for other in self.b.magnitudes] + [(other, b) for other in self.a.magnitudes]
        return next((pair for pair in pairs if all(map(has_value, pair)) and is_one_scale(*pair)), None)


def is_one_scale(a: Magnitude, b: Magnitude) -> bool:
    """Ml, ML and MLv are one, as catalogues write them; M is whatever its catalogue calls so."""
    first, second = (magnitude.type.upper().removesuffix("V") for magnitude in (a, b))
    return first == second or "M" in (first, second)


@dataclass(frozen=True, slots=True)
class Comparison:
    pairs: Sequence[Pair]
    only_a: Sequence[Event]
    only_b: Sequence[Event]
    without_origin: int  # events that could not be compared


def compare(a: Iterable[Event], b: Iterable[Event], limits: Limits) -> Comparison:
    """One to one, the nearest in time and place first. As many pairs as can be would move a whole swarm on by one event
    where one is missing, and not even leave to each other what is the same in both."""
    every_a, every_b = list(a), list(b)
    firsts, seconds = _located(every_a), _located(every_b)
    pairs = _nearest(_links(firsts, seconds, limits))
    taken_a, taken_b = {i for i, _ in pairs}, {j for _, j in pairs}
    return Comparison(
        [Pair(firsts[i], seconds[j]) for i, j in sorted(pairs)],
        [event for i, event in enumerate(firsts) if i not in taken_a],
        [event for j, event in enumerate(seconds) if j not in taken_b],
        len(every_a) + len(every_b) - len(firsts) - len(seconds),
    )


def say_the_same(a: Message, b: Message) -> bool:
    """But for what QuakeML rounds: a microsecond, and a billionth of a number."""
    ours, theirs = a.ListFields(), b.ListFields()
    return [field.name for field, _ in ours] == [field.name for field, _ in theirs] and all(
        _values_say_the_same(field, x, y) for (field, x), (_, y) in zip(ours, theirs, strict=True)
    )


def _values_say_the_same(field: FieldDescriptor, a: Any, b: Any) -> bool:
    if field.is_repeated:
        return len(a) == len(b) and all(_value_says_the_same(field, x, y) for x, y in zip(a, b, strict=True))
    return _value_says_the_same(field, a, b)


def _value_says_the_same(field: FieldDescriptor, a: Any, b: Any) -> bool:
    if field.message_type:
        return say_the_same(a, b)
    if field.name.endswith("_ns"):
        return bool(abs(a - b) < NS_PER_US)
    if isinstance(a, float):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


Link = tuple[int, int, float]  # index of a, index of b, how far apart in units of the limits, squared


def _located(events: Sequence[Event]) -> list[Event]:
    found = [event for event in events if event.HasField("origin")]
    return sorted(found, key=lambda event: (event.origin.time_ns, event.id))


def _links(firsts: Sequence[Event], seconds: Sequence[Event], limits: Limits) -> list[Link]:
    times = [event.origin.time_ns for event in seconds]
    reach_ns = round(limits.seconds * NS_PER_S)
    links = list[Link]()
    for i, first in enumerate(firsts):
        if len(links) > MOST_LINKS:
            raise SettingInvalid(
                f"found more than {MOST_LINKS:,} pairs of events that may be one, expected fewer; give smaller "
                "--seconds and --km"
            )
        time_ns = first.origin.time_ns
        for j in range(bisect_left(times, time_ns - reach_ns), bisect_right(times, time_ns + reach_ns)):
            km = epicentres_apart_km(first.origin, seconds[j].origin)
            if km <= limits.km:
                late = (times[j] - time_ns) / max(reach_ns, 1)
                links.append((i, j, late**2 + (km / limits.km if limits.km else 0.0) ** 2))
    return links


def _nearest(links: list[Link]) -> list[tuple[int, int]]:
    """Each link whose events are in no nearer one; of two alike the earlier events'."""
    pairs, taken_a, taken_b = [], set[int](), set[int]()
    for i, j, _ in sorted(links, key=lambda link: (link[2], link[0], link[1])):
        if i not in taken_a and j not in taken_b:
            pairs.append((i, j))
            taken_a.add(i)
            taken_b.add(j)
    return pairs
