"""Scenario files: read whole, and every mistake told with its line, what was found and what was expected."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.simulation.catalogue import Catalogue, Conditions, make_catalogue
from kensoku.simulation.propagation import Earth
from kensoku.simulation.scenario import (
    BUNDLED,
    Scenario,
    bundled_scenarios,
    load_scenario,
    read_earth,
    read_scenario,
    read_stations,
)
from kensoku.simulation.sequences import Aftershocks
from kensoku.simulation.sources import SourceKind

GOOD = """\
name = "good"
seed = 1
start = 2024-05-14T09:00:00+09:00
duration_h = 24

[[networks]]
kind = "layout"
code = "XX"
count = 5
spacing_km = 20
latitude_deg = 35.0
longitude_deg = 137.0

[[sequences]]
kind = "swarm"
name = "swarm"
count = 10
lasts_days = 1
latitude_deg = 35.0
longitude_deg = 137.0
depth_km = 5
magnitudes = { minimum = 0, maximum = 3 }
"""


def conditions_of(scenario: Scenario) -> Conditions:
    return scenario.conditions(Earth(read_earth(scenario, BUNDLED)), read_stations(scenario, BUNDLED))


def catalogue_of(scenario: Scenario) -> Catalogue:
    return make_catalogue(
        scenario.sequences,
        conditions_of(scenario),
        scenario.stress_drop,
        lambda depth_km: np.full(depth_km.shape, 3.4),
    )


def mistakes_in(text: str, folder: Path = BUNDLED) -> list[str]:
    with pytest.raises(InputInvalid) as error:
        read_scenario(text, "my.toml", folder)
    heading, *mistakes = str(error.value).splitlines()
    assert heading == f"my.toml: {len(mistakes)} mistake{'s' * (len(mistakes) > 1)}"
    return [mistake.strip() for mistake in mistakes]


def test_a_scenario_is_read_whole() -> None:
    scenario = read_scenario(GOOD, "good.toml", BUNDLED)
    assert scenario.start_ns == 1_715_644_800 * 10**9  # 2024-05-14T00:00:00Z
    assert conditions_of(scenario).days == 1.0
    assert scenario.sequences[0].name == "swarm"
    assert len(read_stations(scenario, BUNDLED)) == 5


@pytest.mark.parametrize(
    ("good", "wrong", "mistake"),
    [
        ("seed = 1", 'seed = 1\nearht = "japan"', "line 3, earht: found an unknown key earht; did you mean earth?"),
        ("seed = 1", "", "line 1: found no seed; expected one"),
        ("seed = 1", "seed = true", "line 2, seed: found true; expected a valid integer"),
        ("seed = 1", "seed = -1", "line 2, seed: found -1; expected greater than or equal to 0"),
        (
            "+09:00",
            "",
            'line 3, start: found "2024-05-14T09:00:00"; expected a time with its zone, such as 2024-05-14T00:00:00Z',
        ),
        ("= 24", '= "24"', 'line 4, duration_h: found "24"; expected a valid number'),
        ("= 24", "= inf", "line 4, duration_h: found Infinity; expected a finite number"),
        (
            '"XX"',
            '"xx"',
            'line 8, networks[0].code: found "xx"; expected a text that matches ^[A-Z0-9]{1,2}$',
        ),
        ("spacing_km = 20", "", "line 6, networks[0]: found no spacing_km; expected one"),
        (
            '"swarm"\nname',
            '"swarms"\nname',
            "line 15, sequences[0].kind: found kind 'swarms'; expected one of background, aftershocks, swarm, quarry, "
            "low-frequency, long-period, icequake, teleseisms",
        ),
        (
            "minimum = 0",
            "minimum = 4",
            "line 22, sequences[0].magnitudes: found minimum 4.0 and maximum 3.0; expected the maximum above",
        ),
        ("minimum = 0", "minimum = []", "line 22, sequences[0].magnitudes.minimum: found []; expected a valid number"),
        (
            "maximum = 3",
            "maximum = 3, width = 2",
            "line 22, sequences[0].magnitudes.width: found an unknown key width; expected one of b, minimum, maximum",
        ),
        (
            "duration_h = 24",
            'duration_h = 24\nearth = "earth.toml"',
            "line 5, earth: found no file 'earth.toml' beside the scenario; expected one, or one of homogeneous, "
            "iasp91, japan, southern-california",
        ),
        (
            "duration_h = 24",
            'duration_h = 24\nearth = "jpan"',
            "line 5, earth: found no file 'jpan' beside the scenario; did you mean japan?",
        ),
        (
            "2024-05-14T09:00:00+09:00",
            "2024-05-14",
            'line 3, start: found "2024-05-14"; expected a time with its zone, such as 2024-05-14T00:00:00Z',
        ),
        (
            "2024-05-14T09:00:00+09:00",
            "9999-12-31T00:00:00Z",
            'line 3, start: found "9999-12-31T00:00:00+00:00"; expected a year from 1970 to 2199',
        ),
        ("[[networks]]", "[networks]", "line 6, networks: found a table; expected an array"),
        ("seed = 1", 'seed = 1\ntelemetry = "bad"', 'line 3, telemetry: found "bad"; expected a table'),
        ('"XX"\n', '"XX"\nequipment = 5\n', "line 9, networks[0].equipment: found 5; expected a table"),
        (
            "longitude_deg = 137.0",
            "longitude_deg = 137.0\nequipment = { rates_hz = [100, 123] }",
            "line 13, networks[0].equipment.rates_hz[1]: found 123; expected 50, 100, 200 or 250",
        ),
        (
            "longitude_deg = 137.0",
            "longitude_deg = 179.0\noutline = [[-17, 179], [-17, -179], [-19, -179]]",
            "line 13, networks[0].outline: found [[-17, 179], [-17, -179], [-19, -179]]; "
            "expected corners within 180 degrees of longitude, on one side of the date line",
        ),
        (
            "depth_km = 5",
            "depth_km = 900",
            "line 21, sequences[0].depth_km: found 900; expected less than or equal to 700",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(good: str, wrong: str, mistake: str) -> None:
    assert mistakes_in(GOOD.replace(good, wrong, 1)) == [mistake]


@pytest.mark.parametrize(
    ("good", "wrong", "mistake"),
    [
        ("[[sequences]]", "[[sequences", 'line 14: found "[[sequences"; expected TOML, whose reader says: Expected'),
        (
            "seed = 1",
            "seed = 1\nseed = 2",
            'line 3: found "seed = 2"; expected TOML, whose reader says: Cannot overwrite',
        ),
        (
            "= 24\n",
            "= 24\n[noise]\n[noise]\n",
            'line 6: found "[noise]"; expected TOML, whose reader says: Cannot declare',
        ),
        (
            "05-14T",
            "02-30T",
            'line 3: found "start = 2024-02-30T09:00:00+09:00"; expected TOML, whose reader says: Inval',
        ),
        ('"good"', '"good', 'line 1: found "name = \\"good"; expected TOML, whose reader says: Illegal character'),
        (
            "maximum = 3 }",
            "maximum = [",
            'line 22: found "magnitudes = { minimum = 0, maximum = ["; expected TOML, whose',
        ),
        ("seed = 1", "seed = " + "[" * 5000 + "]" * 5000, 'line 2: found "seed = [[['),
        ("seed = 1", "seed" + ".a" * 3000 + " = 1", 'line 2: found "seed.a.a'),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(good: str, wrong: str, mistake: str) -> None:
    (found,) = mistakes_in(GOOD.replace(good, wrong, 1))
    assert found.startswith(mistake)


def test_an_empty_file_lacks_everything() -> None:
    assert mistakes_in("# nothing\n") == [
        f"line 1: found no {key}; expected one" for key in ("duration_h", "name", "networks", "seed", "start")
    ]


def test_of_many_mistakes_fifty_are_told() -> None:
    with pytest.raises(InputInvalid) as error:
        read_scenario(GOOD + "[[sequences]]\nkind = 'swarm'\nname = 's'\n" * 100, "my.toml", BUNDLED)
    heading, *told, more = str(error.value).splitlines()
    assert (heading, len(told), more) == ("my.toml: 600 mistakes", 50, "  and 550 more")


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    text = GOOD.replace("seed = 1", "seed = 1.5").replace("count = 10", "cuont = 10").replace('"XX"', '"LONG"')
    text = text.replace("minimum = 0", "minimum = 4") + "\n[telemetry]\ngap_s = [5, 1]\nspeed = 1\n"
    assert [mistake.split(":")[0] for mistake in mistakes_in(text)] == [
        "line 2, seed",
        "line 8, networks[0].code",
        "line 14, sequences[0]",  # no count
        "line 17, sequences[0].cuont",
        "line 22, sequences[0].magnitudes",
        "line 24, telemetry",
        "line 26, telemetry.speed",
    ]


def test_names_that_meet_twice_are_told() -> None:
    text = GOOD + GOOD[GOOD.index("[[sequences]]") :] + GOOD[GOOD.index("[[networks]]") : GOOD.index("[[sequences]]")]
    assert mistakes_in(text) == [
        "line 25, sequences[1].name: found 'swarm', which sequences[0] has; expected another name",
        "line 32, networks[1]: found station XX.1, which networks[0] has; expected each station in one network",
    ]


def test_aftershocks_without_end_are_told() -> None:
    text = (BUNDLED / "kumamoto.toml").read_text().replace("productivity = 0.05", "productivity = 0.5")
    (mistake,) = mistakes_in(text)
    assert mistake.startswith("line 28, sequences[1]: found an average earthquake that triggers ")


def test_a_network_may_be_a_file_beside_the_scenario(tmp_path: Path) -> None:
    start, end = GOOD.index("[[networks]]"), GOOD.index("[[sequences]]")
    text = GOOD[:start] + '[[networks]]\nkind = "file"\npath = "stations.csv"\n' + GOOD[end:]
    assert mistakes_in(text, tmp_path) == [
        "line 8, networks[0].path: found no file 'stations.csv' beside the scenario; expected one"
    ]
    (tmp_path / "stations.csv").write_text("id,lat,lon,elev_m\nCI.CLC,35.8157,-117.5975,775\n")
    (tmp_path / "my.toml").write_text(text)
    (station,) = read_stations(load_scenario(tmp_path / "my.toml"), tmp_path)
    assert station.name == "CI.CLC"


def test_a_station_in_two_networks_is_told(tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text("id,lat,lon,elev_m\nXX.1,35.8,137.5,775\n")
    text = GOOD + '[[networks]]\nkind = "file"\npath = "stations.csv"\n'
    assert mistakes_in(text, tmp_path) == [
        "line 23, networks[1]: found station XX.1, which networks[0] has; expected each station in one network"
    ]


def test_what_is_wrong_in_files_beside_the_scenario_is_told_with_their_lines(tmp_path: Path) -> None:
    start, end = GOOD.index("[[networks]]"), GOOD.index("[[sequences]]")
    text = GOOD[:start] + '[[networks]]\nkind = "file"\npath = "stations.csv"\n' + GOOD[end:]
    (tmp_path / "stations.csv").write_text("id,lat,lon,elev_m\nXX.A,95,137,0\nXX.B,35\nXXC,35,137,1\n")
    with pytest.raises(InputInvalid) as error:
        read_stations(read_scenario(text, "my.toml", tmp_path), tmp_path)
    assert [line.strip().split(":")[0] for line in str(error.value).splitlines()[1:]] == [
        "stations.csv line 3",
        "stations.csv line 4",
        "stations.csv line 2",
    ]
    (tmp_path / "earth.mod").write_text("model\nthree layers\n")
    scenario = read_scenario('earth = "earth.mod"\n' + GOOD, "my.toml", tmp_path)
    with pytest.raises(InputInvalid, match=r"earth\.mod, line 2: found 'three'; expected the number of layers"):
        read_earth(scenario, tmp_path)


def test_an_unknown_scenario_is_met_with_the_known_ones() -> None:
    with pytest.raises(SettingInvalid, match="expected a path, or one of aftershocks, bad-day, kumamoto, national"):
        load_scenario("kumamto")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_bytes(b"seed = 1\nname = '\xff'")
    with pytest.raises(InputInvalid, match="line 2: found the byte 0xff, which is no UTF-8; expected TOML"):
        load_scenario(tmp_path / "my.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(GOOD, encoding="utf-8-sig")
    assert load_scenario(tmp_path / "my.toml").name == "good"


@pytest.mark.parametrize("name", ["aftershocks", "bad-day", "kumamoto", "national", "quarries", "quiet"])
def test_bundled_scenarios_have_stations_and_a_catalogue(name: str) -> None:
    scenario = load_scenario(name)
    assert name in bundled_scenarios()
    assert scenario.name == name
    assert len(read_stations(scenario, BUNDLED)) >= 20
    assert len(catalogue_of(scenario)) >= 20


def test_kumamoto_has_its_foreshock_mainshock_and_tens_of_thousands_of_aftershocks() -> None:
    quakes = catalogue_of(load_scenario("kumamoto"))
    assert 20_000 < len(quakes) < 80_000
    largest = np.argsort(quakes.ml)[-2:]
    assert quakes.ml[largest].tolist() == [6.5, 7.3]
    assert quakes.mw[largest] == pytest.approx([6.2, 7.0], abs=0.01)
    assert np.diff(quakes.day[largest]) == pytest.approx(28 / 24, abs=0.01)


def test_the_national_network_has_two_thousand_stations() -> None:
    assert len(read_stations(load_scenario("national"), BUNDLED)) == 2000


def test_a_bad_day_has_every_kind_of_source_and_fault() -> None:
    scenario = load_scenario("bad-day")
    assert set(catalogue_of(scenario).kind) == set(SourceKind)
    assert all(getattr(scenario.noise.disturbances, name) for name in scenario.noise.disturbances.__slots__)
    telemetry = scenario.telemetry
    assert all(getattr(telemetry, name) for name in telemetry.__slots__)


def test_the_largest_aftershock_is_about_one_magnitude_below() -> None:
    """Bath's law, as far as one draw can show it."""
    scenario = load_scenario("kumamoto")
    (sequence,) = (s for s in scenario.sequences if isinstance(s, Aftershocks))
    conditions, largest = conditions_of(scenario), []
    for seed in range(20):
        ml = np.sort(sequence.draw(replace(conditions, seed=seed)).ml)
        largest.append(7.3 - ml[-3])
    assert 0.8 < np.median(largest) < 2.2
