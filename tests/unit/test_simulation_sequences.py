"""Catalogues: what their makers put in, those who study real catalogues can get out again."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.optimize

from kensoku.errors import InputInvalid
from kensoku.simulation import sources
from kensoku.simulation.catalogue import Catalogue, Conditions, make_catalogue
from kensoku.simulation.etas import GutenbergRichter, Triggering, fold_depth
from kensoku.simulation.geography import KM_PER_DEG, is_inside
from kensoku.simulation.magnitudes import MagnitudeRelation
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sequences import (
    Aftershocks,
    AnySequence,
    Background,
    Depths,
    Emitter,
    Fault,
    Mainshock,
    Quarry,
    Swarm,
    Teleseisms,
)
from kensoku.simulation.sources import SourceKind, StressDrop

START_NS = 1_460_592_000 * 10**9  # 2016-04-14, a Thursday
KUMAMOTO = Mainshock(
    at_h=0, ml=7.3, latitude_deg=32.75, longitude_deg=130.76, depth_km=12, strike_deg=50, dip_deg=84, rake_deg=-170
)
RELATION = MagnitudeRelation(ml=(0.0, 2.8, 6.0, 7.3), mw=(1.0, 3.0, 6.0, 7.0))
OUTLINE = ((32.0, 130.0), (33.0, 130.0), (33.0, 131.0), (32.5, 131.0), (32.0, 130.5))


def make(*drawn: AnySequence, days: float, seed: int = 1) -> Catalogue:
    return make_catalogue(
        drawn, Conditions(seed, START_NS, days, RELATION), StressDrop(), lambda depth_km: np.full(depth_km.shape, 3.4)
    )


def kumamoto(minimum: float = 1.0, **settings: float) -> Aftershocks:
    return Aftershocks(
        name="kumamoto",
        mainshocks=(KUMAMOTO,),
        magnitudes=GutenbergRichter(b=0.9, minimum=minimum, maximum=6.5),
        triggering=Triggering(**({"productivity": 0.05, "alpha": 0.85} | settings)),
    )


def estimate(minus_log_likelihood: Callable[[FloatArray], float], start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The likeliest parameters and their standard errors, from the curvature of the likelihood."""
    best = scipy.optimize.minimize(minus_log_likelihood, start, method="L-BFGS-B").x
    steps = 0.02 * np.eye(best.size)

    def second(i: FloatArray, j: FloatArray) -> float:
        value = minus_log_likelihood
        return value(best + i + j) - value(best + i - j) - value(best - i + j) + value(best - i - j)

    curvature = np.array([[second(i, j) for j in steps] for i in steps]) / (4 * 0.02**2)
    return best, np.sqrt(np.diag(np.linalg.inv(curvature)))


def test_the_b_value_is_recovered() -> None:
    """Aki (1965) and Utsu (1965), with Shi & Bolt's (1982) error."""
    ml = GutenbergRichter(b=0.87, minimum=0.5, maximum=8.0).draw(5000, draw(2, "", "", 0))
    b = np.log10(np.e) / (ml.mean() - 0.5)
    error = 2.3 * b**2 * ml.std() / np.sqrt(ml.size)
    assert abs(b - 0.87) < 2 * error
    assert error < 0.02


def test_magnitudes_keep_within_their_limits() -> None:
    ml = GutenbergRichter(b=0.5, minimum=1.0, maximum=2.0).draw(10_000, draw(2, "", "", 0))
    assert 1.0 <= ml.min() < 1.001
    assert 1.99 < ml.max() <= 2.0


def test_background_comes_at_random_times_within_its_outline() -> None:
    quakes = make(
        Background(name="quiet", rate_per_day=40, magnitudes=GutenbergRichter(minimum=0, maximum=5), outline=OUTLINE),
        days=100,
    )
    assert len(quakes) == pytest.approx(4000, abs=3 * 63)
    assert is_inside(OUTLINE, quakes.latitude_deg, quakes.longitude_deg).all()
    assert ((quakes.depth_km >= 1) & (quakes.depth_km <= 25)).all()
    intervals = np.diff(quakes.day)
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.05)  # exponential
    south = quakes.latitude_deg < 32.5
    assert south.mean() == pytest.approx(0.375 / 0.875, abs=0.03)  # of the area


