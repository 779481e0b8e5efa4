"""Faint picks: told with their reason and an id of their own, changing no other pick; earthquakes are made with them,
never of them alone."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kensoku.associating import AssociationSettings, Onset, Watch, WatchSettings, associate
from kensoku.batch import Heard
from kensoku.cli.associate import read_rows
from kensoku.cli.detect import write_table
from kensoku.continuous import Before
from kensoku.detection import Cascade, Detector, pick_packets
from kensoku.packets import decode_packet
from kensoku.picking import Calibration, PhasePair, Rule, find_picks
from kensoku.triggering.backfill import is_same
from kensoku.v1.event_pb2 import EVENT_STATUS_PRELIMINARY, Arrival, Event
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, PHASE_P, Decision, PickMeasurement
from kensoku.v1.pick_pb2 import Pick as PickOf
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.shocks import NS_PER_S, Shock, network, onsets, pick
from tests.streams import contents, packet, picks, record, seconds, two_stages

FAINT = PhasePair(p=0.25, s=0.25)
RULE = Rule(p_threshold=0.5, s_threshold=0.5, ahead=20, p_yields=False)
WIDE = replace(RULE, p_faint=0.15, s_faint=0.15)
RECORD = record(6000, events=((1800, 0), (2400, 1), (4000, 0)))
POSITION = ("waveforms", 0)
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def lobes(seed: int) -> npt.NDArray[np.float32]:
    """Some fifty of any height, many upon each other."""
    chance, rows = np.random.default_rng(seed), np.zeros((3, 4000), np.float32)
    for _ in range(50):
        middle, height, width = chance.uniform(0, 4000), chance.uniform(0.05, 1), chance.uniform(3, 20)
        row = rows[chance.integers(1, 3)]
        np.maximum(row, height * np.exp(-0.5 * ((np.arange(4000) - middle) / width) ** 2), out=row)
    return rows


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("rule", [RULE, replace(RULE, p_yields=True, ahead=80)])
def test_what_is_kept_is_the_same_with_faint_picks_beside(seed: int, rule: Rule) -> None:
    wide = replace(rule, p_faint=0.15, s_faint=0.15)
    found = find_picks(lobes(seed), wide)
    assert [one for one in found if not one.is_faint] == find_picks(lobes(seed), rule)
    faint = [one for one in found if one.is_faint]
    assert all(one.score >= 0.15 for one in faint)
    assert not any(one.is_faint for one in find_picks(lobes(seed), replace(rule, p_faint=0.6, s_faint=0.6)))


def test_there_are_faint_ones() -> None:
    assert sum(one.is_faint for seed in range(30) for one in find_picks(lobes(seed), WIDE)) > 30


def test_a_faint_lobe_beside_a_higher_one_is_none() -> None:
    rows = np.zeros((3, 1000), np.float32)
    for middle, height in ((500, 0.9), (530, 0.3), (800, 0.3)):
        np.maximum(rows[1], height * np.exp(-0.5 * ((np.arange(1000) - middle) / 10) ** 2), out=rows[1])
    assert [(round(one.sample), one.is_faint) for one in find_picks(rows, WIDE)] == [(500, False), (800, True)]


# --- live -------------------------------------------------------------------------------------------------------------


def cascade() -> Cascade:
    return two_stages(0.2, faint=FAINT)


AS_RECORDED = list(pick_packets(seconds(RECORD), cascade()))


def test_a_faint_pick_says_why_and_is_measured_like_the_others() -> None:
    plain = picks(pick_packets(seconds(RECORD), two_stages(0.2)))
    told = picks(AS_RECORDED)
    faint = [one for one in told if one.decision == DECISION_FAINT]
    assert contents(one for one in told if one.decision == DECISION_KEPT) == contents(plain)
    assert faint
    assert all("below 0.4" in one.decision_reason for one in faint)
    assert {one.id for one in AS_RECORDED if isinstance(one, PickMeasurement)} == {one.id for one in told}
    assert len({one.id for one in told}) == len(told)


@st.composite
def pieces(draw: st.DrawFn) -> list[WaveformPacket]:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    longest, first, made = draw(st.sampled_from([20, 90, 150])), 0, []
    while first < RECORD.shape[1]:
        last = min(first + int(random.integers(1, longest + 1)), RECORD.shape[1])
        made.append(packet(RECORD, first, last, delay_s=float(random.uniform(0, 1.4))))
        first = last
    return sorted(made, key=lambda one: one.arrival_ns)


@QUICK
@given(pieces())
def test_sizes_and_order_of_packets_change_no_byte(packets: list[WaveformPacket]) -> None:
    assert contents(pick_packets(packets, cascade())) == contents(AS_RECORDED)


@pytest.mark.parametrize("crash", [19, 25, 33, 44])
def test_a_restart_tells_the_rest(crash: int) -> None:
    packets = seconds(RECORD)
    first = Detector(cascade())
    for offset, one in enumerate(packets[:crash]):
        first.feed(one, decode_packet(one), POSITION, offset)
    told = first.found()
    needed = first.network.oldest_needed()[POSITION]
    known = {timeline.instrument: end for timeline, end, _ in first.network.evaluated(POSITION)}
    measured = {message.id for message in told if isinstance(message, PickMeasurement)}
    second = Detector(cascade())
    second.resume(POSITION, Before(crash, known), picks(told), measured)
    for offset, one in enumerate(packets[needed:], needed):
        second.feed(one, decode_packet(one), POSITION, offset)
    assert contents([*told, *second.finish()]) == contents(AS_RECORDED)


def test_faint_picks_crowd_out_nobody() -> None:
    """Of an instrument with many picks a minute the faint ones are left out, and no other."""

    def found(most: int) -> list[PickOf]:
        detector = Detector(cascade(), most_picks=most)
        for offset, one in enumerate(seconds(RECORD)):
            detector.feed(one, decode_packet(one), POSITION, offset)
        return picks(detector.finish())

    kept = [one.id for one in picks(AS_RECORDED) if one.decision == DECISION_KEPT]
    assert [one.id for one in found(len(kept)) if one.decision == DECISION_KEPT] == kept
    assert any(one.decision == DECISION_FAINT for one in found(60))
    assert not any(one.decision == DECISION_FAINT for one in found(0))


def test_a_faint_pick_of_wrong_samples_is_not_told() -> None:
    counts = RECORD.copy()
    counts[0, 3300] += 3_000
    told = picks(pick_packets(seconds(counts), two_stages(0.05, faint=PhasePair(p=0.2, s=0.2))))
    assert not any(one.decision == DECISION_FAINT and "step" in one.decision_reason for one in told)


# --- earthquakes ------------------------------------------------------------------------------------------------------


def faint(onset: Onset) -> Onset:
    return replace(onset, is_faint=True)


def of(change: Callable[[int, Onset], Onset]) -> list[Onset]:
    made, _ = onsets([Shock(50, 3, 4)], detected=1.0)
    return [change(number, each) for number, each in enumerate(made)]


def test_faint_picks_make_an_earthquake_of_too_few_and_are_its_own() -> None:
    made = of(lambda number, each: each if number < 4 else faint(each))
    assert not associate(made[:4], network()), "four picks alone are none, P and S of two or three stations"
    (group,) = associate(made, network())
    assert len(group.members) > 6


def test_of_faint_picks_alone_there_is_none() -> None:
    assert not associate(of(lambda _, each: faint(each)), network())
    assert not associate(of(lambda number, each: each if number < 3 else faint(each)), network())
    assert associate(of(lambda _, each: faint(each)), network(AssociationSettings(least_clear=0)))


def test_faint_picks_have_a_rate_of_their_own() -> None:
    """Many faint ones by chance make the clear ones of an earthquake no less sure."""
    made = of(lambda _, each: each)
    chance = np.random.default_rng(4)
    stations = sorted({each.station for each in made})
    begin = min(each.onset_ns for each in made) - 60 * NS_PER_S
    many = [
        Onset(f"f{k}", str(chance.choice(stations)), "PS"[k % 2], begin + int(chance.uniform(0, 180) * NS_PER_S))  # type: ignore[arg-type]
        for k in range(120)
    ]
    (alone,) = associate(made, network())
    (beside,) = associate([*made, *map(faint, many)], network())
    (among,) = associate([*made, *many], network())
    assert beside.log_odds > 0.9 * alone.log_odds > among.log_odds


def test_an_early_declaration_needs_four_clear_p() -> None:
    """Else it must be sure."""
    arrivals = of(lambda _, each: each)
    p = [each for each in arrivals if each.phase == "P"][:4]
    made = [*p, *(each for each in arrivals if each.phase == "S" and each.station == p[0].station)]

    def first(decisions: list[Decision]) -> list[int]:
        watch = Watch("here", network(), WatchSettings(early_log_odds=0.0, sure_log_odds=1e6))
        for each, decision in zip(made, decisions, strict=True):
            message = pick(each)
            message.decision = decision
            watch.add(message)
        return [each.status for each in watch.step()]

    assert first([DECISION_KEPT] * 5) == [EVENT_STATUS_PRELIMINARY]
    assert first([DECISION_KEPT] * 3 + [DECISION_FAINT, DECISION_KEPT]) == []


def test_what_filled_in_shows_more_than_a_faint_pick() -> None:
    kept = PickOf(phase=PHASE_P, onset_ns=10 * NS_PER_S, decision=DECISION_KEPT)
    faint_one = PickOf(phase=PHASE_P, onset_ns=10 * NS_PER_S, decision=DECISION_FAINT)
    assert not is_same(kept, faint_one)
    assert is_same(faint_one, kept)
    assert is_same(faint_one, faint_one)


def test_a_catalogues_table_has_the_faint_picks_that_an_earthquake_confirms(tmp_path: Path) -> None:
    told = [pick(each) for each in of(lambda _, each: each)[:3]]
    for one, decision in zip(told, (DECISION_KEPT, DECISION_FAINT, DECISION_FAINT), strict=True):
        one.decision = decision
    event = Event(arrivals=[Arrival(pick_id=told[1].id)])
    write_table(tmp_path / "picks.csv", map(Heard, told), [event], Calibration())
    with (tmp_path / "picks.csv").open(newline="") as file:
        rows = {row["id"]: row["decision"] for row in csv.DictReader(file)}
    assert rows == {told[0].id: "kept", told[1].id: "faint"}
    names, _, found = read_rows(tmp_path / "picks.csv")
    assert "decision" in names
    assert sorted(one.is_faint for one in found.values()) == [False, True]
