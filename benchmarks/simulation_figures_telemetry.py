"""Telemetry: an hour of a station's packets on their way to us, and components that are flat or swapped."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, BY_COMPONENT, ORANGE, PURPLE, RED, panels
from kensoku.acquisition.simulated import seconds_of
from kensoku.simulation.engine import World, instrument_of, open_world
from kensoku.simulation.geography import KM_PER_DEG
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.stationxml import AZIMUTH_DIP_DEG
from kensoku.simulation.telemetry import Delivery, Packet, deliver, faults_of

HELD_S = 60.0  # later than any detour


def packets_of(world: World, name: str, hour: int, seconds: int) -> Iterator[Packet]:
    """Of one station, as it recorded them."""
    station = next(station for station in world.stations if station.name == name)
    first = world.start_ns // 10**9 + 3600 * hour
    return seconds_of(replace(world, stations=[station]), first, first + seconds, at_once=1)


def deliver_to_us(world: World, packets: Iterable[Packet]) -> Iterator[Delivery]:
    return deliver(packets, world.scenario.telemetry, world.scenario.seed)


def bad_hour() -> Figure:
    figure, axes = panels(2, 1, height_in=3.8)
    world, hour = open_world("bad-day"), 1
    start_s = world.start_ns / 1e9 + 3600 * hour
    seen: set[int] = set()
    for delivery in deliver_to_us(world, packets_of(world, "XD.10", hour, 3600)):
        second = delivery.packet.second
        late_s = delivery.due_ns / 1e9 - delivery.packet.end_ns / 1e9
        if second in seen:
            colour, size = RED, 8
        elif late_s > HELD_S:
            colour, size = PURPLE, 3
        elif second < max(seen, default=0):
            colour, size = ORANGE, 8
        else:
            colour, size = BLUE, 1
        axes[0].semilogy((second - start_s) / 60, late_s, ".", color=colour, ms=size**0.5 * 2)
        wrong_s = delivery.packet.channels[0].start_ns / 1e9 - second
        axes[1].plot((second - start_s) / 60, wrong_s, ".", color=BLUE, ms=2)
        seen.add(second)
    for second in set(range(round(start_s), round(start_s) + 3600)) - seen:
        for panel in axes:
            panel.axvspan((second - start_s) / 60, (second + 1 - start_s) / 60, color="0.8", lw=0)
    for colour, label in ((BLUE, "in order"), (ORANGE, "overtaken"), (RED, "twice"), (PURPLE, "back-filled")):
        axes[0].plot([], [], ".", color=colour, label=label)
    axes[0].fill_between([], [], color="0.8", label="lost")
    axes[0].set(ylabel="seconds after its end", title="XD.10 of bad-day: a dot is a packet", ylim=(1, 1000))
    axes[1].set(xlabel="time of the record, minutes", ylabel="error of the clock, s")
    axes[0].legend(ncols=5, loc="upper right")
    return figure


def components() -> Figure:
    figure, axes = panels(1, 3, height_in=2.4)
    world = open_world("bad-day")
    for panel, name in zip(axes, ("XD.03", "XD.16", "XD.02"), strict=True):
        packets = list(packets_of(world, name, hour=2, seconds=30))
        sent = sorted((d.packet for d in deliver_to_us(world, packets)), key=lambda packet: packet.second)
        recorded_counts, sent_counts = join(packets), join(sent)
        apart = 2.5 * max(np.abs(counts).max() for counts in recorded_counts.values())
        for row, code in enumerate("ZNE"):
            for traces, colour, width in ((recorded_counts, "0.6", 1.6), (sent_counts, BY_COMPONENT[code], 0.7)):
                counts = traces[code]
                panel.plot(np.arange(counts.size) * 30 / counts.size, counts - apart * row, color=colour, lw=width)
        faults = faults_of(world.scenario.telemetry, world.scenario.seed, name)
        flat = f"{'ZNE'[faults.flat]} is flat" if faults.flat is not None else ""
        swapped = f"{'ZNE'[faults.swapped[0]]} and {'ZNE'[faults.swapped[1]]} are swapped" if faults.swapped else ""
        panel.set(title=f"{name}: {flat or swapped or 'sound'}", xlabel="seconds after 02:00")
        panel.set_yticks([0, -apart, -2 * apart], ["Z", "N", "E"])
    axes[0].set_ylabel("component (grey: as recorded)")
    return figure


def join(packets: Iterable[Packet]) -> dict[str, FloatArray]:
    """Counts about their mean, by component."""
    seconds = list(packets)
    joined = {}
    for code in "ZNE":
        channels = [next(channel for channel in packet.channels if channel.code[-1] == code) for packet in seconds]
        counts = np.concatenate([channel.samples for channel in channels]).astype(np.float64)
        joined[code] = counts - counts[:100].mean()
    return joined


def stations() -> Figure:
    """What a person would notice of each station of bad-day."""
    figure, axes = panels(1, 2, height_in=2.4)
    world = open_world("bad-day")
    telemetry, seed = world.scenario.telemetry, world.scenario.seed
    published = published_inventory(world, world.stations)
    places = {station.code: station for network in published for station in network}
    for number, station in enumerate(world.stations):
        instrument, told = instrument_of(seed, station), places[station.code]
        channel = told.channels[0]
        sign = 1 if channel.dip == AZIMUTH_DIP_DEG["Z"][1] else -1
        ratio = sign * channel.response.instrument_sensitivity.value / instrument.sensitivity
        away_km = KM_PER_DEG * np.hypot(told.latitude - station.latitude_deg, told.longitude - station.longitude_deg)
        is_dead = faults_of(telemetry, seed, station.name).is_dead
        for panel, value in zip(axes, (ratio, away_km), strict=True):
            panel.plot(number + 1, value, "x" if is_dead else "o", color=RED if is_dead else BLUE, ms=4)
    axes[0].set(ylabel="published over true sensitivity", xlabel="station of bad-day (cross: dead)", ylim=(-2.5, 2.5))
    axes[1].set(ylabel="published place off by, km", xlabel="station of bad-day")
    return figure


FIGURES = {"telemetry-bad-hour": bad_hour, "telemetry-components": components, "telemetry-stations": stations}
