"""Telemetry: an hour of a station's packets on their way to us, and components that are flat or swapped."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, BY_COMPONENT, GREEN, ORANGE, PURPLE, RED, panels
from kensoku.acquisition.simulated import seconds_of
from kensoku.simulation.engine import World, open_world
from kensoku.simulation.telemetry import Delivery, deliver, faults_of

HELD_S = 60.0  # later than any detour


def deliveries(world: World, name: str, hour: int, seconds: int) -> Iterator[Delivery]:
    """Of one station, in the order of their arrival."""
    station = next(station for station in world.stations if station.name == name)
    first = world.start_ns // 10**9 + 3600 * hour
    packets = seconds_of(replace(world, stations=[station]), first, first + seconds, at_once=1)
    return deliver(packets, world.scenario.telemetry, world.scenario.seed)


def bad_hour() -> Figure:
    figure, axes = panels(2, 1, height_in=3.8)
    world, hour = open_world("bad-day"), 1
    start_s = world.start_ns / 1e9 + 3600 * hour
    seen: set[int] = set()
    for delivery in deliveries(world, "XD.10", hour, 3600):
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
    figure, axes = panels(1, 3, height_in=2.2)
    world = open_world("bad-day")
    for panel, name in zip(axes, ("XD.03", "XD.16", "XD.02"), strict=True):
        plot_loudness(panel, world, name)
        faults = faults_of(world.scenario.telemetry, world.scenario.seed, name)
        flat, swapped = faults.flat, faults.swapped
        what = f"{'ZNE'[flat]} flat" if flat is not None else ""
        what += f"{'ZNE'[swapped[0]]} and {'ZNE'[swapped[1]]} swapped" if swapped else ""
        panel.set(title=f"{name}: {what or 'sound'}", xlabel="minutes", yscale="symlog")
    axes[0].set_ylabel("rms of a packet, counts")
    axes[0].legend()
    return figure


def plot_loudness(axes: Axes, world: World, name: str) -> None:
    found = sorted(deliveries(world, name, hour=2, seconds=600), key=lambda delivery: delivery.packet.second)
    minutes = np.array([delivery.packet.second for delivery in found]) / 60 - world.start_ns / 6e10 - 120
    for code in "ZNE":
        channels = [next(c for c in delivery.packet.channels if c.code[-1] == code) for delivery in found]
        rms = [float(np.std(channel.samples)) for channel in channels]
        axes.plot(minutes, rms, color=BY_COMPONENT[code], lw=0.8, label=code)
    axes.axhline(0, color=GREEN, lw=0)


FIGURES = {"telemetry-bad-hour": bad_hour, "telemetry-components": components}
