"""The metadata of a simulated station as its operator would publish them: StationXML with the whole response."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from obspy import UTCDateTime
from obspy.core.inventory import Channel, Inventory, Network, Site, Station
from obspy.core.inventory.response import (
    CoefficientsTypeResponseStage,
    FIRResponseStage,
    InstrumentSensitivity,
    PolesZerosResponseStage,
    Response,
)

from kensoku.simulation.instruments import OVERSAMPLING, Instrument

AZIMUTH_DIP_DEG = {"Z": (0.0, -90.0), "N": (0.0, 0.0), "E": (90.0, 0.0)}
VALID_FROM = UTCDateTime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class StationPlace:
    network: str
    station: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float = 0.0
    depth_m: float = 0.0  # of the sensor below the surface
    location: str = ""


def channel_codes(instrument: Instrument, components: int = 3) -> tuple[str, ...]:
    """Such as HHZ, HHN, HHE; at 250 Hz and more, or below 80 Hz, the band has another letter (SEED, appendix A)."""
    band, kind = tuple(instrument.sensor.band_code)
    is_broad = band == "H"
    rate_hz = instrument.digitiser.rate_hz
    if rate_hz >= 250:
        band = "C" if is_broad else "D"
    elif rate_hz < 80:
        band = "B" if is_broad else "S"
    return tuple(band + kind + component for component in "ZNE"[:components])


def describe_response(instrument: Instrument) -> Response:
    """Nominal: what `gain_errors` do is not in it."""
    sensor, digitiser = instrument.sensor, instrument.digitiser
    ground = "M/S**2" if sensor.is_accelerometer else "M/S"
    fast_hz = OVERSAMPLING * digitiser.rate_hz
    reference_hz = sensor.reference_hz
    normalisation = _normalisation(instrument)
    stages = [
        PolesZerosResponseStage(
            1,
            sensor.sensitivity,
            reference_hz,
            ground,
            "V",
            "LAPLACE (RADIANS/SECOND)",
            reference_hz,
            list(sensor.zeros),
            list(sensor.poles),
            normalization_factor=normalisation,
        ),
        CoefficientsTypeResponseStage(
            2,
            digitiser.counts_per_v,
            reference_hz,
            "V",
            "COUNTS",
            "DIGITAL",
            numerator=[1.0],
            denominator=[],
            decimation_input_sample_rate=fast_hz,
            decimation_factor=1,
            decimation_offset=0,
            decimation_delay=0.0,
            decimation_correction=0.0,
        ),
        FIRResponseStage(
            3,
            1.0,
            reference_hz,
            "COUNTS",
            "COUNTS",
            symmetry="NONE",
            coefficients=[float(coefficient) for coefficient in digitiser.coefficients()],
            decimation_input_sample_rate=fast_hz,
            decimation_factor=OVERSAMPLING,
            decimation_offset=0,
            decimation_delay=digitiser.delay_s,
            decimation_correction=digitiser.delay_s,
        ),
    ]
    sensitivity = InstrumentSensitivity(instrument.sensitivity, reference_hz, ground, "COUNTS")
    return Response(instrument_sensitivity=sensitivity, response_stages=stages)


def _normalisation(instrument: Instrument) -> float:
    sensor = instrument.sensor
    s = 2j * np.pi * sensor.reference_hz
    poles, zeros = np.array(sensor.poles), np.array(sensor.zeros)
    return float(np.abs(np.prod(s - poles) / np.prod(s - zeros)))


def describe_station(place: StationPlace, instrument: Instrument, components: int = 3) -> Station:
    channels: Sequence[Channel] = [
        Channel(
            code,
            place.location,
            place.latitude_deg,
            place.longitude_deg,
            place.elevation_m,
            place.depth_m,
            azimuth=AZIMUTH_DIP_DEG[code[-1]][0],
            dip=AZIMUTH_DIP_DEG[code[-1]][1],
            sample_rate=instrument.digitiser.rate_hz,
            start_date=VALID_FROM,
            response=describe_response(instrument),
        )
        for code in channel_codes(instrument, components)
    ]
    return Station(
        place.station,
        place.latitude_deg,
        place.longitude_deg,
        place.elevation_m,
        channels=list(channels),
        site=Site(name=f"{place.station} (simulated)"),
        creation_date=VALID_FROM,
        start_date=VALID_FROM,
    )


def describe_network(code: str, stations: Sequence[Station]) -> Inventory:
    network = Network(code, stations=list(stations), description="Simulated network", start_date=VALID_FROM)
    return Inventory([network], source="kensoku.simulation")
