"""The arithmetic of benchmarks.catalogue: of what the time to an event is made, who is retracted, what is found."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks._association_cases import Shocks
from benchmarks._catalogue_bars import bars_of_loads
from benchmarks._catalogue_loads import hastened
from benchmarks._catalogue_picks import above_codas
from benchmarks._catalogue_queue import HOP_NS, Load, served
from benchmarks._catalogue_scores import Delay, delay_of, lives_of, score
from kensoku.locating import Site
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UNSPECIFIED,
    EVENT_STATUS_UPDATED,
    Event,
    EventStatus,
    Magnitude,
    Origin,
)
from kensoku.v1.pick_pb2 import Pick, PickLatency

S = 10**9
T0 = 1_700_000_000 * S


def at(seconds: float) -> int:
    return T0 + round(seconds * S)


def pick(name: str, onset_s: float, last_s: float, arrived_s: float) -> Pick:
    latency = PickLatency(last_sample_ns=at(last_s), packet_arrival_ns=at(arrived_s))
    return Pick(id=name, onset_ns=at(onset_s), latency=latency)


def event(name: str, status: EventStatus, second: float = 0, km_north: float = 0, ml: float = 2.0) -> Event:
    origin = Origin(time_ns=at(second), latitude_deg=37 + km_north / 111.2, longitude_deg=137)
    size = Magnitude(type="ML", value=ml)
    return Event(id=name, status=status, origin=origin, magnitudes=[size], preferred_magnitude="ML")


def test_the_parts_of_a_delay_are_those_of_the_pick_that_was_told_last() -> None:
    picks = [pick("early", 1.0, 1.95, 3.1), pick("last", 2.4, 3.35, 5.2)]
    told_ns = {"early": at(3.2), "last": at(5.3)}
    delay = delay_of([at(0.0), at(0.5), at(1.0), at(1.8), at(2.4)], picks, told_ns, at(5.45), at(5.5))
    assert delay.wave == pytest.approx(1.8)
    assert delay.more == pytest.approx(0.6)
    assert delay.look_ahead == pytest.approx(0.95)
    assert delay.packet == pytest.approx(0.65)
    assert delay.telemetry == pytest.approx(1.2)
    assert delay.triggering == pytest.approx(0.1)
    assert delay.association == pytest.approx(0.15)
    assert delay.location == pytest.approx(0.05)
    assert delay.whole == pytest.approx(5.5)


def test_a_delay_of_fewer_than_four_stations_begins_with_the_last_of_them() -> None:
    delay = delay_of([at(1.0), at(0.0)], [pick("a", 1.0, 2.0, 3.0)], {"a": at(3.0)}, at(3.0), at(4.0))
    assert isinstance(delay, Delay)
    assert delay.wave == pytest.approx(1.0)
    assert delay.whole == pytest.approx(4.0)


def test_retracted_are_counted_of_those_that_were_told_early() -> None:
    told = [
        (1, event("a", EVENT_STATUS_PRELIMINARY)),
        (2, event("b", EVENT_STATUS_PRELIMINARY)),
        (3, event("a", EVENT_STATUS_UPDATED)),
        (4, event("b", EVENT_STATUS_RETRACTED)),
        (5, event("c", EVENT_STATUS_FINAL)),
        (6, event("d", EVENT_STATUS_PRELIMINARY)),
        (7, event("d", EVENT_STATUS_MERGED)),
        (8, event("a", EVENT_STATUS_FINAL)),
    ]
    lives = lives_of(told)
    assert lives.early == ["a", "b", "d"]
    assert lives.became(EVENT_STATUS_RETRACTED) == ["b"]
    assert lives.became(EVENT_STATUS_MERGED) == ["d"]
    assert [each.id for each in lives.standing] == ["a", "c"]
    assert lives.first["a"][0] == 1


def test_precision_is_beside_all_that_happened_and_recall_of_what_was_to_be_found() -> None:
    truth = [event(str(k + 1), EVENT_STATUS_UNSPECIFIED, second) for k, second in enumerate((10, 20, 30, 500))]
    found = [
        event("seen", EVENT_STATUS_FINAL, 10.5, km_north=3),
        event("faint", EVENT_STATUS_FINAL, 20.1),
        event("far", EVENT_STATUS_FINAL, 30.1, km_north=9),
        event("outside", EVENT_STATUS_FINAL, 400),
    ]
    scored = score(found, truth, frozenset(["1", "3", "4"]), (at(0), at(100)))
    assert (scored.events, scored.wanted) == (3, 2)
    assert scored.recall == pytest.approx(1 / 2)
    assert scored.precision == pytest.approx(2 / 3)
    assert [each.id for each in scored.missed] == ["3"]
    assert [each.id for each in scored.false] == ["far"]


def test_a_program_takes_what_has_come_when_it_is_free() -> None:
    clock = iter(range(0, 1000, 20))  # looked at when a turn begins, for each message, and when it ends
    load, seen = Load(), list[list[str]]()

    def turn(_: int, batch: Sequence[str]) -> list[str]:
        seen.append(list(batch))
        return [batch[-1]]

    told = list(served([(100, "a"), (110, "b"), (120, "c"), (500, "d")], turn, load, lambda: next(clock)))
    assert seen == [["a"], ["b", "c"], ["d"]]
    assert told == [(120 + HOP_NS, "a"), (160 + HOP_NS, "c"), (520 + HOP_NS, "d")]
    assert load.lags_ns == [40, 70, 60, 40]
    assert (load.turns, load.spent_ns) == (3, 120)


def test_a_program_takes_so_much_at_once_at_the_most() -> None:
    seen = list[list[int]]()

    def turn(_: int, batch: Sequence[int]) -> list[int]:
        seen.append(list(batch))
        return []

    assert list(served([(100, number) for number in range(7)], turn, Load(), lambda: 0, most=3)) == []
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_small_shock_is_not_picked_in_the_coda_of_a_great_one() -> None:
    """Two small ones of one place, ten seconds and ten minutes after it."""
    sites = {"XX.A": Site(35.0, 136.0)}
    shocks = Shocks(*(np.array(values) for values in ([35.1] * 3, [136.0] * 3, [8.0] * 3, [0.0, 10, 601], [6.0, 1, 1])))
    found = [("XX.A", wave, float(shocks.time_s[event]) + 3 + 2 * wave, event) for event in range(3) for wave in (0, 1)]
    assert above_codas(found, sites, shocks) == [0, 1, 4, 5]


def test_all_comes_sooner_when_it_is_hastened() -> None:
    told = [(at(0), Pick(id="a")), (at(30), Pick(id="b"))]
    assert hastened(told, 10) == [(at(0), Pick(id="a")), (at(3), Pick(id="b"))]


def test_a_program_that_was_asked_for_nothing_has_no_lag() -> None:
    assert np.isnan(bars_of_loads({"location": Load()})[1].found)
