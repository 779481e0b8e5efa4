"""From packets to deliveries: each fault by itself, none that nobody asked for, and the same ones every time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from kensoku.packets import ChannelSamples
from kensoku.simulation.engine import World, open_world
from kensoku.simulation.metadata import published_inventory, station_line
from kensoku.simulation.scenario import Telemetry
from kensoku.simulation.telemetry import (
    MISTAKES,
    Delivery,
    MetadataMistake,
    Packet,
    deliver,
    faults_of,
    longest_delay_s,
)

START = 1_700_000_000 // 60 * 60
SECOND_NS = 10**9


def packets(stations: int = 3, seconds: int = 1200, start: int = START) -> Iterator[Packet]:
    for second in range(start, start + seconds):
        for number in range(stations):
            channels = tuple(
                ChannelSamples("", f"HH{code}", second * SECOND_NS, 2.0, np.full(2, second % 1000 + 1, dtype=np.int32))
                for code in "ZNE"
            )
            yield Packet("XX", f"S{number}", second, channels)


def deliveries(telemetry: Telemetry, seed: int = 1, **kwargs: int) -> list[Delivery]:
    return list(deliver(packets(**kwargs), telemetry, seed))


def identities(found: list[Delivery]) -> list[tuple[str, int]]:
    return [(delivery.packet.key, delivery.packet.second) for delivery in found]


SOUND = Telemetry(latency_s=0.8, jitter_s=0.5)


def test_a_sound_link_delivers_everything_once_in_order_and_within_its_jitter() -> None:
    found = deliveries(SOUND)
    assert Counter(identities(found)) == Counter((packet.key, packet.second) for packet in packets())
    late_s = [(delivery.due_ns - delivery.packet.end_ns) / 1e9 for delivery in found]
    assert 0.8 <= min(late_s) < max(late_s) <= 1.3
    for station in ("XX.S0", "XX.S1", "XX.S2"):
        seconds = [second for key, second in identities(found) if key == station]
        assert seconds == sorted(seconds)


def test_deliveries_come_in_the_order_of_their_times() -> None:
    found = deliveries(Telemetry(jitter_s=1.0, out_of_order=0.1, duplicates=0.1, gaps_a_day=500))
    due = [delivery.due_ns for delivery in found]
    assert due == sorted(due)


def test_the_same_packets_meet_the_same_fate_wherever_the_run_begins() -> None:
    telemetry = Telemetry(jitter_s=1.0, out_of_order=0.1, duplicates=0.1, gaps_a_day=500, clock_jumps_a_day=100)
    behind = START + 600
    whole = [(d.due_ns, d.packet.key, d.packet.second) for d in deliveries(telemetry) if d.packet.second >= behind]
    late = [
        (d.due_ns, d.packet.key, d.packet.second) for d in deliver(packets(seconds=600, start=behind), telemetry, 1)
    ]
    assert whole == late


def test_some_packets_are_overtaken() -> None:
    found = identities(deliveries(Telemetry(out_of_order=0.05), stations=1))
    seconds = [second for _, second in found]
    overtaken = sum(second < max(seconds[:place], default=0) for place, second in enumerate(seconds))
    assert 0.02 < overtaken / len(seconds) < 0.08


def test_duplicates_have_the_same_content() -> None:
    found = deliveries(Telemetry(duplicates=0.05))
    twice = [each for each, count in Counter(identities(found)).items() if count == 2]
    assert 0.03 < len(twice) / 3600 < 0.07
    first, second = (delivery.packet for delivery in found if identities([delivery])[0] == twice[0])
    assert first == second


def test_a_gap_is_filled_when_its_link_is_back() -> None:
    found = deliveries(Telemetry(gaps_a_day=200, backfilled=1.0, backfill_after_s=300.0))
    assert len(set(identities(found))) == 3600, "nothing is lost"
    late_s = np.array([(delivery.due_ns - delivery.packet.end_ns) / 1e9 for delivery in found])
    held = late_s > 2
    assert 0 < held.mean() < 0.2
    assert late_s[held].min() > 299
    assert late_s.max() < longest_delay_s(Telemetry(gaps_a_day=200, backfilled=1.0, backfill_after_s=300.0))


def test_a_gap_that_is_not_filled_is_lost() -> None:
    assert len(deliveries(Telemetry(gaps_a_day=200, backfilled=0.0))) < 3600


def test_a_clock_that_jumps_is_wrong_for_a_while() -> None:
    telemetry = Telemetry(clock_jumps_a_day=100, clock_jump_s=(0.05, 5.0))
    found = deliveries(telemetry, stations=8)
    wrong_s = np.array([d.packet.channels[0].start_ns / 1e9 - d.packet.second for d in found])
    jumped = np.abs(wrong_s) > 0.01
    assert 0.05 < jumped.mean() < 0.95
    assert np.abs(wrong_s[jumped]).min() > 0.049


def test_stations_are_dead_flat_or_swapped_for_good() -> None:
    telemetry = Telemetry(dead_stations=0.1, flat_components=0.3, swapped_components=0.3, wrong_metadata=0.3)
    faults = [faults_of(telemetry, 1, f"XX.S{number}") for number in range(1000)]
    for share, wrong in (
        (0.1, [fault.is_dead for fault in faults]),
        (0.3, [fault.flat is not None for fault in faults]),
        (0.3, [fault.swapped is not None for fault in faults]),
        (0.3, [bool(fault.wrong_metadata) for fault in faults]),
    ):
        assert np.mean(wrong) == pytest.approx(share, abs=0.05)
    assert all(fault.swapped[0] != fault.swapped[1] for fault in faults if fault.swapped)


@pytest.fixture(scope="module")
def world() -> World:
    return open_world("bad-day")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_metadata_are_wrong_where_the_truth_says_so_and_as_it_says(world: World, mistake: MetadataMistake) -> None:
    honest = replace(world, scenario=replace(world.scenario, telemetry=Telemetry()))
    many = replace(world, scenario=replace(world.scenario, telemetry=Telemetry(wrong_metadata=1.0)))
    station = next(station for station in world.stations if station_line(many, station).endswith(f",{mistake}"))
    right, wrong = (published_inventory(one, [station]).networks[0].stations[0] for one in (honest, many))
    assert station_line(honest, station).endswith(",")
    factor = (
        wrong.channels[0].response.instrument_sensitivity.value
        / right.channels[0].response.instrument_sensitivity.value
    )
    found = {
        "sensitivity": factor != 1.0,
        "polarity": wrong.channels[0].dip != right.channels[0].dip,
        "place": wrong.latitude != right.latitude,
    }
    assert found == {one: one == mistake for one in MISTAKES}


def test_a_bad_day_has_every_fault_at_some_station(world: World) -> None:
    faults = [(faults_of(world.scenario.telemetry, world.scenario.seed, s.name), s.components) for s in world.stations]
    assert {fault.wrong_metadata for fault, _ in faults} == {"", *MISTAKES}
    assert any(fault.is_dead for fault, _ in faults)
    assert any(fault.flat is not None and not fault.is_dead for fault, _ in faults)
    assert any(fault.swapped and components == 3 and not fault.is_dead for fault, components in faults)


def test_a_dead_station_sends_nothing() -> None:
    assert deliveries(Telemetry(dead_stations=1.0)) == []


def test_a_flat_component_is_zero_and_the_others_are_not() -> None:
    packet = deliveries(Telemetry(flat_components=1.0), stations=1)[0].packet
    assert sorted(bool(channel.samples.any()) for channel in packet.channels) == [False, True, True]


def test_a_flat_component_of_one_is_the_one() -> None:
    for second in range(START, START + 5):
        for name in ("S1", "S2", "S3", "S4"):
            channel = ChannelSamples("", "EHZ", second * SECOND_NS, 2.0, np.ones(2, dtype=np.int32))
            (delivery,) = deliver([Packet("XX", name, second, (channel,))], Telemetry(flat_components=1.0), 1)
            assert not delivery.packet.channels[0].samples.any()


def test_swapped_components_have_each_others_names() -> None:
    packet = deliveries(Telemetry(swapped_components=1.0), stations=1)[0].packet
    codes = [channel.code for channel in packet.channels]
    assert sorted(codes) == ["HHE", "HHN", "HHZ"]
    assert sum(code != expected for code, expected in zip(codes, ("HHZ", "HHN", "HHE"), strict=True)) == 2
