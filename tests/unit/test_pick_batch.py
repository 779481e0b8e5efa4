"""Picks of whole records do not depend on how these are cut, and every instrument is picked for itself."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kensoku.batch import (
    KEPT,
    Blocks,
    FoundPick,
    Heard,
    Listener,
    PickTable,
    Piece,
    hear_pieces,
    open_listener,
    pick_pieces,
)
from kensoku.detection import Picker, SecondLook, Stage
from kensoku.packets import ChannelSamples
from kensoku.picking import Calibration, Geometry, ModelCard, PhaseCalibration, PhasePair
from kensoku.v1.inventory_pb2 import GROUND_MOTION_VELOCITY, ChannelEpoch, Response, Station
from kensoku.v1.pick_pb2 import AMPLITUDE_KIND_PEAK_DISPLACEMENT, PHASE_P, PHASE_S
from tests.tiny_models import write_repository

START_NS = 1_700_000_000 * 10**9
NS_PER_S = 10**9
LENGTH_S = 120
ONSETS_S = ((20.0, 26.0), (59.9, 66.0), (100.0, 104.0))  # P and S
Record = dict[str, npt.NDArray[np.int32]]


@pytest.fixture(scope="module")
def picker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    repository = write_repository(tmp_path_factory.mktemp("models"))
    with open_listener(repository, f"local:{repository}", "picker") as opened:
        yield opened


def record(rate_hz: float = 100.0, codes: str = "ZNE", seed: int = 0) -> Record:
    """Pulses on the vertical for P and on the first horizontal for S, as tests.tiny_models knows them."""
    samples = round(LENGTH_S * rate_hz)
    made = np.random.default_rng(seed).normal(0, 5, (3, samples))
    for p_s, s_s in ONSETS_S:
        for row, onset_s in ((0, p_s), (1, s_s)):
            made[row] += 500 * np.exp(-0.5 * ((np.arange(samples) / rate_hz - onset_s) / 0.03) ** 2)
    return {f"HH{code}": np.round(row).astype(np.int32) for code, row in zip(codes, made, strict=True)}


def cut(
    of: Record,
    edges_s: Sequence[float] = (),
    *,
    rate_hz: float = 100.0,
    start_ns: int = START_NS,
    station: str = "AAA",
    location: str = "",
) -> list[Piece]:
    """The record in pieces that end at these times, in order."""
    samples = len(next(iter(of.values())))
    edges = sorted({0, samples, *(round(edge * rate_hz) for edge in edges_s)})
    pieces = []
    for first, last in zip(edges, edges[1:], strict=False):
        piece_ns, end_ns = (start_ns + round(sample / rate_hz * NS_PER_S) for sample in (first, last))
        channels = [ChannelSamples(location, code, piece_ns, rate_hz, row[first:last]) for code, row in of.items()]
        pieces.append(Piece("XX", station, tuple(channels), piece_ns, end_ns))
    return pieces


def final(listener: Listener) -> Stage:
    assert isinstance(listener.picker, Picker)
    return listener.picker.final


def picked(
    pieces: Sequence[Piece], picker: Listener, stations: dict[str, Station] | None = None, jobs: int = 2
) -> list[FoundPick]:
    told: list[str] = []
    with ThreadPoolExecutor(jobs) as executor:
        return list(pick_pieces(pieces, picker, stations or {}, executor, lambda name, _: told.append(name)))


def times_s(picks: Sequence[FoundPick]) -> list[float]:
    return [(pick.time_ns - START_NS) / NS_PER_S for pick in picks]


def test_every_onset_is_one_pick(picker: Listener) -> None:
    found = picked(cut(record()), picker)
    assert [pick.phase for pick in found] == ["P", "S"] * 3
    assert times_s(found) == pytest.approx([time for pair in ONSETS_S for time in pair], abs=0.01)
    assert {(pick.station, pick.instrument, pick.channels) for pick in found} == {
        ("XX.AAA", "XX.AAA..HH", "HHZ HHN HHE")
    }
    assert len({pick.id for pick in found}) == 6


def test_without_a_horizontal_a_pick_is_stated_less_certain(picker: Listener) -> None:
    unsure = PhaseCalibration(log_without=(math.log(2.0), math.log(3.0)))
    stage = final(picker)
    asked = Listener(Picker(replace(stage, card=replace(stage.card, calibration=Calibration(p=unsure, s=unsure)))))
    whole = record()
    two = {code: row for code, row in whole.items() if code != "HHE"}
    alone = {"HHZ": whole["HHZ"]}
    stated_s = [[each.uncertainty_s for each in picked(cut(some), asked)] for some in (whole, two, alone)]
    assert stated_s[:2] == [pytest.approx([0.05] * 6), pytest.approx([0.1] * 6)]
    assert stated_s[2][:1] == pytest.approx([0.15])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges_s=st.lists(st.floats(0.01, LENGTH_S - 0.01), max_size=12), jobs=st.integers(1, 3))
def test_picks_do_not_depend_on_the_pieces(picker: Listener, edges_s: list[float], jobs: int) -> None:
    assert picked(cut(record(), edges_s), picker, jobs=jobs) == picked(cut(record()), picker)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(missing=st.integers(1, 1500))
def test_picks_do_not_depend_on_where_a_record_begins(picker: Listener, missing: int) -> None:
    """Measurements of a pick look back 30 s; the pick itself does not."""
    later = {code: row[missing:] for code, row in record().items()}
    found = picked(cut(later, start_ns=START_NS + missing * 10**7), picker)
    whole = picked(cut(record()), picker)
    assert [pick.id for pick in found] == [pick.id for pick in whole]
    assert times_s(found) == pytest.approx(times_s(whole), abs=1e-5)
    assert found[-1].peak_counts == whole[-1].peak_counts


@pytest.mark.parametrize("beside", [-300, -256, -90, -1, 0, 1, 90, 256, 300])
def test_onsets_on_the_border_of_blocks_are_picked_once(picker: Listener, beside: int) -> None:
    blocks = Blocks(final(picker).card.geometry)
    border = blocks.first(blocks.block_of(START_NS // 10**7) + 1)
    start_ns = (border - 2000 + beside) * 10**7  # so that the first P lies beside the border
    found = picked(cut(record(), [10.0, 40.0], start_ns=start_ns), picker)
    assert [pick.phase for pick in found] == ["P", "S"] * 3
    assert [(pick.time_ns - start_ns) / NS_PER_S for pick in found] == pytest.approx(
        [time for pair in ONSETS_S for time in pair], abs=0.01
    )


def test_a_live_model_is_asked_as_live_whatever_the_pieces(tmp_path: Path) -> None:
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", "picker_live") as live:
        whole = picked(cut(record()), live)
        assert sorted(times_s(whole)) == pytest.approx([time for pair in ONSETS_S for time in pair], abs=0.02)
        assert whole[0].peak_counts is not None
        assert whole[0].peak_counts > 400
        for edges_s in ([17.003, 20.1, 59.9], [1.5 * number for number in range(80)]):
            assert picked(cut(record(), edges_s), live) == whole


def wrong_bits(of: Record) -> Record:
    """One sample of the vertical at 45 s, as a line that hums may change it."""
    spoilt = {code: row.copy() for code, row in of.items()}
    spoilt["HHZ"][4500] ^= 1 << 14
    return spoilt


@pytest.mark.parametrize("name", ["picker", "picker_live"])
def test_what_no_ground_can_have_made_is_rejected_with_its_reason(tmp_path: Path, name: str) -> None:
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", name) as opened:
        found = picked(cut(wrong_bits(record()), [30.0, 45.1]), opened)
        assert found == picked(cut(wrong_bits(record())), opened)
    rejected = [pick for pick in found if pick.decision != KEPT]
    assert {(pick.decision, pick.decision_reason[:16]) for pick in rejected} == {
        ("rejected_quality", "HHZ: a step of 1")
    }
    assert times_s(rejected) == pytest.approx([45.0] * len(rejected), abs=0.1)
    assert sorted(times_s([pick for pick in found if pick.decision == KEPT])) == pytest.approx(
        [time for pair in ONSETS_S for time in pair], abs=0.02
    )


def test_a_table_for_a_notebook_has_kept_picks_and_knows_the_others(picker: Listener) -> None:
    table = PickTable.of(picked(cut(wrong_bits(record())), picker))
    assert {pick.decision for pick in table} == {KEPT}
    assert (len(table), {pick.decision for pick in table.rejected}) == (6, {"rejected_quality"})
    assert len(table[:2].rejected) == 0


def test_a_clock_beside_the_grid_is_kept(picker: Listener) -> None:
    plain = picked(cut(record()), picker)
    beside = picked(cut(record(), start_ns=START_NS + 2_990_000), picker)
    assert [b.time_ns - p.time_ns for b, p in zip(beside, plain, strict=True)] == [2_990_000] * 6
    assert [pick.id for pick in beside] == [pick.id for pick in plain]


@pytest.mark.parametrize("rate_hz", [40.0, 50.0, 125.0, 200.0])
def test_other_rates_give_picks_at_the_same_times(picker: Listener, rate_hz: float) -> None:
    found = picked(cut(record(rate_hz), [33.3, 70.1], rate_hz=rate_hz), picker)
    assert [pick.phase for pick in found] == ["P", "S"] * 3
    assert times_s(found) == pytest.approx([time for pair in ONSETS_S for time in pair], abs=0.03)
    assert found == picked(cut(record(rate_hz), rate_hz=rate_hz), picker)


@pytest.mark.parametrize(("codes", "phases"), [("Z", "PPP"), ("12", "SSS"), ("NE", "SSS"), ("Z12", "PSPSPS")])
def test_components_that_are_missing_or_turned_are_no_obstacle(picker: Listener, codes: str, phases: str) -> None:
    all_of_it = record(codes="Z12" if "1" in codes else "ZNE")
    found = picked(cut({code: row for code, row in all_of_it.items() if code[-1] in codes}), picker)
    assert "".join(pick.phase for pick in found) == phases
    assert found[0].channels == " ".join(f"HH{code}" for code in codes)


@pytest.mark.parametrize("name", ["picker", "picker_live"])
def test_of_two_channels_of_one_component_the_second_is_told(tmp_path: Path, name: str) -> None:
    repository, told = write_repository(tmp_path), set[tuple[str, str]]()
    pieces = [*cut(record()), *cut({"HH1": record()["HHN"]}, start_ns=START_NS + LENGTH_S * NS_PER_S)]
    with open_listener(repository, f"local:{repository}", name) as opened, ThreadPoolExecutor(1) as executor:
        list(hear_pieces(pieces, opened, {}, executor, lambda *left_out: told.add(left_out)))
    assert [(name, reason.partition(",")[0]) for name, reason in told] == [("XX.AAA..HH1", "found HHN beside it")]


def test_instruments_beside_each_other_are_not_mixed(picker: Listener) -> None:
    """A vertical of one and horizontals of the other are two instruments."""
    one, other = record(), record()
    pieces = [*cut({"HHZ": one["HHZ"]}, location="00"), *cut({"HHN": other["HHN"]}, location="10")]
    found = picked(pieces, picker)
    assert {(pick.instrument, pick.phase) for pick in found} == {("XX.AAA.00.HH", "P"), ("XX.AAA.10.HH", "S")}


def test_a_gap_hides_what_lies_at_its_edges_and_nothing_else(picker: Listener) -> None:
    pieces = cut(record(), [50.0, 60.2])
    found = picked([pieces[0], pieces[2]], picker)
    assert times_s(found) == pytest.approx([20.0, 26.0, 66.0, 100.0, 104.0], abs=0.01)


def test_years_without_a_record_cost_nothing(picker: Listener) -> None:
    years_ns = 3 * 365 * 86_400 * NS_PER_S
    found = picked([*cut(record()), *cut(record(), start_ns=START_NS + years_ns)], picker)
    assert [pick.time_ns for pick in found[6:]] == [pick.time_ns + years_ns for pick in found[:6]]


def test_a_record_goes_on_at_another_rate(picker: Listener) -> None:
    later_ns = START_NS + (LENGTH_S + 60) * NS_PER_S
    found = picked([*cut(record()), *cut(record(50.0), rate_hz=50.0, start_ns=later_ns)], picker)
    assert [pick.phase for pick in found] == ["P", "S"] * 6
    assert len({pick.id for pick in found}) == 12


def test_horizontals_that_get_new_names_take_none_from_what_was_before(picker: Listener) -> None:
    old, later_ns = record(codes="Z12"), START_NS + LENGTH_S * NS_PER_S
    found = picked([*cut(old), *cut(record(), range(0, LENGTH_S, 20), start_ns=later_ns)], picker)
    assert [pick for pick in found if pick.time_ns < later_ns] == picked(cut(old), picker)


def test_headers_that_differ_by_millionths_tear_nothing_apart(picker: Listener) -> None:
    pieces = cut(record(), edges_s=range(5, LENGTH_S, 5))
    for number, piece in enumerate(pieces):
        rate_hz = 100.0 if number % 2 else 99.999999
        pieces[number] = replace(piece, channels=tuple(replace(each, rate_hz=rate_hz) for each in piece.channels))
    found = picked(pieces, picker)
    assert [(pick.id, pick.channels) for pick in found] == [(p.id, p.channels) for p in picked(cut(record()), picker)]


def test_a_piece_with_another_rate_in_its_middle_tells_nothing_twice(picker: Listener) -> None:
    """Its channels come by their codes: each at both rates."""
    slow, fast = record(), record(200.0)
    (whole,) = cut(slow)
    first = [replace(each, samples=each.samples[:3000]) for each in whole.channels]
    (other,) = cut(fast, rate_hz=200.0)
    second = [replace(each, samples=each.samples[6000:], start_ns=START_NS + 30 * NS_PER_S) for each in other.channels]
    by_code = sorted([*first, *second], key=lambda each: each.code)
    found = picked([replace(whole, channels=tuple(by_code))], picker)
    assert times_s(found) == pytest.approx([20.0, 26.0, 100.0, 104.0], abs=0.01)  # not of the minute between
    assert {len(pick.channels.split()) for pick in found} == {3}


def test_probabilities_are_those_of_the_model(tmp_path: Path) -> None:
    """Of both phases: together one, and not made up of one score."""
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", "picker") as opened, ThreadPoolExecutor(1) as executor:
        made = list(hear_pieces(cut(record()), opened, {}, executor, lambda *_: None))
    for pick in (heard.pick for heard in made):
        probabilities = pick.probabilities
        assert probabilities.noise + probabilities.p + probabilities.s == pytest.approx(1)
        own, other = (probabilities.p, probabilities.s) if pick.phase == PHASE_P else (probabilities.s, probabilities.p)
        assert own > other > 0


def test_overlaps_and_repeated_pieces_change_nothing(picker: Listener) -> None:
    pieces = cut(record(), [30.0, 60.0])
    assert picked([pieces[0], pieces[0], pieces[1], pieces[1], pieces[2]], picker) == picked(pieces, picker)


def test_what_cannot_be_used_is_told_and_hurts_nobody(picker: Listener) -> None:
    rubbish = ChannelSamples("", "LOG", START_NS, 100.0, np.zeros(10, np.int32))
    slow = ChannelSamples("", "LHZ", START_NS, 1.0, np.zeros(10, np.int32))
    told: dict[str, str] = {}
    with ThreadPoolExecutor(1) as executor:
        pieces = [Piece("XX", "BBB", (rubbish, slow), START_NS, START_NS + NS_PER_S), *cut(record())]
        found = list(pick_pieces(pieces, picker, {}, executor, told.__setitem__))
    assert len(found) == 6
    assert "no seismometer" in told["XX.BBB..LOG"]
    assert "found 1 samples a second" in told["XX.BBB..LHZ"]


def test_amplitudes_are_counts_without_a_response_and_ground_motion_with_one(picker: Listener) -> None:
    unknown = picked(cut(record()), picker)[0]
    assert unknown.peak_counts == pytest.approx(500, rel=0.05)
    assert unknown.peak_velocity_m_s is None
    assert unknown.inventory_hash == ""
    response = Response(input=GROUND_MOTION_VELOCITY, sensitivity=1e9, frequency_hz=1.0)
    epochs = [ChannelEpoch(code=code, response=response) for code in ("HHZ", "HHN", "HHE")]
    station = Station(network="XX", station="AAA", epochs=epochs, hash="abc")
    known = picked(cut(record()), picker, {"XX.AAA": station})[0]
    assert known.peak_velocity_m_s == pytest.approx(5e-7, rel=0.2)
    assert known.inventory_hash == "abc"


def test_the_threshold_of_the_caller_counts(tmp_path: Path) -> None:
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", "picker", threshold=0.9999) as strict:
        assert picked(cut(record()), strict) == []


# --- what is measured -------------------------------------------------------------------------------------------------


def large_after_p(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A blast is what is larger in the second after P than before it."""
    before, after = (np.abs(part).max(axis=(1, 2)) for part in (counts[:, :, :900], counts[:, :, 1000:1100]))
    blast = np.where(after > 3 * before, 0.8, 0.1).astype(np.float32)
    said: npt.NDArray[np.float32] = np.stack([1 - blast, blast], axis=1)[:, :, np.newaxis]
    return said


