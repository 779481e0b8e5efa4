"""Earthquakes come where earthquakes are: how many are expected at a place."""

import math

import numpy as np

from kensoku.associating import Group, Onset, associate
from kensoku.associating._arrays import Density
from kensoku.associating._events import ANYWHERE, log_density
from tests.shocks import Shock, network, onsets

NEAR_KM, AREA_KM2 = 5.0, 300.0**2
KM_PER_DEG = 6371 * math.pi / 180


def density(*places_km: tuple[float, float]) -> Density:
    """Of earthquakes so far north and east of 0, 0."""
    north, east = (np.array([each[k] / KM_PER_DEG for each in places_km]) for k in (0, 1))
    return Density(-30.0, AREA_KM2, NEAR_KM, north, east, np.arange(len(places_km)))


def times_the_mean(known: Density, north_km: float, east_km: float, event: int = -1) -> float:
    place = np.array([north_km / KM_PER_DEG, east_km / KM_PER_DEG, 8.0, 0.0])
    return math.exp(log_density(place, event, known) - known.log_mean)


def test_without_others_it_is_that_of_the_whole() -> None:
    assert times_the_mean(density(), 3, 4) == 1
    assert times_the_mean(density((3, 4)), 3, 4, event=0) == 1, "an earthquake speaks not for itself"


def test_others_bring_it_near_but_make_none_more() -> None:
    known = density((0, 0), (2, -3), (-1, 4))
    side = np.arange(-149.5, 150)
    mean = np.mean([times_the_mean(known, north, east) for north in side for east in side])
    assert abs(mean - 1) < 0.01
    assert times_the_mean(known, 0, 0) > 200
    assert times_the_mean(known, 100, 0) < 1.05 * ANYWHERE / (ANYWHERE + 3)


def test_half_of_those_around_an_earthquake_are_near() -> None:
    known, ring = density((0, 0)), np.arange(0.05, 100, 0.1)
    around = [times_the_mean(known, r, 0) - ANYWHERE / (ANYWHERE + 1) for r in ring]
    share = np.cumsum(ring * around) / np.sum(ring * around)
    assert abs(np.interp(0.5, share, ring) - NEAR_KM) < 0.1


def faint(swarm: tuple[float, float]) -> Group:
    """Of few picks, half a minute before others at a place, km north and east."""
    seen = [each for each in onsets([Shock(30, -14, -14)], detected=1.0)[0] if each.station in NEAREST][:6]
    others, _ = onsets([Shock(60 + 6 * k, *swarm) for k in range(4)], seed=4)
    others = [Onset(f"s{each.id}", each.station, each.phase, each.onset_ns, each.uncertainty_s) for each in others]
    groups = associate([*seen, *others], network())
    assert len(groups) == 5
    return min(groups, key=lambda each: each.time_ns)


NEAREST = ("XX.S00", "XX.S01", "XX.S10", "XX.S11")


def test_an_earthquake_is_surer_beside_others_than_far_from_them() -> None:
    beside, far = faint((-12, -15)), faint((18, 18))
    assert len(beside.members) == len(far.members) == 6
    assert beside.log_odds > far.log_odds + 3
