"""What a station did not record counts against no earthquake."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from kensoku.acquisition.seconds import Span
from kensoku.acquisition.waveform_files import Stretch
from kensoku.associating import Watch
from kensoku.associating._listening import Listening
from kensoku.batch import Heard
from kensoku.cli import detect
from kensoku.cli._pick_files import Wanted
from kensoku.cli.main import main
from kensoku.times import iso_time
from kensoku.v1 import pick_pb2
from kensoku.v1.association_pb2 import Association
from kensoku.v1.pick_pb2 import DECISION_KEPT, PHASE_P, Instrument, InstrumentProgress, Pick, Progress
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, network, onset, onsets, pick, sites

END_NS = BEGIN_NS + 1000 * NS_PER_S
FROM_NS = BEGIN_NS + 800 * NS_PER_S  # where those begin that were not there before
LATER = [pick(onset(90_000 + number, code, "P", 900 + 20 * number, 0.1)) for number, code in enumerate(sites())]


def small_shock(seed: int) -> tuple[set[str], list[Pick]]:
    """Six of sixteen stations are there, and pick half of its arrivals."""
    chance = np.random.default_rng(seed)
    there = set(chance.permutation(sorted(sites()))[:6].tolist())
    made, _ = onsets([Shock(30, *map(float, chance.uniform(-20, 20, 2)))], seed=seed + 100, detected=0.5)
    return there, [pick(each) for each in made if each.station in there]


def told_of(picks: Iterable[Pick], begins: dict[str, int]) -> list[Association]:
    for each in picks:
        each.decision = DECISION_KEPT
    records = {code: [Span(begins.get(code, 0), END_NS)] for code in sites()}
    return detect.associate([Heard(each) for each in (*picks, *LATER)], network(), records)


def begins(there: set[str]) -> dict[str, int]:
    return {code: FROM_NS for code in sites() if code not in there}


def test_stations_that_were_not_there_yet_count_against_no_earthquake_of_a_record() -> None:
    shocks = [small_shock(seed) for seed in range(30)]
    found = sum(len(told_of(picks, begins(there))) for there, picks in shocks)
    as_if_they_were_there = sum(len(told_of(picks, {})) for _, picks in shocks)
    assert found >= as_if_they_were_there + 6


def test_stations_in_a_gap_are_not_silent_and_count_against_no_earthquake_live() -> None:
    there, picks = next(each for each in map(small_shock, range(30)) if is_decided_by_the_others(*each))

    def watched(gap: tuple[int, int]) -> list[Association]:
        watch = Watch("here", network())
        for each in picks:
            watch.add(each)
        watch.hear(Progress(instruments=[progress(code, [] if code in there else [gap]) for code in sites()]))
        return watch.finish()

    assert watched((FROM_NS, END_NS)) == []
    (one,) = watched((BEGIN_NS, FROM_NS))
    assert {f"XX.{each.station}" for each in one.silent} <= there


def test_a_table_of_picks_is_associated_without_the_stations_that_the_inventory_did_not_have_then(
    tmp_path: Path,
) -> None:
    there, picks = next(each for each in map(small_shock, range(30)) if is_decided_by_the_others(*each))
    rows = [(each.id, f"XX.{each.instrument.station}", "PS"[each.phase - PHASE_P], each) for each in (*picks, *LATER)]
    lines = [f"{name},{code},{wave},{iso_time(each.onset_ns)},0.1" for name, code, wave, each in rows]
    (tmp_path / "picks.csv").write_text("\n".join(["id,station,phase,time,uncertainty_s", *lines]))

    def events(begins: dict[str, int]) -> set[str]:
        start = {code: iso_time(begins[code]) if code in begins else "" for code in sites()}
        places = [
            f"{code},{at.latitude_deg:.6f},{at.longitude_deg:.6f},0,{start[code]}" for code, at in sites().items()
        ]
        (tmp_path / "stations.csv").write_text("\n".join(["id,lat,lon,elev_m,start", *places]))
        given = ["--inventory", str(tmp_path / "stations.csv"), "--velocity-model", "southern-california"]
        out = tmp_path / "events.csv"
        given += ["--cache", str(tmp_path / "cache"), "--out", str(out)]
        assert main(["associate", str(tmp_path / "picks.csv"), *given]) == 0
        with out.open() as file:
            return {row["event_id"] for row in csv.DictReader(file)} - {""}

    assert (len(events({})), len(events(begins(there)))) == (0, 1)


def is_decided_by_the_others(there: set[str], picks: list[Pick]) -> bool:
    return len(told_of(picks, begins(there))) == 1 and not told_of(picks, {})


def progress(code: str, gaps: Sequence[tuple[int, int]], band: str = "HH", *, idle: bool = False) -> InstrumentProgress:
    return InstrumentProgress(
        instrument=Instrument(network="XX", station=code[3:], band_instrument=band),
        evaluated_to_ns=END_NS,
        gaps=[pick_pb2.Span(start_ns=begin, end_ns=end) for begin, end in gaps],
        idle=idle,
    )


@pytest.mark.parametrize(
    ("beside", "idle", "is_heard"), [([], False, True), ([], True, False), ([(100, 160)], False, False)]
)
def test_a_station_hears_as_long_as_one_of_its_instruments_does(
    beside: list[tuple[int, int]], idle: bool, is_heard: bool
) -> None:
    listening, first_ns = Listening(70.0), BEGIN_NS
    gap = [(first_ns + 100 * NS_PER_S, first_ns + 160 * NS_PER_S)]
    others = [(first_ns + low * NS_PER_S, first_ns + high * NS_PER_S) for low, high in beside]
    listening.hear(Progress(instruments=[progress("XX.A", gap), progress("XX.A", others, "HN", idle=idle)]))
    assert listening.has_heard("XX.A", first_ns + 130 * NS_PER_S, 3.0) is is_heard
    assert listening.has_heard("XX.A", first_ns + 170 * NS_PER_S, 3.0)
    assert not listening.has_heard("XX.A", END_NS, 3.0)
    assert not listening.has_heard("XX.B", first_ns, 3.0)


def test_gaps_that_are_told_piece_by_piece_are_one_and_the_oldest_are_forgotten() -> None:
    listening = Listening(70.0)
    for second in range(10):
        at_ns = BEGIN_NS + second * NS_PER_S
        listening.hear(Progress(instruments=[progress("XX.A", [(at_ns, at_ns + NS_PER_S)])]))
    assert len(listening.gaps_ns["XX.A"]) == 1
    for minute in range(3000):
        at_ns = BEGIN_NS + 60 * minute * NS_PER_S
        listening.hear(Progress(instruments=[progress("XX.A", [(at_ns, at_ns + NS_PER_S)])]))
    assert len(listening.gaps_ns["XX.A"]) == 1000


def test_files_of_a_station_are_one_record_unless_some_are_missing() -> None:
    def day(first: int, last: int) -> Stretch:
        return Stretch(
            Path("day"), 0, 512, 512, first * NS_PER_S, last * NS_PER_S - NS_PER_S // 100, {"XX.A..HHZ": 100}
        )

    stretches = [day(300, 400), day(100, 200), day(200, 250), day(900, 950)]
    found = detect.records_in(stretches, Wanted("*", Span()), Span(150 * NS_PER_S, 380 * NS_PER_S))
    begin_ns, end_ns = 150 * NS_PER_S, 250 * NS_PER_S - NS_PER_S // 100
    assert found == {"XX.A": [Span(begin_ns, end_ns), Span(300 * NS_PER_S, 380 * NS_PER_S)]}
    told = detect.progress(Instrument(station="A"), found["XX.A"])
    assert [(gap.start_ns, gap.end_ns) for gap in told.gaps] == [(0, begin_ns), (end_ns, 300 * NS_PER_S)]
    assert told.evaluated_to_ns == 380 * NS_PER_S
