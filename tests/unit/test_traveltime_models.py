"""Earth models: what a file must say, and what is told about a wrong one."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.traveltime import PRESETS, EarthModel, Layer, first_arrivals, load_model
from kensoku.v1.event_pb2 import Provenance

TOML = """\
name = "basin"
spherical = false
[[layers]]
top_km = 0.0  # sediments
vp_km_s = 3.0
vs_km_s = 1.5
density_kg_m3 = 2200
qp = 100
qs = 50
[[layers]]
top_km = 2.0
vp_km_s = [5.8, 6.4]
[[layers]]
top_km = 30.0
vp_km_s = 8.0
"""


def load_text(folder: Path, text: str, name: str = "model.toml") -> EarthModel:
    file = folder / name
    file.write_text(text)
    return load_model(file)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_reach_from_the_surface_to_where_simulated_sources_are(name: str) -> None:
    model = load_model(name)
    assert model.name == name
    assert model.reference
    assert (first_arrivals(model, "P", [0.0, 500.0], [100.0, 0.0]).time_s > 0).all()


def test_iasp91_has_its_published_time_and_moho() -> None:
    """iasp91: the tables of Kennett (1991), P of a surface focus at 1 degree."""
    model = load_model("iasp91")
    assert first_arrivals(model, "P", 111.195, 0.0).time_s == pytest.approx(19.17, abs=0.02)
    assert model.layers[model.moho_layer].top_km == 35


def test_a_toml_file_may_leave_out_what_can_be_derived(tmp_path: Path) -> None:
    model = load_text(tmp_path, TOML)
    sediments, crust, mantle = model.layers
    assert sediments == Layer(0.0, (3.0, 3.0), (1.5, 1.5), 2200, 100, 50)
    assert crust.vp_km_s == (5.8, 6.4)
    assert crust.vs_km_s[1] == pytest.approx(6.4 / 3**0.5)
    assert crust.density_kg_m3 == pytest.approx(2740, abs=10)  # Brocher (2005) at 6.1 km/s
    assert mantle.qp == 2 * mantle.qs == pytest.approx(924, abs=1)
    assert (model.spherical, model.moho_layer) == (False, 2)


def test_the_hash_tells_models_apart_by_what_rays_feel(tmp_path: Path) -> None:
    model = load_text(tmp_path, TOML)
    assert replace(model, name="other", reference="x").sha256 == model.sha256
    assert load_text(tmp_path, TOML.replace("2200", "2201")).sha256 != model.sha256
    assert replace(model, spherical=True).sha256 != model.sha256


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("spherical = false", 'spherical = "no"', "line 2: spherical: found 'no'; expected true or false"),
        ("name = ", "nome = ", "line 1: found 'nome'; expected name, reference, spherical and layers"),
        ("vp_km_s = 3.0", 'vp_km_s = "slow"', "line 5: vp_km_s: found 'slow'; expected a number, or two"),
        ("vp_km_s = 3.0", "vp_km_s = 30", "line 5: vp_km_s: found 30 km/s; expected 0.1 to 15"),
        ("vs_km_s = 1.5", "vs_km_s = 2.9", "line 6: vs_km_s: found 2.9 km/s; expected more than 0 and"),
        ("qs = 50", "qs = 0", "line 9: qs: found 0; expected 1 to 1e6"),
        ("qs = 50", "q = 50", "line 9: found 'q'; expected top_km, vp_km_s"),
        ("top_km = 2.0", "top_km = -1", "line 11: top_km: found a top at -1 km; expected 0 < top_km < 1000"),
        ("top_km = 2.0\n", "", "line 10: found a layer without top_km; expected it in each"),
        ("vp_km_s = 8.0", "vp_km_s = [8.0, 8.2]", "line 15: vp_km_s: found a gradient; expected one velocity"),
        ("vp_km_s = 8.0", "vp_km_s = nan", "line 15: vp_km_s: found nan; expected a number"),
        ("[[layers]]", "[[layers", "found Expected"),
        (TOML, "", "line 1: layers: found None; expected [[layers]], one a layer"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(old: str, new: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid) as refusal:
        load_text(tmp_path, TOML.replace(old, new, 1))
    assert f"model.toml, {told}" in str(refusal.value) or f"model.toml: {told}" in str(refusal.value)


def test_all_mistakes_are_told_at_once_also_of_inline_layers(tmp_path: Path) -> None:
    text = "layers = [\n  { top_km = 0, vp_km_s = 99 },\n  # none\n  { top_km = 9, vp_km_s = 6, qp = -1 },\n]\n"
    with pytest.raises(InputInvalid) as refusal:
        load_text(tmp_path, text)
    assert [line.partition(": ")[0] for line in str(refusal.value).splitlines()] == [
        "model.toml, line 2",
        "model.toml, line 4",
    ]


def test_velocities_are_those_of_the_layers_and_linear_in_a_gradient() -> None:
    model = load_model("iasp91")
    depths = [-2, 0, 20, 34.9, 310, 900]
    np.testing.assert_allclose(model.velocity("P", depths), [5.8, 5.8, 6.5, 6.5, 8.665, 11.0558])
    np.testing.assert_allclose(model.velocity("S", [[0, 35]]), [[3.36, 4.47]])
    assert model.velocity("S", 50.0).shape == ()


VELEST = """\
Minimum 1-D model
 3        vel,depth,vdamp,phase (f5.2,5x,f7.2,2x,f7.3,3x,a1)
 5.10       -3.00  001.00            P-VELOCITY MODEL
 6.10        5.00  001.00
 8.00       30.00  001.00
 3
 3.00       -3.00  001.00            S-VELOCITY MODEL
 3.50        5.00  001.00
 4.50       30.00  001.00
