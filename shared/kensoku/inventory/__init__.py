"""Where the stations are and how they turn ground motion into counts: read from files, compared, published.

Pure: bytes of files to stations (`read_inventory`), two states to what differs (`changes`). Only
`publish` and `published` know the bus.
"""

from kensoku.inventory._changes import Change, changes, describe_epoch
from kensoku.inventory._publishing import TOPIC, publish, published
from kensoku.inventory._reading import Reading, read_inventory
from kensoku.inventory._response import response_at
from kensoku.inventory._stations import has_epoch, published_stations

__all__ = [
    "TOPIC",
    "Change",
    "Reading",
    "changes",
    "describe_epoch",
    "has_epoch",
    "publish",
    "published",
    "published_stations",
    "read_inventory",
    "response_at",
]
