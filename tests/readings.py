"""Amplitudes and readings of stations for the tests of magnitudes."""

from typing import Any

from kensoku.magnitudes import (
    Reading,
    estimate,
    load_formula,
)
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    PHASE_P,
    Amplitude,
    AmplitudeKind,
    Instrument,
    Phase,
)

IASPEI = load_formula("iaspei-2013")
SECOND = 10**9
NM = 1e-9
PD = load_formula("wu-zhao-2006")
TAU_C = load_formula("wu-kanamori-2005")


def amplitude(value: float, channel: str, kind: AmplitudeKind = AMPLITUDE_KIND_WOOD_ANDERSON, **more: Any) -> Amplitude:
    return Amplitude(**({"window_s": 29.92, "noise": value / 100} | more), kind=kind, value=value, channel=channel)


def reading(
    *amplitudes: Amplitude, station: str = "A", band: str = "HH", distance_km: float = 100.0, phase: Phase = PHASE_P,
    s_after_s: float | None = None, period_s: float = 0.0, fits: bool = True,
) -> Reading:  # fmt: skip
    return Reading(
        pick_id=f"{station}{band}{phase}",
        instrument=Instrument(network="XS", station=station, band_instrument=band),
        phase=phase,
        onset_ns=0,
        fits=fits,
        epicentral_km=distance_km,
        hypocentral_km=distance_km,
        s_after_s=s_after_s,
        amplitudes=amplitudes,
        period_s=period_s,
    )


def horizontals(north: float, east: float, station: str = "A", **more: Any) -> Reading:
    return reading(amplitude(north, "HHN", **more), amplitude(east, "HHE", **more), station=station)


def nm_of(ml: float) -> float:
    """At 100 km, in m."""
    return 10 ** (ml + 2.09 - 2.22 - 0.189) * NM


def of_size(ml: float, station: str, **more: Any) -> Reading:
    return horizontals(nm_of(ml), nm_of(ml) / 2, station, **more)


def value_of(*readings: Reading) -> float:
    found = estimate(readings, 5.0, IASPEI)
    assert found.has_value, found.magnitude.absent_reason
    return found.magnitude.value


def displacement(value: float, window_s: float, at_s: float, **more: Any) -> Amplitude:
    return amplitude(
        value, "HHZ", AMPLITUDE_KIND_PEAK_DISPLACEMENT, window_s=window_s, time_ns=round(at_s * SECOND), **more
    )
