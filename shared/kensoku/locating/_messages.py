"""From the contracts and to them: associated picks and stations in, `Origin` and `Arrival` out."""

from collections.abc import Iterable, Mapping, Sequence

from kensoku.errors import InputInvalid
from kensoku.locating._values import Arrival, Hypocentre, LocatedArrival, Location, Site
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import Arrival as ArrivalMessage
from kensoku.v1.event_pb2 import Ellipsoid as EllipsoidMessage
from kensoku.v1.event_pb2 import Hypocentre as HypocentreMessage
from kensoku.v1.event_pb2 import Origin
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Instrument

NS_PER_S = 1_000_000_000
LEAST_UNCERTAINTY_S = 0.005  # half a sample: of a pick that states none
Corrections = Mapping[tuple[str, str], float]  # (NET.STA, "P" or "S"): seconds, added to the predicted time


def instrument_code(instrument: Instrument) -> str:
    """The key of its site: `NET.STA.LOC.HH`."""
    return f"{instrument.network}.{instrument.station}.{instrument.location}.{instrument.band_instrument}"


def arrivals_of(picks: Iterable[AssociatedPick], reference_ns: int) -> list[Arrival]:
    """With the onset of the measurement where it has come; seconds after the reference."""
    return [_arrival(pick, reference_ns) for pick in picks]


def _arrival(associated: AssociatedPick, reference_ns: int) -> Arrival:
    if associated.phase not in (PHASE_P, PHASE_S):
        raise InputInvalid(
            f"found phase {associated.phase} of pick {associated.pick.id!r}, expected {PHASE_P} (P) or {PHASE_S} (S)"
        )
    onset = _onset(associated)
    return Arrival(
        station=instrument_code(associated.pick.instrument),
        phase="P" if associated.phase == PHASE_P else "S",
        onset_s=(onset[0] - reference_ns) / NS_PER_S,
        uncertainty_s=max(onset[1], LEAST_UNCERTAINTY_S),
        probability=associated.probability,
    )


def _onset(associated: AssociatedPick) -> tuple[int, float]:
    measured = associated.HasField("measurement") and associated.measurement.onset_ns
    best = associated.measurement if measured else associated.pick
    return best.onset_ns, best.onset_uncertainty_s


def sites_of(
    instruments: Iterable[Instrument],
    inventory: Mapping[str, Station],
    at_ns: int,
    corrections: Corrections | None = None,
) -> dict[str, Site]:
    """Of those that the inventory (by NET.STA) knows; sensors in boreholes stand below the ground."""
    found, late = {}, corrections or {}
    for instrument in instruments:
        station = f"{instrument.network}.{instrument.station}"
        if station in inventory and (epochs := _epochs_at(inventory[station], at_ns)):
            best = min(epochs, key=lambda epoch: _strangeness(epoch, instrument))
            found[instrument_code(instrument)] = _site(station, best, late)
    return found


def site_at(code: str, station: Station, at_ns: int, corrections: Corrections | None = None) -> Site:
    """Where a station, NET.STA, stands as a whole, whichever of its sensors has made a pick."""
    epoch, late = epoch_at(station, at_ns), corrections or {}
    return _site(code, epoch, late)


def epoch_at(station: Station, at_ns: int) -> ChannelEpoch:
    """Of several that of the last location and channel."""
    return _epochs_at(station, at_ns)[-1]


def _epochs_at(station: Station, at_ns: int) -> list[ChannelEpoch]:
    """In force, or else the last before, or else the first after: where a station stood is better than nowhere."""
    if in_force := [epoch for epoch in station.epochs if _holds(epoch, at_ns)]:
        return in_force
    if ended := [epoch for epoch in station.epochs if epoch.end_ns and epoch.end_ns <= at_ns]:
        last_ns = max(epoch.end_ns for epoch in ended)
        return [epoch for epoch in ended if epoch.end_ns == last_ns]
    first_ns = min((epoch.start_ns for epoch in station.epochs), default=0)
    return [epoch for epoch in station.epochs if epoch.start_ns == first_ns]