def test_background_on_faults_lies_on_them_by_area() -> None:
    settings = {"latitude_deg": 32.5, "strike_deg": 60.0, "dip_deg": 60.0, "rake_deg": 180.0, "width_km": 12.0}
    west = Fault(longitude_deg=130.0, length_km=10, **settings)
    east = Fault(longitude_deg=131.0, length_km=30, **settings)
    quakes = make(
        Background(
            name="faults",
            rate_per_day=2000,
            magnitudes=GutenbergRichter(minimum=0, maximum=5),
            faults=(west, east),
        ),
        days=1,
    )
    on_east = quakes.longitude_deg > 130.5
    assert on_east.mean() == pytest.approx(0.75, abs=0.03)
    north = (quakes.latitude_deg[on_east] - 32.5) * KM_PER_DEG
    across = (quakes.longitude_deg[on_east] - 131) * KM_PER_DEG * np.cos(np.radians(32.5))
    normal = np.cross(*sources.plane_axes(60, 60))
    off_plane_km = np.column_stack([north, across, quakes.depth_km[on_east] - 2.0]) @ normal
    np.testing.assert_allclose(off_plane_km, 0, atol=1e-6)


def test_omoris_p_is_recovered_from_direct_aftershocks() -> None:
    """Ogata (1983): maximum likelihood of p and c."""
    quakes = make(kumamoto(p=1.15), days=20)
    day = quakes.day[quakes.parent == 0]

    def minus_log_likelihood(parameters: FloatArray) -> float:
        p, c = parameters[0], np.exp(parameters[1])
        total = (c ** (1 - p) - (20 + c) ** (1 - p)) / (p - 1)
        return float(np.sum(p * np.log(day + c)) + day.size * np.log(total))

    (p, log_c), (p_error, c_error) = estimate(minus_log_likelihood, np.array([1.3, np.log(0.1)]))
    assert day.size > 2000
    assert abs(p - 1.15) < 2 * p_error < 0.05
    assert abs(log_c - np.log(0.01)) < 2 * c_error < 0.3


def test_etas_parameters_are_recovered() -> None:
    """Ogata (1988): the likelihood of all times and magnitudes, whose parents nobody knows."""
    triggering = Triggering(productivity=0.2, alpha=0.7, c_days=0.01, p=1.6)
    minimum, days = 2.0, 70.0
    quakes = make(
        Background(
            name="etas",
            rate_per_day=3,
            magnitudes=GutenbergRichter(minimum=minimum, maximum=6.5),
            outline=OUTLINE,
            triggering=triggering,
        ),
        days=days,
        seed=5,
    )
    day, above = quakes.day, quakes.ml - minimum
    later, earlier = np.tril_indices(day.size, -1)
    delay = day[later] - day[earlier]

    def minus_log_likelihood(parameters: FloatArray) -> float:
        mu, productivity, c, rest = np.exp(parameters[[0, 1, 3, 4]])
        alpha, p = parameters[2], 1 + rest
        children = productivity * 10 ** (alpha * above)
        triggered = children[earlier] * (rest / c) * (1 + delay / c) ** -p
        rate = mu + np.bincount(later, triggered, day.size)
        expected = mu * days + np.sum(children * (1 - (1 + (days - day) / c) ** -rest))
        return float(expected - np.sum(np.log(rate)))

    start = np.array([np.log(2.0), np.log(0.3), 1.0, np.log(0.005), np.log(0.3)])
    found, error = estimate(minus_log_likelihood, start)
    truth = np.array([np.log(3.0), np.log(0.2), 0.7, np.log(0.01), np.log(0.6)])
    assert 300 < day.size < 1000
    assert (np.abs(found - truth) < 2 * error).all(), (found, truth, error)
    assert (error < [0.2, 0.3, 0.1, 0.7, 0.5]).all(), error


