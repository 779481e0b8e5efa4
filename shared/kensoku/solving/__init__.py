"""From the picks that one earthquake made to the event that is published: origin, magnitudes, type, and its revisions.

Pure: an association, what is known of stations and the earth, and the last revision in; the next revision out, or none
where nothing matters that changed (`solve`; `solve_many` takes a tenth of the time an event).
"""

from kensoku.solving._book import Book
from kensoku.solving._changes import ChangeSettings, changes
from kensoku.solving._check import check_association
from kensoku.solving._context import METHOD, Context
from kensoku.solving._solve import Outcome, Solved, solve, solve_many

__all__ = [
    "METHOD",
    "Book",
    "ChangeSettings",
    "Context",
    "Outcome",
    "Solved",
    "changes",
    "check_association",
    "solve",
    "solve_many",
]
