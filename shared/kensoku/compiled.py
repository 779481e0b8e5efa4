"""Loops that numpy has no words for, compiled when they first run and kept on disk."""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import config, njit
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Strict arithmetic, one thread: the same bits on every run of one machine; a division by zero is numpy's."""
    return _compile(function)


def lean(function: Function) -> Function:
    """As `compiled`, for what makes no arrays: those that it is given are not counted, which takes longer than the sums
    in a loop that hands them on."""
    return _compile(function, is_lean=True)


def inlined(function: Function) -> Function:
    """As `lean`, and put into every loop that calls it."""
    return _compile(function, is_lean=True, is_inlined=True)


def _compile(function: Function, *, is_lean: bool = False, is_inlined: bool = False) -> Function:
    config.CACHE_DIR = _folder(Path(function.__code__.co_filename).parent)  # type: ignore[attr-defined]  # dynamic
    options: dict[str, Any] = {
        "error_model": "numpy",
        "forceinline": is_inlined,
        "_nrt": not is_lean,
        "nogil": True,  # what does not depend on each other may be done at once
    }
    loop = njit(**options)(function)
    with suppress(RuntimeError):  # no folder can be written: compiled anew in every process
        loop._cache = _Kept(function)  # type: ignore[no-untyped-call]
    return cast(Function, loop)


class _Kept(FunctionCache):
    """A disk that is full, or files that were damaged when the power went, cost time and nothing else."""

    def save_overload(self, sig: object, data: object) -> None:
        with suppress(Exception):  # it reads what is there first
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]

    def load_overload(self, sig: object, target_context: object) -> object:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # half a pickle may raise anything
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None


@cache
def _folder(package: Path) -> str:
    """Another one whenever a module of the package that has loops or that such a one takes something from, or kernels
    of others that it calls, or single modules whose constants it takes, change: numba itself sees only the module of
    the outermost loop."""
    own = _with_loops(package)
    texts = "\n".join(path.read_text("utf-8") for path in own)
    called, single = (set(re.findall(rf"from kensoku\.(\w+){end}", texts)) for end in (r"\._kernels", " import"))
    others = [path for name in sorted(called) for path in sorted(package.parent.glob(f"{name}/_kernels*.py"))]
    others += [path for name in sorted(single) if (path := package.parent / f"{name}.py").is_file()]
    sources = [(path.name, path.read_bytes()) for path in (*own, *others)]
    state = hashlib.sha256(repr(sources).encode()).hexdigest()[:16]
    given = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    root = Path(given) if given else Path.home() / ".cache"
    root = root if os.access(_existing(root), os.W_OK) else _own_temporary_folder()
    return str(root / "kensoku" / f"compiled-{package.name}-{state}")


def _with_loops(package: Path) -> list[Path]:
    texts = {path.stem: path.read_text("utf-8") for path in sorted(package.glob("*.py"))}
    names = [name for name, text in texts.items() if "from kensoku.compiled import" in text]
    for name in names:  # which grows
        taken = re.findall(rf"from kensoku\.{package.name}\.(\w+) import", texts[name])
        names += [each for each in dict.fromkeys(taken) if each in texts and each not in names]
    return [package / f"{name}.py" for name in sorted(names)]


def _existing(folder: Path) -> Path:
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def _own_temporary_folder() -> Path:
    """What is kept there is run: nobody else may have put it there."""
    folder = Path(tempfile.gettempdir(), f"kensoku-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_own else Path(tempfile.mkdtemp(prefix="kensoku-"))
