"""From an event's message to the rows that can be asked for it."""

import math
from collections.abc import Mapping
from typing import Any

from kensoku.errors import InputInvalid
from kensoku.events import PHASES, has_value, preferred_magnitude, quality_name, status_name, type_name
from kensoku.v1.event_pb2 import Arrival, Creation, Event
from kensoku.v1.pick_pb2 import POLARITY_DOWN, POLARITY_UP

Row = Mapping[str, Any]
LARGEST = 2**63 - 1  # of a database's integers
LONGEST = 255  # characters of what is indexed: PostgreSQL takes 2,704 bytes for two
POLARITIES = {POLARITY_UP: 1, POLARITY_DOWN: -1}


def check_event(event: Event) -> None:
    """Refuse what no catalogue can hold; everything else is kept as it came."""
    if not event.id:
        raise InputInvalid("found an event without an id, expected one; whoever published it must give it")
    if "\0" in event.id:
        raise InputInvalid(f"found the event id {event.id!r} with a zero byte, expected text")
    if len(event.id) > LONGEST:
        raise InputInvalid(f"found an event id of {len(event.id)} characters, expected {LONGEST} at the most")
    if event.revision < 1:
        raise InputInvalid(f"event {event.id}: found revision {event.revision}, expected 1 or more")
    if event.owner_epoch > LARGEST:
        raise InputInvalid(f"event {event.id}: found owner_epoch {event.owner_epoch}, expected less than 2**63")
    if event.HasField("origin"):
        latitude, longitude = event.origin.latitude_deg, event.origin.longitude_deg
        if not (abs(latitude) <= 90 and abs(longitude) <= 360 and math.isfinite(event.origin.depth_km)):
            raise InputInvalid(
                f"event {event.id}: found latitude {latitude}, longitude {longitude} and depth "
                f"{event.origin.depth_km} km, expected degrees within 90 and 360 and a number of kilometres"
            )


def identity(event: Event) -> tuple[str, int, int]:
    return event.id, event.revision, event.owner_epoch


def precedence(published_ns: int, message: bytes) -> tuple[int, bytes]:
    """Of two messages with one identity the lesser is kept, whatever came first: the one that was published earlier."""
    return published_ns, message


def revision_row(event: Event, message: bytes) -> Row:
    return {
        "event_id": event.id,
        "revision": event.revision,
        "owner_epoch": event.owner_epoch,
        "published_ns": event.latency.published_ns,
        "status": status_name(event),
        "type": type_name(event),
        "region": word(event.region),
        "reason": text(event.reason),
        "author": text(event.provenance.author),
        "message": message,
        "agency": text(event.creation.agency),
    }


def event_row(event: Event, revision_key: int) -> Row:
    has_origin, magnitude = event.HasField("origin"), preferred_magnitude(event)
    return {
        "id": event.id,
        "revision_key": revision_key,
        "revision": event.revision,
        "owner_epoch": event.owner_epoch,
        "published_ns": event.latency.published_ns,
        "status": status_name(event),
        "type": type_name(event),
        "region": word(event.region),
        "time_ns": event.origin.time_ns if has_origin else None,
        "latitude_deg": event.origin.latitude_deg if has_origin else None,
        "longitude_deg": east(event.origin.longitude_deg) if has_origin else None,
        "depth_km": event.origin.depth_km if has_origin else None,
        "magnitude": magnitude.value if magnitude else None,
        "magnitude_type": text(magnitude.type) if magnitude else "",
        "quality": quality_name(event),
        "arrivals": len(event.arrivals),
        "merged_into": text(event.merged_into),
        "split_from": text(event.split_from),
        "agency": text(event.creation.agency),
    }


def origin_rows(event: Event, revision_key: int) -> list[Row]:
    if not event.HasField("origin"):
        return []
    origin = event.origin
    numbers = ["depth_km", "depth_lower_km", "depth_upper_km", "time_uncertainty_s", "horizontal_uncertainty_km"]
    numbers += ["azimuthal_gap_deg", "nearest_station_km", "rms_s"]
    row = {
        "revision_key": revision_key,
        "time_ns": origin.time_ns,
        "latitude_deg": origin.latitude_deg,
        "longitude_deg": east(origin.longitude_deg),
        "depth_is_fixed": origin.depth_is_fixed,
        "phases_used": origin.phases_used,
        "stations_used": origin.stations_used,
        "quality": quality_name(event),
        "velocity_model": text(event.provenance.velocity_model),
        **made_by(origin.creation),
    }
    return [row | {name: number(getattr(origin, name)) for name in numbers}]


def arrival_rows(event: Event, revision_key: int) -> list[Row]:
    return [arrival_row(arrival, i, revision_key) for i, arrival in enumerate(event.arrivals)]


def arrival_row(arrival: Arrival, index: int, revision_key: int) -> Row:
    numbers = ("onset_uncertainty_s", "residual_s", "weight", "distance_km", "azimuth_deg", "takeoff_deg")
    texts = ("network", "station", "location", "band_instrument")
    is_judged = arrival.HasField("blast_probability")
    row = {
        "revision_key": revision_key,
        "number": index,
        "pick_id": word(arrival.pick_id),
        "phase": PHASES.get(arrival.phase, ""),
        "onset_ns": arrival.onset_ns,
        "is_outlier": arrival.is_outlier,
        "blast_probability": number(arrival.blast_probability) if is_judged else None,
        "polarity": POLARITIES.get(arrival.polarity, 0),
        **made_by(arrival.creation),
    }
    row |= {name: number(getattr(arrival, name)) for name in numbers}
    return row | {name: word(getattr(arrival.instrument, name)) for name in texts}


def magnitude_rows(event: Event, revision_key: int) -> list[Row]:
    preferred = preferred_magnitude(event)
    index = None if preferred is None else list(event.magnitudes).index(preferred)
    return [
        {
            "revision_key": revision_key,
            "number": i,
            "type": text(magnitude.type),
            "value": magnitude.value if has_value(magnitude) else None,
            "uncertainty": number(magnitude.uncertainty) if has_value(magnitude) else None,
            "stations": magnitude.stations,
            "is_preferred": i == index,
            "formula": text(magnitude.formula),
            "absent_reason": text(magnitude.absent_reason),
            **made_by(magnitude.creation),
        }
        for i, magnitude in enumerate(event.magnitudes)
    ]


def made_by(creation: Creation) -> Row:
    return {"agency": text(creation.agency), "author": text(creation.author)}


def number(value: float) -> float | None:
    """What is not a number is nothing, on every database."""
    return value if math.isfinite(value) else None


def text(value: str) -> str:
    """PostgreSQL's texts have no zero byte; the message keeps what was sent."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def word(value: str) -> str:
    """Of what an index holds; the message keeps the rest."""
    return text(value)[:LONGEST]


def east(longitude_deg: float) -> float:
    """From -180 to 180, as a box on the map is asked for."""
    return longitude_deg if abs(longitude_deg) <= 180 else (longitude_deg + 180) % 360 - 180