BLAST = Stage(
    "blast_long",
    ModelCard(
        kind="classifier",
        description="large after P",
        classes=("earthquake", "blast"),
        threshold=PhasePair(p=0.5, s=0.5),
        geometry=Geometry(window=3008, before=0, after=0, is_fixed=True, batch=4),
    ),
    large_after_p,
    "1",
    "ab",
)


def heard(listener: Listener, pieces: Sequence[Piece], stations: dict[str, Station] | None = None) -> list[Heard]:
    with ThreadPoolExecutor(1) as executor:
        return list(hear_pieces(pieces, listener, stations or {}, executor, lambda *_: None))


def test_a_pick_has_its_first_seconds_and_the_half_minute_after_it(picker: Listener) -> None:
    for one in heard(picker, cut(record())):
        assert one.measurement is not None
        assert {each.window_s for each in one.pick.amplitudes} == {1.0 if one.pick.phase == PHASE_P else 2.0}
        assert max(each.window_s for each in one.measurement.amplitudes) > 10
        assert one.measurement.id == one.pick.id


@pytest.mark.parametrize("name", ["picker", "picker_live"])
def test_early_amplitudes_are_of_the_same_seconds_live_and_in_batch(tmp_path: Path, name: str) -> None:
    response = Response(input=GROUND_MOTION_VELOCITY, sensitivity=1e9)
    station = Station(network="XX", station="AAA", epochs=[ChannelEpoch(response=response)])
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", name) as opened:
        found = heard(opened, cut(record()), {"XX.AAA": station})
    assert {one.pick.phase for one in found} == {PHASE_P, PHASE_S}
    for one in found:
        assert one.measurement is not None
        long = [each for each in one.measurement.amplitudes if each.kind == AMPLITUDE_KIND_PEAK_DISPLACEMENT]
        early = [round(each.window_s, 2) for each in long if each.window_s < 4]
        assert early == ([2.92] * 3 if one.pick.phase == PHASE_P else [])
        assert max(each.window_s for each in one.pick.amplitudes) <= 2


@pytest.mark.parametrize("name", ["picker", "picker_live"])
def test_blasts_are_told_of_p_whatever_the_pieces(tmp_path: Path, name: str) -> None:
    repository = write_repository(tmp_path)
    with open_listener(repository, f"local:{repository}", name) as opened:
        listener = Listener(opened.picker, SecondLook(None, BLAST))
        found = picked(cut(record()), listener)
        assert found == picked(cut(record(), [17.0, 59.95, 60.2]), listener)
    told = {round(time): each.blast_probability for time, each in zip(times_s(found), found, strict=True)}
    assert told[20] == pytest.approx(0.8)
    assert told[26] is None, "of S nobody says it"


def test_what_is_picked_as_live_is_heard_again_as_live(tmp_path: Path) -> None:
    repository = write_repository(tmp_path)
    url = f"local:{repository}"
    with open_listener(repository, url, "picker_live") as live, open_listener(repository, url, "picker") as full:
        refined, whole = heard(live, cut(record())), heard(full, cut(record()))
    assert {model.name for one in refined if one.measurement for model in one.measurement.models} == {
        "picker_live",
        "picker",
    }
    assert {model.name for one in whole if one.measurement for model in one.measurement.models} == {"picker"}