def test_a_productive_sequence_has_as_many_children_as_its_branching_ratio_says() -> None:
    settings = Triggering(productivity=0.2, alpha=0.5, c_days=1e-4, p=2.0)
    magnitudes = GutenbergRichter(minimum=1.0, maximum=6.0)
    quakes = make(
        Background(name="b", rate_per_day=100, magnitudes=magnitudes, outline=OUTLINE, triggering=settings), days=100
    )
    assert (quakes.parent >= 0).mean() == pytest.approx(settings.branching_ratio(magnitudes), rel=0.05)


def test_aftershocks_without_end_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"triggers 6\.76 others, so that they never end; expected less than 1: lower productivity"
    ):
        kumamoto(productivity=0.8)


def test_aftershocks_lie_on_the_ruptured_plane() -> None:
    quakes = make(kumamoto(alpha=0.9), days=2)
    direct = quakes.parent == 0
    north = (quakes.latitude_deg[direct] - 32.75) * KM_PER_DEG
    east = (quakes.longitude_deg[direct] - 130.76) * KM_PER_DEG * np.cos(np.radians(32.75))
    offset_km = np.column_stack([north, east, quakes.depth_km[direct] - 12])
    along, down_dip = sources.plane_axes(50, 84)
    length_km, _ = sources.rupture_size_km(7.0)
    assert np.median(np.abs(offset_km @ np.cross(along, down_dip))) < 0.5
    assert np.ptp(np.quantile(offset_km @ along, [0.02, 0.98])) == pytest.approx(length_km, rel=0.1)
    assert quakes.depth_km.max() <= 25


def test_a_catalogue_of_tens_of_thousands_is_in_order_and_knows_its_parents() -> None:
    quakes = make(kumamoto(minimum=0.3, alpha=0.9), days=7)
    assert 20_000 < len(quakes) < 200_000
    assert (np.diff(quakes.time_ns) >= 0).all()
    children = quakes.parent >= 0
    assert (quakes.time_ns[quakes.parent[children]] <= quakes.time_ns[children]).all()
    assert children.sum() == len(quakes) - 1
    np.testing.assert_allclose((quakes.time_ns - START_NS) / 86_400e9, quakes.day, atol=1e-12)


def test_the_same_seed_gives_the_same_catalogue_and_another_another() -> None:
    first, again, other = (make(kumamoto(minimum=2.0), days=5, seed=seed) for seed in (7, 7, 8))
    for column in fields(Catalogue):
        np.testing.assert_array_equal(getattr(first, column.name), getattr(again, column.name))
    assert len(first) != len(other)


def test_one_sequence_does_not_change_another() -> None:
    background = Background(
        name="b", rate_per_day=50, magnitudes=GutenbergRichter(minimum=1, maximum=4), outline=OUTLINE
    )
    alone, together = make(background, days=3), make(kumamoto(minimum=2.0), background, days=3)
    np.testing.assert_array_equal(alone.time_ns, together.time_ns[together.sequence == "b"])


def test_a_mainshock_before_the_start_leaves_only_its_aftershocks() -> None:
    earlier = Aftershocks(
        name="after",
        mainshocks=(Mainshock(**{f.name: getattr(KUMAMOTO, f.name) for f in fields(Mainshock)} | {"at_h": -48.0}),),
        magnitudes=GutenbergRichter(minimum=1.0, maximum=6.0),
    )
    quakes = make(earlier, days=1)
    assert len(quakes) > 50
    assert quakes.ml.max() < 6.0
    assert (quakes.parent == -1).any()
    assert quakes.day.min() >= 0


def test_a_swarms_front_moves_with_the_diffusivity() -> None:
    swarm = Swarm(
        name="swarm",
        count=4000,
        lasts_days=20,
        latitude_deg=32.7,
        longitude_deg=130.7,
        depth_km=10,
        diffusivity_m2_s=0.8,
        magnitudes=GutenbergRichter(minimum=0, maximum=4),
    )
    quakes = make(swarm, days=20)
    north_m = (quakes.latitude_deg - 32.7) * KM_PER_DEG * 1e3
    east_m = (quakes.longitude_deg - 130.7) * KM_PER_DEG * 1e3 * np.cos(np.radians(32.7))
    squared_m2 = north_m**2 + east_m**2 + 1e6 * (quakes.depth_km - 10) ** 2
    ratio = squared_m2 / (4 * np.pi * 86_400 * quakes.day)  # between 0 at the middle and the diffusivity at the front
    assert ratio.max() == pytest.approx(0.8, rel=0.01)
    error = 2 * ratio.std() / np.sqrt(ratio.size)
    assert abs(2 * ratio.mean() - 0.8) < 2 * error < 0.05


