"""Parts of the map that are associated side by side: which stations each hears, and which events it tells."""

from kensoku.regions._destinations import ALL_GIVEN, PREFIX, WHOLE_EARTH, Destination, destinations, read_regions
from kensoku.regions._ground import SEAM_KM, Ground, outside_km

__all__ = [
    "ALL_GIVEN",
    "PREFIX",
    "SEAM_KM",
    "WHOLE_EARTH",
    "Destination",
    "Ground",
    "destinations",
    "outside_km",
    "read_regions",
]
