"""Loops that numpy has no words for, compiled when they first run and kept on disk."""

from collections.abc import Callable
from typing import TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Strict arithmetic, one thread: the same bits on every run of one machine."""
    try:
        return njit(cache=True)(function)  # type: ignore[no-any-return]  # numba has no types
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(function)  # type: ignore[no-any-return]
