"""From what a model says of every sample to picks, and from any length of record to what a model says of it.

Values in, values out: the live services and the batch commands call the same functions. A model is a callable that
takes raw counts (records, 3, samples) at 100 Hz with NaN where a sample is missing, and gives (records, 3, samples):
probabilities of noise, P and S.
"""

from kensoku.picking._annotate import Geometry, Model, annotate
from kensoku.picking._calibration import Calibration, PhaseCalibration
from kensoku.picking._card import CARD, Delay, ModelCard, PhasePair, read_card
from kensoku.picking._missing import (
    LARGEST,
    apart_from_gaps,
    horizontals,
    horizontals_at,
    less_offset,
    may_hide_gaps,
    with_missing,
)
from kensoku.picking._picks import AHEAD_LIVE, AROUND, PHASES, Phase, Pick, Rule, find_picks, may_hold_picks
from kensoku.picking._records import pick_records
from kensoku.picking._resample import ROUNDED, filter_to_100_hz, to_100_hz

__all__ = [
    "AHEAD_LIVE",
    "AROUND",
    "CARD",
    "LARGEST",
    "PHASES",
    "ROUNDED",
    "Calibration",
    "Delay",
    "Geometry",
    "Model",
    "ModelCard",
    "Phase",
    "PhaseCalibration",
    "PhasePair",
    "Pick",
    "Rule",
    "annotate",
    "apart_from_gaps",
    "filter_to_100_hz",
    "find_picks",
    "horizontals",
    "horizontals_at",
    "less_offset",
    "may_hide_gaps",
    "may_hold_picks",
    "pick_records",
    "read_card",
    "to_100_hz",
    "with_missing",
]
