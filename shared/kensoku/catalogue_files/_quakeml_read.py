"""QuakeML, ours or another agency's, as events; ObsPy reads the file, and what we cannot keep is counted."""

import math
from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from kensoku.catalogue_files import _stated
from kensoku.catalogue_files._ellipsoid import are_alike, ellipsoid
from kensoku.catalogue_files._naming import event_id, last_name, pick_id
from kensoku.catalogue_files._quakeml_events import ForeignEvent, foreign_events
from kensoku.catalogue_files._quakeml_left_out import REGIONS, count_left_out, is_rest
from kensoku.catalogue_files._words import NOT_EXISTING, POLARITIES, TYPES
from kensoku.errors import InputInvalid
from kensoku.sphere import KM_PER_DEG
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    EVENT_TYPE_BLAST,
    EVENT_TYPE_UNKNOWN,
    Arrival,
    Creation,
    Event,
    Magnitude,
    Origin,
    StationMagnitude,
)
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Instrument

STATUSES = {
    "preliminary": EVENT_STATUS_PRELIMINARY,
    "confirmed": EVENT_STATUS_UPDATED,
    "reviewed": EVENT_STATUS_FINAL,
    "final": EVENT_STATUS_FINAL,
    "rejected": EVENT_STATUS_RETRACTED,
}
NS_PER_US = 1000
LARGEST_NS = 2**63 - 1
MOST = 2**32 - 1  # of what is counted
BLASTS = ("explosion", "quarry blast", "quarry", "mining explosion", "chemical explosion", "controlled explosion")
Rest = TypeVar("Rest", bound=Message)


def read_quakeml(path: Path, left_out: Counter[str]) -> list[Event]:
    """What is counted in `left_out` was in the file and is in no event."""
    try:
        return [_Reader(event, left_out).event() for event in foreign_events(path)]
    except InputInvalid as error:
        raise InputInvalid(f"{path}: {error}") from None


