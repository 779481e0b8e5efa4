"""What a picker finds in regions that it was not taught, as a table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kensoku.errors import InputInvalid
from kensoku.picking import Model, ModelCard, PhasePair
from kensoku.training.calibration import fit_calibration
from kensoku.training.evaluation.pages import number
from kensoku.training.evaluation.summary import Summary
from kensoku.training.examples import PHASES, Example
from kensoku.training.release import judged, tell
from kensoku.training.scores import threshold_for

STRETCHES = (1, 2, 3, 4)  # how many times slower the region's records are played
FALSE_PER_HOUR = 3.9  # of quiet of the regions that were taught
HEADER = (
    "| left out | played slower | phase | labels | recall | 90 % | within 0.1 s | swapped | MAE, s | bias, s "
    "| in stated 68 % | excess | false an hour |"
)


def settled(card: ModelCard, model: Model, examples: Sequence[Example]) -> ModelCard:
    """The card with threshold and calibration of the regions that were taught; too few labels leave it uncalibrated."""
    told = tell(card, model, examples)
    threshold = threshold_for(told, FALSE_PER_HOUR)
    card = replace(card, threshold=PhasePair(p=threshold, s=threshold))
    try:
        return replace(card, calibration=fit_calibration([each for one in told for each in judged(one)]))
    except InputInvalid:
        return card


def table(found: Mapping[str, Mapping[int, Summary]]) -> str:
    """Markdown, by region and by how many times slower its records were played."""
    rows = [HEADER, "|" + " --- |" * (HEADER.count("|") - 1)]
    for region, by_stretch in found.items():
        for times, summary in by_stretch.items():
            for phase in PHASES:
                of = summary.of(phase)
                if of.labels:
                    rows.append(
                        f"| {region} | {times} | {phase} | {of.labels} | {of.recall:.3f} "
                        f"| {of.recall_low:.3f} to {of.recall_high:.3f} | {of.recall_near:.3f} | {of.swapped:.3f} "
                        f"| {number(of.mae_s)} | {number(of.median_s)} | {number(of.held)} | {number(of.excess)} "
                        f"| {number(summary.false_per_hour)} |"
                    )
    return "\n".join(rows) + "\n"
