"""From pieces of records to rows of a table."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor

from kensoku.batch._engine import FullContext, Piece, Tell
from kensoku.batch._found import FoundPick, found_pick
from kensoku.batch._measured import measuring_with
from kensoku.batch._stage import Stage
from kensoku.v1.inventory_pb2 import Station


def pick_pieces(
    pieces: Iterable[Piece], stage: Stage, stations: Mapping[str, Station], executor: Executor, tell: Tell
) -> Iterator[FoundPick]:
    """The picks of pieces that come in the order of time; `tell` is given channels that cannot be used, and why."""
    engine = FullContext(stage, executor, measuring_with(stations), tell)
    for pick in engine.pick(pieces):
        yield found_pick(pick, stage.card.calibration)
