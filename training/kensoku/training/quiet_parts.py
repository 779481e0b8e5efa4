"""What stations of labelled earthquakes record before them: noise of more places than there are quiet hours of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kensoku.training.examples import RATE_HZ, Example
from kensoku.training.scores import quiet_of

QUIET = "quiet"  # its name among the sources of a mix
LEAST_S = 12.0


def quiet_parts(pools: Mapping[str, Sequence[Example]], length_s: float) -> list[Example]:
    """The longest quiet part of each recorded example with an onset; there and back until it is long enough."""
    examples = (each for pool in pools.values() for each in pool if each.onsets and not each.origin.is_simulated)
    return [part for example in examples for part in _quiet_part(example, round(length_s * RATE_HZ))]


def _quiet_part(example: Example, length: int) -> Iterator[Example]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet_of(example), [False]]).astype(np.int8)))
    runs = [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]
    first, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    if end - first < LEAST_S * RATE_HZ:
        return
    counts = example.counts[:, first:end]
    counts = np.pad(counts, ((0, 0), (0, max(0, length - counts.shape[1]))), mode="reflect")
    yield Example(counts, (), (), replace(example.origin, kind="noise", event=""))