"""


def test_velest_models_are_read(tmp_path: Path) -> None:
    layers = load_text(tmp_path, VELEST, "alps.mod").layers
    assert [layer.top_km for layer in layers] == [-3, 5, 30]
    assert [layer.vs_km_s[0] for layer in layers] == [3.0, 3.5, 4.5]
    p_only = "\n".join(VELEST.splitlines()[:5])
    assert load_text(tmp_path, p_only, "p.mod").layers[1].vs_km_s[0] == pytest.approx(6.1 / 3**0.5)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (" 3  ", " three  ", "line 2: found 'three'; expected the number of layers"),
        ("6.10 ", "six ", "line 4: found 'six 5.00'; expected 2 numbers: velocity and depth"),
        ("6.10 ", "inf ", "line 4: found 'inf 5.00'; expected 2 numbers"),
        (" 3\n 3.00", " 9\n 3.00", "line 6: found 3 lines; expected 9, as announced"),
        ("3.50        5.00", "3.50        6.00", "line 7: found S at [-3.0, 6.0, 30.0] km; expected [-3.0"),
        ("8.00       30.00", "8.00        3.00", "found S at"),
        (VELEST, "", "line 1: layers: found no layer; expected at least one"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_velest_model_is_told_with_its_line(old: str, new: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid) as refusal:
        load_text(tmp_path, VELEST.replace(old, new, 1), "alps.mod")
    assert told in str(refusal.value)


def test_nonlinloc_layers_are_read_with_their_gradients(tmp_path: Path) -> None:
    text = "VGOUT model\n#LAYER 1\nLAYER 0.0 5.0 0.1 2.9 0.05 2.7 0.0\nLAYER 10.0 6.0 0.0 3.5 0.0 2.8 0.0  # last\n"
    first, last = load_text(tmp_path, text, "vel.in").layers
    assert (first.vp_km_s, first.vs_km_s, first.density_kg_m3) == ((5.0, 6.0), (2.9, 3.4), 2700)
    assert (last.top_km, last.vp_km_s) == (10, (6.0, 6.0))
    with pytest.raises(InputInvalid, match=r"line 4: found '10.0 6.0'; expected 7 numbers: LAYER depth Vp dVp"):
        load_text(tmp_path, text.replace("10.0 6.0 0.0 3.5 0.0 2.8 0.0", "10.0 6.0"), "vel.in")


@pytest.mark.parametrize(("density", "kg_m3"), [("2.7", 2700), ("2700", 2700), ("0.0", None), ("-1", None)])
def test_densities_of_nonlinloc_models_are_in_either_unit_or_left_out(
    density: str, kg_m3: float | None, tmp_path: Path
) -> None:
    (layer,) = load_text(tmp_path, f"LAYER 0.0 6.0 0.0 3.5 0.0 {density} 0.0\n", "vel.in").layers
    (usual,) = load_text(tmp_path, "name = 'x'\n[[layers]]\ntop_km = 0\nvp_km_s = 6\n").layers
    assert layer.density_kg_m3 == (kg_m3 or usual.density_kg_m3)


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(
        InputInvalid, match=r"'mars' cannot be read: .* expected a text file or one of homogeneous, iasp91"
    ):
        load_model("mars")


def test_a_model_made_in_a_program_is_checked_as_well() -> None:
    with pytest.raises(InputInvalid, match="velocity model 'x': found no layer; expected at least one"):
        EarthModel("x", ())


def test_a_file_whose_name_is_no_utf_8_gives_its_model_a_name_that_messages_hold(tmp_path: Path) -> None:
    text = "LAYER 0.0 6.0 0.0 3.5 0.0 2.7 0.0\n"
    model = load_text(tmp_path, text, os.fsdecode(b"cro\xfbte.in"))
    assert Provenance(velocity_model=model.name).velocity_model == model.name
