"""Classic picking: STA/LTA in several bands, AR-AIC onsets, and models that judge and refine what they found.

Values in, values out, like `kensoku.picking`. Records are raw counts (3, samples), Z N E at 100 Hz, NaN where missing.
"""

from kensoku.classic._front_end import ClassicFrontEnd
from kensoku.classic._judging import JudgedPick, also_loud, cut_around, judge_noise, noise_probabilities, refine
from kensoku.classic._onset import AicOnset, find_onset
from kensoku.classic._picks import ClassicPick, pick_classic
from kensoku.classic._ratios import ratios, recursive_sta_lta
from kensoku.classic._settings import ClassicSettings
from kensoku.classic._triggers import Trigger, find_triggers

__all__ = [
    "AicOnset",
    "ClassicFrontEnd",
    "ClassicPick",
    "ClassicSettings",
    "JudgedPick",
    "Trigger",
    "also_loud",
    "cut_around",
    "find_onset",
    "find_triggers",
    "judge_noise",
    "noise_probabilities",
    "pick_classic",
    "ratios",
    "recursive_sta_lta",
    "refine",
]
