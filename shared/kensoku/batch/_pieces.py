"""From pieces of records to what was heard in them, and to rows of a table."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from kensoku.batch._engine import FullContext, Piece, Tell
from kensoku.batch._found import FoundPick, found_pick
from kensoku.batch._live import AsLive
from kensoku.batch._measured import Heard, measuring_with
from kensoku.classic import ClassicFrontEnd
from kensoku.detection import Cascade, Picker, SecondLook, Stage
from kensoku.packets import station_filter
from kensoku.picking import Calibration
from kensoku.v1.inventory_pb2 import Station


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens to records, and who listens again to half a minute around each pick."""

    picker: Picker | None
    again: SecondLook = field(default_factory=SecondLook)
    classic: ClassicFrontEnd | None = None
    is_classic: Callable[[str], bool] = station_filter("")  # whether `classic` listens to a NET.STA, or the picker

    @property
    def calibration(self) -> Calibration | None:
        """How probable the picker's pick of a score is; of classic picks nobody has measured it."""
        return self.picker.final.card.calibration if self.picker else None

    @property
    def full_context(self) -> Stage | None:
        """A network whose picks depend on windows of long records, and not on a fixed stretch before their second."""
        final = self.picker.final if self.picker else None
        return final if final and final.card.look_ahead_s is None else None


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

    def ear(is_classic: bool) -> FullContext | AsLive:
        if not is_classic and listener.full_context is not None:
            return FullContext(listener.full_context, executor, measuring_with(stations.get, listener.again), tell)
        front_end = listener.classic if is_classic else Cascade(listener.picker) if listener.picker else None
        assert front_end is not None, "a Listener has one of both for each station"
        return AsLive(front_end, listener.again, stations.get, tell)

    ears: dict[bool, FullContext | AsLive] = {}
    for piece in pieces:
        is_classic = listener.is_classic(f"{piece.network}.{piece.station}")
        if is_classic not in ears:
            ears[is_classic] = ear(is_classic)
        yield from ears[is_classic].hear(piece)
    for each in ears.values():
        yield from each.finish()
