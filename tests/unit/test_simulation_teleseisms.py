"""Waves of distant earthquakes against ObsPy's TauP and against the conditions at a free surface."""

import numpy as np
import numpy.typing as npt
import pytest
from obspy.taup import TauPyModel

from kensoku.simulation.teleseisms import FAMILIES, TeleseismicRay, reflect, teleseismic_rays

KM_PER_DEGREE = 6371 * np.pi / 180
TAUP = TauPyModel("iasp91")


def find(phase: str, degrees: float, depth_km: float) -> TeleseismicRay | None:
    rays = teleseismic_rays(degrees * KM_PER_DEGREE, depth_km)
    return next((ray for ray in rays if ray.phase == phase), None)


@pytest.mark.parametrize("phase", ["P", "pP", "sP", "S"])
def test_times_and_angles_at_random_places_are_those_of_taup(phase: str) -> None:
    chance = np.random.default_rng(4)
    members = next(family.members for family in FAMILIES if family.phase == phase)
    compared = 0
    for degrees, depth in zip(chance.uniform(10, 100, 60), chance.uniform(0.5, 600, 60), strict=True):
        theirs = TAUP.get_travel_times(depth, degrees, members)
        ours = find(phase, degrees, depth)
        assert (ours is None) == (not theirs), (degrees, depth)
        if ours:
            assert ours.time_s == pytest.approx(theirs[0].time, abs=0.03)
            assert ours.ray_parameter_s_km * KM_PER_DEGREE == pytest.approx(theirs[0].ray_param_sec_degree, abs=0.05)
            assert ours.take_off_deg == pytest.approx(theirs[0].takeoff_angle % 180, abs=0.5)
            compared += 1
    assert compared > 40


def test_phases_come_in_order_and_reflections_leave_upwards() -> None:
    rays = teleseismic_rays(60 * KM_PER_DEGREE, 100.0)
    assert [ray.phase for ray in rays] == ["P", "pP", "sP", "S"]
    assert [ray.wave for ray in rays] == ["P", "P", "P", "S"]
    assert [ray.leaves_as for ray in rays] == ["P", "P", "S", "S"]
    assert [ray.take_off_deg > 90 for ray in rays] == [False, True, True, False]


def test_a_source_at_the_surface_has_nothing_above_it() -> None:
    assert [ray.phase for ray in teleseismic_rays(60 * KM_PER_DEGREE, 0.0)] == ["P", "S"]


@pytest.mark.parametrize("p", [0.0, 0.04, 0.06, 0.08])
def test_nothing_pulls_at_a_free_surface(p: float) -> None:
    """Solved here as tractions of plane waves: incident SV or P, and what they send back."""
    vp, vs = 5.8, 3.36
    xi, eta = np.sqrt(vp**-2 - p**2), np.sqrt(vs**-2 - p**2)

    def tractions(along: float, down: float, slowness_down: float) -> npt.NDArray[np.float64]:
        """Shear and normal, over the rigidity: displacement (along, down) of a wave of slowness (p, slowness_down)."""
        stiffness = (vp / vs) ** 2
        stretch = stiffness * (p * along + slowness_down * down) - 2 * p * along
        return np.array([slowness_down * along + p * down, stretch])

    down_p, down_s = tractions(vp * p, vp * xi, xi), tractions(vs * eta, -vs * p, eta)
    up_p, up_s = tractions(vp * p, -vp * xi, -xi), tractions(-vs * eta, -vs * p, -eta)
    surface = reflect(p, vp, vs)
    for incident, found in ((up_p, surface.p_to_p), (up_s, surface.sv_to_p)):
        expected, _ = np.linalg.solve(np.stack([down_p, down_s], axis=1), -incident)
        assert found == pytest.approx(expected, abs=1e-12)


def test_reflections_are_as_strong_as_the_surface_allows() -> None:
    """Near 60 degrees most of P comes back turned over; sP needs a slanting S."""
    pp, sp = find("pP", 60.0, 100.0), find("sP", 60.0, 100.0)
    assert pp is not None
    assert sp is not None
    assert -1 < pp.amplitude < -0.6
    assert 0.1 < abs(sp.amplitude) < 1
