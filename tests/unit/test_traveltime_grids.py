"""Grids of travel times as NonLinLoc writes them, against the tables that they were made of."""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.errors import InputInvalid
from kensoku.locating import Arrival, Location, LocationSettings, Site, locate, locate_many_in_grids
from kensoku.traveltime import (
    Grid,
    Projection,
    TravelTimeTable,
    Wave,
    build_table,
    digest_of,
    grids_by_station,
    load_model,
    read_time_grid,
    read_time_grids,
)

WAVES: tuple[Wave, Wave] = ("P", "S")
ORIGIN = (35.0, -118.0)
KM = 10_000 / 90
STATIONS = {"CI.AAA": (12, 20), "CI.BBB": (-16, 9), "CI.CCC": (4, -22), "CI.DDD": (24, -7), "CI.EEE": (-3, -2)}
SHAPE, STEP, LOW = (62, 64, 33), (1.0, 1.0, 0.75), (-30.0, -31.0, -2.0)
SHOCKS = [(2.0, 3.0, 7.3), (-8.0, 11.0, 4.1), (9.0, -6.0, 12.6)]  # x, y and depth
EXACT = LocationSettings(outlier_share=0.01, model_error=0.0, model_error_s=0.02, deepest_km=20)


@cache
def tables() -> dict[Wave, TravelTimeTable]:
    model = load_model("southern-california")
    grid = Grid(farthest_km=120, deepest_km=30, distance_step_km=0.5, depth_step_km=0.5)
    return {wave: build_table(model, wave, grid) for wave in WAVES}


