"""What `pip install` gives: all parts of the namespace, pinned dependencies, and nothing of the workshop."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINS = (ROOT / "constraints.txt").read_text()


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("kensoku-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_all_parts_of_the_namespace_and_the_models(wheel_files: set[str]) -> None:
    assert {
        "kensoku/errors.py",
        "kensoku/py.typed",
        "kensoku/v1/waveform_pb2.py",
        "kensoku/bus/__init__.py",
        "kensoku/acquisition/__main__.py",
        "kensoku/training/examples.py",
        "kensoku/cli/main.py",
        "kensoku/model_repository/filter_bank/1/model.onnx",
    } <= wheel_files


def test_a_wheel_of_the_namespace_never_claims_it(wheel_files: set[str]) -> None:
    assert "kensoku/__init__.py" not in wheel_files
    assert {name.split("/")[0] for name in wheel_files if ".dist-info/" not in name} == {"kensoku"}


def _pinned() -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", PINS, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    pinned = _pinned()
    for requirement in map(Requirement, [*project["dependencies"], *extras["dev"], *extras["train"]]):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_every_pin_has_a_hash_and_none_an_address() -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", PINS, flags=re.MULTILINE)[1:]
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in PINS


def test_the_demo_needs_no_tensorflow() -> None:
    before_dev = PINS.partition("## dev")[0]
    assert "\ntensorflow==" not in before_dev
    assert "\ntensorflow==" in PINS
