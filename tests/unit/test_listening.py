"""Who is waited for: as long as triggering has not read what came from a station until others were so far."""

import pytest

from kensoku.associating._listening import PATIENCE_NS, Listening
from kensoku.v1.pick_pb2 import Instrument, InstrumentProgress, Progress

S = 10**9
EVENT_NS, WALL_NS = 1_700_000_000 * S, 1_800_000_000 * S


def progress(station: str, partition: int, evaluated_s: float, read_s: float | None) -> Progress:
    instrument = Instrument(network="XX", station=station, band_instrument="HH")
    return Progress(
        partition=partition,
        instruments=[InstrumentProgress(instrument=instrument, evaluated_to_ns=EVENT_NS + round(evaluated_s * S))],
        read_to_ns=0 if read_s is None else WALL_NS + round(read_s * S),
    )


def heard(*told: Progress) -> Listening:
    listening = Listening(70.0)
    for each in told:
        listening.hear(each)
    return listening


def given_up_s(listening: Listening) -> float:
    return (listening.given_up_ns - EVENT_NS) / S


def test_a_station_whose_packets_were_not_read_yet_is_waited_for() -> None:
    ahead, behind = progress("A", 0, 600, 601), progress("B", 1, 10, 11)
    assert given_up_s(heard(ahead, behind)) == 10
    assert not heard(ahead, behind).is_past(EVENT_NS + 20 * S, ["XX.A", "XX.B"])
    assert heard(ahead, behind).is_past(EVENT_NS + 20 * S, ["XX.A"])


@pytest.mark.parametrize("read_s", [601, None])
def test_it_is_given_up_once_they_were_or_where_nobody_tells(read_s: float | None) -> None:
    listening = heard(progress("A", 0, 600, 601), progress("B", 1, 10, read_s))
    assert given_up_s(listening) == 530
    assert listening.is_past(EVENT_NS + 20 * S, ["XX.A", "XX.B"])


def test_seventy_seconds_are_counted_from_when_others_were_so_far() -> None:
    steps = [progress("A", 0, at, at + 1) for at in range(0, 200, 5)]
    listening = heard(progress("B", 1, 10, 11), *steps, progress("B", 1, 10, 60))
    assert given_up_s(listening) == 10
    listening.hear(progress("B", 1, 10, 82))
    assert given_up_s(listening) == 125


def test_a_new_owner_that_does_not_know_yet_changes_nothing() -> None:
    listening = heard(progress("A", 0, 600, 601), progress("B", 1, 10, 11), progress("B", 1, 12, None))
    assert given_up_s(listening) == 12


def test_patience_ends_and_so_does_everything() -> None:
    far_s = PATIENCE_NS / S + 200
    assert given_up_s(heard(progress("A", 0, far_s, far_s), progress("B", 1, 10, 11))) == far_s - 70
    listening = heard(progress("A", 0, 600, 601), progress("B", 1, 10, 11))
    listening.end()
    assert given_up_s(listening) == 530
