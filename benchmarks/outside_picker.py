"""Score a picker from elsewhere on simulated records beside recorded ones: neither should be easier for it.

    python -m benchmarks.outside_picker write DIR [--count 12000]   records.npz to be picked, and truth.csv
    python -m benchmarks.outside_picker score DIR PICKS.csv [--min-score 0.3] [--json]

records.npz has X (windows, ZNE, samples), at 100 Hz. PICKS.csv has a row a pick: window,phase,sample,score. Simulated
arrivals are weighted so that they are as recorded ones are in S-P, SNR and frequency of P.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.realism_features import RATE_HZ, centroid_hz, filtered, is_spoilt, snr
from benchmarks.realism_pool import FARTHEST_S_MINUS_P_S, SEED, simulated_picked
from benchmarks.recorded import HELD_OUT, SETS, Picked, picked_windows
from benchmarks.report import machine_name
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.visibility import see
from kensoku.simulation.window_draws import draw_window

SIMULATED = "simulated"
RECORDED = "recorded, all to tune to"
COUNT = 12_000  # simulated windows, of which some twelfth can be compared
WINDOW_S = 30
P_AT_S = (4.0, 16.0)  # of the window: what is before it is known to be quiet, and most S are inside
AFTER_S = 2.0  # of S, at least
SLOWEST_HZ = 100  # digitisers of less ring long before P, and no recorded window has one

SNR_BINS = ((3.0, 5.0), (5.0, 10.0), (10.0, np.inf))
TOLERANCE_S = 0.5
QUIET_S = (1.0, 2.0)  # after the window's start, before P: picks in between are false
MIN_SCORE = 0.3
S_MINUS_P_S = (0.8, 1.5, 3.0, 6.0)  # edges of the cells in which arrivals are alike
P_HZ = (8.0, 12.0, 16.0)
SNRS = (4.0, 7.0, 20.0, 60.0)
RESAMPLED = 400  # times, for intervals


@dataclass(frozen=True, slots=True)
class Arrival:
    window: int
    origin: str  # a recorded set, or SIMULATED
    phase: str  # P or S
    sample: float
    snr: float
    s_minus_p_s: float
    p_hz: float

    @property
    def cell(self) -> tuple[int, ...]:
        return tuple(
            int(np.searchsorted(edges, value))
            for edges, value in ((S_MINUS_P_S, self.s_minus_p_s), (P_HZ, self.p_hz), (SNRS, self.snr))
        )


@dataclass(frozen=True, slots=True)
class Pick:
    window: int
    phase: str
    sample: float


@dataclass(frozen=True, slots=True)
class Score:
    """Intervals hold 95 %."""

    arrivals: int
    recall: float
    recall_range: tuple[float, float]
    mae_s: float
    mae_range_s: tuple[float, float]
    bias_s: float  # median; positive: picked too late


@dataclass(frozen=True, slots=True)
class Row:
    origin: str
    phase: str
    snr_from: float
    recorded: Score
    simulated: Score


# --- scores -----------------------------------------------------------------------------------------------------------


def residuals_s(arrivals: Sequence[Arrival], picks: Iterable[Pick]) -> FloatArray:
    """Of the nearest pick of each arrival's phase; NaN where none is within the tolerance."""
    samples = defaultdict(list)
    for pick in picks:
        samples[pick.window, pick.phase].append(pick.sample)
    found = np.full(len(arrivals), np.nan)
    for number, arrival in enumerate(arrivals):
        late = np.array(samples.get((arrival.window, arrival.phase), [np.inf])) - arrival.sample
        nearest_s = float(late[np.abs(late).argmin()]) / RATE_HZ
        if abs(nearest_s) <= TOLERANCE_S:
            found[number] = nearest_s
    return found


def likeness(simulated: Sequence[Arrival], recorded: Sequence[Arrival]) -> FloatArray:
    """Weights with which simulated arrivals are spread over S-P, SNR and frequency as recorded ones are."""
    wanted, there = _count_cells(recorded), _count_cells(simulated)
    return np.array([wanted.get(arrival.cell, 0) / there[arrival.cell] for arrival in simulated])


def _count_cells(arrivals: Iterable[Arrival]) -> Mapping[tuple[int, ...], int]:
    counts: dict[tuple[int, ...], int] = defaultdict(int)
    for arrival in arrivals:
        counts[arrival.cell] += 1
    return counts


def score(found_s: FloatArray, weights: FloatArray, chance: np.random.Generator) -> Score:
    """Of residuals, NaN where an arrival was missed; intervals by drawing the arrivals again and again."""
    found_s, weights = found_s[weights > 0], weights[weights > 0]
    nan = float("nan")
    if not found_s.size:
        return Score(0, nan, (nan, nan), nan, (nan, nan), nan)
    drawn = chance.integers(found_s.size, size=(RESAMPLED, found_s.size))
    recalls, maes_s = _recall_and_mae(found_s[drawn], weights[drawn])
    recall, mae_s = _recall_and_mae(found_s, weights)
    return Score(
        found_s.size, float(recall), _range(recalls), float(mae_s), _range(maes_s), _weighted_median(found_s, weights)
    )


