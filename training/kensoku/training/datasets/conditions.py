"""Which records a data set takes: by magnitude, distance, how well onsets are seen, and columns of the source."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.training.datasets.records import Record
from kensoku.training.examples import RATE_HZ, Example, FloatArray, Onset, Origin

SNR_S = (2.0, 1.0)  # before an onset, after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """From and to, both included; a record of which it is not known does not meet a condition."""

    magnitude: tuple[float, float] | None = None
    distance_km: tuple[float, float] | None = None
    snr: tuple[float, float] | None = None  # of the best onset
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the source's table: allowed values

    def take_origin(self, origin: Origin) -> bool:
        return _within(origin.magnitude, self.magnitude) and _within(origin.distance_km, self.distance_km)

    def take_rows(self, found: Iterable[tuple[Record, Mapping[str, str]]], path: Path) -> Iterator[Record]:
        """A column that no row has is a mistake; one that some lack, as other files of the source do, is none."""
        there: set[str] = set()
        for record, row in found:
            there.update(row)
            if all(row.get(column, "") in allowed for column, allowed in self.columns.items()):
                yield record
        if there and (absent := [column for column in self.columns if column not in there]):
            expected = f"expected one of {', '.join(sorted(there))}; mend conditions.columns"
            raise InputInvalid(f"{path}: found no column {', '.join(absent)}, {expected}")

    def take_example(self, record: Record) -> bool:
        """Reads the samples only where a condition asks for them."""
        return self.snr is None or _within(best_snr(record.load()), self.snr)


def best_snr(example: Example) -> float:
    """The largest rms after an onset over the rms before it, of all components; NaN without one."""
    ratios = [onset_snr(example.counts, onset) for onset in example.onsets]
    finite = [ratio for ratio in ratios if np.isfinite(ratio)]
    return max(finite, default=np.nan)


def onset_snr(counts: FloatArray, onset: Onset) -> float:
    """The rms after an onset over the rms before it, of the best component; NaN where the record does not hold both."""
    middle = round(onset.sample)
    first, last = middle - round(SNR_S[0] * RATE_HZ), middle + round(SNR_S[1] * RATE_HZ)
    if first < 0 or last > counts.shape[1]:
        return np.nan
    steps = np.diff(counts[:, first:last].astype(np.float64), axis=1)  # no offset, little of slow noise
    before, after = steps[:, : middle - first - 10], steps[:, middle - first :]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.sqrt(np.mean(np.square(after), axis=1) / np.mean(np.square(before), axis=1))
    finite = ratios[np.isfinite(ratios)]
    return float(finite.max()) if finite.size else np.nan


def _within(value: float, limits: tuple[float, float] | None) -> bool:
    return limits is None or limits[0] <= value <= limits[1]
