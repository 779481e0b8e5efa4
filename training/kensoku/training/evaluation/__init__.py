"""How well shipped models do on records that were kept apart: every figure as JSON, and a report for people."""

from kensoku.training.evaluation.blast_report import metrics, probe, write_blasts
from kensoku.training.evaluation.blasts import judge_blasts
from kensoku.training.evaluation.cuts import KINDS, CutResults, judge_cuts
from kensoku.training.evaluation.dimmed import under_noise
from kensoku.training.evaluation.paired import WITHIN_S, Labelled, Paired, found, paired
from kensoku.training.evaluation.report import Evaluated, write_report
from kensoku.training.evaluation.results import Results, judge_picker
from kensoku.training.evaluation.robustness import PARTS, Robustness, judge_robustness, write_robustness
from kensoku.training.evaluation.summary import Summary, summarise
from kensoku.training.variants import COMPONENTS, VARIANTS, stretch_of

__all__ = [
    "COMPONENTS",
    "KINDS",
    "PARTS",
    "VARIANTS",
    "WITHIN_S",
    "CutResults",
    "Evaluated",
    "Labelled",
    "Paired",
    "Results",
    "Robustness",
    "Summary",
    "found",
    "metrics",
    "judge_blasts",
    "judge_cuts",
    "judge_picker",
    "judge_robustness",
    "paired",
    "probe",
    "stretch_of",
    "summarise",
    "under_noise",
    "write_blasts",
    "write_report",
    "write_robustness",
]
