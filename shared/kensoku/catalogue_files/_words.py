"""What QuakeML and we call the same things, and how moments are written."""

from functools import cache
from typing import Any

from kensoku.regions import ALL_GIVEN, WHOLE_EARTH
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_MERGED,
    EVENT_STATUS_RETRACTED,
    EVENT_TYPE_BLAST,
    EVENT_TYPE_EARTHQUAKE,
    EVENT_TYPE_LOW_FREQUENCY,
    EVENT_TYPE_TELESEISM,
    EVENT_TYPE_UNKNOWN,
    Event,
)
from kensoku.v1.pick_pb2 import POLARITY_DOWN, POLARITY_UNDECIDABLE, POLARITY_UP

TYPES = {
    EVENT_TYPE_EARTHQUAKE: "earthquake",
    EVENT_TYPE_BLAST: "quarry blast",
    EVENT_TYPE_TELESEISM: "earthquake",
    EVENT_TYPE_LOW_FREQUENCY: "earthquake",
    EVENT_TYPE_UNKNOWN: "not reported",
}
NO_PLACES = (ALL_GIVEN, WHOLE_EARTH.name)  # names of regions where the map has none
FLINN_ENGDAHL = "Flinn-Engdahl region"
NOT_EXISTING = "not existing"  # retracted, or another event
POLARITIES = {POLARITY_UP: "positive", POLARITY_DOWN: "negative", POLARITY_UNDECIDABLE: "undecidable"}


def type_word(event: Event) -> str | None:
    """As QuakeML and FDSN's text have it; None where nobody said it."""
    if event.status in (EVENT_STATUS_RETRACTED, EVENT_STATUS_MERGED):
        return NOT_EXISTING
    return TYPES.get(event.type)


def region_name(event: Event) -> tuple[str, str]:
    """What people call the place, and by which list; empty where nobody says it."""
    if event.region not in NO_PLACES:
        return event.region, "region name"
    latitude_deg, longitude_deg = event.origin.latitude_deg, event.origin.longitude_deg
    if not (event.HasField("origin") and abs(latitude_deg) <= 90 and abs(longitude_deg) <= 360):
        return "", ""
    within_deg = (longitude_deg + 180) % 360 - 180
    return str(_regions().get_region(longitude=within_deg, latitude=latitude_deg)), FLINN_ENGDAHL


@cache
def _regions() -> Any:
    from obspy.geodetics import FlinnEngdahl

    return FlinnEngdahl()


def time_text(time_ns: int) -> str:
    """To the nanosecond, the zeros behind a microsecond left out."""
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    digits = f"{rest_ns:09d}"
    return f"{iso_time(seconds * NS_PER_S)[:-5]}.{digits[:6] + digits[6:].rstrip('0')}Z"
