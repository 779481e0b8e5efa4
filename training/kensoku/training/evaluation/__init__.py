"""How well shipped models do on records that were kept apart: every figure as JSON, and a report for people."""

from kensoku.training.evaluation.cuts import CutResults, judge_cuts
from kensoku.training.evaluation.report import Evaluated, write_report
from kensoku.training.evaluation.results import Results, judge_picker
from kensoku.training.evaluation.summary import Summary, summarise
from kensoku.training.evaluation.variants import VARIANTS, stretch_of

__all__ = [
    "VARIANTS",
    "CutResults",
    "Evaluated",
    "Results",
    "Summary",
    "judge_cuts",
    "judge_picker",
    "stretch_of",
    "summarise",
    "write_report",
]
