"""Where and when an earthquake was, and how surely: the probability of every place, from the arrivals of one event.

Pure: arrivals, stations and travel times in, a `Location` out (`locate`; `locate_many` takes a tenth of the time an
event, `locate_many_in_grids` goes by 3-D grids). Around it,
the contracts: `arrivals_of`, `sites_of`, `origin_message`, `arrival_messages`.
"""

from kensoku.locating._corrections import (
    TimeCorrection,
    load_time_corrections,
    read_time_corrections,
    write_time_corrections,
)
from kensoku.locating._grids import locate_many_in_grids
from kensoku.locating._learn import Learned, LearningSettings, learn_time_corrections
from kensoku.locating._locate import locate, locate_many
from kensoku.locating._messages import (
    Corrections,
    arrival_messages,
    arrivals_of,
    epoch_at,
    instrument_code,
    origin_message,
    site_at,
    sites_of,
)
from kensoku.locating._sphere import degrees, frames_at, unit_vectors
from kensoku.locating._summary import reaches_limit
from kensoku.locating._values import (
    Arrival,
    Ellipsoid,
    Hypocentre,
    LocatedArrival,
    Location,
    LocationSettings,
    Site,
    site_code,
)

__all__ = [
    "Arrival",
    "Corrections",
    "Ellipsoid",
    "Hypocentre",
    "Learned",
    "LearningSettings",
    "LocatedArrival",
    "Location",
    "LocationSettings",
    "Site",
    "TimeCorrection",
    "arrival_messages",
    "arrivals_of",
    "degrees",
    "epoch_at",
    "frames_at",
    "instrument_code",
    "learn_time_corrections",
    "load_time_corrections",
    "locate",
    "locate_many",
    "locate_many_in_grids",
    "origin_message",
    "reaches_limit",
    "read_time_corrections",
    "site_at",
    "site_code",
    "sites_of",
    "unit_vectors",
    "write_time_corrections",
]
