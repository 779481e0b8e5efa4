"""Two pickers on the same labels: how much more one finds than the other, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.picking import Phase

WITHIN_S = (0.5, 0.1)
DRAWS, INTERVAL = 2000, (5.0, 95.0)
Picks = Mapping[tuple[int, Phase], Sequence[float]]  # samples by window and phase
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A set of windows: one label of each phase at most, in samples; NaN without one."""

    name: str
    labels: Mapping[Phase, npt.NDArray[np.float64]]
    rate_hz: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Which labels of a set each picker found."""

    ours: BoolArray
    others: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    labels: int
    ours: float  # recall
    others: float
    difference: float
    low: float  # 90 % interval of the difference by drawing windows again, of each set as many as it has
    high: float


def found(windows: Labelled, ours: Picks, others: Picks, phase: Phase, within_s: float) -> Found:
    """A pick of the label's phase, no further from it."""
    own = windows.labels[phase]
    labelled = [(window, sample) for window, sample in enumerate(own.tolist()) if np.isfinite(sample)]

    def by(picks: Picks) -> BoolArray:
        far = within_s * windows.rate_hz
        claims = [any(abs(at - label) <= far for at in picks.get((window, phase), ())) for window, label in labelled]
        return np.array(claims, dtype=np.bool_)

    return Found(by(ours), by(others))


def paired(sets: Sequence[Found]) -> Paired:
    """Of all labels of all sets together; each window has one label of a phase, so labels are drawn as windows are."""
    ours, others = (np.concatenate(each) for each in ([one.ours for one in sets], [one.others for one in sets]))
    count = len(ours)
    if not count:
        return Paired(labels=0, ours=np.nan, others=np.nan, difference=np.nan, low=np.nan, high=np.nan)
    chance, sums = np.random.default_rng(0), np.zeros(DRAWS)
    for one in sets:
        gains = one.ours.astype(np.float64) - one.others
        if len(gains):
            sums += gains[chance.integers(0, len(gains), (DRAWS, len(gains)))].sum(axis=1)
    low, high = np.percentile(sums / count, INTERVAL)
    return Paired(
        labels=count,
        ours=float(ours.mean()),
        others=float(others.mean()),
        difference=float(ours.mean() - others.mean()),
        low=float(low),
        high=float(high),
    )
