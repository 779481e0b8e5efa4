"""Pick the records of some stations with a model that takes full context, in the order of time."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from kensoku.batch._blocks import DECISION, Blocks, Said, kept_of
from kensoku.batch._measured import Heard, Measure
from kensoku.continuous import Instrument, Timeline, index_of, instrument_of, time_of
from kensoku.detection import Stage, flaw_at, pick_id, share_out
from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples
from kensoku.picking import Pick as Onset
from kensoku.picking import find_picks
from kensoku.v1.pick_pb2 import (
    DECISION_FAINT,
    DECISION_KEPT,
    DECISION_REJECTED_QUALITY,
    METHOD_CNN,
    PHASE_P,
    PHASE_S,
    ModelReference,
    PhaseProbabilities,
    Pick,
)

AFTER = 3_200  # samples after a pick that its measurements need
SAMPLE_NS = 10**7
NO_SEISMOMETER = (
    "by its code it is no seismometer, expected a band, one of H, L, N, G and P, and one of Z, N, E, 1, 2 and 3, "
    "such as HHZ; rename it if it is one"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one station recorded in some seconds; pieces come in the order of their seconds."""

    network: str
    station: str
    channels: tuple[ChannelSamples, ...]
    start_ns: int  # nothing that comes later begins before
    end_ns: int


Tell = Callable[[str, str], None]  # a channel or station, and why it is left out


@dataclass(slots=True)
class _State:
    """One instrument: its record, what is to be decided next, and what was said before that."""

    timeline: Timeline
    next_block: int | None = None
    kept: Said | None = None


class FullContext:
    """Blocks of all instruments in turn, each as soon as it is complete; the model is asked by an executor."""

    def __init__(self, stage: Stage, executor: Executor, measure: Measure, tell: Tell) -> None:
        self._stage, self._executor, self._measure, self._tell = stage, executor, measure, tell
        self._blocks = Blocks(stage.card.geometry)
        self._kept = kept_of(stage.card)
        self._states: dict[Instrument, _State] = {}

    def hear(self, piece: Piece) -> Iterator[Heard]:
        """Pieces come in the order of time."""
        yield from self._write(piece)
        yield from self._decide(self._states.values(), index_of(piece.start_ns))

    def finish(self) -> Iterator[Heard]:
        yield from self._decide(self._states.values(), None)

    def _write(self, piece: Piece) -> Iterator[Heard]:
        for channel in sorted(piece.channels, key=lambda each: each.start_ns):
            found = instrument_of(piece.network, piece.station, channel.location, channel.code)
            name = f"{piece.network}.{piece.station}.{channel.location}.{channel.code}"
            if found is None:
                self._tell(name, NO_SEISMOMETER)
                continue
            instrument, component = found
            state = self._states.setdefault(instrument, _State(Timeline(instrument)))
            if self._is_new_record(state, channel):
                yield from self._decide([state], None)
                state = self._states[instrument] = _State(Timeline(instrument))
            try:
                if reason := state.timeline.beside(component, channel):
                    self._tell(name, reason)
                state.timeline.write(component, channel)
            except InputInvalid as error:
                self._tell(name, str(error))
                continue
            if state.next_block is None:
                state.next_block = self._blocks.block_of(index_of(channel.start_ns))

    def _is_new_record(self, state: _State, channel: ChannelSamples) -> bool:
        """After a gap that no window spans."""
        first, end = self._blocks.given(0)
        return state.next_block is not None and index_of(channel.start_ns) > state.timeline.end + 3 * (end - first)

    # --- what can be decided -----------------------------------------------------------------------------------------

    def _decide(self, states: Iterable[_State], complete: int | None) -> Iterator[Heard]:
        """All blocks that end before the sample `complete`; None: all there are."""
        ready = [state for state in states if self._is_ready(state, complete)]
        while ready:
            asked = [self._executor.submit(self._ask, state) for state in ready]
            for state, said in zip(ready, asked, strict=True):
                yield from self._decided(state, said)
            ready = [state for state in ready if self._is_ready(state, complete)]

    def _is_ready(self, state: _State, complete: int | None) -> bool:
        if state.next_block is None:
            return False
        if complete is None:
            return state.kept is not None or self._blocks.first(state.next_block) < state.timeline.end
        return (
            max(self._blocks.given(state.next_block)[1], self._blocks.first(state.next_block + 1) + AFTER) <= complete
        )

    def _ask(self, state: _State) -> Said:
        assert state.next_block is not None
        first, end = self._blocks.given(state.next_block)
        if state.timeline.end <= first:
            return self._blocks.nothing()
        return self._blocks.ask(state.timeline.read(first, end), self._stage.model)

    def _decided(self, state: _State, asked: "Future[Said]") -> Iterator[Heard]:
        """Picks whose answers are complete: those nearest to the block's end wait for the next block."""
        assert state.next_block is not None
        block, said = state.next_block, asked.result()
        before = state.kept or self._blocks.nothing().last(self._kept)
        joined = before.followed_by(said)
        first = self._blocks.first(block) - before.allowed.size
        known = joined.allowed.size - (self._kept - DECISION)
        card = self._stage.card
        aligned, found = card.aligned(joined.probabilities), list[Pick]()
        for onset in find_picks(aligned, card.wide_rule, joined.allowed):
            if DECISION <= onset.sample < known:
                horizontals = int(joined.horizontals[math.floor(onset.sample)])
                p, s = aligned[:, round(onset.sample)].tolist()
                probabilities = share_out(onset.phase, onset.score, max(1 - p - s, 0.0), s if onset.phase == "P" else p)
                pick = self._message(state.timeline, first, onset, horizontals, probabilities)
                if not onset.is_faint or pick.decision == DECISION_FAINT:
                    found.append(pick)
        yield from self._measure([(pick, state.timeline) for pick in found])
        state.kept, state.next_block = joined.last(self._kept), block + 1
        if not joined.allowed.any():
            state.kept = None
            if state.timeline.end <= self._blocks.first(block + 1):
                state.next_block = None
        state.timeline.forget(min(self._blocks.given(block + 1)[0], first + known - AFTER))

    # --- a pick ------------------------------------------------------------------------------------------------------

    def _message(
        self, timeline: Timeline, first: int, onset: Onset, horizontals: int, probabilities: PhaseProbabilities
    ) -> Pick:
        stage, whole = self._stage, math.floor(onset.sample)
        index, fraction = first + whole, onset.sample - whole
        nearest = index + round(fraction)
        onset_ns = (
            time_of(index) + round(fraction * SAMPLE_NS) + timeline.offset_ns(nearest) - timeline.delay_ns(nearest)
        )
        flaw = flaw_at(timeline, nearest, nearest + AFTER)
        pick = Pick(
            id=pick_id(timeline.instrument, onset.phase, nearest, stage.name, is_faint=onset.is_faint),
            instrument=timeline.instrument.to_message(),
            channels=timeline.channels(nearest - 100, nearest + 100),
            phase=PHASE_P if onset.phase == "P" else PHASE_S,
            onset_ns=onset_ns,
            onset_index=nearest,
            onset_uncertainty_s=stage.card.calibration.uncertainty_s(onset, horizontals),
            method=METHOD_CNN,
            model=ModelReference(name=stage.name, version=stage.version, sha256=stage.sha256),
            decision=DECISION_REJECTED_QUALITY if flaw else DECISION_FAINT if onset.is_faint else DECISION_KEPT,
            decision_reason=flaw or (stage.card.faint_reason(onset) if onset.is_faint else ""),
        )
        pick.probabilities.CopyFrom(probabilities)
        return pick
