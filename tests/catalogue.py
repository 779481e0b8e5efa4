"""Events as the location service would publish them."""

from collections.abc import Sequence
from pathlib import Path

from kensoku.catalogue_files import Signature, write_catalogue
from kensoku.catalogue_store import Selection, Store, address
from kensoku.catalogue_store._engine import _engine
from kensoku.catalogue_store._tables import METADATA
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_UPDATED,
    EVENT_TYPE_EARTHQUAKE,
    MAGNITUDE_BOUND_LOWER,
    MAGNITUDE_BOUND_UNSPECIFIED,
    QUALITY_B,
    Event,
    Hypocentre,
)
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, POLARITY_UP, Instrument

NS_PER_S = 10**9
ORIGIN_NS = 1_562_255_622_989_200_000  # 2019-07-04T15:53:42.9892Z
SIGNATURE = Signature("org.example", "the network")
STATIONS = ("CI.TOW2", "CI.SRT", "GS.CA06", "NN.GWY", "CI.JRC2", "CI.CCC")


def make_event(event_id: str = "5f2d9c", revision: int = 1, epoch: int = 1, **changes: float) -> Event:
    """An earthquake of Ridgecrest; `time_s` later, `latitude_deg`, `magnitude` and the like as said."""
    event = Event(
        id=event_id, revision=revision, owner_epoch=epoch, status=EVENT_STATUS_UPDATED, type=EVENT_TYPE_EARTHQUAKE
    )
    origin = event.origin
    origin.time_ns = ORIGIN_NS + round(changes.get("time_s", 0.0) * NS_PER_S)
    origin.latitude_deg = changes.get("latitude_deg", 35.69)
    origin.longitude_deg = changes.get("longitude_deg", -117.47)
    origin.depth_km = changes.get("depth_km", 9.25)
    add_uncertainty(event)
    for number, station in enumerate(STATIONS):
        add_arrivals(event, number, station)
    add_magnitudes(event, changes.get("magnitude", 1.64))
    event.type_probabilities.earthquake, event.type_probabilities.blast = 0.97, 0.03
    event.region = "socal"
    event.provenance.velocity_model, event.provenance.software_version = "southern-california", "0.1.0"
    event.latency.published_ns = origin.time_ns + revision * 5 * NS_PER_S
    return event


def add_uncertainty(event: Event) -> None:
    origin = event.origin
    origin.mean.CopyFrom(
        Hypocentre(
            time_ns=origin.time_ns, latitude_deg=origin.latitude_deg, longitude_deg=origin.longitude_deg, depth_km=9.1
        )
    )
    origin.covariance.extend([0.0036, 0.001, 0.002, -0.01, 0.09, 0.01, 0.02, 0.16, 0.03, 0.49])
    origin.ellipsoid.semi_axis_km.extend([1.4, 0.8, 0.5])
    origin.ellipsoid.azimuth_deg.extend([30.0, 120.0, 210.0])
    origin.ellipsoid.plunge_deg.extend([60.0, 0.0, 30.0])
    origin.depth_lower_km, origin.depth_upper_km = 8.5, 10.1
    origin.time_uncertainty_s, origin.horizontal_uncertainty_km = 0.06, 0.45
    origin.azimuthal_gap_deg, origin.secondary_gap_deg, origin.nearest_station_km = 78.0, 121.0, 11.5
    origin.rms_s, origin.phases_used, origin.stations_used = 0.08, 11, 6
    origin.quality, origin.quality_reason = QUALITY_B, "gap < 120 and horizontal < 1 km"


def add_arrivals(event: Event, number: int, station: str) -> None:
    network, _, code = station.partition(".")
    for phase, after_s in ((PHASE_P, 2.0 + number), (PHASE_S, 3.5 + 1.7 * number)):
        arrival = event.arrivals.add(pick_id=f"{event.id}-{station}-{phase}", phase=phase)
        arrival.instrument.CopyFrom(Instrument(network=network, station=code, band_instrument="HH"))
        arrival.onset_ns = event.origin.time_ns + round(after_s * NS_PER_S)
        arrival.onset_uncertainty_s, arrival.residual_s, arrival.weight = 0.05, 0.02 * number - 0.05, 0.9
        arrival.distance_km, arrival.azimuth_deg, arrival.takeoff_deg = 11.5 + 6 * number, 55.0 * number, 110.0
        if phase == PHASE_P:
            arrival.polarity, arrival.blast_probability = POLARITY_UP, 0.1
    event.arrivals[-1].is_outlier = number == len(STATIONS) - 1


def add_magnitudes(event: Event, value: float) -> None:
    event.preferred_magnitude = "ML"
    magnitude = event.magnitudes.add(type="ML", value=value, uncertainty=0.12, stations=2, formula="hutton-boore-1987")
    for arrival, residual in zip(event.arrivals[:3:2], (0.1, -0.1), strict=True):
        contribution = magnitude.contributions.add(value=value + residual, residual=residual, weight=0.5)
        contribution.instrument.CopyFrom(arrival.instrument)
        contribution.pick_id = arrival.pick_id
        contribution.bound = MAGNITUDE_BOUND_LOWER if residual < 0 else MAGNITUDE_BOUND_UNSPECIFIED
    event.magnitudes.add(type="Mpd", absent_reason="no station was near enough")


def ids(store: Store, **conditions: object) -> list[str]:
    return [event.id for event in store.events(Selection(**conditions))]  # type: ignore[arg-type]  # as named


def everything(url: str, namespace: str = "") -> dict[str, list[tuple[object, ...]]]:
    """All rows but the numbers that the database gives them."""
    place = address(url, namespace)
    engine = _engine(place, must_exist=False)
    found = {}
    with engine.connect() as connection:
        for name, table in METADATA.tables.items():
            columns = [column for column in table.c if column.name not in ("key", "revision_key")]
            if "revision_key" in table.c and name != "events":
                revisions = METADATA.tables["revisions"]
                columns += [revisions.c.event_id, revisions.c.revision, revisions.c.owner_epoch]
                query = (
                    table.join(revisions, table.c.revision_key == revisions.c.key).select().with_only_columns(*columns)
                )
            else:
                query = table.select().with_only_columns(*columns)
            found[name] = sorted((tuple(row) for row in connection.execute(query)), key=repr)
    engine.dispose()
    return found


def write_checked(
    path: Path, events: Sequence[Event], said: str | None = None, with_network: bool = False
) -> Sequence[str]:
    """What is noted; an event that is not counted is told."""
    count, notes = write_catalogue(path, events, SIGNATURE, said, with_network=with_network)
    lost = sum(int(note.split()[2]) for note in notes if " events " in note)
    assert count == len(events) - lost
    return notes
