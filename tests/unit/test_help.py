"""Who asks a command for its options does not wait for what it needs to work."""

import shlex
import subprocess
import sys

import pytest

from kensoku.cli.main import EXAMPLES, main, parse

HEAVY = ("keras", "numba", "numpy", "obspy", "onnxruntime", "scipy", "sqlalchemy", "tritonclient")
SHOW = """
import sys
from kensoku.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("command", "allowed"),
    [((), ()), (("run",), ("numpy",)), (("tail",), ()), (("topics",), ()), (("stations",), ("numpy",))],
)
def test_options_are_listed_without_what_takes_long_to_import(
    command: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *command, "--help"], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.startswith("usage: kensoku")
    assert set(done.stderr.split()) & set(HEAVY) <= set(allowed)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_command_shows_an_example_that_it_understands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *given = shlex.split(EXAMPLES[name])
    assert (program, parse(given).command) == ("kensoku", name)
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "".join(EXAMPLES[name].split()) in "".join(capsys.readouterr().out.split())


def test_a_description_keeps_the_names_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inventory", "apply", "--help"])
    assert "Publish the stations of StationXML or csv files." in capsys.readouterr().out


@pytest.mark.parametrize("given", ["pick records --out picks.csv --thresold 0.3", "catalog list --limits 3"])
def test_a_misspelt_option_is_told_with_the_usage_of_its_command(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *_, option, value = given.split()
    with pytest.raises(SystemExit, match="2"):
        main(given.split())
    told = capsys.readouterr().err
    assert told.startswith(f"usage: kensoku {command} ")
    assert f"found {option} {value}, expected" in told
