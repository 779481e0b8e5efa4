"""Where and when an earthquake was, and how surely: the probability of every place, from the arrivals of one event.

Pure: arrivals, stations and travel times in, a `Location` out (`locate`, or `locate_many` for the throughput).
"""

from kensoku.locating._locate import locate, locate_many
from kensoku.locating._values import (
    Arrival,
    Ellipsoid,
    Hypocentre,
    LocatedArrival,
    Location,
    LocationSettings,
    Site,
)

__all__ = [
    "Arrival",
    "Ellipsoid",
    "Hypocentre",
    "LocatedArrival",
    "Location",
    "LocationSettings",
    "Site",
    "locate",
    "locate_many",
]
