"""From pieces of records to rows of a table."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor

from kensoku.batch._engine import FullContext, Piece, Tell
from kensoku.batch._found import FoundPick, found_pick
from kensoku.batch._live import pick_as_live
from kensoku.batch._measured import measuring_with
from kensoku.classic import ClassicFrontEnd
from kensoku.detection import Cascade, Picker
from kensoku.picking import Calibration
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import Pick

Listener = Picker | ClassicFrontEnd


def calibration_of(listener: Listener) -> Calibration | None:
    """How probable a pick of a score is; of classic picks nobody has measured it."""
    return listener.final.card.calibration if isinstance(listener, Picker) else None


def pick_pieces(
    pieces: Iterable[Piece], listener: Listener, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[FoundPick]:
    """As `pick_messages`, as rows of a table."""
    for pick in pick_messages(pieces, listener, stations, executor, tell):
        yield found_pick(pick, calibration_of(listener))


def pick_messages(
    pieces: Iterable[Piece], listener: Listener, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[Pick]:
    """The picks of pieces that come in the order of time; `tell` is given channels that cannot be used, and why.

    A model with a stated look-ahead, and the classic picker, work as in the live service.
    """
    if not isinstance(listener, Picker):
        yield from pick_as_live(pieces, listener, stations, tell)
    elif listener.final.card.look_ahead_s is not None:
        yield from pick_as_live(pieces, Cascade(listener), stations, tell)
    else:
        yield from FullContext(listener.final, executor, measuring_with(stations), tell).pick(pieces)
