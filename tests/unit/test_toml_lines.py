"""Where in a TOML file each table and key stands."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.magnitudes._formula_files import read_formula
from kensoku.simulation.scenario import BUNDLED, read_scenario
from kensoku.toml_lines import find_lines
from kensoku.training.datasets.description import read_description
from kensoku.training.run_settings import read_tables
from kensoku.traveltime._reading import read_toml

TANGLE = '''\
# [not.a.table]
plain = "a = 1 # no comment" # a comment
"quoted key" = 'single # [x]'
dotted.name.x = 2024-05-14 07:32:00
text = """
[[inner]]
key = "x" \\""" ""
"""
literal = \'\'\'
a = [\'\'\'
empty = []
nested = [[1, 2], # ]
  ["]", "}"],

  [ { x = 1, y.z = [
     3] } ],
]

[a.b] # [c]
k = { u = "}", 'v w' = [1,
  2] }
[[t]]
[[t]]
k = 1
  [t.sub]
  k = 2
  [[t.list]]
  k = 3
  [[t.list]]
"\\u006b" = 4
[[t]]
k = 0x1F
'''


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths(child, (*path, step)) for step, child in inner))


def test_lines_are_found_through_every_tangle_of_toml() -> None:
    lines = find_lines(TANGLE)
    assert lines.keys() == paths(tomllib.loads(TANGLE))
    expected = {
        ("plain",): 2,
        ("quoted key",): 3,
        ("dotted", "name", "x"): 4,
        ("text",): 5,
        ("literal",): 9,
        ("empty",): 11,
        ("nested", 1): 13,
        ("nested", 1, 1): 13,
        ("nested", 2, 0, "y", "z", 0): 16,
        ("a", "b"): 19,
        ("a", "b", "k", "v w", 1): 21,
        ("t", 0): 22,
        ("t", 1, "k"): 24,
        ("t", 1, "sub", "k"): 26,
        ("t", 1, "list", 0, "k"): 28,
        ("t", 1, "list", 1, "k"): 30,
        ("t", 2, "k"): 32,
    }
    assert {path: lines[path] for path in expected} == expected


@pytest.mark.parametrize("name", ["aftershocks", "bad-day", "kumamoto", "national", "quarries", "quiet"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_path_of_the_bundled_scenarios_has_its_line(name: str, newline: str) -> None:
    text = (BUNDLED / f"{name}.toml").read_text().replace("\n", newline)
    found = find_lines(text)
    assert found.keys() == paths(tomllib.loads(text))
    rows = text.splitlines()
    for path, line in found.items():
        if path and isinstance(path[-1], str):
            assert path[-1] in rows[line - 1]


@pytest.mark.parametrize("value", ["true", "[]", "-1e9", "1e300", "{ x = 1 }", "''", "[[1, 2], [1, 2]]"])
def test_no_value_of_another_kind_gets_past_its_line(value: str) -> None:
    rows = (BUNDLED / "bad-day.toml").read_text().splitlines()
    refusals = {}
    for number, row in enumerate(rows, 1):
        key, equals, old = row.partition(" = ")
        if not equals or old == "[":  # a table, or an array of several lines
            continue
        text = "\n".join([*rows[: number - 1], f"{key} = {value}", *rows[number:]])
        try:
            read_scenario(text, "my.toml", BUNDLED)
        except InputInvalid as error:
            refusals[number] = str(error)
    assert len(refusals) > 50
    assert all(f"line {number}, " in refusal for number, refusal in refusals.items())


@pytest.mark.parametrize("read", [read_toml, read_formula, read_description])
@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000 + "]" * 5000])
def test_a_number_too_long_and_arrays_too_deep_are_refused(read: Callable[[str, str], Any], value: str) -> None:
    with pytest.raises(InputInvalid, match="broken.toml: found .*; expected"):
        read(f"name = {value}", "broken.toml")


def test_a_scenario_with_a_number_too_long_is_refused_with_its_line() -> None:
    with pytest.raises(InputInvalid, match="line 2: found .*; expected TOML"):
        read_scenario(f'name = "one"\nseed = {"9" * 5000}\nduration_h = 1\n', "broken.toml", Path())


def test_settings_of_a_training_run_with_a_number_too_long_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("seed = " + "9" * 5000)
    with pytest.raises(SettingInvalid, match=r"expected the settings of a training run, found none"):
        read_tables(file)
