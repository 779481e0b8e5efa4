"""Pick records that lie there as a whole, with the rules of live picking: files, archives, streams of a notebook.

Pure: pieces of records in, picks out. They do not depend on how the records are cut into files, nor on their order.
"""

from kensoku.batch._blocks import Blocks
from kensoku.batch._engine import Piece
from kensoku.batch._found import COLUMNS, FAINT, KEPT, NUMBERS, FoundPick, PickTable, found_pick
from kensoku.batch._measured import Heard
from kensoku.batch._pieces import Listener, hear_pieces, pick_pieces
from kensoku.batch._stage import EVERYWHERE, FIRST, open_listener, open_picker

__all__ = [
    "COLUMNS",
    "EVERYWHERE",
    "FAINT",
    "KEPT",
    "NUMBERS",
    "Blocks",
    "FoundPick",
    "Heard",
    "FIRST",
    "Listener",
    "PickTable",
    "Piece",
    "found_pick",
    "hear_pieces",
    "open_listener",
    "open_picker",
    "pick_pieces",
]
