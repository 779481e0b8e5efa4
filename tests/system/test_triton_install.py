"""The embedded server is installed whole or not at all, and refused where it cannot run."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from kensoku.errors import EmbeddedServerUnusable
from kensoku.triton import _install, install, unusable_because
from tests.model_server import CACHE

GLIBC = ("glibc", "2.36")


@pytest.mark.parametrize(
    ("machine", "python", "libc", "expected"),
    [
        ("Linux x86_64", (3, 11), GLIBC, ""),
        ("Darwin arm64", (3, 11), ("", ""), "found Darwin arm64, expected Linux x86_64"),
        ("Linux x86_64", (3, 14), GLIBC, "found Python 3.14, expected 3.9 to 3.13"),
        ("Linux x86_64", (3, 11), ("glibc", "2.31"), "found glibc 2.31, expected glibc 2.35 or newer"),
        ("Linux x86_64", (3, 11), ("", ""), "found no glibc, expected glibc 2.35 or newer"),
    ],
)
def test_machines_it_cannot_run_on_are_told_why(
    machine: str, python: tuple[int, int], libc: tuple[str, str], expected: str
) -> None:
    assert unusable_because(machine, python, libc) == expected


def test_a_disk_that_is_too_full_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerUnusable, match="MiB free, expected 1048576; make room"):
        install(tmp_path, needed_bytes=1 << 40)
    assert [path.name for path in (tmp_path / "triton").iterdir()] == [".lock"]


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.touch()
    with pytest.raises(EmbeddedServerUnusable, match=rf"could not install.*Errno {errno.ENOTDIR}"):
        install(home)


@pytest.mark.triton
def test_installing_again_changes_nothing() -> None:
    folder = install(CACHE)
    before = folder.stat().st_mtime_ns
    assert install(CACHE) == folder
    assert folder.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("known", "asked", "failure"),
    [
        ("libpython3.11", ["libpython3.11"], ""),
        ("libpython3.12t64", ["libpython3.12", "libpython3.12t64"], ""),
        ("", ["libpython3.12", "libpython3.12t64"], "no candidate for libpython3.12"),
    ],
)
def test_ubuntus_new_name_of_the_library_is_tried_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known: str, asked: list[str], failure: str
) -> None:
    names: list[str] = []

    def apt(folder: Path, arguments: Sequence[str]) -> str:
        names.append(arguments[-1])
        return "" if arguments[-1] == known else f"no candidate for {arguments[-1]}"

    monkeypatch.setattr(_install, "_apt", apt)
    assert _install._download(tmp_path, [], asked[0]) == failure
    assert names == asked