class _Reader:
    """Of one event."""

    def __init__(self, event: ForeignEvent, left_out: Counter[str]) -> None:
        self._found = found = event.found
        self._type = event.type
        self._left_out = left_out
        self._picks = {str(pick.resource_id): pick for pick in found.picks}

    def event(self) -> Event:
        found = self._found
        event = _rest(found, Event())
        event.id = event_id(str(found.resource_id))
        info = found.creation_info
        event.revision = _count(int(info.version)) or 1 if info and str(info.version).isdecimal() else 1
        event.creation.CopyFrom(_creation(info))
        if not event.latency.published_ns:
            event.latency.published_ns = event.creation.created_ns
        self._set_type(event)
        origin = self._preferred(found.origins, found.preferred_origin_id, "origins beside the preferred one")
        if origin is not None:
            self._set_origin(event, origin)
            if origin.evaluation_mode == "manual" and not event.provenance.author:
                made = event.origin.creation, event.creation
                names = (name for creation in made for name in (creation.author, creation.agency) if name)
                event.provenance.author = next(names, "unknown")
        self._set_status(event, origin)
        self._set_magnitudes(event)
        self._set_comments(event)
        if not event.region:
            regions = [one.text for one in found.event_descriptions if one.type in REGIONS]
            event.region = next(iter(regions), None) or (origin.region if origin is not None else None) or ""
        count_left_out(found, origin, self._left_out)
        return event

    def _preferred(self, objects: list[Any], preferred: Any, name: str) -> Any:
        if not objects:
            return None
        self._left_out[name] += len(objects) - 1
        chosen = [one for one in objects if preferred is not None and one.resource_id == preferred]
        return (chosen or objects)[0]

    def _set_type(self, event: Event) -> None:
        said = self._type
        if said is None or TYPES.get(event.type) == said or said == NOT_EXISTING:
            return
        kinds = {text: kind for kind, text in reversed(TYPES.items())}
        event.type = EVENT_TYPE_BLAST if said in BLASTS else kinds.get(said, EVENT_TYPE_UNKNOWN)
        if TYPES[event.type] != said:
            self._left_out[f"types {said!r}, kept as {TYPES[event.type]!r}"] += 1

    def _set_status(self, event: Event, origin: Any) -> None:
        if event.status:
            return
        said = origin.evaluation_status if origin is not None else None
        event.status = STATUSES.get(said or "", EVENT_STATUS_FINAL)
        if self._type == NOT_EXISTING:
            event.status = EVENT_STATUS_RETRACTED

    def _set_origin(self, event: Event, found: Any) -> None:
        origin, before = event.origin, Origin()
        before.CopyFrom(origin)
        if found.time is None or found.latitude is None or found.longitude is None:
            raise InputInvalid(
                f"event {event.id}: found an origin without a time, a latitude or a longitude, expected all three"
            )
        origin.time_ns = self._ns(found.time)
        origin.latitude_deg, origin.longitude_deg = found.latitude, found.longitude
        origin.depth_km = (found.depth or 0.0) / 1000
        origin.depth_is_fixed = found.depth is None or found.depth_type == "operator assigned"
        _set_quality(origin, found.quality)
        _set_uncertainty(origin, found)
        _restore(origin, before)
        if _place(origin) == _place(before):
            _restore_spread(origin, before)
        else:  # another program's, of which no mean is known
            origin.ClearField("mean")
        origin.creation.CopyFrom(_creation(found.creation_info))
        if found.earth_model_id:
            event.provenance.velocity_model = last_name(str(found.earth_model_id))
        if found.method_id:
            event.provenance.location_method = last_name(str(found.method_id))
        for arrival in found.arrivals:
            pick = self._picks.get(str(arrival.pick_id))
            if pick is None or pick.time is None:
                self._left_out["arrivals of picks that are not there"] += 1
            else:
                event.arrivals.append(self._arrival(arrival, pick))

    def _arrival(self, found: Any, pick: Any) -> Arrival:
        arrival = _rest(found, Arrival())
        arrival.phase = self._phase(found.phase)
        arrival.pick_id = pick_id(str(found.pick_id))
        arrival.residual_s = found.time_residual or 0.0
        arrival.weight = 1.0 if found.time_weight is None else found.time_weight
        arrival.distance_km = (found.distance or 0.0) * KM_PER_DEG
        arrival.azimuth_deg = found.azimuth or 0.0
        arrival.takeoff_deg = found.takeoff_angle or 0.0
        arrival.station_correction_s = found.time_correction or 0.0
        arrival.onset_ns = self._ns(pick.time)
        arrival.onset_uncertainty_s = (pick.time_errors.uncertainty if pick.time_errors else None) or 0.0
        if pick.creation_info:
            arrival.creation.CopyFrom(_creation(pick.creation_info))
        if pick.waveform_id:
            arrival.instrument.CopyFrom(_instrument(pick.waveform_id))
        polarities = {text: polarity for polarity, text in POLARITIES.items()}
        if pick.polarity in polarities:
            arrival.polarity = polarities[pick.polarity]
        return arrival

    def _ns(self, time: Any) -> int:
        if abs(time.ns) > LARGEST_NS:
            raise InputInvalid(
                f"event {event_id(str(self._found.resource_id))}: found the time {time}, expected one between 1678 and "
                "2262, as nanoseconds reach"
            )
        return int(time.ns)

    def _phase(self, name: str | None) -> Any:
        """P of P, Pg, Pn, Pb, and the like; others are kept without a phase."""
        if name and name[0] in "PS" and name[1:] in ("", "g", "n", "b", "*", "1", "2", "_g", "_n"):
            if name[1:]:
                self._left_out["names of phases such as Pn and Sg, kept as P and S"] += 1
            return PHASE_P if name[0] == "P" else PHASE_S
        if name != "?":
            self._left_out["names of phases that are neither P nor S"] += 1
        return 0

    def _set_magnitudes(self, event: Event) -> None:
        found = self._found
        absent = list(event.magnitudes)
        del event.magnitudes[:]
        stations = {str(one.resource_id): one for one in found.station_magnitudes}
        valued = [one for one in found.magnitudes if one.mag is not None and math.isfinite(one.mag)]
        preferred = [one for one in valued if one.resource_id == found.preferred_magnitude_id]
        if preferred or (valued and not event.preferred_magnitude):
            event.preferred_magnitude = (preferred or valued)[0].magnitude_type or "M"
        if preferred and _is_behind_another_of_its_type(preferred[0], valued):
            valued.sort(key=lambda one: one is not preferred[0])
        event.magnitudes.extend(_magnitude(one, stations) for one in valued)
        event.magnitudes.extend(absent)

    def _set_comments(self, event: Event) -> None:
        for one in self._found.comments:
            if is_rest(one) or not one.text:
                continue
            made = _creation(one.creation_info)
            event.comments.add(text=one.text, author=made.author, time_ns=made.created_ns)


def _is_behind_another_of_its_type(chosen: Any, magnitudes: list[Any]) -> bool:
    """As two agencies' Mw: we prefer the first of a type."""
    return next(one for one in magnitudes if one.magnitude_type == chosen.magnitude_type) is not chosen


def _magnitude(found: Any, stations: dict[str, Any]) -> Magnitude:
    magnitude = Magnitude(type=found.magnitude_type or "M", value=found.mag, stations=_count(found.station_count))
    magnitude.uncertainty = (found.mag_errors.uncertainty if found.mag_errors else None) or 0.0
    if found.creation_info:
        magnitude.creation.CopyFrom(_creation(found.creation_info))
    if found.method_id:
        magnitude.formula = last_name(str(found.method_id))
    for share in found.station_magnitude_contributions:
        station = stations.get(str(share.station_magnitude_id))
        if station is None or station.mag is None:
            continue
        contribution = _rest(station, StationMagnitude())
        contribution.value = station.mag
        contribution.residual, contribution.weight = share.residual or 0.0, share.weight or 0.0
        if station.waveform_id:
            contribution.instrument.CopyFrom(_instrument(station.waveform_id))
        magnitude.contributions.append(contribution)
    return magnitude