def test_quarries_blast_on_working_days_in_working_hours() -> None:
    quarry = Quarry(
        name="Iwato", latitude_deg=32.8, longitude_deg=130.9, utc_offset_h=9, blasts_a_week=10, hours=(10, 15.5)
    )
    blasts = make(quarry, days=140)
    assert len(blasts) == pytest.approx(200, abs=45)
    local = [datetime.fromtimestamp(ns / 1e9 + 9 * 3600, UTC) for ns in blasts.time_ns]
    assert {time.weekday() for time in local} == {0, 1, 2, 3, 4}
    assert all(10 <= time.hour + time.minute / 60 <= 15.5 for time in local)
    assert (blasts.depth_km == 0).all()
    assert set(blasts.kind) == {SourceKind.BLAST}


def test_a_days_blasts_do_not_depend_on_the_start() -> None:
    quarry = Quarry(name="Iwato", latitude_deg=32.8, longitude_deg=130.9, utc_offset_h=9, blasts_a_week=10)
    whole = make(quarry, days=14)
    later = quarry.draw(Conditions(1, START_NS + 7 * 86_400 * 10**9, 7, RELATION))
    np.testing.assert_allclose(np.sort(later.day[later.day >= 0]) + 7, whole.day[whole.day >= 7], atol=1e-9)


def test_teleseisms_come_from_far_away_with_the_moment_asked_for() -> None:
    far = make(Teleseisms(name="far", rate_per_day=20, latitude_deg=32.8, longitude_deg=130.7), days=30)
    colatitude, here = np.radians(90 - far.latitude_deg), np.radians(90 - 32.8)
    difference = np.radians(far.longitude_deg - 130.7)
    cosine = np.cos(colatitude) * np.cos(here) + np.sin(colatitude) * np.sin(here) * np.cos(difference)
    distance_deg = np.degrees(np.arccos(cosine))
    assert 30 <= distance_deg.min() < 32
    assert 88 < distance_deg.max() <= 90
    assert far.mw.min() == pytest.approx(5.5, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "source", "lowest_hz", "highest_hz"),
    [
        ("low-frequency", SourceKind.LOW_FREQUENCY, 1.0, 5.0),
        ("icequake", SourceKind.ICEQUAKE, 5.0, 80.0),
        ("long-period", SourceKind.LONG_PERIOD, 1.0, 80.0),
    ],
)
def test_emitters_have_their_kind_and_corner(
    kind: str, source: SourceKind, lowest_hz: float, highest_hz: float
) -> None:
    emitter = Emitter(
        kind=kind,  # type: ignore[arg-type]  # parametrised
        name="emitter",
        rate_per_day=200,
        latitude_deg=32.9,
        longitude_deg=131.1,
        depths=Depths(mean_km=0.5, deviation_km=0.5, minimum_km=0.0, maximum_km=2.0),
        magnitudes=GutenbergRichter(minimum=0.0, maximum=1.0),
    )
    drawn = make(emitter, days=2)
    assert set(drawn.kind) == {source}
    assert lowest_hz < np.median(drawn.corner_hz) < highest_hz


def test_nothing_is_a_catalogue_too() -> None:
    assert len(make(days=1)) == 0


def test_a_catalogue_that_fills_the_memory_is_refused() -> None:
    with pytest.raises(InputInvalid, match="more than 2000000 aftershocks"):
        make(kumamoto(minimum=-2.0, alpha=0.9), days=30)


def test_depths_are_reflected_at_both_ends() -> None:
    depths = fold_depth(np.array([-1.0, 3.0, 27.0]), np.full(3, 25.0))
    assert depths.tolist() == [1.0, 3.0, 23.0]
