"""What was told of each instrument lately: no arrival is told twice, and every pick is measured once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kensoku.continuous import NOT_HELD, RATE_HZ, Instrument, Position
from kensoku.measuring import FULL
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, DECISION_REJECTED_STATION, Pick

SAME = RATE_HZ // 2  # samples: so near to a pick that was told, late samples show the same one
MINUTE = 60 * RATE_HZ
OF_STATION = (DECISION_KEPT, DECISION_REJECTED_STATION)

Whereabouts = Callable[[Instrument], Position | None]  # where an instrument is read from; None before it was


@dataclass(slots=True)
class ToldPick:
    """A pick whose second message is yet to come, or has come."""

    instrument: Instrument
    pick: Pick
    is_measured: bool = False

    @property
    def due(self) -> int:
        """The sample before which the second message ends."""
        return self.pick.onset_index + FULL


class Told:
    """By instrument, in the order of their decision. Iterates over the instruments of which anything is remembered."""

    def __init__(self, lateness: int) -> None:
        """So many samples after its second message a pick is forgotten: nothing can show it again."""
        self._lateness = lateness
        self._picks: dict[Instrument, list[ToldPick]] = {}
        self._recalled: dict[Instrument, set[Position]] = {}  # those in whose logs an instrument was told

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._picks)

    def recall(self, position: Position, picks: Iterable[Pick], measured: Collection[str]) -> None:
        """What was told before a restart in the log of a position; `measured` are ids of picks."""
        recalled: dict[Instrument, dict[str, ToldPick]] = {}
        for pick in picks:
            instrument = Instrument.of(pick.instrument)
            recalled.setdefault(instrument, {})[pick.id] = ToldPick(instrument, pick, pick.id in measured)
        for instrument, by_id in recalled.items():
            self._recalled.setdefault(instrument, set()).add(position)
            known = (one for one in self._picks.get(instrument, ()) if one.pick.id not in by_id)
            self._picks[instrument] = [*known, *by_id.values()]

    def tell(self, instrument: Instrument, pick: Pick, *, is_again: bool) -> bool:
        """Whether this is news; then it is remembered. `is_again`: samples that came late show it."""
        told = self._picks.setdefault(instrument, [])
        if any(_is_told(pick, other.pick, is_again=is_again) for other in told):
            return False
        told.append(ToldPick(instrument, pick))
        return True

    def lately(self, instrument: Instrument, index: int, *, with_faint: bool = False) -> int:
        """Picks of the minute before, without those that something is wrong with."""
        counted = (*OF_STATION, DECISION_FAINT) if with_faint else OF_STATION
        told = self._picks.get(instrument, ())
        return sum(index - MINUTE < one.pick.onset_index <= index and one.pick.decision in counted for one in told)

    def due(self, reached: Mapping[Instrument, int], most: int | None = None) -> list[ToldPick]:
        """Picks that can be measured, by the sample that each instrument's record has reached; the oldest first.

        So many, or a quarter of them if that is more.
        """
        due = [
            one
            for instrument, reached_to in reached.items()
            for one in self._picks[instrument]
            if not one.is_measured and one.due <= reached_to
        ]
        due.sort(key=lambda one: one.due)
        return due if most is None else due[: max(most, len(due) // 4)]

    def kept_from(self, instrument: Instrument) -> int:
        """What is not measured keeps its record."""
        told = self._picks.get(instrument, ())
        return min((one.due for one in told if not one.is_measured), default=NOT_HELD)

    def forget(self, instrument: Instrument, reached: int) -> None:
        """What was measured, and so long ago that no late samples can show it again."""
        told = self._picks[instrument]
        told[:] = [one for one in told if not one.is_measured or one.due > reached - self._lateness]
        if not told:
            del self._picks[instrument]

    def leave(self, position: Position, read_from: Whereabouts) -> None:
        """The instruments of a position belong to somebody else now; of one that was never read, when all its
        positions have left."""
        left = [one for one in self._picks if read_from(one) == position]
        for instrument, positions in list(self._recalled.items()):
            positions.discard(position)
            if not positions:
                del self._recalled[instrument]
                left += [instrument] if read_from(instrument) is None else []
        for instrument in left:
            self._picks.pop(instrument, None)


def _is_told(pick: Pick, other: Pick, *, is_again: bool) -> bool:
    """Before a restart; or by late samples, or another version of the model, as nearly the same."""
    return pick.id == other.id or ((is_again or _is_of_other(pick, other)) and _is_same(pick, other))


def _is_of_other(pick: Pick, told: Pick) -> bool:
    """Whether another version of the model told it: at a switch both may see an arrival."""
    return (pick.model.version, pick.model.sha256) != (told.model.version, told.model.sha256)


def is_more(pick: Pick, told: Pick) -> bool:
    """Whether it is news although the same arrival was told: as a faint one."""
    return told.decision == DECISION_FAINT != pick.decision


def _is_same(pick: Pick, other: Pick) -> bool:
    is_near = pick.phase == other.phase and abs(pick.onset_index - other.onset_index) <= SAME
    return is_near and not is_more(pick, other)
