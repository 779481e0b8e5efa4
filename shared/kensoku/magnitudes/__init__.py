"""How large an event was, and what it was: of amplitudes and votes that its picks carry.

Pure: an origin, its arrivals and the messages of their picks, to magnitudes and probabilities of types with their
reasons in words.
"""

from kensoku.magnitudes._calibrate import Example, calibrate
from kensoku.magnitudes._corrections import learn_corrections
from kensoku.magnitudes._estimate import Estimate, estimate, estimate_all
from kensoku.magnitudes._event_type import TypeDecision, TypeSettings, classify
from kensoku.magnitudes._evidence import TypeEvidence, evidence_of
from kensoku.magnitudes._formula import Formula, Table
from kensoku.magnitudes._formula_files import (
    FORMULAS,
    Corrections,
    load_corrections,
    load_formula,
    read_corrections,
    read_formula,
    write_corrections,
)
from kensoku.magnitudes._judge import DEFAULT_FORMULAS, Judgement, Rules, judge
from kensoku.magnitudes._network import NetworkValue, Vote, combine
from kensoku.magnitudes._plane import PlaneWave, fit_plane_wave
from kensoku.magnitudes._preferred import Preference, preferred_magnitude
from kensoku.magnitudes._quarries import Quarry, load_quarries, read_quarries
from kensoku.magnitudes._readings import Reading, readings_of

__all__ = [
    "DEFAULT_FORMULAS",
    "FORMULAS",
    "Corrections",
    "Estimate",
    "Example",
    "Formula",
    "Judgement",
    "NetworkValue",
    "PlaneWave",
    "Preference",
    "Quarry",
    "Reading",
    "Rules",
    "Table",
    "TypeDecision",
    "TypeEvidence",
    "TypeSettings",
    "Vote",
    "calibrate",
    "classify",
    "combine",
    "estimate",
    "estimate_all",
    "evidence_of",
    "fit_plane_wave",
    "judge",
    "learn_corrections",
    "load_corrections",
    "load_formula",
    "load_quarries",
    "preferred_magnitude",
    "read_corrections",
    "read_formula",
    "read_quarries",
    "readings_of",
    "write_corrections",
]
