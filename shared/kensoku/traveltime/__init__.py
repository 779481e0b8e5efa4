"""When P and S of an earthquake arrive, through layers of a spherical (or a flat) earth.

A model (`load_model`) and many pairs of source and station to rays (`first_arrivals`), or to times alone from a table
that is built once (`TravelTimeTable`), thirty times faster.
"""

from kensoku.traveltime._arrivals import Arrivals, first_arrivals
from kensoku.traveltime._model import EarthModel, Layer, Wave
from kensoku.traveltime._reading import PRESETS, load_model
from kensoku.traveltime._search import Kind
from kensoku.traveltime._table import Grid, Times, TravelTimeTable, build_table

__all__ = [
    "PRESETS",
    "Arrivals",
    "EarthModel",
    "Grid",
    "Kind",
    "Layer",
    "Times",
    "TravelTimeTable",
    "Wave",
    "build_table",
    "first_arrivals",
    "load_model",
]
