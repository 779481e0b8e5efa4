"""Compare simulated records with recorded ones: `python -m benchmarks.realism [--json] [--figures DIRECTORY]`.

A classifier is asked to tell them apart by summary numbers, after each recorded set was given as many simulated
records of its S-P, SNR of P and frequency of P. Recorded data lie beside the project.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.realism_features import NAMES
from benchmarks.realism_figures import draw
from benchmarks.realism_study import POOL, Comparison, Study, study
from benchmarks.report import machine_name


def figures_of(found: Study) -> dict[str, float]:
    every = found.sets | {POOL: found.pool} | found.held_out
    return {
        **{f"AUC, {name}": each.separation.auc for name, each in every.items()},
        "AUC between recorded sets, median": found.median_unmatched,
        "AUC between recorded sets, matched, median": found.median_matched,
        **{f"importance, {name}": lost for name, lost in zip(NAMES, found.pool.separation.importance, strict=True)},
    }


def show(found: Study) -> None:
    print(f"Simulated against recorded records\n{machine_name()}\n")
    print(f"{'':24}{'pairs':>6}{'AUC':>7}  90 %       what is left between them: S-P, P SNR, P frequency (std)")
    for name, each in (found.sets | {POOL: found.pool} | found.held_out).items():
        told, left = each.separation, ", ".join(f"{offset:+.2f}" for offset in each.match.offsets)
        print(f"{name:24}{len(each.match.first):>6}{told.auc:>7.3f}  {told.low:.2f}-{told.high:.2f}  {left}")
    print("\nRecorded against recorded     as they are  matched")
    for pair in found.between:
        print(f"{' and '.join(pair.names):32}{pair.unmatched:>8.3f}{pair.matched:>9.3f}")
    print(f"{'median':32}{found.median_unmatched:>8.3f}{found.median_matched:>9.3f}")
    print("\nmedian ± half of 16 to 84 %, recorded | simulated; what the AUC loses without the number")
    print(f"{'':18}" + "".join(f"{name:^33}" for name in [*found.sets, POOL]))
    for column in np.argsort(-found.pool.separation.importance):
        cells = (_cell(each, int(column)) for each in [*found.sets.values(), found.pool])
        print(f"{NAMES[column]:18}" + "".join(f"{cell:^33}" for cell in cells))


def _cell(each: Comparison, column: int) -> str:
    shown = []
    for records in (each.match.first, each.match.second):
        low, middle, high = np.quantile(records.numbers[:, column], [0.16, 0.5, 0.84])
        shown.append(f"{middle:5.2f} ±{(high - low) / 2:.2f}")
    return f"{' | '.join(shown)} {each.separation.importance[column]:6.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--figures", type=Path, metavar="DIRECTORY", help="draw figures")
    parser.add_argument("--traces", action="store_true", help="with recorded seismograms beside simulated ones")
    options = parser.parse_args()
    found = study()
    if not found.sets:
        parser.exit(2, "found no recorded windows; expected them in ../shared/data beside the project\n")
    show(found)
    if options.figures:
        draw(options.figures, with_recorded_traces=options.traces)
    if options.json:
        print(json.dumps({"machine": machine_name(), **figures_of(found)}))


if __name__ == "__main__":
    main()
