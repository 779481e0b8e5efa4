"""What Progress tells of gaps: each once and in full, however long."""

import pytest

from kensoku.continuous import NOWHERE, Network, Times
from kensoku.packets import decode_packet
from kensoku.triggering.progress import ProgressBook
from tests.streams import START_NS, packet, record

COUNTS = record(60_000, events=())


@pytest.mark.parametrize(
    ("gap_s", "told_every"),  # packets: each second, or after a gap and what follows it at once
    [(5, 1), (61, 1), (300, 1), (500, 1), (61, 80), (300, 80), (500, 80)],
)
def test_a_gap_is_told_once_and_in_full(gap_s: int, told_every: int) -> None:
    network, book, told = Network(Times()), ProgressBook(), list[tuple[int, int]]()
    sent = [*range(0, 1000, 100), *range(1000 + 100 * gap_s, 8000 + 100 * gap_s - gap_s // 500 * 5000, 100)]
    for number, first in enumerate(sent):
        one = packet(COUNTS, first, first + 100)
        network.disturbs(one, channels := decode_packet(one))
        network.feed(one, channels)
        if number < 10 or number % told_every == 0 or first == sent[-1]:
            for progress in book.instruments(network.evaluated(NOWHERE)):
                told += [
                    ((gap.start_ns - START_NS) // 10**9, (gap.end_ns - START_NS) // 10**9) for gap in progress.gaps
                ]
            network.forget_old(network.take())
    assert sum(end - start for start, end in told) == gap_s
    assert (told[0][0], told[-1][1]) == (10, 10 + gap_s)


def test_of_several_gaps_between_two_progress_each_is_told() -> None:
    network, book = Network(Times()), ProgressBook()
    for second in (*range(10), *range(80, 90), *range(200, 210), *range(500, 510)):
        one = packet(COUNTS, second * 100, second * 100 + 100)
        network.feed(one, decode_packet(one))
        if second == 9:
            list(book.instruments(network.evaluated(NOWHERE)))
    (progress,) = book.instruments(network.evaluated(NOWHERE))
    told = [((gap.start_ns - START_NS) // 10**9, (gap.end_ns - START_NS) // 10**9) for gap in progress.gaps]
    assert told == [(10, 80), (90, 200), (210, 500)]
