"""Refuse what would keep a region from telling earthquakes, or location from locating those that it tells."""

import math
from collections.abc import Iterator

from kensoku.errors import InputInvalid
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.pick_pb2 import Pick, PickMeasurement, PickMessage

LONGEST_UNCERTAINTY_S = 3600.0
LONGEST_AHEAD_NS = 366 * 86_400 * NS_PER_S  # a fast replay may be ahead of the clock; what is passed never comes again


def check_pick_message(message: PickMessage, published_ns: int) -> None:
    """Raises InputInvalid with all that is wrong."""
    match message.WhichOneof("content"):
        case "pick":
            mistakes = [*_mistakes(message.pick), *_ahead(message.pick.latency.last_sample_ns, published_ns)]
            mistakes += _ahead(message.pick.onset_ns, published_ns)
        case "measurement":
            mistakes = [*_mistakes(message.measurement), *_ahead(message.measurement.onset_ns, published_ns)]
        case "progress":
            latest_ns = max((each.evaluated_to_ns for each in message.progress.instruments), default=0)
            mistakes = [*_ahead(latest_ns, published_ns)]
        case _:
            mistakes = ["found no content that is known, expected a pick, a measurement or progress"]
    if mistakes:
        raise InputInvalid("; ".join(mistakes))


def _mistakes(found: Pick | PickMeasurement) -> Iterator[str]:
    if not 0 <= found.onset_uncertainty_s <= LONGEST_UNCERTAINTY_S:
        yield f"pick {found.id!r}: found an onset uncertainty of {found.onset_uncertainty_s} s, expected 0 to an hour"
    for probability in (found.probabilities.noise, found.probabilities.p, found.probabilities.s):
        if not 0 <= probability < math.inf:
            yield f"pick {found.id!r}: found probability {probability}, expected 0 to 1"


def _ahead(time_ns: int, published_ns: int) -> Iterator[str]:
    """Of when it was published: event time that has passed is past for good."""
    if time_ns > published_ns + LONGEST_AHEAD_NS:
        yield f"found the time {iso_time(time_ns)}, expected none a year after {iso_time(published_ns)}"
