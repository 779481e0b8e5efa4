"""HypoDD's phase files, those for ph2dt, as events with their arrivals."""

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kensoku.errors import InputInvalid
from kensoku.times import NS_PER_S
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_TYPE_EARTHQUAKE, Event
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S

EVENT_LINE = "# year month day hour minute second latitude longitude depth magnitude eh ez rms id"
ARRIVAL_LINE = "station travel-time weight P or S"
PHASES = {"P": PHASE_P, "S": PHASE_S}
MOST_MISTAKES = 10
FARTHEST_S = 3600.0  # travel time
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_hypodd(path: Path, ids: Path, left_out: Counter[str]) -> list[Event]:
    """All of them, or all that is wrong with them; `ids` has our names of their numbers, if it is there."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputInvalid(f"{path}: cannot be read as a phase file of HypoDD ({error}); expected UTF-8") from None
    named, events, mistakes = _names(ids), dict[str, Event](), list[str]()
    event: Event | None = None
    for number, line in enumerate(lines, 1):
        words = line.replace("#", " ").split()
        if not words:
            continue
        try:
            if line.lstrip().startswith("#"):
                event = None
                event = _event(words, named, left_out)
                if events.setdefault(event.id, event) is not event:
                    raise InputInvalid(f"found the event {event.id!r} again, expected each once")
            elif event is not None:
                _add_arrival(event, words, left_out)
            elif not mistakes:
                raise InputInvalid(f"found {line[:60]!r}, expected an event: {EVENT_LINE}")
        except InputInvalid as error:
            mistakes.append(f"line {number}: {error}")
    if mistakes:
        more = [f"and {len(mistakes) - MOST_MISTAKES} more"] if len(mistakes) > MOST_MISTAKES else []
        raise InputInvalid("\n  ".join([f"{path}: {len(mistakes)} mistakes:", *mistakes[:MOST_MISTAKES], *more]))
    return list(events.values())


def _names(ids: Path) -> Mapping[str, str]:
    """As `write_hypodd` wrote them beside the phase file."""
    if not ids.is_file():
        return {}
    try:
        with ids.open(encoding="utf-8-sig", newline="") as file:
            return {row["number"].strip(): row["event_id"] for row in csv.DictReader(file)}
    except (KeyError, AttributeError, csv.Error, UnicodeDecodeError):
        raise InputInvalid(f"{ids}: found no table with number and event_id; mend it, or take it away") from None


def _event(words: list[str], named: Mapping[str, str], left_out: Counter[str]) -> Event:
    if len(words) != 14:
        raise InputInvalid(f"found {len(words)} words, expected 14: {EVENT_LINE}")
    *date, second, latitude, longitude, depth, size, across, down, rms = _numbers(words[:13])
    if any(each != int(each) for each in date) or not (0 <= second <= 60 and abs(latitude) <= 90):
        raise InputInvalid(f"found {' '.join(words[:8])}, expected {EVENT_LINE}")
    try:
        minute = datetime(*(int(each) for each in date), tzinfo=UTC)  # type: ignore[misc, arg-type]  # five of them
    except ValueError as error:
        raise InputInvalid(f"found {' '.join(words[:5])} ({error}), expected {EVENT_LINE}") from None
    event = Event(id=named.get(words[13], words[13]), revision=1, status=EVENT_STATUS_FINAL, type=EVENT_TYPE_EARTHQUAKE)
    origin = event.origin
    origin.time_ns = (minute - EPOCH) // timedelta(seconds=1) * NS_PER_S + round(second * NS_PER_S)
    origin.latitude_deg, origin.longitude_deg, origin.depth_km = latitude, longitude, depth
    origin.horizontal_uncertainty_km, origin.rms_s = max(across, 0.0), max(rms, 0.0)
    if down > 0:
        origin.depth_lower_km, origin.depth_upper_km = depth - down, depth + down
    if size:
        event.magnitudes.add(type="M", value=size)
        event.preferred_magnitude = "M"
    else:
        left_out["magnitudes of 0.0, which stand for none"] += 1
    return event


def _add_arrival(event: Event, words: list[str], left_out: Counter[str]) -> None:
    if len(words) != 4:
        raise InputInvalid(f"found {len(words)} words, expected 4: {ARRIVAL_LINE}")
    station, phase = words[0], words[3].upper()
    travel_time_s, weight = _numbers(words[1:3])
    if phase not in PHASES:
        left_out["arrivals that are neither P nor S"] += 1
        return
    if abs(travel_time_s) > FARTHEST_S:
        raise InputInvalid(f"found a travel time of {words[1]} s, expected {ARRIVAL_LINE}")
    arrival = event.arrivals.add(pick_id=f"{event.id}/{station}/{phase}/{len(event.arrivals)}", phase=PHASES[phase])
    arrival.instrument.station = station
    arrival.onset_ns = event.origin.time_ns + round(travel_time_s * NS_PER_S)
    arrival.weight = min(abs(weight), 1.0)  # ph2dt keeps those that are negative, whatever else


def _numbers(words: list[str]) -> Iterator[float]:
    for word in words:
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputInvalid(f"found {word!r}, expected a number")
        yield number