def degrees(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    latitude = ORIGIN[0] + np.asarray(y, np.float64) / KM
    return latitude, ORIGIN[1] + np.asarray(x, np.float64) / (KM * np.cos(np.radians(latitude)))


def time_s(code: str, wave: Wave, x: npt.ArrayLike, y: npt.ArrayLike, depth: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """From the table, over the sphere."""
    here, there = np.radians(degrees(*STATIONS[code])), np.radians(degrees(x, y))
    half = np.sin((there[0] - here[0]) / 2) ** 2
    half = half + np.cos(there[0]) * np.cos(here[0]) * np.sin((there[1] - here[1]) / 2) ** 2
    return tables()[wave].lookup(2 * 6371 * np.arcsin(np.sqrt(half)), depth).time_s


def write(folder: Path, code: str, wave: Wave, *, order: str = "<", number: str = "f4", late: float = 0.0) -> Path:
    """`late`: by what share waves from the east are slower."""
    axes = [low + step * np.arange(count) for low, step, count in zip(LOW, STEP, SHAPE, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    times = time_s(code, wave, x, y, z) * (1 + late * np.tanh(x / 15))
    kind = {"f4": "FLOAT", "f8": "DOUBLE"}[number]
    numbers = " ".join(map(str, (*SHAPE, *LOW, *STEP)))
    place = STATIONS[code]
    header = folder / f"layer.{wave}.{code[3:]}.time.hdr"
    header.write_text(
        f"{numbers} TIME {kind}\n{code[3:]} {place[0]} {place[1]} 0.0\n"
        f"TRANSFORM  SIMPLE LatOrig {ORIGIN[0]}  LongOrig {ORIGIN[1]}  RotCW 0.0\n"
    )
    header.with_suffix(".buf").write_bytes(times.astype(order + number).tobytes())
    return header


def write_flat(folder: Path, code: str, wave: Wave) -> Path:
    """As Grid2Time does for layers: of distance and depth."""
    distance, depth = 0.5 * np.arange(201), -2 + 0.5 * np.arange(50)
    times = tables()[wave].lookup(distance[:, None], depth[None, :]).time_s
    header = folder / f"layer.{wave}.{code.replace('.', '_')}.time.hdr"
    header.write_text(
        f"1 201 50  0.0 0.0 -2.0  0.5 0.5 0.5 TIME2D FLOAT\n{code.replace('.', '_')} {STATIONS[code][0]} "
        f"{STATIONS[code][1]} 0.0\nTRANSFORM  SIMPLE LatOrig {ORIGIN[0]}  LongOrig {ORIGIN[1]}  RotCW 0.0\n"
    )
    header.with_suffix(".buf").write_bytes(times.astype("<f4").tobytes())
    return header


@pytest.mark.parametrize(("order", "number"), [("<", "f4"), (">", "f4"), ("<", "f8"), (">", "f8")])
def test_times_and_slopes_are_those_of_the_table(tmp_path: Path, order: str, number: str) -> None:
    grid = read_time_grid(write(tmp_path, "CI.AAA", "P", order=order, number=number))
    chance = np.random.default_rng(3)
    x, y, depth = chance.uniform(-29, 29, 4000), chance.uniform(-30, 30, 4000), chance.uniform(-1, 20, 4000)
    found = grid.lookup(*degrees(x, y), depth)
    off = np.abs(found.time_s - time_s("CI.AAA", "P", x, y, depth))
    assert np.median(off) < 0.001
    assert off.max() < 0.03  # beside an interface
    north, south = (grid.lookup(degrees(x, y)[0] + side * 1e-4, degrees(x, y)[1], depth).time_s for side in (1, -1))
    slope = (north - south) / (2e-4 * 111.19493)
    np.testing.assert_allclose(np.quantile(np.abs(slope - found.per_north_s_km), 0.99), 0, atol=1e-3)
    down = (grid.lookup(*degrees(x, y), depth + 1e-3).time_s - found.time_s) / 1e-3
    assert np.quantile(np.abs(down - found.per_depth_s_km), 0.95) < 1e-3


def test_nothing_is_known_outside_of_a_grid_and_where_no_wave_came(tmp_path: Path) -> None:
    header = write(tmp_path, "CI.AAA", "S")
    times = np.fromfile(header.with_suffix(".buf"), "<f4").reshape(SHAPE)
    times[:5] = -1
    times.tofile(header.with_suffix(".buf"))
    grid = read_time_grid(header)
    assert np.isnan(grid.lookup(*degrees([40, 0, 0, -28], [0, -40, 0, 0]), [5, 5, 30, 5]).time_s).all()
    assert np.isfinite(grid.lookup(*degrees(0, 0), 5).time_s)


@pytest.mark.parametrize("make", [write, write_flat])
def test_earthquakes_are_where_the_layers_put_them(tmp_path: Path, make: object) -> None:
    assert callable(make)
    for code in STATIONS:
        for wave in WAVES:
            make(tmp_path, code, wave)
    sites = {code: Site(*map(float, degrees(*place))) for code, place in STATIONS.items()}
    grids = grids_by_station(read_time_grids(tmp_path), sites)
    assert len(grids) == 10
    events = [arrivals(shock) for shock in SHOCKS]
    for event, found in zip(events, locate_many_in_grids(events, sites, tables(), grids, EXACT), strict=True):
        layers = locate(event, sites, tables(), EXACT)
        assert isinstance(found, Location)
        assert away_km(found, layers) < 0.03
        assert [each.onset_s for each in found.arrivals] == [each.onset_s for each in event]


def test_an_earth_without_layers_is_seen_as_it_is(tmp_path: Path) -> None:
    """Waves from the east come a twentieth later: the layers put events kilometres away."""
    for code in STATIONS:
        for wave in WAVES:
            write(tmp_path, code, wave, late=0.05)
    sites = {code: Site(*map(float, degrees(*place))) for code, place in STATIONS.items()}
    grids = grids_by_station(read_time_grids(tmp_path), sites)
    shock = (17.0, 3.0, 7.3)
    event = arrivals(shock, late=0.05)
    (found,) = locate_many_in_grids([event], sites, tables(), grids, EXACT)
    assert isinstance(found, Location)
    latitude, longitude = map(float, degrees(*shock[:2]))
    wrong = locate(event, sites, tables(), EXACT).maximum
    off = np.hypot((wrong.latitude_deg - latitude) * 111.2, (wrong.longitude_deg - longitude) * 91)
    assert max(off, abs(wrong.depth_km - shock[2])) > 0.3
    right = found.maximum
    assert np.hypot((right.latitude_deg - latitude) * 111.2, (right.longitude_deg - longitude) * 91) < 0.05
    assert abs(right.depth_km - shock[2]) < 0.1
    assert found.rms_s < 0.02


def arrivals(shock: tuple[float, float, float], late: float = 0.0) -> list[Arrival]:
    more = 1 + late * np.tanh(shock[0] / 15)
    return [
        Arrival(code, wave, 1 + more * float(time_s(code, wave, *shock)), 0.05) for code in STATIONS for wave in WAVES
    ]


def away_km(one: Location, other: Location) -> float:
    north = (one.maximum.latitude_deg - other.maximum.latitude_deg) * 111.2
    east = (one.maximum.longitude_deg - other.maximum.longitude_deg) * 91
    return float(np.sqrt(north**2 + east**2 + (one.maximum.depth_km - other.maximum.depth_km) ** 2))


def test_lambert_is_that_of_the_manual() -> None:
    """Snyder (1987), page 296: Clarke's ellipsoid of 1866, parallels 33 and 45, origin 23 N 96 W; 35 N 75 W."""
    x, y = Projection(23, -96, 0.0, "Clarke-1866", (33, 45)).project(35.0, -75.0)
    assert float(x) == pytest.approx(1894.4109, abs=0.05)
    assert float(y) == pytest.approx(1564.6495, abs=0.05)
    turned = Projection(23, -96, 90.0, "Clarke-1866", (33, 45)).project(35.0, -75.0)
    np.testing.assert_allclose(turned, (y, -x), atol=1e-6)  # north is where x grows


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        (0, "62 64 33 -30 -31 -2 1 1 0.75 SLOW_LEN FLOAT", "found a grid of SLOW_LEN"),
        (0, "62 64 33 -30 -31 -2 1 1 0.75 TIME HALF", "expected FLOAT or DOUBLE"),
        (0, "62 64 33 -30 -31 -2 1 1 0.75 TIME DOUBLE", "found 523,776 bytes"),
        (0, "62 64 -30 -31 -2 1 1 0.75 TIME", "expected nx ny nz, origin x y z"),
        (0, "62 64 33 -30 -31 -2 0 1 0.75 TIME FLOAT", "steps above 0"),
        (1, "AAA 3 4", "expected the station's name, x, y and z"),
        (2, "TRANSFORM  GLOBAL", "expected TRANSFORM SIMPLE or LAMBERT"),
        (2, "TRANSFORM  SIMPLE LatOrig 35 LongOrig -118", "expected LatOrig, LongOrig, RotCW"),
        (
            2,
            "TRANSFORM LAMBERT RefEllipsoid Moon LatOrig 35 LongOrig -118 FirstStdParal 34 SecondStdParal 36 RotCW 0",
            "found the ellipsoid 'Moon'",
        ),
    ],
)
def test_what_is_not_known_is_refused_with_what_to_do(tmp_path: Path, line: int, wrong: str, told: str) -> None:
    header = write(tmp_path, "CI.AAA", "P")
    lines = header.read_text().splitlines()
    lines[line] = wrong
    header.write_text("\n".join(lines))
    with pytest.raises(InputInvalid, match=told):
        read_time_grid(header)


def test_numbers_that_are_no_times_are_refused(tmp_path: Path) -> None:
    header = write(tmp_path, "CI.AAA", "P")
    np.full(SHAPE, np.nan, np.float32).tofile(header.with_suffix(".buf"))
    with pytest.raises(InputInvalid, match="no travel times in either order of bytes"):
        read_time_grid(header)
    header.with_suffix(".buf").unlink()
    with pytest.raises(InputInvalid, match="expected it beside its header"):
        read_time_grid(header)
    with pytest.raises(InputInvalid, match=r"found no NAME\.P\.STATION\.time\.hdr"):
        read_time_grids(tmp_path / "nowhere")


def test_a_station_that_two_networks_have_is_asked_for_by_its_network(tmp_path: Path) -> None:
    grids = {("AAA", wave): read_time_grid(write(tmp_path, "CI.AAA", wave)) for wave in WAVES}
    with pytest.raises(InputInvalid, match="CI.AAA or XX.AAA; call it CI_AAA"):
        grids_by_station(grids, ["CI.AAA", "XX.AAA"])
    assert set(grids_by_station(grids, ["CI.AAA", "XX.BBB"])) == {("CI.AAA", "P"), ("CI.AAA", "S")}
    assert len({digest_of(grids), digest_of({key: grids[key] for key in list(grids)[:1]})}) == 2
