"""Networks over every second of every instrument, in as few and large requests as possible."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

import numpy as np

from kensoku.continuous import STEP, Instrument, Step
from kensoku.detection._arrivals import Arrival
from kensoku.detection._stages import (
    GAP,
    Cut,
    FloatArray,
    Picker,
    Version,
    decided_to,
    final_cut,
    first_cut,
    told,
    used_to,
)
from kensoku.picking import (
    PHASES,
    Phase,
    Pick,
    apart_from_gaps,
    find_picks,
    horizontals_at,
    may_hide_gaps,
    may_hold_picks,
    with_missing,
)
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, ModelReference

LOOKED_BACK = 2  # seconds: an onset is decided at most so long after a first stage with the same delays has seen it
ON_THEIR_WAY = 2  # requests, while the answers before them are looked at
MOST_AT_ONCE = 256  # windows: answers of the processor are the same bits for batches of up to so many
SAME = STEP // 2  # samples: picks of one phase so near to each other are one arrival, which two versions saw
NOTHING = -1.0  # in place of a probability: below its threshold

Seen = tuple[Instrument, int]  # an instrument, and the end of a second


class Cascade:
    """A small network looks at every second; the live picker where that sees something in it or just before.

    Every second is decided from cuts of its own on the absolute grid, so nothing depends on what else was asked, or
    when. With no first stage the picker looks at every second.
    """

    def __init__(self, picker: Picker) -> None:
        self._picker = picker
        self._final = final_cut(picker.final)
        self._first = first_cut(picker.first) if picker.first else None
        self._askers = ThreadPoolExecutor(ON_THEIR_WAY, thread_name_prefix="cascade")
        self._seen: dict[Instrument, dict[int, float]] = {}  # what the first stage said of the latest seconds
        self.asked = 0  # windows of the first stage, or of the only one
        self.decided = 0  # windows of the final stage

    @property
    def reach(self) -> int:
        first = self._first.length + LOOKED_BACK * STEP + self._first.stage.card.geometry.stride if self._first else 0
        return max(first, self._final.length + self._picker.final.card.geometry.stride)

    def evaluate(self, steps: Sequence[Step]) -> list[Arrival]:
        arrivals, _ = self.sift(steps, 0.0)
        return arrivals

    def sift(self, steps: Sequence[Step], least: float) -> tuple[list[Arrival], list[Step]]:
        wanted, later = [step for step in steps if not step.is_known], list[Step]()
        if self._first is not None:
            promising = self._promising(wanted, self._first)
            wanted = [step for step, score in promising if score >= least or step.is_again]
            later = [step for step, score in promising if score < least and not step.is_again]
        return self.decide(wanted), later

    def decide(self, steps: Sequence[Step]) -> list[Arrival]:
        arrivals: list[Arrival] = []
        for group, answers in self._asked(steps, self._final):
            self.decided += len(group)
            for step, said in zip(group, answers, strict=True):
                arrivals += self._arrivals(step, said)
        return arrivals

    def forget_all_but(self, instruments: Iterable[Instrument]) -> None:
        """The others belong to somebody else, or are no more."""
        held = frozenset(instruments)
        self._seen = {instrument: seen for instrument, seen in self._seen.items() if instrument in held}

    def _promising(self, steps: Sequence[Step], cut: Cut) -> list[tuple[Step, float]]:
        """Steps in which, or just before which, the first stage sees something; and what it says at most."""
        again = [step for step in steps if step.is_again]
        fresh = [step for step in steps if not step.is_again]
        chosen = self._chosen(again, cut, {})
        chosen |= self._chosen(fresh, cut, self._seen)
        for step in fresh:
            seen = self._seen[step.timeline.instrument]
            for end in [end for end in seen if end <= step.end - LOOKED_BACK * STEP - STEP]:
                del seen[end]
        return [(step, chosen[step]) for step in steps if step in chosen]

    def _chosen(self, steps: Sequence[Step], cut: Cut, seen: dict[Instrument, dict[int, float]]) -> dict[Step, float]:
        missing: dict[Seen, Step] = {}
        for step in steps:
            known = seen.setdefault(step.timeline.instrument, {})
            for end in _looked_at(step.end):
                if end not in known:
                    missing[step.timeline.instrument, end] = Step(step.timeline, end)
        said_of: dict[Seen, float] = dict.fromkeys(missing, NOTHING)
        card = cut.stage.card
        lowest = np.array([card.threshold.p, card.threshold.s], dtype=np.float32)[:, np.newaxis]
        for group, answers in self._asked(list(missing.values()), cut):
            self.asked += len(group)
            for step, said in zip(group, answers, strict=True):
                likely = told(cut, said)[-2:]
                is_seen = bool(np.any(likely >= lowest))
                said_of[step.timeline.instrument, step.end] = float(likely.max()) if is_seen else NOTHING
        for (instrument, end), score in said_of.items():  # all or nothing: the models may be away
            seen[instrument][end] = score
        most = {step: max(seen[step.timeline.instrument][end] for end in _looked_at(step.end)) for step in steps}
        return {step: score for step, score in most.items() if score > NOTHING}

    def _asked(self, steps: Sequence[Step], cut: Cut) -> Iterator[tuple[Sequence[Step], FloatArray]]:
        """The model's answers, in order; while one is looked at the next are on their way."""
        waiting = deque[tuple[Sequence[Step], Future[FloatArray]]]()
        try:
            for group, counts, version in _prepared(steps, cut):
                waiting.append((group, self._askers.submit(version.model, counts)))
                if len(waiting) > ON_THEIR_WAY:
                    yield waiting[0][0], waiting[0][1].result()
                    waiting.popleft()
            while waiting:
                yield waiting[0][0], waiting[0][1].result()
                waiting.popleft()
        finally:
            for _, answers in waiting:
                answers.cancel()

    def _arrivals(self, step: Step, said: FloatArray) -> list[Arrival]:
        """Those of the final stage that are decided in this second and no other."""
        card, answers = self._picker.final.card, told(self._final, said)
        first = self._final.last(step.end) - said[:, -self._final.answers :].shape[1]
        back = SAME if self._is_first_of_version(step) else 0
        within: dict[Phase, range] = {
            phase: range(
                decided_to(card, phase, step.start) + 1 - back - first, decided_to(card, phase, step.end) + 1 - first
            )
            for phase in PHASES
        }
        aligned = card.aligned(answers)
        if not may_hold_picks(aligned, card.wide_rule, within):
            return []
        decided = [
            pick for pick in find_picks(aligned, card.wide_rule) if int(np.ceil(pick.sample)) in within[pick.phase]
        ]
        return [
            self._arrival(step, pick, first, answers, horizontals_there)
            for pick in decided
            if (horizontals_there := self._heard_by(step, pick, first)) is not None
        ]

    def _is_first_of_version(self, step: Step) -> bool:
        """Then what the version before saw a little later, and left to this second, may be seen a little earlier."""
        now, before = (self._final.version(end) for end in (step.end, step.start))
        return (now.version, now.sha256) != (before.version, before.sha256)

    def _heard_by(self, step: Step, pick: Pick, first: int) -> int | None:
        """How many horizontal components; None where a gap is near: one that somebody filled with zeros is told soon
        after it began."""
        sample = pick.sample + first
        begin, end = self._final.first(step.end), int(np.floor(sample)) + GAP
        shown = with_missing(step.timeline.read(begin, end), is_causal=False)
        is_allowed = apart_from_gaps(shown)
        low, high = int(np.floor(sample)) - begin, int(np.ceil(sample)) - begin
        return horizontals_at(shown, low) if is_allowed[low] and is_allowed[high] else None

    def _arrival(self, step: Step, pick: Pick, first: int, answers: FloatArray, horizontals_there: int) -> Arrival:
        card = self._picker.final.card
        delay, version = card.delay.p if pick.phase == "P" else card.delay.s, self._final.version(step.end)
        place = min(round(pick.sample) + delay, answers.shape[1] - 1)
        noise, p, s = answers[:, place].tolist()
        sample = pick.sample + first
        return Arrival(
            step=step,
            phase=pick.phase,
            sample=sample,
            score=pick.score,
            uncertainty_s=card.calibration.uncertainty_s(pick, horizontals_there),
            noise=noise,
            p=p,
            s=s,
            model=ModelReference(name=self._final.stage.name, version=version.version, sha256=version.sha256),
            used_to=used_to(card, pick.phase, int(np.ceil(sample))),
            decision=DECISION_FAINT if pick.is_faint else DECISION_KEPT,
            decision_reason=card.faint_reason(pick) if pick.is_faint else "",
        )


