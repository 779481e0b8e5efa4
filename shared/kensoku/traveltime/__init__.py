"""When P and S of an earthquake arrive, through layers of a spherical (or a flat) earth.

A model (`load_model`) and many pairs of source and station to rays (`first_arrivals`), or to times alone from a table
that is built once (`TravelTimeTable`), thirty times faster.
"""

from kensoku.traveltime._arrivals import Arrivals, first_arrivals
from kensoku.traveltime._grid_files import read_time_grid, read_time_grids
from kensoku.traveltime._grid_names import Grids, digest_of, grids_by_station, match_grids, name_of
from kensoku.traveltime._model import EarthModel, Layer, Wave
from kensoku.traveltime._projection import Projection
from kensoku.traveltime._reading import PRESETS, load_model
from kensoku.traveltime._search import Kind
from kensoku.traveltime._table import DEEPEST_KM, Grid, Times, TravelTimeTable, build_table, grid_for
from kensoku.traveltime._time_grid import GridTimes, TimeGrid

__all__ = [
    "DEEPEST_KM",
    "PRESETS",
    "Arrivals",
    "EarthModel",
    "Grid",
    "GridTimes",
    "Grids",
    "Kind",
    "Projection",
    "TimeGrid",
    "Layer",
    "Times",
    "TravelTimeTable",
    "Wave",
    "build_table",
    "digest_of",
    "first_arrivals",
    "grid_for",
    "grids_by_station",
    "load_model",
    "match_grids",
    "name_of",
    "read_time_grid",
    "read_time_grids",
]