def _instrument(stream: Any) -> Instrument:
    return Instrument(
        network=stream.network_code or "",
        station=stream.station_code or "",
        location=stream.location_code or "",
        band_instrument=(stream.channel_code or "")[:2],
    )


def _set_quality(origin: Origin, found: Any) -> None:
    if found is None:
        return
    origin.phases_used = _count(found.used_phase_count)
    origin.stations_used = _count(found.used_station_count)
    origin.rms_s = found.standard_error or 0.0
    origin.azimuthal_gap_deg = found.azimuthal_gap or 0.0
    origin.secondary_gap_deg = found.secondary_azimuthal_gap or 0.0
    origin.nearest_station_km = (found.minimum_distance or 0.0) * KM_PER_DEG


def _restore(origin: Origin, before: Origin) -> None:
    """What nobody has changed is what it was, without the rounding of moments, metres and degrees."""
    for field, value in before.ListFields():
        if isinstance(value, float) and math.isclose(value, getattr(origin, field.name), rel_tol=1e-9, abs_tol=1e-9):
            setattr(origin, field.name, value)
    if abs(origin.time_ns - before.time_ns) < NS_PER_US:  # as ObsPy rounds
        origin.time_ns = before.time_ns


def _restore_spread(origin: Origin, before: Origin) -> None:
    """About the mean, where the file has it about the place."""
    if math.isclose(origin.time_uncertainty_s, _stated.time_deviation_s(before), rel_tol=1e-9):
        origin.time_uncertainty_s = before.time_uncertainty_s
    if are_alike(origin.ellipsoid, _stated.ellipsoid(before)):
        origin.ellipsoid.CopyFrom(before.ellipsoid)


def _place(origin: Origin) -> tuple[float, float, float]:
    return origin.latitude_deg, origin.longitude_deg, origin.depth_km


def _set_uncertainty(origin: Origin, found: Any) -> None:
    depth = found.depth_errors
    if depth and depth.lower_uncertainty is not None and depth.upper_uncertainty is not None:
        origin.depth_lower_km = origin.depth_km - depth.lower_uncertainty / 1000
        origin.depth_upper_km = origin.depth_km + depth.upper_uncertainty / 1000
    deviations = [_uncertainty(errors) for errors in (found.time_errors, found.latitude_errors, found.longitude_errors)]
    origin.time_uncertainty_s = deviations[0]
    if not origin.covariance and all(deviations) and _uncertainty(depth):
        north_km = deviations[1] * KM_PER_DEG
        east_km = deviations[2] * KM_PER_DEG * math.cos(math.radians(origin.latitude_deg))
        squares = [d * d for d in (deviations[0], north_km, east_km, _uncertainty(depth) / 1000)]
        origin.covariance.extend([squares[0], 0, 0, 0, squares[1], 0, 0, squares[2], 0, squares[3]])
    whole = found.origin_uncertainty
    if whole is None:
        return
    origin.horizontal_uncertainty_km = (whole.horizontal_uncertainty or 0.0) / 1000
    axes = whole.confidence_ellipsoid
    if axes is None:
        return
    lengths = (axes.semi_major_axis_length, axes.semi_intermediate_axis_length, axes.semi_minor_axis_length)
    angles = (axes.major_axis_azimuth, axes.major_axis_plunge, axes.major_axis_rotation)
    if None not in (*lengths, *angles):
        major_km, middle_km, minor_km = (length / 1000 for length in lengths)
        origin.ellipsoid.CopyFrom(ellipsoid((major_km, middle_km, minor_km), *angles))


def _count(number: int | None) -> int:
    """Nothing where somebody wrote -1 for it, or a date."""
    return number if number is not None and 0 <= number <= MOST else 0


def _creation(info: Any) -> Creation:
    if not info:
        return Creation()
    created_ns = info.creation_time.ns if info.creation_time else 0
    if abs(created_ns) > LARGEST_NS:
        created_ns = 0
    return Creation(agency=info.agency_id or "", author=info.author or "", created_ns=created_ns)


def _uncertainty(errors: Any) -> float:
    return float((errors.uncertainty if errors else None) or 0.0)


def _rest(found: Any, message: Rest) -> Rest:
    """What we once wrote into a comment; a comment that somebody has changed is left alone."""
    for comment in found.comments:
        if is_rest(comment):
            try:
                return json_format.Parse(comment.text, message, ignore_unknown_fields=True)
            except json_format.ParseError:
                message.Clear()
    return message
