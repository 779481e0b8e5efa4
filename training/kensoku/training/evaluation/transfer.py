"""What a picker finds in regions that it was not taught, as a table."""

from collections.abc import Mapping

from kensoku.training.evaluation.summary import Summary
from kensoku.training.examples import PHASES

STRETCHES = (1, 2, 3, 4)  # how many times slower the region's records are played
HEADER = (
    "| left out | played slower | phase | labels | recall | 90 % | within 0.1 s | swapped | MAE, s | bias, s "
    "| in stated 68 % | excess | false an hour |"
)


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
                        f"| {of.mae_s:.3f} | {of.median_s:+.3f} | {of.held:.2f} | {of.excess:.3f} "
                        f"| {summary.false_per_hour:.1f} |"
                    )
    return "\n".join(rows) + "\n"
