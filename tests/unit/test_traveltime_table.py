"""Tables of travel times against the rays they are made of."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.traveltime import EarthModel, Grid, Wave, build_table, first_arrivals, grid_for, load_model

NETWORK = Grid(farthest_km=300, deepest_km=50)


@pytest.mark.parametrize(
    ("name", "wave"),
    [("homogeneous", "S"), ("iasp91", "P"), ("japan", "P"), ("japan", "S"), ("southern-california", "S")],
)
def test_times_are_within_two_milliseconds_of_the_rays(name: str, wave: Wave) -> None:
    model, chance, count = load_model(name), np.random.default_rng(11), 20_000
    table = build_table(model, wave, NETWORK)
    distance = np.concatenate([chance.uniform(0, 300, count), 10 ** chance.uniform(-3, 1.5, count)])
    depth = np.concatenate([chance.uniform(-3, 50, count), chance.uniform(-3, 20, count)])
    rays, times = first_arrivals(model, wave, distance, depth), table.lookup(distance, depth)
    assert abs(times.time_s - rays.time_s).max() < 0.002
    assert np.quantile(abs(times.time_per_distance_s_km - rays.ray_parameter_s_km), 0.99) < 1e-4
    assert np.quantile(abs(times.time_per_depth_s_km - rays.time_per_depth_s_km), 0.99) < 1e-3


@pytest.mark.parametrize("wave", ["P", "S"])
def test_stations_at_any_height_between_two_elevations_are_met(wave: Wave) -> None:
    model, chance = load_model("southern-california"), np.random.default_rng(12)
    table = build_table(model, wave, Grid(200, deepest_km=30, elevations_km=(-0.5, 0, 0.5, 1, 1.5)))
    distance, depth, elevation = (
        chance.uniform(0, 200, 20_000),
        chance.uniform(0, 30, 20_000),
        chance.uniform(-0.5, 1.5, 20_000),
    )
    rays = first_arrivals(model, wave, distance, depth, elevation)
    assert abs(table.lookup(distance, depth, elevation).time_s - rays.time_s).max() < 0.002


def test_the_one_default_knows_stations_on_the_sea_floor_and_on_volcanoes() -> None:
    chance, model = np.random.default_rng(14), load_model("iasp91")
    table = build_table(model, "P", replace(grid_for(), farthest_km=200))
    assert table.lookup(139, 6, -3).time_s == pytest.approx(23.631, abs=0.005), "TauP's, beside the first Pn"
    distance, depth, elevation = chance.uniform(0, 200, 5000), chance.uniform(0, 40, 5000), chance.uniform(-4, 6, 5000)
    rays = first_arrivals(model, "P", distance, depth, elevation)
    assert abs(table.lookup(distance, depth, elevation).time_s - rays.time_s).max() < 0.015


def test_slopes_are_those_of_the_interpolated_times() -> None:
    table, chance, h = build_table(load_model("japan"), "S", NETWORK), np.random.default_rng(13), 1e-3
    distance, depth = chance.uniform(1, 299, 5000), chance.uniform(0, 49, 5000)
    times = table.lookup(distance, depth)
    across = (table.lookup(distance + h, depth).time_s - times.time_s) / h
    down = (table.lookup(distance, depth + h).time_s - times.time_s) / h
    assert (abs(across - times.time_per_distance_s_km) < 1e-4).mean() > 0.99
    assert (abs(down - times.time_per_depth_s_km) < 1e-4).mean() > 0.99


def test_a_table_is_read_from_the_cache_and_traced_anew_where_it_is_damaged(tmp_path: Path) -> None:
    model, grid = load_model("homogeneous"), Grid(farthest_km=20, deepest_km=10)
    built = build_table(model, "P", grid, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    changed = file.stat().st_mtime_ns
    np.testing.assert_array_equal(build_table(model, "P", grid, tmp_path).nodes, built.nodes)
    assert file.stat().st_mtime_ns == changed
    assert file.stat().st_mode & 0o777 == 0o644
    method = whole.rindex(b"PK\x01\x02") + 10  # of compression, in the last entry of the zip file's directory
    unknown = whole[:method] + b"\x63" + whole[method + 1 :]
    for damage in (b"", whole[:500], whole[:1000] + b"\x00\x01\x02" + whole[1003:], unknown):
        file.write_bytes(damage)
        np.testing.assert_array_equal(build_table(model, "P", grid, tmp_path).nodes, built.nodes)
        assert file.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [file]


def test_a_table_that_cannot_be_kept_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, grid = load_model("homogeneous"), Grid(farthest_km=20, deepest_km=10)
    built = build_table(model, "P", grid)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").touch()
    np.testing.assert_array_equal(build_table(model, "P", grid, tmp_path / "file").nodes, built.nodes)
    monkeypatch.setattr(os, "replace", refuse)
    np.testing.assert_array_equal(build_table(model, "P", grid, tmp_path / "full").nodes, built.nodes)
    assert list((tmp_path / "full").iterdir()) == []
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        f"{reason}; give a place where they can be" for reason in ("File exists", "No space left on device")
    ]


@pytest.mark.parametrize("name", ["../../etc/x", "/etc/x", "..", "a\0b", "\N{SNOWMAN}" * 300, "é" * 300])
def test_a_table_stays_in_the_cache_whatever_its_model_is_called(name: str, tmp_path: Path) -> None:
    model = EarthModel(name, load_model("homogeneous").layers)
    cache = tmp_path / "deep" / "deeper" / "cache"
    build_table(model, "P", Grid(farthest_km=20, deepest_km=10), cache)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.parent == cache


def test_each_model_wave_and_grid_has_a_file_of_its_own(tmp_path: Path) -> None:
    small = Grid(farthest_km=20, deepest_km=10)
    for name, wave, grid in (
        ("homogeneous", "P", small),
        ("homogeneous", "S", small),
        ("japan", "P", small),
        ("japan", "P", Grid(10, deepest_km=5)),
    ):
        build_table(load_model(name), "P" if wave == "P" else "S", grid, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_pairs_outside_the_table_are_refused() -> None:
    table = build_table(load_model("homogeneous"), "P", Grid(farthest_km=20, deepest_km=10))
    with pytest.raises(InputInvalid, match="found distance_km 21; expected 0 to 20, which the table spans"):
        table.lookup(21, 5)
    with pytest.raises(InputInvalid, match="found elevation_km 0.3; expected 0 to 0"):
        table.lookup(2, 5, 0.3)
    with pytest.raises(InputInvalid, match="found depth_km nan"):
        table.lookup(2, np.nan)


def test_a_grid_that_has_no_cells_is_refused() -> None:
    with pytest.raises(InputInvalid, match="expected steps > 0, highest < deepest and elevations that rise"):
        Grid(deepest_km=-20)
