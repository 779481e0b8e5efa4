"""The catalogue in a database: every revision of every event, kept for ever, in SQLite or PostgreSQL."""

from kensoku.catalogue_store._address import address, default_address
from kensoku.catalogue_store._engine import migrate, open_store
from kensoku.catalogue_store._rows import check_event
from kensoku.catalogue_store._selection import Area, Selection
from kensoku.catalogue_store._store import Revision, Store, Written

__all__ = [
    "Area",
    "Revision",
    "Selection",
    "Store",
    "Written",
    "address",
    "check_event",
    "default_address",
    "migrate",
    "open_store",
]
