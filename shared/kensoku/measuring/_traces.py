"""Ground motion around a pick: vertical, north and east as far as the inventory knows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.measuring._channels import Channel, Channels, Rotation
from kensoku.measuring._clipping import is_clipped
from kensoku.measuring._ground import AROUND, DISPLACEMENT, ground_motion, has_inverse, high_pass_hz
from kensoku.measuring._seismographs import wood_anderson
from kensoku.measuring._stretch import RATE_HZ, FloatArray, Stretch

NOISE, GUARD = 10 * RATE_HZ, RATE_HZ  # samples of noise that is compared, and between them and the onset
WOOD_ANDERSON = 3  # the row of motions after those of the ground
SETTLES = 3 * RATE_HZ  # what seismographs need that are put on ground motion


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    stretch: Stretch
    channel: Channel
    is_clipped: bool

    @classmethod
    def of(cls, stretch: Stretch, channel: Channel) -> "Component":
        after_onset = stretch.counts[stretch.before :]
        return cls(stretch, channel, is_clipped(after_onset, stretch.offset, channel.clip_counts))

    @property
    def kind(self) -> tuple[bytes, int, int]:
        """Components of the same kind are worked on together."""
        return self.channel.response, self.stretch.before, self.stretch.after


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Ground motion in one direction."""

    code: str  # of the channel
    motions: FloatArray  # displacement, velocity, acceleration and what a Wood-Anderson shows, (4, samples), in m and s
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


def traces_of(components: Sequence[Component | None], channels: Channels) -> list[Trace | None]:
    """Vertical, north and east; the last two as they are where one is missing or nobody knows how to turn them.

    None where a response is not known, or too little of the record to take it off.
    """
    vertical, first, second = components
    rotation = channels.rotation
    if rotation is None or first is None or second is None:
        return _traces(components)
    alike = _alike(first, second)
    traces = _traces([vertical, *alike], same_high_pass=alike)
    if traces[1] is None or traces[2] is None:
        return traces
    return [traces[0], *_turned(traces[1], traces[2], rotation)]


def _alike(first: Component, second: Component) -> list[Component]:
    before = min(first.stretch.before, second.stretch.before)
    after = min(first.stretch.after, second.stretch.after)
    return [replace(each, stretch=each.stretch.cut(before, after)) for each in (first, second)]


def _traces(components: Sequence[Component | None], same_high_pass: Sequence[Component] = ()) -> list[Trace | None]:
    traces: list[Trace | None] = [None] * len(components)
    kinds: dict[tuple[bytes, int, int], list[tuple[int, Component]]] = {}
    for place, component in enumerate(components):
        if component is not None and component.channel.response and component.stretch.after > AROUND:
            kinds.setdefault(component.kind, []).append((place, component))
    for members in kinds.values():
        alike = [component for _, component in members]
        others = same_high_pass if any(c in same_high_pass for c in alike) else ()
        responses = {component.channel.response for component in (*alike, *others)}
        high_pass = high_pass_hz(responses, alike[0].stretch.before)
        if high_pass is not None and all(has_inverse(response, high_pass) for response in responses):
            for (place, _), trace in zip(members, _traces_of_kind(alike, high_pass), strict=True):
                traces[place] = trace
    return traces


def _traces_of_kind(components: Sequence[Component], high_pass: float) -> Iterator[Trace]:
    stretch, response = components[0].stretch, components[0].channel.response
    begin = max(0, stretch.before - NOISE - GUARD - SETTLES)
    counts = np.stack([component.stretch.centred for component in components])
    motions = ground_motion(counts, stretch.before, response, high_pass, begin)
    swung = wood_anderson(motions[:, DISPLACEMENT])
    motions = np.concatenate([motions, swung[:, np.newaxis]], axis=1)
    for component, rows in zip(components, motions, strict=True):
        yield Trace(
            code=component.channel.code,
            motions=rows,
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
