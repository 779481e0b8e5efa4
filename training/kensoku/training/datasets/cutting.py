"""Shorter records of the same thing: what lies around the labels is kept."""

from dataclasses import replace

from kensoku.training.examples import RATE_HZ, Example, Onset, Span

NEAR = RATE_HZ  # samples; an onset just outside is seen on the curve at the edge


def cut(example: Example, longest_s: float) -> Example:
    """Of a longer record the part in whose middle its onsets lie; without onsets its middle."""
    keep = round(longest_s * RATE_HZ)
    if example.length <= keep:
        return example
    inside = [onset.sample for onset in example.onsets if 0 <= onset.sample < example.length]
    middle = (min(inside) + max(inside)) / 2 if inside else example.length / 2
    first = min(max(round(middle - keep / 2), 0), example.length - keep)
    return take(example, first, keep)


def take(example: Example, first: int, length: int) -> Example:
    """Samples from `first` on, with the onsets and the unknown spans that reach into them."""
    onsets = (Onset(each.phase, each.sample - first, each.weight) for each in example.onsets)
    spans = (Span(each.phase, each.first - first, each.last - first) for each in example.unknown)
    return replace(
        example,
        counts=example.counts[:, first : first + length],
        onsets=tuple(onset for onset in onsets if -NEAR <= onset.sample < length + NEAR),
        unknown=tuple(span for span in spans if span.last >= 0 and span.first < length),
    )
