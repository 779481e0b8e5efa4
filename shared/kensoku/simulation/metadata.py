"""What is said of the stations of a scenario: by their operators, mistakes included, and by us."""

from collections.abc import Sequence

from obspy.core.inventory import Inventory
from obspy.core.inventory import Station as ObspyStation

from kensoku.simulation.engine import World, instrument_of
from kensoku.simulation.networks import Station
from kensoku.simulation.stationxml import VALID_FROM, StationPlace, describe_network, describe_station
from kensoku.simulation.telemetry import faults_of

WRONG_PLACE_DEG = 0.1
WRONG_SENSITIVITY = 2.0
STATIONS_HEADER = (
    "station,latitude_deg,longitude_deg,elevation_m,borehole_m,sensor,rate_hz,components,ground,amplification,"
    "resonance_hz,resonance,kappa_s_s,wrong_metadata"
)


def published_inventory(world: World, stations: Sequence[Station]) -> Inventory:
    """As the network's operator would publish it, with the mistakes that the scenario asks for."""
    networks = sorted({station.network for station in stations})
    inventory = describe_network(networks[0], [])
    described = {code: describe_network(code, []).networks[0] for code in networks}
    for station in stations:
        place = StationPlace(
            station.network,
            station.code,
            station.latitude_deg,
            station.longitude_deg,
            station.elevation_m,
            station.borehole_m,
        )
        found = describe_station(place, instrument_of(world.scenario.seed, station), station.components)
        mistake = faults_of(world.scenario.telemetry, world.scenario.seed, station.name).wrong_metadata
        if mistake:
            _falsify(found, mistake)
        described[station.network].stations.append(found)
    inventory.networks = list(described.values())
    inventory.created = VALID_FROM  # the same bytes whenever it is written
    return inventory


def _falsify(station: ObspyStation, mistake: str) -> None:
    for place in (station, *station.channels) if mistake == "place" else ():
        place.latitude = min(90.0, float(place.latitude) + WRONG_PLACE_DEG)
    for channel in station.channels:
        if mistake == "polarity":
            channel.dip, channel.azimuth = -channel.dip, (channel.azimuth + 180) % 360
        elif mistake == "sensitivity":
            channel.response.instrument_sensitivity.value *= WRONG_SENSITIVITY
            channel.response.response_stages[0].stage_gain *= WRONG_SENSITIVITY


def station_line(world: World, station: Station) -> str:
    site = station.site
    mistake = faults_of(world.scenario.telemetry, world.scenario.seed, station.name).wrong_metadata
    return (
        f"{station.name},{station.latitude_deg},{station.longitude_deg},{station.elevation_m:g},{station.borehole_m:g},"
        f"{station.sensor},{station.rate_hz},{station.components},{site.ground},{site.amplification:.3f},"
        f"{site.resonance_hz:.3f},{site.resonance:.2f},{site.kappa_s_s:.4f},{mistake}"
    )
