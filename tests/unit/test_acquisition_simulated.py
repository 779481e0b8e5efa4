"""A scenario as a source of packets: what the archive of it would hold, at any pace, with the faults it asks for."""

import threading
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from kensoku.acquisition.replay import run
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.acquisition.simulated import seconds_of
from kensoku.acquisition.sources import STATIONS_ARE_SIMULATED
from kensoku.bus import Bus
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inventory import published
from kensoku.packets import decode_packet, read_packet
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.simulation.engine import World, block_at, open_world, record
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, WaveformPacket

SECOND_NS = 10**9
Tune = Callable[..., AcquisitionSettings]

SCENARIO = """
name = "two"
seed = 3
start = 2024-01-15T03:00:30Z
duration_h = 0.05

[[networks]]
kind = "layout"
code = "XX"
count = 2
spacing_km = 10
latitude_deg = 36
longitude_deg = 137

[[sequences]]
kind = "background"
name = "crust"
rate_per_day = 5000
magnitudes = { minimum = 1.0, maximum = 3.0 }
outline = [[35.9, 136.9], [35.9, 137.1], [36.1, 137.1], [36.1, 136.9]]
"""
DURATION_S = 180


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def world(scenario: Path) -> World:
    return open_world(scenario)


@pytest.fixture
def tune(tmp_path: Path, scenario: Path) -> Tune:
    def settings(**changes: object) -> AcquisitionSettings:
        given = {"source": f"sim://{scenario}", "speed": "max", **changes}
        return load_settings(
            AcquisitionSettings,
            {"home": tmp_path, **{f"acquisition_{name}": value for name, value in given.items()}},
        )

    return settings


def packets(bus: Bus) -> list[WaveformPacket]:
    return [read_packet(message.value or b"") for message in bus.read("waveforms", start="earliest", follow=False)]


class Stop(threading.Event):
    """Is set when the bus holds so many packets; waiting moves the clock."""

    def __init__(self, bus: Bus, after: int) -> None:
        super().__init__()
        self._bus, self._after = bus, after

    def is_set(self) -> bool:
        return len(packets(self._bus)) >= self._after


def test_packets_hold_what_the_engine_records(bus: Bus, tune: Tune, world: World) -> None:
    run(tune(packet_s=1), bus, Pulse(), threading.Event())
    found = [packet for packet in packets(bus) if packet.station == "1"]
    assert len(found) == DURATION_S
    vertical = np.concatenate([decode_packet(packet)[0].samples for packet in found])
    blocks = list(islice(record(world, world.stations[0], block_at(world.start_ns)), 4))
    skipped = (world.start_ns - blocks[0].start_ns) * 100 // SECOND_NS
    expected = np.concatenate([block.counts[0] for block in blocks])[skipped : skipped + DURATION_S * 100]
    assert np.array_equal(vertical, expected)
    assert {packet.source for packet in found} == {"simulation"}


@pytest.mark.parametrize("at_once", [1, 5, 7, 60])
def test_packets_of_any_length_follow_each_other(world: World, at_once: int) -> None:
    first = world.start_ns // SECOND_NS
    found = list(seconds_of(world, first, first + 130, at_once))
    for station in world.stations:
        own = [packet for packet in found if packet.key == station.name]
        assert [packet.second for packet in own] == list(range(first // at_once * at_once, first + 130, at_once))
        assert {channel.samples.size for packet in own for channel in packet.channels} == {at_once * 100}


def test_live_packets_carry_the_present(bus: Bus, tune: Tune) -> None:
    run(tune(times="now", speed=1), bus, Pulse(), Stop(bus, after=4))
    for packet in packets(bus):
        assert packet.time_kind == TIME_KIND_LIVE
        assert 0 <= packet.arrival_ns - packet.start_ns < 60 * SECOND_NS


def test_a_stopped_simulation_goes_on_and_repeats_a_second_at_most(bus: Bus, tune: Tune) -> None:
    run(tune(packet_s=1), bus, Pulse(), Stop(bus, after=101))
    run(tune(packet_s=1), bus, Pulse(), threading.Event())
    found = Counter((packet.station, packet.start_ns) for packet in packets(bus))
    assert len(found) == 2 * DURATION_S
    assert found.total() - len(found) <= 4


def test_stations_and_times_can_be_chosen(bus: Bus, tune: Tune) -> None:
    run(tune(stations="XX.2", start="2024-01-15T03:01:00Z", end="2024-01-15T03:01:10Z"), bus, Pulse(), Stop(bus, 99))
    assert {packet.station for packet in packets(bus)} == {"2"}
    assert sum(packet.count for packet in packets(bus)) == 1000


def test_a_choice_without_stations_is_an_error(bus: Bus, tune: Tune) -> None:
    with pytest.raises(InputInvalid, match=r"found 2 stations .* expected stations 'YY.\*'"):
        run(tune(stations="YY.*"), bus, Pulse(), threading.Event())


def test_an_unknown_scenario_names_those_there_are(bus: Bus, tune: Tune) -> None:
    with pytest.raises(SettingInvalid, match="scenario 'quite': found no such file; expected a path, or one of after"):
        run(tune(source="sim://quite"), bus, Pulse(), threading.Event())


def test_stations_of_a_simulated_network_are_published_before_its_waveforms(bus: Bus, tune: Tune) -> None:
    run(tune(stations="XX.[12]"), bus, Pulse(), threading.Event())
    stations = published(bus)
    assert len(stations) == 2
    assert all(epoch.HasField("response") for station in stations.values() for epoch in station.epochs)
    first_waveform = next(iter(bus.read("waveforms"))).published_ns
    assert max(message.published_ns for message in bus.read("inventory")) <= first_waveform


def test_what_operators_have_published_of_such_stations_stays(bus: Bus, tune: Tune) -> None:
    known = Station(network="XX", station="1", source="stations.xml")
    stale = Station(network="XX", station="2", source=f"another.toml {STATIONS_ARE_SIMULATED}")
    for one in (known, stale):
        bus.publish("inventory", f"{one.network}.{one.station}", one.SerializeToString())
    run(tune(), bus, Pulse(), threading.Event())
    sources = {code: station.source for code, station in published(bus).items()}
    assert sources == {"XX.1": "stations.xml", "XX.2": f"two.toml {STATIONS_ARE_SIMULATED}"}
