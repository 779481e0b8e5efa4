"""From pieces of records to what was heard in them, and to rows of a table."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from kensoku.batch._engine import FullContext, Piece, Tell
from kensoku.batch._found import FoundPick, found_pick
from kensoku.batch._live import pick_as_live
from kensoku.batch._measured import Heard, measuring_with
from kensoku.classic import ClassicFrontEnd
from kensoku.detection import Cascade, Picker, SecondLook
from kensoku.picking import Calibration
from kensoku.v1.inventory_pb2 import Station


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens to records, and who listens again to half a minute around each pick."""

    first: Picker | ClassicFrontEnd
    again: SecondLook = field(default_factory=SecondLook)

    @property
    def calibration(self) -> Calibration | None:
        """How probable a pick of a score is; of classic picks nobody has measured it."""
        return self.first.final.card.calibration if isinstance(self.first, Picker) else None

    @property
    def is_live(self) -> bool:
        """Whether a pick depends on a fixed stretch before its second, and not on windows of long records."""
        return not isinstance(self.first, Picker) or self.first.final.card.look_ahead_s is not None


def pick_pieces(
    pieces: Iterable[Piece], listener: Listener, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[FoundPick]:
    """As `hear_pieces`, as rows of a table."""
    for heard in hear_pieces(pieces, listener, stations, executor, tell):
        yield found_pick(heard, listener.calibration)


def hear_pieces(
    pieces: Iterable[Piece], listener: Listener, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[Heard]:
    """The picks of pieces that come in the order of time; `tell` is given channels that cannot be used, and why.

    A model with a stated look-ahead, and the classic picker, work as in the live service.
    """
    if isinstance(listener.first, Picker) and not listener.is_live:
        measure = measuring_with(stations.get, listener.again)
        yield from FullContext(listener.first.final, executor, measure, tell).pick(pieces)
    else:
        front_end = Cascade(listener.first) if isinstance(listener.first, Picker) else listener.first
        yield from pick_as_live(pieces, front_end, listener.again, stations.get, tell)
