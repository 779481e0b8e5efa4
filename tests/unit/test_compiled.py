"""What loops are compiled again for, and what becomes of them where they cannot be kept."""

import errno
import tempfile
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import IndexDataCacheFile

import kensoku.associating._block
from kensoku.compiled import _folder, _own_temporary_folder, _with_loops, compiled


def twice(number: int) -> int:
    return 2 * number


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled loops are kept during a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    _folder.cache_clear()
    return tmp_path


def test_a_loop_runs_although_its_compiled_form_cannot_be_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_save_index", refuse)
    assert compiled(twice)(21) == 42
    assert not list(kept.rglob("*.nbi"))


def test_a_loop_is_compiled_again_where_what_was_kept_is_damaged(kept: Path) -> None:
    assert compiled(twice)(21) == 42
    (index,) = kept.rglob("*.nbi")
    index.write_bytes(b"")
    assert compiled(twice)(21) == 42
    healed: Any = compiled(twice)
    assert healed(21) == 42
    assert sum(healed.stats.cache_hits.values()) == 1


def test_nothing_is_run_that_another_user_may_have_put_into_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = _own_temporary_folder()
    assert (own.parent, own.stat().st_mode & 0o777) == (tmp_path, 0o700)
    assert _own_temporary_folder() == own
    own.chmod(0o777)
    other = _own_temporary_folder()
    assert other != own
    assert other.stat().st_mode & 0o777 == 0o700


def test_only_modules_with_loops_and_what_those_take_from_count() -> None:
    package = Path(kensoku.associating._block.__file__).parent
    names = {path.stem for path in _with_loops(package)}
    assert {"_block", "_fit", "_judge", "_amplitudes", "_arrays"} <= names
    assert not {"_watch", "_life", "_messages", "__init__"} & names


def test_what_a_loop_takes_from_by_way_of_another_module_counts(tmp_path: Path) -> None:
    package = tmp_path / "waves"
    package.mkdir()
    (package / "_loops.py").write_text("from kensoku.compiled import lean\nfrom kensoku.waves._sums import add\n")
    (package / "_sums.py").write_text("from kensoku.waves._numbers import ONE\n")
    (package / "_numbers.py").write_text("ONE = 1\n")
    (package / "_pages.py").write_text("from kensoku.waves._loops import run\n")
    assert [path.stem for path in _with_loops(package)] == ["_loops", "_numbers", "_sums"]


def test_a_constant_of_a_single_module_counts(tmp_path: Path, kept: Path) -> None:
    package = tmp_path / "waves"
    package.mkdir()
    (package / "_loops.py").write_text("from kensoku.compiled import lean\nfrom kensoku.sphere import RADIUS\n")
    folders = []
    for radius in (6371, 6378):
        (tmp_path / "sphere.py").write_text(f"RADIUS = {radius}\n")
        _folder.cache_clear()
        folders.append(_folder(package))
    assert folders[0] != folders[1]
