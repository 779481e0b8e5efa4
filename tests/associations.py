"""Candidates as the association service would publish them, of earthquakes in a half-space below a small network."""

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus
from kensoku.locating import LocationSettings
from kensoku.magnitudes import Rules, TypeSettings
from kensoku.settings import load_settings
from kensoku.solving import Context
from kensoku.traveltime import Grid, Wave, build_table, load_model
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.event_pb2 import EVENT_STATUS_PRELIMINARY, EventStatus
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_WOOD_ANDERSON,
    DECISION_KEPT,
    METHOD_CNN,
    PHASE_P,
    PHASE_S,
    Amplitude,
    Instrument,
    ModelReference,
    Phase,
    Pick,
    PickMeasurement,
)

S = 10**9
T0_NS = 1_720_000_000 * S
KM_PER_DEG = 6371 * math.pi / 180
VP, VS = 6.0, 3.4641016  # of the model `homogeneous`
PLACES = {
    "A": (0, 20), "B": (15, -10), "C": (-18, -5), "D": (25, 12), "E": (-9, -30), "F": (-25, 25), "G": (33, -28),
    "H": (5, 45),
}  # fmt: skip
STATIONS = {
    f"XX.{code}": Station(
        network="XX",
        station=code,
        hash=f"hash-{code}",
        epochs=[
            ChannelEpoch(code="HHZ", latitude_deg=north / KM_PER_DEG, longitude_deg=east / KM_PER_DEG, elevation_m=0)
        ],
    )
    for code, (north, east) in PLACES.items()
}


@functools.cache
def make_context(**changes: Any) -> Context:
    model = load_model("homogeneous")
    grid = Grid(farthest_km=300, deepest_km=40, distance_step_km=1.0, depth_step_km=1.0)
    more: dict[str, Any] = {
        "stations": STATIONS,
        "location": LocationSettings(deepest_km=40, assumed_depth_km=8),
        "rules": Rules(types=TypeSettings(utc_offset_h=9.0)),
        "software_version": "0.0.1",
        "association_method": "by hand",
    }
    waves: tuple[Wave, Wave] = ("P", "S")
    tables = {wave: build_table(model, wave, grid) for wave in waves}
    return Context(model=model, tables=tables, **(more | changes))


def make_pick(
    code: str, phase: Phase, onset_ns: int, *, nm: float | None = None, late: bool = False, error_s: float = 0.05
) -> AssociatedPick:
    """With a measurement, where its peak on a Wood-Anderson seismograph is given."""
    instrument = Instrument(network="XX", station=code, band_instrument="HH")
    pick = Pick(
        id=f"{code}-{phase}-{onset_ns}",
        instrument=instrument,
        channels=["HHZ", "HHN", "HHE"],
        phase=phase,
        onset_ns=onset_ns,
        onset_uncertainty_s=error_s,
        method=METHOD_CNN,
        decision=DECISION_KEPT,
        late=late,
        model=ModelReference(name="picker_live", version="3", sha256="ab"),
    )
    pick.latency.published_ns = onset_ns + S
    pick.latency.last_sample_ns = onset_ns + S // 2
    associated = AssociatedPick(pick=pick, phase=phase, probability=0.95)
    if nm is not None:
        associated.measurement.CopyFrom(_measured(pick, nm))
    return associated


def _measured(pick: Pick, nm: float) -> PickMeasurement:
    peaks = [
        Amplitude(
            kind=AMPLITUDE_KIND_WOOD_ANDERSON, value=nm * 1e-9, noise=nm * 1e-11, channel=channel, window_s=29.92,
            time_ns=pick.onset_ns + 10 * S,
        )
        for channel in ("HHN", "HHE")
    ]  # fmt: skip
    return PickMeasurement(
        id=pick.id,
        instrument=pick.instrument,
        phase=pick.phase,
        onset_ns=pick.onset_ns,
        onset_uncertainty_s=pick.onset_uncertainty_s,
        amplitudes=peaks,
        models=[ModelReference(name="picker", version="2", sha256="cd")],
    )


def publish_stations(bus: Bus) -> None:
    for key, station in STATIONS.items():
        bus.publish("inventory", key, station.SerializeToString())


def make_picks(
    codes: Sequence[str] = tuple(PLACES),
    source: tuple[float, float, float] = (2.0, 3.0, 8.0),
    at_ns: int = T0_NS,
    nm: float | None = None,
    phases: str = "PS",
) -> list[AssociatedPick]:
    """Without errors, of a source at (north km, east km, depth km)."""
    picks = []
    for code in codes:
        distance_km = math.dist((*PLACES[code], 0.0), source)
        for phase, velocity in ((PHASE_P, VP), (PHASE_S, VS)):
            if Phase.Name(phase)[-1] in phases:
                picks.append(make_pick(code, phase, at_ns + round(distance_km / velocity * S), nm=nm))
    return picks


def make_association(
    picks: Sequence[AssociatedPick],
    revision: int = 1,
    status: EventStatus = EVENT_STATUS_PRELIMINARY,
    event_id: str = "e1",
    **more: Any,
) -> Association:
    decided_ns = max((each.pick.onset_ns for each in picks), default=T0_NS) + 2 * S
    given: dict[str, Any] = {"owner_epoch": 7, "region": "here", "decided_ns": decided_ns, "tick_ns": decided_ns}
    return Association(event_id=event_id, revision=revision, status=status, picks=picks, **(given | more))


def service_settings(home: Path) -> AssociationServiceSettings:
    given = {"home": home, "location_velocity_model": "homogeneous", "location_deepest_km": 30}
    return load_settings(AssociationServiceSettings, given)
