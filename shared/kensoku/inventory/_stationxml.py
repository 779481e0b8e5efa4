"""Stations from StationXML, with as much of the response as magnitudes need."""

import io
import math
import re
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import obspy
from lxml import etree
from obspy.core.inventory.response import PolesZerosResponseStage

from kensoku.inventory._notes import Notes
from kensoku.inventory._response import flat_response, ground_motion, in_pairs, with_poles_and_zeros
from kensoku.inventory._stations import Entry, epoch_name, location_of
from kensoku.v1.inventory_pb2 import ChannelEpoch, Response

GAIN_TOLERANCE = 0.05
INT64 = 2**63
VOLTS = ("V", "VOLT", "VOLTS")
LATER = "poles and zeros behind the analogue stages are left out, so amplitudes near their corners are off"
COUNTS = ("COUNT", "COUNTS", "DIGITAL COUNTS")
FILTERS = re.compile(rb"<((?:[\w.-]+:)?)(NumeratorCoefficient|Numerator|Denominator)\b[^>]*>[^<]*</\1\2\s*>")
ANGULAR = {"LAPLACE (RADIANS/SECOND)": 1.0, "LAPLACE (HERTZ)": 2 * math.pi}  # to rad/s


def read_stationxml(name: str, content: bytes, notes: Notes) -> tuple[list[Entry], list[str]]:
    """The epochs of every channel, and the mistake that keeps the file from being read.

    Without the coefficients of digital filters: most of a file, of which nothing is asked and ObsPy makes objects.
    """
    lean = FILTERS.sub(b"", content)
    try:
        with warnings.catch_warnings(record=True) as doubts:
            warnings.simplefilter("always")
            inventory = obspy.read_inventory(io.BytesIO(lean), format="STATIONXML")
    except Exception as error:  # whatever the XML library and ObsPy make of bytes from anywhere
        root = re.search(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", content)
        if root and root[1] != b"FDSNStationXML":
            return [], [
                f"{name}: found a file of <{root[1].decode()}>, expected StationXML, which begins <FDSNStationXML>"
            ]
        return [], list(_unreadable_stations(name, lean)) or [
            f"{name}: found XML that cannot be read ({_reason(error)}), expected StationXML 1.0 to 1.2"
        ]
    for doubt in doubts:
        notes.add(f"ObsPy says: {' '.join(str(doubt.message).split())[:200]}", name)
    entries = list(_entries(inventory, name, notes))
    return entries, [] if entries else [f"{name}: found no station, expected at least one"]


def _unreadable_stations(name: str, content: bytes) -> Iterator[str]:
    """Which of many stations keep a file from being read, each being read alone."""
    try:
        document = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except (ValueError, etree.XMLSyntaxError):
        return
    networks = document.findall("{*}Network")
    for network in networks:
        document.remove(network)
    for network in networks:
        stations = network.findall("{*}Station")
        for station in stations:
            network.remove(station)
        document.append(network)
        for station in stations:
            network.append(station)
            try:
                with warnings.catch_warnings(action="ignore"):
                    obspy.read_inventory(io.BytesIO(etree.tostring(document)), format="STATIONXML")
            except Exception as error:
                code = f"{network.get('code')}.{station.get('code')}"
                yield (
                    f"{name} line {station.sourceline} {code}: found a station that cannot be read ({_reason(error)}), "
                    "expected StationXML 1.0 to 1.2 with latitude, longitude and elevation as numbers"
                )
            network.remove(station)
        document.remove(network)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _entries(inventory: Any, name: str, notes: Notes) -> Iterator[Entry]:
    for network in inventory:
        for station in network:
            code = f"{network.code}.{station.code}"
            if not station.channels:
                notes.add("no channels, so only the place is known", code)
            epochs = [_channel_epoch(channel, station, code, notes) for channel in station] or [_place(station)]
            for epoch in epochs:
                yield Entry(network.code, station.code, epoch, name, code)


def _place(station: Any) -> ChannelEpoch:
    return ChannelEpoch(
        start_ns=_ns(station.start_date),
        end_ns=_ns(station.end_date),
        latitude_deg=_plain(station.latitude),
        longitude_deg=_plain(station.longitude),
        elevation_m=_plain(station.elevation),
    )


def _channel_epoch(channel: Any, station: Any, code: str, notes: Notes) -> ChannelEpoch:
    # A channel's elevation should be the sensor's but often is the ground's; a station's always is the ground's.
    ground = station if channel.depth else channel
    epoch = ChannelEpoch(
        location=location_of(channel.location_code),
        code=channel.code,
        start_ns=_ns(channel.start_date),
        end_ns=_ns(channel.end_date),
        latitude_deg=_plain(channel.latitude),
        longitude_deg=_plain(channel.longitude),
        elevation_m=_plain(ground.elevation),
        burial_depth_m=_plain(channel.depth),
        azimuth_deg=None if channel.azimuth is None else _plain(channel.azimuth),
        dip_deg=None if channel.dip is None else _plain(channel.dip),
        rate_hz=_plain(channel.sample_rate),
        sensor=_sensor(channel.sensor),
    )
    if _is_negative(channel.response):
        _reverse(epoch)
    response, doubts = read_response(channel.response)
    for doubt in doubts:
        notes.add(doubt, f"{code} {epoch_name(epoch)}")
    if response is not None:
        epoch.response.CopyFrom(response)
    return epoch


def _is_negative(response: Any) -> bool:
    total = response.instrument_sensitivity if response is not None else None
    return total is not None and (total.value or 0.0) < 0


def _reverse(epoch: ChannelEpoch) -> None:
    """The way in which counts grow, since a sensitivity is above 0."""
    if epoch.HasField("azimuth_deg"):
        epoch.azimuth_deg = (epoch.azimuth_deg + 180.0) % 360.0
    if epoch.HasField("dip_deg"):
        epoch.dip_deg = 0.0 - epoch.dip_deg
    elif epoch.code.endswith("Z"):
        epoch.dip_deg = 90.0


def _plain(value: Any) -> float:
    """ObsPy's numbers carry units and errors; a missing one is 0, and no zero is negative."""
    return 0.0 if value is None else float(value) + 0.0


def _ns(moment: Any) -> int:
    """0 where it is open; years beyond 2262, such as 2599, stand for open too."""
    return int(moment.ns) if moment is not None and -INT64 <= moment.ns < INT64 else 0


def _sensor(sensor: Any) -> str:
    if sensor is None:
        return ""
    names = [sensor.manufacturer, sensor.model] if sensor.model else [sensor.description or sensor.type]
    return " ".join(str(name).strip() for name in names if name)


# --- the response -----------------------------------------------------------------------------------------------------


def read_response(response: Any) -> tuple[Response | None, list[str]]:
    """What magnitudes need of ObsPy's response, None if it is not there; and what is missing or doubtful."""
    total = response.instrument_sensitivity if response is not None else None
    if total is None or not total.value:
        return None, ["no sensitivity, so amplitudes stay in counts"]
    motion = ground_motion(total.input_units or "")
    if motion is None:
        return None, [f"input unit {total.input_units!r} is no ground motion, so amplitudes stay in counts"]
    if (total.output_units or "").upper() not in COUNTS:
        return None, [f"output unit {total.output_units!r} is not counts, so amplitudes stay in counts"]
    doubts = list(_doubts_about_gains(response, float(total.value)))
    if total.value < 0:
        doubts.append("negative sensitivity: taken as a sensor that points the other way than its azimuth and dip say")
    kind, per_si_unit = motion
    flat = flat_response(kind, abs(float(total.value)) * per_si_unit, float(total.frequency or 0.0))
    shaped, more = _shaped(flat, response, total.input_units)
    return shaped, doubts + more


def _shaped(flat: Response, response: Any, input_units: str) -> tuple[Response | None, list[str]]:
    first = response.response_stages[0] if response.response_stages else None
    if not isinstance(first, PolesZerosResponseStage) or first.pz_transfer_function_type not in ANGULAR:
        return flat, ["no poles and zeros in the first stage, so its response is taken as flat"]
    if ground_motion(first.input_units or "") != ground_motion(input_units):
        return None, [
            f"the first stage's input is {first.input_units!r} and the sensitivity's {input_units!r}, "
            "so amplitudes stay in counts"
        ]
    later = [stage for stage in response.response_stages[1:] if _has_corner(stage)]
    analogue = [first, *filter(_is_amplifier, later)]
    poles, zeros = in_pairs(_rad_s(analogue, "poles")), in_pairs(_rad_s(analogue, "zeros"))
    if poles is None or zeros is None:
        return None, ["a pole or zero lacks its conjugate, so amplitudes stay in counts"]
    shaped = with_poles_and_zeros(flat, poles, zeros)
    if shaped is None:
        at = f"{flat.frequency_hz:g} Hz, where the sensitivity is given"
        return None, [f"the poles and zeros pass nothing at {at}, so amplitudes stay in counts"]
    return shaped, [LATER] if len(analogue) <= len(later) else []


def _has_corner(stage: Any) -> bool:
    return isinstance(stage, PolesZerosResponseStage) and bool(len(stage.poles) or len(stage.zeros))


def _is_amplifier(stage: Any) -> bool:
    units = [(unit or "").upper() for unit in (stage.input_units, stage.output_units)]
    return stage.pz_transfer_function_type in ANGULAR and all(unit in VOLTS for unit in units)


def _rad_s(stages: list[Any], kind: Literal["poles", "zeros"]) -> list[complex]:
    return [complex(v) * ANGULAR[each.pz_transfer_function_type] for each in stages for v in getattr(each, kind)]


def _doubts_about_gains(response: Any, total: float) -> Iterator[str]:
    gains = [stage.stage_gain for stage in response.response_stages]
    if not gains or any(gain is None for gain in gains):
        return
    product = math.prod(map(float, gains))
    if not math.isclose(product, total, rel_tol=GAIN_TOLERANCE):
        yield f"the stages' gains make {product:.6g}, more than 5 % off the sensitivity {total:.6g}, which is used"
