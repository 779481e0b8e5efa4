"""Ground motion around a pick: vertical, north and east as far as the inventory knows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.measuring._channels import Channel, Channels, Rotation
from kensoku.measuring._clipping import is_clipped
from kensoku.measuring._ground import AROUND, ground_motion, high_pass_hz
from kensoku.measuring._stretch import RATE_HZ, FloatArray, Stretch

NOISE, GUARD = 10 * RATE_HZ, RATE_HZ  # samples of noise that is compared, and between them and the onset
SETTLES = 3 * RATE_HZ  # what seismographs need that are put on ground motion


@dataclass(frozen=True, slots=True)
class Component:
    stretch: Stretch
    channel: Channel

    @property
    def is_clipped(self) -> bool:
        stretch = self.stretch
        return is_clipped(stretch.counts[stretch.before :], stretch.offset, self.channel.clip_counts)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Ground motion in one direction."""

    code: str  # of the channel
    motions: FloatArray  # displacement, velocity and acceleration, (3, samples), in m and s
    onset: int  # sample of them
    quiet_from: int  # sample from which noise before the onset can be measured
    high_pass_hz: float
    is_clipped: bool

    @property
    def end(self) -> int:
        return self.motions.shape[1]

    @property
    def quiet(self) -> tuple[int, int]:
        """Where there is noise, the end excluded."""
        return self.quiet_from, max(self.quiet_from, self.onset - GUARD)


def vertical_of(components: Sequence[Component | None]) -> Trace | None:
    return next(_traces(components[:1]), None)


def horizontals_of(components: Sequence[Component | None], channels: Channels) -> Iterator[Trace]:
    """Turned to north and east where both are there and the inventory knows how."""
    first, second = components[1:]
    rotation = channels.rotation
    if rotation is None or first is None or second is None:
        for component in (first, second):
            yield from _traces([component])
        return
    before = min(first.stretch.before, second.stretch.before)
    after = min(first.stretch.after, second.stretch.after)
    alike = [replace(each, stretch=each.stretch.cut(before, after)) for each in (first, second)]
    traces = list(_traces(alike))
    if traces:
        yield from _turned(traces[0], traces[1], rotation)


def _traces(components: Sequence[Component | None]) -> Iterator[Trace]:
    """Of components with a response and enough of a record, all with the same high-pass."""
    usable = [c for c in components if c is not None and c.channel.response and c.stretch.after > AROUND]
    if len(usable) < len(components):
        return
    before = min(component.stretch.before for component in usable)
    high_pass = high_pass_hz([component.channel.response for component in usable], before)
    if high_pass is None:
        return
    for component in usable:
        yield _trace(component, high_pass)


def _trace(component: Component, high_pass: float) -> Trace:
    stretch = component.stretch
    begin = max(0, stretch.before - NOISE - GUARD - SETTLES)
    return Trace(
        code=component.channel.code,
        motions=ground_motion(stretch, component.channel.response, high_pass, begin),
        onset=stretch.before - begin,
        quiet_from=max(stretch.before - NOISE - GUARD, stretch.before // 2 + SETTLES) - begin,
        high_pass_hz=high_pass,
        is_clipped=component.is_clipped,
    )


def _turned(first: Trace, second: Trace, rotation: Rotation) -> Iterator[Trace]:
    for letter, (of_first, of_second) in zip("NE", rotation, strict=True):
        yield replace(
            first,
            code=first.code[:-1] + letter,
            motions=np.asarray(of_first * first.motions + of_second * second.motions),
            is_clipped=first.is_clipped or second.is_clipped,
        )
