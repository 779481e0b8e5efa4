"""Rays against closed forms, against themselves, and against ObsPy's TauP."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import obspy
import pytest
from obspy.taup import TauPyModel
from obspy.taup.taup_create import build_taup_model

from kensoku.errors import InputInvalid
from kensoku.traveltime import Arrivals, EarthModel, Kind, Layer, Wave, first_arrivals, load_model

RADIUS_KM = 6371.0
FloatArray = npt.NDArray[np.float64]


def layered(*layers: tuple[float, float, float], spherical: bool = True) -> EarthModel:
    rows = [Layer(top, (vp, vp), (vs, vs), 2700, 600, 300) for top, vp, vs in layers]
    return EarthModel("layered", tuple(rows), spherical)


HALF_SPACE = layered((0, 6.0, 3.5), spherical=False)
ONE_LAYER = layered((0, 6.0, 3.5), (30, 8.0, 4.5), spherical=False)
SLOW_LAYERS = layered(
    (0, 5.5, 3.2), (4, 6.2, 3.6), (10, 5.8, 3.3), (16, 6.6, 3.8), (32, 8.1, 4.6), (60, 7.8, 4.4), (100, 8.2, 4.65)
)


def test_in_a_half_space_everything_follows_from_the_straight_line() -> None:
    rays = first_arrivals(HALF_SPACE, "P", [0, 30, 300], [10, 40, 0.5], [0, 0, 0])
    r = np.array([10, 50, np.hypot(300, 0.5)])
    np.testing.assert_allclose(rays.time_s, r / 6, rtol=1e-12)
    np.testing.assert_allclose(rays.path_km, r, rtol=1e-12)
    np.testing.assert_allclose(rays.spreading_per_km, 1 / r, rtol=1e-9)
    np.testing.assert_allclose(rays.t_star_s, r / 6 / 600, rtol=1e-12)
    assert rays.take_off_deg[1] == pytest.approx(180 - np.degrees(np.arctan2(30, 40)))
    assert rays.incidence_deg[1] == pytest.approx(np.degrees(np.arctan2(30, 40)))
    assert rays.ray_parameter_s_km[1] == pytest.approx(0.6 / 6)
    assert rays.time_per_depth_s_km[1] == pytest.approx(0.8 / 6)
    assert rays.time_per_elevation_s_km[1] == pytest.approx(0.8 / 6)


def test_one_layer_over_a_half_space_gives_the_direct_and_the_head_wave() -> None:
    distance, depth = np.meshgrid(np.arange(1, 500, 7.0), [0.0, 5, 29.9])
    direct = first_arrivals(ONE_LAYER, "P", distance, depth, kinds=[Kind.DIRECT])
    head = first_arrivals(ONE_LAYER, "P", distance, depth, kinds=[Kind.HEAD])
    np.testing.assert_allclose(direct.time_s, np.hypot(distance, depth) / 6, rtol=1e-12, atol=1e-6)
    cosine = np.sqrt(1 - (6 / 8) ** 2)
    critical = (60 - depth) * 0.75 / cosine
    expected = np.where(distance >= critical, distance / 8 + (60 - depth) * cosine / 6, np.nan)
    np.testing.assert_allclose(head.time_s, expected, atol=1e-6)
    assert np.nanmax(abs(head.take_off_deg - np.degrees(np.arcsin(0.75)))) < 1e-9


def test_the_head_wave_overtakes_at_the_crossover_distance() -> None:
    crossover = 2 * 30 * np.sqrt((8 + 6) / (8 - 6))
    kinds = first_arrivals(ONE_LAYER, "P", [crossover - 0.01, crossover + 0.01], 0.0).kind
    assert kinds.tolist() == [Kind.DIRECT, Kind.HEAD]


def test_in_a_linear_gradient_rays_are_arcs() -> None:
    gradient = EarthModel(
        "gradient",
        (Layer(0, (5.0, 9.0), (2.9, 5.2), 2700, 600, 300), Layer(200, (9.0, 9.0), (5.2, 5.2), 3300, 600, 300)),
        spherical=False,
    )
    distance, depth = np.meshgrid([0.5, 10, 80, 300], [0.001, 3, 20, 60])
    slope, v0 = 0.02, 5.0
    v = v0 + slope * depth
    expected = np.arccosh(1 + slope**2 * (distance**2 + depth**2) / (2 * v0 * v)) / slope
    rays = first_arrivals(gradient, "P", distance, depth)
    np.testing.assert_allclose(rays.time_s, expected, atol=1e-3)
    np.testing.assert_allclose(rays.deepest_km[0, 3], np.hypot(250, 150) - 250, atol=0.1)


def test_in_a_homogeneous_sphere_rays_are_chords() -> None:
    sphere = layered((0, 6.0, 3.5))
    distance, depth = np.meshgrid([0, 2, 50, 500, 1500], [0.5, 10, 100, 600.0])
    angle, r = distance / RADIUS_KM, RADIUS_KM - depth
    chord = np.sqrt(RADIUS_KM**2 + r**2 - 2 * RADIUS_KM * r * np.cos(angle))
    rays = first_arrivals(sphere, "P", distance, depth)
    np.testing.assert_allclose(rays.time_s, chord / 6, rtol=1e-9)
    np.testing.assert_allclose(rays.path_km, chord, rtol=1e-9)
    np.testing.assert_allclose(rays.spreading_per_km, 1 / chord, rtol=1e-6)
    assert set(rays.kind.ravel()) == {Kind.DIRECT, Kind.TURNING}


def build_taup(model: EarthModel, folder: Path) -> TauPyModel:
    """Our layers down to 760 km, on those of iasp91."""
    bottoms = [*(layer.top_km for layer in model.layers[1:]), 760.0]
    rows = ["P", "S"]
    for layer, bottom in zip(model.layers, bottoms, strict=True):
        ends = (layer.top_km, 0), (bottom, 1)
        rows += [
            f"{z} {layer.vp_km_s[i]} {layer.vs_km_s[i]} {layer.density_kg_m3 / 1000}"
            for z, i in ends
            if z < bottom or i
        ]
    below = (Path(obspy.__file__).parent / "taup" / "data" / "iasp91.tvel").read_text().splitlines()[2:]
    rows += [line for line in below if line.strip() and float(line.split()[0]) >= 760]
    file = folder / f"{model.name}.tvel"
    file.write_text("\n".join(rows) + "\n")
    build_taup_model(str(file), str(folder), verbose=False)
    return TauPyModel(str(file.with_suffix(".npz")))


@pytest.mark.parametrize("name", ["iasp91", "japan", "southern-california", "slow layers"])
def test_first_arrivals_agree_with_taup(name: str, tmp_path: Path) -> None:
    model = SLOW_LAYERS if name == "slow layers" else load_model(name)
    taup = TauPyModel("iasp91") if name == "iasp91" else build_taup(model, tmp_path)
    waves: tuple[tuple[Wave, list[str]], ...] = (("P", ["p", "P", "Pn", "Pg"]), ("S", ["s", "S", "Sn", "Sg"]))
    compared = 0
    for wave, phases in waves:
        for depth in (0.0, 3.0, 12.0, 16.0, 32.0, 45.0, 60.0):
            for distance in (0.0, 3.0, 20.0, 70.0, 130.0, 200.0, 300.0):
                theirs = taup.get_travel_times(depth, np.degrees(distance / RADIUS_KM), phases)
                if theirs:
                    ours = first_arrivals(model, wave, distance, depth)
                    assert ours.time_s == pytest.approx(theirs[0].time, abs=0.002), (wave, depth, distance)
                    compared += 1
    assert compared > 80  # TauP knows no wave into a shadow


def shoot(tops_km: FloatArray, velocities: FloatArray, depth_km: float, distance_km: FloatArray) -> FloatArray:
    """The earliest of very many rays, straight in every shell, to stations at sea level; no head waves among them."""
    top, bottom = RADIUS_KM - tops_km, RADIUS_KM - np.append(tops_km[1:], 2890.0)
    edges = np.concatenate([top / velocities, bottom / velocities, (RADIUS_KM - depth_km) / velocities])
    fine = [edge - np.geomspace(1e-9, 50, 4000) for edge in edges]
    p = np.unique(np.concatenate([np.linspace(0, edges.max(), 5000), *fine]))
    p, earliest = p[p >= 0], np.full(len(distance_km), np.inf)
    crossed, time_s, alive = np.zeros_like(p), np.zeros_like(p), np.ones(len(p), np.bool_)

    def land(angle: FloatArray, time: FloatArray, exists: npt.NDArray[np.bool_]) -> None:
        pairs = np.flatnonzero(exists[:-1] & exists[1:])
        near, far = angle[pairs] * RADIUS_KM, angle[pairs + 1] * RADIUS_KM
        for i, wished in enumerate(distance_km):
            hit = np.flatnonzero((wished - near) * (wished - far) < 0)
            slowness = (p[pairs[hit]] + p[pairs[hit] + 1]) / 2 / RADIUS_KM
            earliest[i] = np.min(time[pairs[hit]] + slowness * (wished - near[hit]), initial=earliest[i])

    def down_to(r: float, velocity: float) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum((r / velocity) ** 2 - p**2, 0)))

    for times, upper, lower in ((1, 0.0, depth_km), (2, depth_km, 2890.0)):
        for start, end, v in zip(top, bottom, velocities, strict=True):
            start, end = min(start, RADIUS_KM - upper), max(end, RADIUS_KM - lower)
            if start <= end:
                continue
            q1, q2 = down_to(start, v), down_to(end, v)
            if times == 2:
                turning = alive & (p <= start / v) & (p > end / v)
                land(crossed + 2 * np.arctan2(q1, p), time_s + 2 * q1, turning)
            crossed = crossed + times * (np.arctan2(q1, p) - np.arctan2(q2, p))
            time_s, alive = time_s + times * (q1 - q2), alive & (p <= end / v)
        if times == 1:
            land(crossed, time_s, alive)
    return earliest


@pytest.mark.parametrize("seed", range(12))
def test_no_ray_is_earlier_whatever_the_layers(seed: int) -> None:
    """Up to six layers, half of the models with slow ones below fast ones; some sources on an interface."""
    chance = np.random.default_rng(seed)
    tops = np.concatenate([[0], np.sort(chance.uniform(0.1, 60, chance.integers(1, 6)))])
    velocities = np.sort(chance.uniform(1.5, 8.5, len(tops))) * chance.uniform(
        0.85, 1.15 if seed % 2 else 0.85, len(tops)
    )
    model = layered(*((float(top), float(v), float(v) / 1.8) for top, v in zip(tops, velocities, strict=True)))
    depth = float(tops[1] if seed % 3 == 0 else chance.uniform(0.01, 80))
    distance = np.concatenate([chance.uniform(0.1, 30, 10), chance.uniform(1, 800, 20)])
    rays, shot = first_arrivals(model, "P", distance, depth), shoot(tops, velocities, depth, distance)
    assert np.isfinite(rays.time_s).all()
    assert (rays.time_s <= shot + 1e-3).all()
    alone = rays.kind <= Kind.TURNING
    np.testing.assert_allclose(rays.time_s[alone], shot[alone], atol=1e-3)


@pytest.mark.parametrize("name", ["japan", "iasp91", "southern-california"])
@pytest.mark.parametrize("wave", ["P", "S"])
def test_slopes_are_those_of_the_times(name: str, wave: Wave) -> None:
    model, chance, h = load_model(name), np.random.default_rng(7), 1e-4
    distance, depth, elevation = chance.uniform(1, 900, 500), chance.uniform(0.01, 90, 500), chance.uniform(0, 4, 500)
    rays = first_arrivals(model, wave, distance, depth, elevation)
    for slope, step in (
        (rays.ray_parameter_s_km, (h, 0, 0)),
        (rays.time_per_depth_s_km, (0, h, 0)),
        (rays.time_per_elevation_s_km, (0, 0, h)),
    ):
        later = first_arrivals(model, wave, distance + step[0], depth + step[1], elevation + step[2]).time_s
        same = abs((later - rays.time_s) / h - slope) < 1e-4
        assert same.mean() > 0.995  # a few straddle a place where two waves meet


@pytest.mark.parametrize("name", ["japan", "iasp91", "southern-california"])
@pytest.mark.parametrize("depth_km", [0.0, 8.0, 16.0, 35.0, 70.0])
def test_times_grow_steadily_with_distance(name: str, depth_km: float) -> None:
    distance = np.arange(0, 1000, 0.5)
    for wave in ("P", "S"):
        rays = first_arrivals(load_model(name), wave, distance, depth_km)
        grown, p = np.diff(rays.time_s), rays.ray_parameter_s_km
        assert (grown > 0).all()
        assert (grown <= 0.5 * np.maximum(p[1:], p[:-1]) + 1e-6).all()  # no jump: another wave can only be earlier


def test_source_and_station_can_change_places() -> None:
    model, chance = load_model("japan"), np.random.default_rng(5)
    distance, one, other = chance.uniform(0, 400, 300), chance.uniform(-2, 60, 300), chance.uniform(-2, 60, 300)
    there, back = first_arrivals(model, "P", distance, one, -other), first_arrivals(model, "P", distance, other, -one)
    np.testing.assert_allclose(there.time_s, back.time_s, rtol=1e-9)
    np.testing.assert_allclose(there.t_star_s, back.t_star_s, rtol=1e-6)
    np.testing.assert_allclose(there.take_off_deg, back.incidence_deg, atol=1e-6)


@pytest.mark.parametrize("name", ["japan", "southern-california"])
def test_spreading_is_that_of_neighbouring_rays(name: str) -> None:
    """The area between two cones of rays over the solid angle between them."""
    model, distance = load_model(name), np.array([3, 12, 40, 100, 170, 260, 480.0])
    near, rays, far = (first_arrivals(model, "P", distance + step, 9.0) for step in (-1e-3, 0, 1e-3))
    opening = abs(np.cos(np.radians(far.take_off_deg)) - np.cos(np.radians(near.take_off_deg)))
    area = RADIUS_KM * np.sin(distance / RADIUS_KM) * 2e-3 * np.cos(np.radians(rays.incidence_deg))
    np.testing.assert_allclose(rays.spreading_per_km, np.sqrt(opening / area), rtol=1e-3)


def test_crust_and_mantle_are_told_apart() -> None:
    model = load_model("japan")
    crust = first_arrivals(model, "P", [50, 150, 300], 10.0, layers=model.crust)
    mantle = first_arrivals(model, "P", [50, 150, 300], 10.0, layers=model.mantle)
    assert np.isnan(mantle.time_s[0])  # before the critical distance there is no Pn
    assert mantle.kind.tolist() == [-1, Kind.TURNING, Kind.TURNING]
    assert (crust.deepest_km < 32).all()
    assert mantle.time_s[2] < crust.time_s[2]
    assert mantle.ray_parameter_s_km[2] == pytest.approx(1 / 7.72, abs=0.002)


def test_a_source_on_an_interface_is_no_exception() -> None:
    model, distance = load_model("southern-california"), np.array([0, 10, 60, 150, 400.0])
    for interface in (5.5, 16.0, 32.0):
        above, on, below = (first_arrivals(model, "P", distance, interface + side).time_s for side in (-1e-6, 0, 1e-6))
        np.testing.assert_allclose(on, above, atol=1e-6)
        np.testing.assert_allclose(on, below, atol=1e-6)


def test_right_above_right_below_and_right_at_the_station() -> None:
    model = load_model("southern-california")
    rays = first_arrivals(model, "P", 0.0, [0.0, 5.5, 2.0, 0.0], [0.0, 0.0, 1.0, -3.0])
    np.testing.assert_allclose(rays.time_s, [0, 1, 3 / 5.5, 3 / 5.5], atol=1e-6)
    np.testing.assert_allclose(rays.take_off_deg[1:], [180, 180, 0], atol=1e-9)
    np.testing.assert_allclose(rays.incidence_deg[1:], [0, 0, 180], atol=1e-9)


def test_into_a_shadow_the_fast_layer_leads() -> None:
    lid = layered((0, 8.0, 4.5), (20, 6.0, 3.4), (60, 6.1, 3.45))
    rays = first_arrivals(lid, "P", np.arange(10, 1500, 10.0), 15.0)
    assert {Kind.DIRECT, Kind.TURNING, Kind.CREEPING} == set(rays.kind)
    assert (np.diff(rays.time_s) > 0).all()
    beyond = rays.kind == Kind.CREEPING
    np.testing.assert_allclose(rays.ray_parameter_s_km[beyond], (RADIUS_KM - 20) / RADIUS_KM / 8, rtol=1e-12)


@pytest.mark.parametrize("name", ["homogeneous", "iasp91", "japan", "slow layers"])
def test_a_ray_has_the_same_bits_alone_and_among_thousands(name: str) -> None:
    model, chance = SLOW_LAYERS if name == "slow layers" else load_model(name), np.random.default_rng(3)
    distance, depth, elevation = (chance.uniform(0, most, 5000) for most in (500, 100, 2))
    together = first_arrivals(model, "S", distance, depth, elevation)
    for i in (0, 1, 511, 512, 4095, 4096, 4999, *chance.integers(0, 5000, 40)):
        for part in (i, slice(i, i + 3)):
            fewer = first_arrivals(model, "S", distance[part], depth[part], elevation[part])
            for field in fields(Arrivals):
                np.testing.assert_array_equal(getattr(together, field.name)[part], getattr(fewer, field.name))


def test_no_pairs_give_no_rays() -> None:
    assert first_arrivals(HALF_SPACE, "P", np.empty((0, 3)), 10.0).time_s.shape == (0, 3)


@pytest.mark.parametrize(
    ("distance", "depth", "elevation", "found"),
    [(-1, 10, 0, "distance_km -1"), (10, 2000, 0, "depth_km 2000"), (10, np.nan, 0, "depth_km nan"),
     (10, 10, 12, "elevation_km 12")],
)  # fmt: skip
def test_pairs_out_of_reach_are_refused(distance: float, depth: float, elevation: float, found: str) -> None:
    with pytest.raises(InputInvalid, match=rf"found {found}; expected"):
        first_arrivals(HALF_SPACE, "P", distance, depth, elevation)
