"""Picks of one earthquake are of one size."""

import math
from dataclasses import replace

import numpy as np
import pytest

from kensoku.associating import Group, Onset, associate, onset_of
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_UNIT_COUNT,
    AMPLITUDE_UNIT_M_PER_S,
    Amplitude,
)
from tests.shocks import NS_PER_S, Shock, network, onsets, pick, place, sites

SHOCKS = [Shock(50, -5, -4), Shock(50.8, 4, 5)]
ERROR_S = 0.4
MAGNITUDES = (3.0, 1.0)


def sized(made: list[Onset], of: list[int], magnitudes: tuple[float, ...], seed: int = 5) -> list[Onset]:
    """With the amplitudes that shocks of these magnitudes make, as different as recorded ones are."""
    chance, told = np.random.default_rng(seed), []
    for each, number in zip(made, of, strict=True):
        shock, site = SHOCKS[number], sites()[each.station]
        there = place(shock.north_km, shock.east_km)
        north, east = (site.latitude_deg - there[0]) * 111.19, (site.longitude_deg - there[1]) * 91.1
        r = math.sqrt(north**2 + east**2 + shock.depth_km**2)
        size = magnitudes[number] - 1.6 * math.log10(r) + 0.4 * (each.phase == "S") + chance.normal(0, 0.3)
        told.append(replace(each, amplitude=1e-6 * 10**size))
    return told


def wrong(groups: list[Group], of: list[int]) -> int:
    """Picks that are in the group of the other event, or in none."""
    held = {member.index: number for number, group in enumerate(groups) for member in group.members}
    orders = [
        [held.get(k) != (number if straight else 1 - number) for k, number in enumerate(of)] for straight in (1, 0)
    ]
    return min(map(sum, orders))


def test_two_at_once_of_different_sizes_keep_their_own_picks() -> None:
    """At many stations both arrivals would do for either in time."""
    without, heard = 0, 0
    for seed in range(6):
        made, of = onsets(SHOCKS, seed=seed)
        errors_ns = np.random.default_rng(seed + 50).normal(0, ERROR_S * NS_PER_S, len(made)).astype(int)
        moved = zip(made, errors_ns.tolist(), strict=True)
        blurred = [replace(each, onset_ns=each.onset_ns + late, uncertainty_s=ERROR_S) for each, late in moved]
        without += wrong(associate(blurred, network()), of)
        heard += wrong(associate(sized(blurred, of, MAGNITUDES, seed), network()), of)
    assert heard < 0.6 * without


def test_amplitudes_that_agree_change_no_event() -> None:
    made, of = onsets(SHOCKS[:1])
    [with_them], [without] = associate(sized(made, of, (2.0,)), network()), associate(made, network())
    assert {each.index for each in with_them.members} == {each.index for each in without.members}
    assert with_them.latitude_deg == pytest.approx(without.latitude_deg, abs=0.01)


def test_a_pick_that_is_a_hundred_times_too_large_is_less_likely_its_own() -> None:
    made, of = onsets(SHOCKS[:1], detected=1.0)
    right = sized(made, of, (2.0,))
    number = next(k for k, each in enumerate(right) if each.phase == "P")
    loud = [
        replace(each, amplitude=100 * (each.amplitude or 0)) if k == number else each for k, each in enumerate(right)
    ]
    before, after = (
        next((m.probability for m in group.members if m.index == number), 0.0)
        for given in (right, loud)
        for group in associate(given, network())
    )
    assert 1 - after > 5 * (1 - before)


def test_the_order_of_picks_does_not_matter() -> None:
    made, of = onsets(SHOCKS)
    given = sized(made, of, MAGNITUDES)
    turned = given[::-1]
    first = {frozenset(given[m.index].id for m in group.members) for group in associate(given, network())}
    assert first == {frozenset(turned[m.index].id for m in group.members) for group in associate(turned, network())}


def test_what_says_nothing_of_the_ground_is_left_out() -> None:
    made, _ = onsets(SHOCKS[:1])
    message = pick(made[0])
    cases: list[tuple[list[Amplitude], float | None]] = [
        ([speed(2e-6), speed(3e-6)], 3e-6),
        ([speed(2e-8)], None),  # noise
        ([speed(2e-6), speed(3e-6, clipped=True)], None),
        ([Amplitude(kind=AMPLITUDE_KIND_PEAK_RAW, unit=AMPLITUDE_UNIT_COUNT, value=4000)], None),
        ([], None),
    ]
    for amplitudes, expected in cases:
        del message.amplitudes[:]
        message.amplitudes.extend(amplitudes)
        onset = onset_of(message)
        assert onset is not None
        assert onset.amplitude == expected


def speed(value: float, *, clipped: bool = False) -> Amplitude:
    kind, unit = AMPLITUDE_KIND_PEAK_VELOCITY, AMPLITUDE_UNIT_M_PER_S
    return Amplitude(kind=kind, unit=unit, value=value, noise=1e-8, clipped=clipped)