def _site(code: str, epoch: ChannelEpoch, late: Corrections) -> Site:
    return Site(
        epoch.latitude_deg,
        epoch.longitude_deg,
        (epoch.elevation_m - epoch.burial_depth_m) / 1000,
        late.get((code, "P"), 0.0),
        late.get((code, "S"), 0.0),
    )


def _holds(epoch: ChannelEpoch, at_ns: int) -> bool:
    return (not epoch.start_ns or epoch.start_ns <= at_ns) and (not epoch.end_ns or at_ns < epoch.end_ns)


def _strangeness(epoch: ChannelEpoch, instrument: Instrument) -> tuple[bool, bool]:
    return epoch.location != instrument.location, not epoch.code.startswith(instrument.band_instrument)


def origin_message(location: Location, reference_ns: int) -> Origin:
    covariance, axes = location.covariance, location.ellipsoid
    return Origin(
        time_ns=_ns(location.maximum.time_s, reference_ns),
        latitude_deg=location.maximum.latitude_deg,
        longitude_deg=location.maximum.longitude_deg,
        depth_km=location.maximum.depth_km,
        depth_is_fixed=location.depth_is_fixed,
        mean=_hypocentre(location.mean, reference_ns),
        covariance=[float(covariance[row, column]) for row in range(4) for column in range(row, 4)],
        ellipsoid=EllipsoidMessage(
            semi_axis_km=axes.semi_axis_km, azimuth_deg=axes.azimuth_deg, plunge_deg=axes.plunge_deg
        ),
        depth_lower_km=location.depth_lower_km,
        depth_upper_km=location.depth_upper_km,
        time_uncertainty_s=location.time_uncertainty_s,
        horizontal_uncertainty_km=location.horizontal_uncertainty_km,
        azimuthal_gap_deg=location.azimuthal_gap_deg,
        secondary_gap_deg=location.secondary_gap_deg,
        nearest_station_km=location.nearest_station_km,
        rms_s=location.rms_s,
        phases_used=location.phases_used,
        stations_used=location.stations_used,
        quality=f"QUALITY_{location.quality}",
        quality_reason=location.quality_reason,
    )


def arrival_messages(location: Location, picks: Sequence[AssociatedPick]) -> list[ArrivalMessage]:
    """Of those that were located: `picks` are all that were given, in the same order."""
    return [_arrival_message(arrival, picks[arrival.index]) for arrival in location.arrivals]


def _arrival_message(arrival: LocatedArrival, associated: AssociatedPick) -> ArrivalMessage:
    onset_ns, uncertainty_s = _onset(associated)
    pick, measurement = associated.pick, associated.measurement
    message = ArrivalMessage(
        pick_id=pick.id,
        instrument=pick.instrument,
        phase=PHASE_P if arrival.phase == "P" else PHASE_S,
        onset_ns=onset_ns,
        onset_uncertainty_s=uncertainty_s,
        residual_s=arrival.residual_s,
        weight=arrival.weight,
        distance_km=arrival.distance_km,
        azimuth_deg=arrival.azimuth_deg,
        takeoff_deg=arrival.takeoff_deg,
        is_outlier=arrival.is_outlier,
        phase_was_changed=arrival.phase_was_changed,
        station_correction_s=arrival.station_correction_s,
        polarity=pick.polarity,
    )
    judged = measurement if measurement.HasField("blast_probability") else pick
    if judged.HasField("blast_probability"):
        message.blast_probability = judged.blast_probability
    return message


def _hypocentre(place: Hypocentre, reference_ns: int) -> HypocentreMessage:
    return HypocentreMessage(
        time_ns=_ns(place.time_s, reference_ns),
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        depth_km=place.depth_km,
    )


def _ns(after_s: float, reference_ns: int) -> int:
    return reference_ns + round(after_s * NS_PER_S)
