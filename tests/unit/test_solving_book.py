"""Which revisions the book keeps, whose waves it knows, and what the end of an event says."""

from collections.abc import Sequence

import pytest

from kensoku.cli import detect
from kensoku.solving import Book, Context, Solved, solve, solve_many
from kensoku.solving._book import FORGOTTEN
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED, Event
from tests.associations import T0_NS, S, make_association, make_context, make_picks
from tests.catalogue import make_event

FOUR = ("A", "B", "C", "D")


def first() -> Event:
    event = solve(make_association(make_picks(FOUR)), make_context())
    assert event is not None
    return event


@pytest.mark.parametrize(
    ("kept", "offered", "last"),
    [((2, 1), (1, 9), (2, 1)), ((2, 7), (2, 6), (2, 7)), ((2, 7), (2, 8), (2, 8)), ((2, 7), (3, 1), (3, 1))],
)
def test_the_last_revision_of_the_last_owner_is_kept(
    kept: tuple[int, int], offered: tuple[int, int], last: tuple[int, int]
) -> None:
    book = Book()
    for revision, epoch in (kept, offered):
        book.keep(make_event("e1", revision, epoch))
    before = book.before("e1")
    assert before is not None
    assert (before.revision, before.owner_epoch) == last


def asked_by(most: int) -> tuple[list[str], Book]:
    """A book, and what it asks for."""
    asked: list[str] = []

    def recall(event_id: str) -> None:
        asked.append(event_id)

    return asked, Book(most, recall)


def test_only_what_was_forgotten_is_asked_for_and_no_new_event() -> None:
    asked, book = asked_by(most=1)
    for name in ("e1", "e2", "e3"):
        solve_many([make_association(make_picks(FOUR), event_id=name)], make_context(), book)
    assert asked == []
    book.is_known(make_association(make_picks(FOUR), event_id="e1"))
    assert asked == ["e1"]


def test_what_was_forgotten_is_remembered_by_its_name_for_so_long_at_the_most() -> None:
    asked, book = asked_by(most=1)
    for number in range(FORGOTTEN + 2):
        book.keep(make_event(f"e{number}"))
    for name in ("e0", "e1"):
        book.is_known(make_association(make_picks(FOUR), event_id=name))
    assert asked == ["e1"]


def test_picks_of_a_candidate_are_no_onsets_of_others_though_another_event_has_claimed_them() -> None:
    book = Book()
    solve_many([make_association(make_picks(FOUR), event_id="e1")], make_context(), book)
    same = make_association(make_picks(FOUR), event_id="e2")
    assert book.others_ns(same) == {}


def test_of_candidates_that_are_known_together_no_small_one_has_the_magnitude_of_the_next() -> None:
    small = make_association(make_picks(nm=100.0), event_id="small")  # with the peaks of 10 s later
    large = make_association(make_picks(at_ns=T0_NS + 6 * S, nm=100.0), event_id="large")
    alone, of_batch = (each([small, large], make_context()) for each in (_one_after_the_other, detect.solve))
    assert [each.event.preferred_magnitude for each in alone if each.event] == ["ML", "ML"]
    assert [each.event.preferred_magnitude for each in of_batch if each.event] == ["", "ML"]


def _one_after_the_other(associations: Sequence[Association], context: Context) -> list[Solved]:
    return solve_many(associations, context, Book())


def test_an_event_that_was_merged_may_be_merged_into_another() -> None:
    def merged(into: str, revision: int, before: Event) -> Event | None:
        end = make_association([], revision, EVENT_STATUS_MERGED, merged_into=into)
        return solve(end, make_context(), before)

    once = merged("e2", 2, first())
    assert once is not None
    assert merged("e2", 3, once) is None
    again = merged("e3", 3, once)
    assert again is not None
    assert (again.revision, again.merged_into) == (3, "e3")


def test_the_end_of_an_event_was_not_published_when_its_last_origin_was() -> None:
    before = first()
    before.latency.published_ns = before.latency.associated_ns + 10**9
    end = solve(make_association([], 2, EVENT_STATUS_RETRACTED), make_context(), before)
    assert end is not None
    assert end.latency.published_ns == 0
