"""How well shipped models do on records that were kept apart: every figure as JSON, and a report for people."""

from kensoku.training.evaluation.cuts import CutResults, judge_cuts
from kensoku.training.evaluation.report import Evaluated, write_report
from kensoku.training.evaluation.results import Results, judge_picker
from kensoku.training.evaluation.robustness import PARTS, Robustness, judge_robustness, write_robustness
from kensoku.training.evaluation.summary import Summary, summarise
from kensoku.training.evaluation.variants import VARIANTS, stretch_of

__all__ = [
    "PARTS",
    "VARIANTS",
    "CutResults",
    "Evaluated",
    "Results",
    "Robustness",
    "Summary",
    "judge_cuts",
    "judge_picker",
    "judge_robustness",
    "stretch_of",
    "summarise",
    "write_report",
    "write_robustness",
]