def _recall_and_mae(found_s: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Along the last axis."""
    is_found = np.isfinite(found_s)
    of_found = (weights * is_found).sum(axis=-1)
    off_s = (weights * np.where(is_found, np.abs(found_s), 0.0)).sum(axis=-1)
    mae_s = np.divide(off_s, of_found, out=np.full_like(of_found, np.nan), where=of_found > 0)
    return of_found / weights.sum(axis=-1), mae_s


def _range(values: FloatArray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)


def _weighted_median(found_s: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(found_s)[: np.isfinite(found_s).sum()]
    if not order.size:
        return float("nan")
    share = np.cumsum(weights[order])
    return float(found_s[order][np.searchsorted(share, share[-1] / 2)])


def compare(arrivals: Sequence[Arrival], picks: Iterable[Pick]) -> list[Row]:
    """Each recorded set, and those that may be tuned to together, with the simulated arrivals that are like it."""
    found_s, chance = residuals_s(arrivals, picks), np.random.default_rng(0)
    groups = {RECORDED: set(SETS)} | {name: {name} for name in (*SETS, *HELD_OUT)}
    rows = []
    for origin, names in groups.items():
        for phase in "PS":
            for low, high in SNR_BINS:
                inside = [n for n, each in enumerate(arrivals) if each.phase == phase and low <= each.snr < high]
                recorded = [number for number in inside if arrivals[number].origin in names]
                simulated = [number for number in inside if arrivals[number].origin == SIMULATED]
                weights = likeness([arrivals[n] for n in simulated], [arrivals[n] for n in recorded])
                as_recorded = score(found_s[recorded], np.ones(len(recorded)), chance)
                rows.append(Row(origin, phase, low, as_recorded, score(found_s[simulated], weights, chance)))
    return rows


def false_picks_an_hour(arrivals: Sequence[Arrival], picks: Sequence[Pick]) -> dict[str, float]:
    """By origin, of both phases, where nothing arrives."""
    first = {each.window: each for each in arrivals if each.phase == "P"}
    begin = QUIET_S[0] * RATE_HZ
    ends = {window: each.sample - QUIET_S[1] * RATE_HZ for window, each in first.items()}
    hours: dict[str, float] = defaultdict(float)
    false: dict[str, int] = defaultdict(int)
    for window, end in ends.items():
        hours[first[window].origin] += max(end - begin, 0.0) / RATE_HZ / 3600
    for pick in picks:
        if pick.window in ends and begin <= pick.sample <= ends[pick.window]:
            false[first[pick.window].origin] += 1
    return {origin: false[origin] / hours[origin] for origin in hours if hours[origin]}


# --- records ----------------------------------------------------------------------------------------------------------


def cut(picked: Picked, chance: np.random.Generator) -> Picked | None:
    """A window with its P where those of simulated ones are: as they come if they are no longer."""
    length = WINDOW_S * RATE_HZ
    begin = 0
    if picked.samples.shape[1] > length:
        begin = int(picked.p - RATE_HZ * chance.uniform(*P_AT_S))
    inside = picked.samples[:, max(begin, 0) : begin + length]
    p, s = picked.p - begin, picked.s - begin
    is_placed = P_AT_S[0] <= p / RATE_HZ <= P_AT_S[1] and s + AFTER_S * RATE_HZ < length
    if begin < 0 or inside.shape[1] < length or not is_placed or is_spoilt(inside):
        return None
    return Picked(inside, p, s, picked.station)


def arrivals_of(picked: Picked, window: int, origin: str) -> Iterator[Arrival]:
    visible, seen = see(picked.samples, RATE_HZ), filtered(picked.samples)
    p, s = int(np.ceil(picked.p)), int(np.ceil(picked.s))
    p_hz = centroid_hz(seen[:, p : min(p + 2 * RATE_HZ, max(s, p + RATE_HZ // 2))])
    for phase, sample in (("P", picked.p), ("S", picked.s)):
        s_minus_p_s = (picked.s - picked.p) / RATE_HZ
        yield Arrival(window, origin, phase, sample, snr(visible, int(np.ceil(sample))), s_minus_p_s, p_hz)


def recorded_and_simulated(count: int) -> Iterator[tuple[str, Picked]]:
    for name in (*SETS, *HELD_OUT):
        yield from ((name, picked) for picked in picked_windows(name))
    for seed in range(count):
        draw = draw_window(np.random.default_rng([SEED, seed]))
        is_like = draw.kind is SourceKind.EARTHQUAKE and draw.s_minus_p_s < FARTHEST_S_MINUS_P_S
        if is_like and draw.digitiser.rate_hz >= SLOWEST_HZ and (picked := simulated_picked(seed)):
            yield SIMULATED, picked


def write(folder: Path, records: Iterable[tuple[str, Picked]]) -> dict[str, int]:
    """Of each origin as many windows as are told."""
    chance = np.random.default_rng(0)
    windows: list[npt.NDArray[np.float32]] = []
    arrivals: list[Arrival] = []
    for origin, whole in records:
        picked = cut(whole, chance)
        if picked:
            arrivals.extend(arrivals_of(picked, len(windows), origin))
            windows.append((picked.samples / np.abs(picked.samples).max()).astype(np.float32))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "records.npz", X=np.array(windows), sampling_rate=RATE_HZ, components="ZNE")
    with (folder / "truth.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(field.name for field in fields(Arrival))
        table.writerows(astuple(arrival) for arrival in arrivals)
    counts: dict[str, int] = defaultdict(int)
    for arrival in arrivals:
        counts[arrival.origin] += arrival.phase == "P"
    return dict(counts)


def read_arrivals(path: Path) -> list[Arrival]:
    with path.open(newline="") as file:
        return [
            Arrival(int(row["window"]), row["origin"], row["phase"], *(float(row[name]) for name in _MEASURED))
            for row in csv.DictReader(file)
        ]


_MEASURED = ("sample", "snr", "s_minus_p_s", "p_hz")


def read_picks(path: Path, min_score: float) -> list[Pick]:
    with path.open(newline="") as file:
        rows = (row for row in csv.DictReader(file) if float(row["score"]) >= min_score)
        return [Pick(int(row["window"]), row["phase"], float(row["sample"])) for row in rows]


# --- a table ----------------------------------------------------------------------------------------------------------


def show(rows: Iterable[Row], false_picks: Mapping[str, float]) -> None:
    print(f"{'':34}{'recorded':^46}   {'simulated, alike':^46}")
    print(f"{'':34}" + "   ".join([f"{'n':>5} {'recall':>17} {'MAE (ms)':>15} {'bias':>6}"] * 2))
    for row in rows:
        name = f"{row.origin:26}{row.phase} {row.snr_from:g}"
        print(f"{name:34}{_shown(row.recorded)}   {_shown(row.simulated)}")
    print("\nfalse picks an hour before P: " + ", ".join(f"{name} {rate:.1f}" for name, rate in false_picks.items()))


def _shown(each: Score) -> str:
    recall = f"{100 * each.recall:5.1f} ({100 * each.recall_range[0]:3.0f} to {100 * each.recall_range[1]:3.0f})"
    mae = f"{1e3 * each.mae_s:4.0f} ({1e3 * each.mae_range_s[0]:3.0f} to {1e3 * each.mae_range_s[1]:3.0f})"
    return f"{each.arrivals:5} {recall:>17} {mae:>15} {1e3 * each.bias_s:+6.0f}"


def figures_of(rows: Iterable[Row]) -> dict[str, float]:
    return {
        f"{row.origin}, {row.phase} {row.snr_from:g}, {kind}, {name}": figure
        for row in rows
        for kind, each in (("recorded", row.recorded), ("simulated", row.simulated))
        for name, figure in (("recall", each.recall), ("MAE s", each.mae_s), ("bias s", each.bias_s))
        if np.isfinite(figure)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    writing = actions.add_parser("write", help="make the records to be picked")
    writing.add_argument("folder", type=Path, metavar="DIR")
    writing.add_argument("--count", type=int, default=COUNT, help="of simulated windows, few of which are comparable")
    scoring = actions.add_parser("score", help="compare the picks with the truth")
    scoring.add_argument("folder", type=Path, metavar="DIR")
    scoring.add_argument("picks", type=Path, metavar="PICKS.csv")
    scoring.add_argument("--min-score", type=float, default=MIN_SCORE)
    scoring.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args()
    if options.action == "write":
        counts = write(options.folder, recorded_and_simulated(options.count))
        print(", ".join(f"{name}: {count} windows" for name, count in counts.items()))
        if not counts.keys() - {SIMULATED}:
            parser.exit(2, "found no recorded windows; expected them in ../shared/data beside the project\n")
        return
    arrivals, picks = read_arrivals(options.folder / "truth.csv"), read_picks(options.picks, options.min_score)
    rows = compare(arrivals, picks)
    show(rows, false_picks_an_hour(arrivals, picks))
    if options.json:
        print(json.dumps({"machine": machine_name(), **figures_of(rows)}))


if __name__ == "__main__":
    main()
