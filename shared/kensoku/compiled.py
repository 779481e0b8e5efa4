"""Loops that numpy has no words for, compiled when they first run and kept on disk."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Strict arithmetic, one thread: the same bits on every run of one machine."""
    try:
        return cast(Function, njit(cache=True)(function))
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return cast(Function, njit(function))
