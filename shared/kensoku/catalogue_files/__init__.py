"""Catalogues in files: QuakeML, csv, FDSN's text, HypoDD, GrowClust and NonLinLoc; and how two catalogues differ."""

from kensoku.catalogue_files._compare import Comparison, Limits, Pair, compare, say_the_same
from kensoku.catalogue_files._files import FORMATS, ReadCatalogue, format_of, read_catalogue, write_catalogue
from kensoku.catalogue_files._naming import Signature
from kensoku.catalogue_files._stations import Place, PlaceOf, nowhere
from kensoku.catalogue_files._table import COLUMNS

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Comparison",
    "Limits",
    "Pair",
    "Place",
    "PlaceOf",
    "ReadCatalogue",
    "Signature",
    "compare",
    "format_of",
    "nowhere",
    "read_catalogue",
    "say_the_same",
    "write_catalogue",
]