def _looked_at(end: int) -> range:
    """Ends of the seconds that count for this one."""
    return range(end - LOOKED_BACK * STEP, end + STEP, STEP)


def _prepared(steps: Sequence[Step], cut: Cut) -> Iterator[tuple[Sequence[Step], FloatArray, Version]]:
    """The cuts of all steps in which anything was recorded, in requests."""
    geometry = cut.stage.card.geometry
    at_once = max(1, min(MOST_AT_ONCE, geometry.batch * geometry.window // cut.length))
    for version, alike in groupby(steps, lambda step: cut.version(step.end)):
        same = list(alike)
        for place in range(0, len(same), at_once):
            group, counts = _cuts(same[place : place + at_once], cut)
            if group:
                yield group, counts, version


def _cuts(group: Sequence[Step], cut: Cut) -> tuple[Sequence[Step], FloatArray]:
    counts = np.full((len(group), 3, cut.length), np.nan, dtype=np.float32)
    for window, step in zip(counts, group, strict=True):
        step.timeline.read_into(window, cut.first(step.end))
    heard = ~np.isnan(counts[:, :, -cut.answers :]).all(axis=(1, 2))
    if not heard.all():
        counts, group = counts[heard], [step for step, is_heard in zip(group, heard, strict=True) if is_heard]
    for place in np.flatnonzero(may_hide_gaps(counts)):
        counts[place] = with_missing(counts[place], is_causal=True)
    return group, counts
