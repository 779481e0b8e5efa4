"""The same records under other conditions: components lost, cut elsewhere, played slower."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from kensoku.training.examples import Example, Onset, Span
from kensoku.training.scores import stretched

Change = Callable[[Example], Example]
CUTS = (3, 150, 417, 1000)  # samples off the start
LEAST = 600  # samples that must stay before the first onset


def _without(*rows: int) -> Change:
    def change(example: Example) -> Example:
        counts = example.counts.copy()
        counts[list(rows)] = np.nan
        return replace(example, counts=counts)

    return change


def _cut(samples: int) -> Change:
    """Records that begin too near to their first onset stay as they are."""

    def change(example: Example) -> Example:
        first = min((onset.sample for onset in example.onsets), default=np.inf)
        if min(first, example.length) < samples + LEAST:
            return example
        return replace(
            example,
            counts=example.counts[:, samples:],
            onsets=tuple(Onset(each.phase, each.sample - samples, each.weight) for each in example.onsets),
            unknown=tuple(Span(each.phase, each.first - samples, each.last - samples) for each in example.unknown),
        )

    return change


def _slower(times: int) -> Change:
    return lambda example: stretched(example, times)


COMPONENTS: Mapping[str, Change] = {
    "vertical only": _without(1, 2),
    "without N": _without(1),
    "without E": _without(2),
    "without Z": _without(0),
    "N only": _without(0, 2),
    "E only": _without(0, 1),
}
VARIANTS: Mapping[str, Change] = {
    **COMPONENTS,
    **{f"start cut by {samples} samples": _cut(samples) for samples in CUTS},
    **{f"played {times} times slower": _slower(times) for times in (2, 3, 4)},
}


def stretch_of(name: str) -> int:
    """By how much times are longer."""
    return int(name.split()[1]) if name.startswith("played") else 1
