"""Read station epochs from StationXML, through ObsPy, with as much of the response as magnitudes need."""

import cmath
import io
import math
import warnings
from typing import Any

import obspy
from obspy.core.inventory.response import (
    PolesZerosResponseStage,
    PolynomialResponseStage,
    ResponseListResponseStage,
)

from kensoku.errors import InputInvalid
from kensoku.inventory._stations import ChannelPart, Uncalibrated, channel_name
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
    ChannelEpoch,
    Complex,
    Response,
)

UNITS = {
    "M": GROUND_MOTION_DISPLACEMENT,
    "M/S": GROUND_MOTION_VELOCITY,
    "M/S**2": GROUND_MOTION_ACCELERATION,
    "M/S^2": GROUND_MOTION_ACCELERATION,
    "M/S/S": GROUND_MOTION_ACCELERATION,
    "M/(S**2)": GROUND_MOTION_ACCELERATION,
}
COUNTS = ("COUNT", "COUNTS", "CTS", "DU")
TO_RAD_S = {"LAPLACE (RADIANS/SECOND)": 1.0, "LAPLACE (HERTZ)": 2 * math.pi}
LAST_NS = 2**63 - 1


class ResponseUnusable(Exception):
    """Why a channel stays in counts."""


def read_stationxml(content: bytes, source: str) -> tuple[list[ChannelPart], list[Uncalibrated]]:
    """A station without channels gives its place, for all channels."""
    parts: list[ChannelPart] = []
    uncalibrated: list[Uncalibrated] = []
    for network in _parse(content, source):
        for station in network:
            channels = station.channels or [None]
            for channel in channels:
                epoch = _place(station) if channel is None else _epoch(station, channel)
                part = ChannelPart(network.code, station.code, epoch, source)
                try:
                    epoch.response.CopyFrom(_response(channel))
                except ResponseUnusable as reason:
                    epoch.ClearField("response")
                    uncalibrated.append(Uncalibrated(f"{part.key} {channel_name(epoch)}", str(reason)))
                parts.append(part)
    if not parts:
        raise InputInvalid(f"{source}: found no station, expected StationXML of level station or more")
    return parts, uncalibrated


def _parse(content: bytes, source: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy's about versions and about values that we check ourselves
        try:
            return obspy.read_inventory(io.BytesIO(content), format="STATIONXML")
        except Exception as error:  # lxml's, ObsPy's and Python's own, by what is wrong in the file
            raise InputInvalid(f"{source}: found {error}, expected StationXML; fetch or export it again") from None


def _place(station: Any) -> ChannelEpoch:
    return ChannelEpoch(
        start_ns=_ns(station.start_date),
        end_ns=_ns(station.end_date),
        latitude_deg=float(station.latitude) + 0.0,
        longitude_deg=float(station.longitude) + 0.0,
        elevation_m=float(station.elevation) + 0.0,
    )


def _epoch(station: Any, channel: Any) -> ChannelEpoch:
    depth_m = float(channel.depth or 0.0) + 0.0
    # A channel's elevation is the sensor's by the standard and the ground's by habit; a station's is always the ground's.
    ground = station if depth_m else channel
    epoch = ChannelEpoch(
        location=channel.location_code.replace("--", "").strip(),
        code=channel.code,
        start_ns=_ns(channel.start_date or station.start_date),
        end_ns=_ns(channel.end_date or station.end_date),
        latitude_deg=float(channel.latitude) + 0.0,
        longitude_deg=float(channel.longitude) + 0.0,
        elevation_m=float(ground.elevation) + 0.0,
        burial_depth_m=depth_m,
        rate_hz=float(channel.sample_rate or 0.0),
        sensor=_sensor(channel.sensor),
    )
    if channel.azimuth is not None:
        epoch.azimuth_deg = float(channel.azimuth) + 0.0
    if channel.dip is not None:
        epoch.dip_deg = float(channel.dip) + 0.0
    return epoch


def _ns(moment: Any) -> int:
    """0 for no moment, and for ones as far away as 2599-12-31, by which people mean that there is none."""
    return 0 if moment is None or abs(moment.ns) > LAST_NS else int(moment.ns)


def _sensor(sensor: Any) -> str:
    if sensor is None:
        return ""
    named = " ".join(part for part in (sensor.manufacturer, sensor.model) if part)
    return str(named or sensor.type or sensor.description or "")


def _response(channel: Any) -> Response:
    if channel is None or channel.response is None:
        raise ResponseUnusable("no response")
    total = channel.response.instrument_sensitivity
    if total is None or not total.value or not math.isfinite(total.value):
        raise ResponseUnusable("a response without sensitivity")
    if total.value < 0:
        raise ResponseUnusable("a sensitivity below 0, which says that the polarity is reversed")
    motion = UNITS.get(str(total.input_units).upper().replace(" ", ""))
    if motion is None:
        raise ResponseUnusable(f"a response from {total.input_units}, not from m, m/s or m/s**2")
    if str(total.output_units).upper() not in COUNTS:
        raise ResponseUnusable(f"a response to {total.output_units}, not to counts")
    frequency_hz = float(total.frequency or 0.0)
    poles, zeros = _poles_zeros(channel.response.response_stages)
    return Response(
        input=motion,
        sensitivity=float(total.value),
        frequency_hz=frequency_hz,
        poles=[Complex(real=pole.real + 0.0, imaginary=pole.imag + 0.0) for pole in poles],
        zeros=[Complex(real=zero.real + 0.0, imaginary=zero.imag + 0.0) for zero in zeros],
        normalisation=_normalisation(poles, zeros, frequency_hz),
    )


def _poles_zeros(stages: list[Any]) -> tuple[list[complex], list[complex]]:
    """Of all analogue stages, in rad/s; digital filters are flat where their samples are used."""
    poles: list[complex] = []
    zeros: list[complex] = []
    for stage in stages:
        if isinstance(stage, ResponseListResponseStage | PolynomialResponseStage):
            raise ResponseUnusable("a response by table or polynomial, not by poles and zeros")
        if isinstance(stage, PolesZerosResponseStage) and stage.pz_transfer_function_type in TO_RAD_S:
            factor = TO_RAD_S[stage.pz_transfer_function_type]
            poles += [complex(pole) * factor for pole in stage.poles]
            zeros += [complex(zero) * factor for zero in stage.zeros]
    return poles, zeros


def _normalisation(poles: list[complex], zeros: list[complex], frequency_hz: float) -> float:
    """A0 at the frequency of the whole sensitivity, where a file may state it for another."""
    s = 2j * cmath.pi * frequency_hz
    gain = abs(math.prod([s - zero for zero in zeros], start=1) / math.prod([s - pole for pole in poles], start=1))
    if not math.isfinite(gain) or gain == 0.0:
        raise ResponseUnusable(f"poles and zeros that are not finite at the sensitivity's {frequency_hz:g} Hz")
    return 1.0 / gain
