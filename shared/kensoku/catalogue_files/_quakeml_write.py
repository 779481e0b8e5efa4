"""Events as QuakeML 1.2: what it has words for in its own elements, the rest as protobuf's JSON in comments."""

import math
import re
from collections.abc import Iterable
from typing import IO
from xml.etree import ElementTree as Xml
from xml.etree.ElementTree import Element

from google.protobuf import json_format
from google.protobuf.message import Message

from kensoku.catalogue_files._ellipsoid import rotation_deg
from kensoku.catalogue_files._naming import Signature
from kensoku.catalogue_files._stated import deviations_km, ellipsoid, km_per_deg_east, time_deviation_s
from kensoku.catalogue_files._words import POLARITIES, region_name, time_text, type_word
from kensoku.events import PHASES, has_depth, has_value, is_known
from kensoku.sphere import KM_PER_DEG
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    Arrival,
    Creation,
    Event,
    Magnitude,
    Origin,
)
from kensoku.v1.pick_pb2 import Instrument

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" xmlns:q="http://quakeml.org/xmlns/quakeml/1.2">
<eventParameters publicID="{}">
"""
TAIL = "</eventParameters>\n</q:quakeml>\n"
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STATUSES = {
    EVENT_STATUS_PRELIMINARY: "preliminary",
    EVENT_STATUS_UPDATED: "preliminary",
    EVENT_STATUS_FINAL: "final",
    EVENT_STATUS_RETRACTED: "rejected",
    EVENT_STATUS_MERGED: "rejected",
}
IN_ARRIVAL = (  # of an arrival, what QuakeML has words for
    *("pick_id", "instrument", "phase", "onset_ns", "onset_uncertainty_s", "residual_s", "weight", "distance_km"),
    *("azimuth_deg", "takeoff_deg", "station_correction_s", "polarity", "creation"),
)
QUALITY = (
    ("standardError", "rms_s", 1.0),
    ("azimuthalGap", "azimuthal_gap_deg", 1.0),
    ("secondaryAzimuthalGap", "secondary_gap_deg", 1.0),
    ("minimumDistance", "nearest_station_km", KM_PER_DEG),
)
DIGITS = 12  # of numbers: 0.01 mm in degrees, and what turning kilometres into metres adds is behind them
REST = "kensoku"  # last name of the comments that hold the rest


def write_quakeml(file: IO[str], events: Iterable[Event], signature: Signature) -> None:
    file.write(HEAD.format(signature.thing("catalogue", "export")))
    for event in events:
        file.write(Xml.tostring(_Writer(event, signature).event(), encoding="unicode"))
        file.write("\n")
    file.write(TAIL)


class _Writer:
    """Of one event."""

    def __init__(self, event: Event, signature: Signature) -> None:
        self._event = event
        self._signature = signature
        self._mode = "manual" if event.provenance.author else "automatic"
        self._first = {arrival.pick_id: -number for number, arrival in enumerate(reversed(event.arrivals), 1)}

    def event(self) -> Element:
        event = self._event
        element = Element("event", publicID=self._signature.event(event.id))
        if event.HasField("origin"):
            _add(element, "preferredOriginID", self._id("origin"))
        valued = [magnitude for magnitude in event.magnitudes if has_value(magnitude)]
        names = [magnitude.type for magnitude in valued]
        if event.preferred_magnitude in names:
            number = names.index(event.preferred_magnitude)
            _add(element, "preferredMagnitudeID", self._id("magnitude", str(number)))
        _add(element, "type", type_word(event))
        region, kind = region_name(event)
        if region:
            description = Xml.SubElement(element, "description")
            _add(description, "text", region)
            _add(description, "type", kind)
        for number, comment in enumerate(event.comments):
            found = _add_comment(element, self._id("comment", str(number)), comment.text)
            _add_creation(found, Creation(author=comment.author, created_ns=comment.time_ns))
        _add_rest(element, self._id(REST), _rest_of_event(event))
        _add_creation(element, self._creation(event), str(event.revision))
        for number, arrival in enumerate(event.arrivals):
            element.append(self._pick(arrival, number))
        if event.HasField("origin"):
            element.append(self._origin(event.origin))
        for number, magnitude in enumerate(valued):
            self._magnitude(element, magnitude, str(number))
        return element

    def _id(self, *names: str) -> str:
        return self._signature.part(self._event.id, f"r{self._event.revision}", *names)

    def _creation(self, made: Event | Origin) -> Creation:
        """As it came; what is ours we sign."""
        for each in (made, self._event):
            if each.HasField("creation"):
                return each.creation
        author = self._event.provenance.author or self._signature.author
        created_ns = self._event.latency.published_ns
        return Creation(agency=self._signature.agency, author=author, created_ns=created_ns)

    def _pick_id(self, arrival: Arrival, number: int) -> str:
        """One name within the event, also where an outside pick has none, or two have the same."""
        is_first = self._first[arrival.pick_id] == number - len(self._event.arrivals)
        if arrival.pick_id and is_first:
            return self._signature.part(self._event.id, "pick", arrival.pick_id)
        return self._id("pick", str(number))

    def _pick(self, arrival: Arrival, number: int) -> Element:
        element = Element("pick", publicID=self._pick_id(arrival, number))
        _add_time(element, arrival.onset_ns, arrival.onset_uncertainty_s)
        _add_instrument(element, arrival.instrument)
        _add(element, "phaseHint", PHASES.get(arrival.phase))
        _add(element, "polarity", POLARITIES.get(arrival.polarity))
        _add(element, "evaluationMode", self._mode)
        if arrival.HasField("creation"):
            _add_creation(element, arrival.creation)
        return element

    def _origin(self, origin: Origin) -> Element:
        element = Element("origin", publicID=self._id("origin"))
        _add_time(element, origin.time_ns, time_deviation_s(origin))
        _add_place(element, origin)
        _add_quality(element, self._event)
        _add_uncertainty(element, origin)
        provenance = self._event.provenance
        if provenance.velocity_model:
            _add(element, "earthModelID", self._signature.thing("velocity-model", provenance.velocity_model))
        if provenance.location_method:
            _add(element, "methodID", self._signature.thing("method", provenance.location_method))
        _add(element, "evaluationMode", self._mode)
        _add(element, "evaluationStatus", STATUSES.get(self._event.status))
        _add_creation(element, self._creation(origin))
        for number, arrival in enumerate(self._event.arrivals):
            element.append(self._arrival(arrival, number))
        return element

    def _arrival(self, arrival: Arrival, number: int) -> Element:
        element = Element("arrival", publicID=self._id("arrival", str(number)))
        _add(element, "pickID", self._pick_id(arrival, number))
        _add(element, "phase", PHASES.get(arrival.phase, "?"))
        if arrival.station_correction_s:
            _add_number(element, "timeCorrection", arrival.station_correction_s)
        _add_number(element, "azimuth", arrival.azimuth_deg)
        _add_number(element, "distance", arrival.distance_km / KM_PER_DEG)
        _add_quantity(element, "takeoffAngle", arrival.takeoff_deg)
        _add_number(element, "timeResidual", arrival.residual_s)
        _add_number(element, "timeWeight", arrival.weight)
        rest = Arrival()
        rest.CopyFrom(arrival)
        for name in IN_ARRIVAL:
            rest.ClearField(name)
        _add_rest(element, self._id("arrival", str(number), REST), rest)
        return element

    def _magnitude(self, element: Element, magnitude: Magnitude, number: str) -> None:
        found = Element("magnitude", publicID=self._id("magnitude", number))
        for index, contribution in enumerate(magnitude.contributions):
            name = self._id("station-magnitude", number, str(index))
            station = Xml.SubElement(element, "stationMagnitude", publicID=name)
            _add(station, "originID", self._id("origin"))
            _add_quantity(station, "mag", contribution.value)
            _add(station, "type", magnitude.type[:32])
            _add_instrument(station, contribution.instrument)
            rest = type(contribution)()
            rest.CopyFrom(contribution)
            for field in ("instrument", "value", "residual", "weight"):
                rest.ClearField(field)
            _add_rest(station, f"{name}/{REST}", rest)
            share = Xml.SubElement(found, "stationMagnitudeContribution")
            _add(share, "stationMagnitudeID", name)
            _add_number(share, "residual", contribution.residual)
            _add_number(share, "weight", contribution.weight)
        _add_quantity(found, "mag", magnitude.value, uncertainty=magnitude.uncertainty)
        _add(found, "type", magnitude.type[:32])
        if self._event.HasField("origin"):
            _add(found, "originID", self._id("origin"))
        if magnitude.formula:
            _add(found, "methodID", self._signature.thing("formula", magnitude.formula))
        _add(found, "stationCount", str(magnitude.stations))
        _add(found, "evaluationMode", self._mode)
        if magnitude.HasField("creation"):
            _add_creation(found, magnitude.creation)
        element.append(found)


def _rest_of_event(event: Event) -> Event:
    rest = Event()
    rest.CopyFrom(event)
    for name in ("id", "revision", "arrivals", "magnitudes", "comments", "creation"):
        rest.ClearField(name)
    if rest.HasField("origin"):
        rest.origin.ClearField("creation")
    rest.magnitudes.extend(magnitude for magnitude in event.magnitudes if not has_value(magnitude))
    return rest


# --- elements ---------------------------------------------------------------------------------------------------------


def _add_place(element: Element, origin: Origin) -> None:
    north_km, east_km, depth_km = deviations_km(origin)
    _add_quantity(element, "latitude", origin.latitude_deg, uncertainty=north_km / KM_PER_DEG)
    _add_quantity(element, "longitude", origin.longitude_deg, uncertainty=east_km / km_per_deg_east(origin))
    if not has_depth(origin):
        return
    depth = _add_quantity(element, "depth", 1000 * origin.depth_km, uncertainty=1000 * depth_km)
    if _holds_depth(origin):
        _add_number(depth, "lowerUncertainty", 1000 * (origin.depth_km - origin.depth_lower_km))
        _add_number(depth, "upperUncertainty", 1000 * (origin.depth_upper_km - origin.depth_km))
        _add(depth, "confidenceLevel", "68.0")
    _add(element, "depthType", "operator assigned" if origin.depth_is_fixed else "from location")


def _holds_depth(origin: Origin) -> bool:
    """The interval, about the depth: one that was assumed may lie outside, and an uncertainty is not negative."""
    lower_km, upper_km = origin.depth_lower_km, origin.depth_upper_km
    return lower_km < upper_km and lower_km <= origin.depth_km <= upper_km


def _add_quality(element: Element, event: Event) -> None:
    origin, stations = event.origin, {(a.instrument.network, a.instrument.station) for a in event.arrivals}
    quality = Xml.SubElement(element, "quality")
    _add(quality, "associatedPhaseCount", str(len(event.arrivals)))
    if origin.phases_used:
        _add(quality, "usedPhaseCount", str(origin.phases_used))
    _add(quality, "associatedStationCount", str(len(stations)))
    if is_known(origin, "stations_used"):
        _add(quality, "usedStationCount", str(origin.stations_used))
    for name, field, unit in QUALITY:
        if is_known(origin, field):
            _add_number(quality, name, getattr(origin, field) / unit)


def _add_uncertainty(element: Element, origin: Origin) -> None:
    axes = ellipsoid(origin)
    has_axes = len(axes.semi_axis_km) == 3
    if not (origin.horizontal_uncertainty_km or has_axes):
        return
    uncertainty = Xml.SubElement(element, "originUncertainty")
    if origin.horizontal_uncertainty_km:
        _add_number(uncertainty, "horizontalUncertainty", 1000 * origin.horizontal_uncertainty_km)
    if has_axes:
        found = Xml.SubElement(uncertainty, "confidenceEllipsoid")
        _add_number(found, "semiMajorAxisLength", 1000 * axes.semi_axis_km[0])
        _add_number(found, "semiMinorAxisLength", 1000 * axes.semi_axis_km[2])
        _add_number(found, "semiIntermediateAxisLength", 1000 * axes.semi_axis_km[1])
        _add_number(found, "majorAxisPlunge", axes.plunge_deg[0])
        _add_number(found, "majorAxisAzimuth", axes.azimuth_deg[0])
        _add_number(found, "majorAxisRotation", rotation_deg(axes))
    _add(uncertainty, "preferredDescription", "confidence ellipsoid" if has_axes else "horizontal uncertainty")
    _add(uncertainty, "confidenceLevel", "68.0")


def _add_instrument(element: Element, instrument: Instrument) -> None:
    codes = {"networkCode": instrument.network, "stationCode": instrument.station}
    codes["locationCode"] = instrument.location
    if instrument.band_instrument:
        codes["channelCode"] = instrument.band_instrument
    Xml.SubElement(element, "waveformID", {name: _printable(code[:8]) for name, code in codes.items()})


def _add_creation(element: Element, creation: Creation, version: str = "") -> None:
    info = Xml.SubElement(element, "creationInfo")
    _add(info, "agencyID", creation.agency[:64] or None)
    _add(info, "author", creation.author[:128] or None)
    _add(info, "creationTime", time_text(creation.created_ns) if creation.created_ns else None)
    _add(info, "version", version or None)


def _add_rest(element: Element, name: str, rest: Message) -> None:
    if rest.ListFields():
        _add_comment(element, name, json_format.MessageToJson(rest, indent=None, ensure_ascii=False))


def _add_comment(element: Element, name: str, text: str) -> Element:
    comment = Xml.SubElement(element, "comment", id=name)
    _add(comment, "text", text)
    return comment


def _add_time(element: Element, time_ns: int, uncertainty_s: float) -> None:
    time = Xml.SubElement(element, "time")
    _add(time, "value", time_text(time_ns))
    if uncertainty_s > 0:
        _add_number(time, "uncertainty", uncertainty_s)


def _add_quantity(element: Element, name: str, value: float, *, uncertainty: float = 0.0) -> Element:
    quantity = Xml.SubElement(element, name)
    _add_number(quantity, "value", value)
    if uncertainty > 0:
        _add_number(quantity, "uncertainty", uncertainty)
    return quantity


def _add_number(element: Element, name: str, value: float) -> None:
    if math.isfinite(value):
        _add(element, name, f"{value:.{DIGITS}g}")


def _add(element: Element, name: str, text: str | None) -> None:
    if text is not None:
        Xml.SubElement(element, name).text = _printable(text)


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
