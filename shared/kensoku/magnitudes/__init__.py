"""How large an event was, and what it was: of amplitudes and votes that its picks carry.

Pure: an origin, its arrivals and the messages of their picks, to magnitudes and probabilities of types with their
reasons in words.
"""

from kensoku.magnitudes._corrections import learn_corrections
from kensoku.magnitudes._estimate import Estimate, estimate, estimate_all
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
from kensoku.magnitudes._network import NetworkValue, Vote, combine
from kensoku.magnitudes._preferred import Preference, preferred_magnitude
from kensoku.magnitudes._readings import Reading, readings_of

__all__ = [
    "FORMULAS",
    "Corrections",
    "Estimate",
    "Formula",
    "NetworkValue",
    "Preference",
    "Reading",
    "Table",
    "Vote",
    "combine",
    "estimate",
    "estimate_all",
    "learn_corrections",
    "load_corrections",
    "load_formula",
    "preferred_magnitude",
    "read_corrections",
    "read_formula",
    "readings_of",
    "write_corrections",
]
