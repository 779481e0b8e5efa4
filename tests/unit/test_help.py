"""Who asks a command for its options does not wait for what it needs to work."""

import subprocess
import sys

import pytest

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
