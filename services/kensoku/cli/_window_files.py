"""Files of windows: HDF5 with X (windows, 3, samples) in the order Z, N, E, scale (windows, 3), and sampling_rate."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid, SettingInvalid

Counts = npt.NDArray[np.float64]
MOST_SAMPLES = 8_640_000  # of a window: a day at 100 Hz
MOST_WINDOWS = 10_000_000  # of which `scale` is kept in memory
MOST_CHUNK_BYTES = 2**30  # of HDF5, which unpacks a whole chunk for each window of it
EXPECTED = "expected X (windows, 3, samples) of Z, N, E, scale (windows, 3) and the attribute sampling_rate"


@dataclass(frozen=True, slots=True)
class WindowFile:
    path: Path
    count: int
    samples: int  # of each
    rate_hz: float
    _x: Any
    _scale: Counts

    def read(self, first: int, last: int) -> Counts:
        """(windows, 3, samples): what was recorded, in the file's unit."""
        try:
            stored = self._x[first:last]
        except OSError as error:
            found = f"found windows {first} to {last - 1} damaged ({error})"
            raise InputInvalid(f"{self.path}: {found}, expected a whole file; copy it anew") from None
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(stored, dtype=np.float64) * self._scale[first:last, :, np.newaxis]


@contextmanager
def open_windows(path: Path) -> Iterator[WindowFile]:
    try:
        import h5py
    except ImportError:
        raise SettingInvalid("found no h5py, which reads window files; install it: pip install h5py") from None
    if path.exists() and not path.is_file():
        raise InputInvalid(f"{path}: it is no file; {EXPECTED}, in HDF5")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        reason = "there is none" if isinstance(error, FileNotFoundError) else "it is no HDF5"
        raise InputInvalid(f"{path}: {reason}; {EXPECTED}, in HDF5") from None
    with file:
        yield _checked(path, file)


def _checked(path: Path, file: Any) -> WindowFile:
    x, scale = (_array(path, file, name) for name in ("X", "scale"))
    if x.ndim != 3 or x.shape[1] != 3 or not x.shape[2] or x.dtype.kind not in "if":
        raise InputInvalid(f"{path}: found X {x.dtype} of shape {x.shape}; {EXPECTED}")
    if x.shape[2] > MOST_SAMPLES:
        raise InputInvalid(
            f"{path}: found windows of {x.shape[2]:,} samples, expected {MOST_SAMPLES:,} or fewer; pick long records "
            "from files of waveforms: kensoku pick"
        )
    if x.shape[0] > MOST_WINDOWS:
        raise InputInvalid(
            f"{path}: found {x.shape[0]:,} windows, expected {MOST_WINDOWS:,} or fewer; divide them among several files"
        )
    if x.chunks and (size := math.prod(x.chunks) * x.dtype.itemsize) > MOST_CHUNK_BYTES:
        raise InputInvalid(
            f"{path}: found X in chunks of {size:,} bytes, expected {MOST_CHUNK_BYTES:,} or fewer, as each is unpacked "
            f"whole; write it anew: h5repack -l X:CHUNK=1x3x{x.shape[2]} {path.name} NEW.h5"
        )
    if scale.shape != x.shape[:2] or scale.dtype.kind not in "if":
        raise InputInvalid(f"{path}: found scale {scale.dtype} of shape {scale.shape} for X of {x.shape}; {EXPECTED}")
    try:
        rate_hz = float(file.attrs["sampling_rate"])
    except (KeyError, TypeError, ValueError):
        raise InputInvalid(f"{path}: found no sampling_rate among its attributes; {EXPECTED}") from None
    with np.errstate(over="ignore"):
        scales = np.asarray(scale[:], dtype=np.float64)
    return WindowFile(path, x.shape[0], x.shape[2], rate_hz, x, scales)


def _array(path: Path, file: Any, name: str) -> Any:
    try:
        found = file.get(name)
    except (KeyError, OSError, RuntimeError):  # a link that leads nowhere, or to itself
        found = None
    if not hasattr(found, "shape"):
        raise InputInvalid(f"{path}: found no array {name!r} among {', '.join(file) or 'nothing'}; {EXPECTED}")
    return found
