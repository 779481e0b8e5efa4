"""From pieces of records to rows of a table."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor

from kensoku.batch._engine import FullContext, Piece, Tell
from kensoku.batch._found import FoundPick, found_pick
from kensoku.batch._live import pick_as_live
from kensoku.batch._measured import measuring_with
from kensoku.detection import Picker
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import Pick


def pick_pieces(
    pieces: Iterable[Piece], picker: Picker, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[FoundPick]:
    """As `pick_messages`, as rows of a table."""
    for pick in pick_messages(pieces, picker, stations, executor, tell):
        yield found_pick(pick, picker.final.card.calibration)


def pick_messages(
    pieces: Iterable[Piece], picker: Picker, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[Pick]:
    """The picks of pieces that come in the order of time; `tell` is given channels that cannot be used, and why.

    A model with a stated look-ahead is asked as the live service asks it.
    """
    if picker.final.card.look_ahead_s is not None:
        yield from pick_as_live(pieces, picker, stations, tell)
    else:
        yield from FullContext(picker.final, executor, measuring_with(stations), tell).pick(pieces)
