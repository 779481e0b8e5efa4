"""Shorter records of the same thing: what lies around the labels is kept."""

from dataclasses import replace

from kensoku.training.examples import RATE_HZ, Example, Onset, Span


def cut(example: Example, longest_s: float) -> Example:
    """Of a longer record the part in whose middle its onsets lie; without onsets its middle."""
    keep = round(longest_s * RATE_HZ)
    if example.length <= keep:
        return example
    inside = [onset.sample for onset in example.onsets if 0 <= onset.sample < example.length]
    middle = (min(inside) + max(inside)) / 2 if inside else example.length / 2
    first = min(max(round(middle - keep / 2), 0), example.length - keep)
    return shift(replace(example, counts=example.counts[:, first : first + keep]), first)


def shift(example: Example, first: int) -> Example:
    """Labels of a record that was cut at `first`."""
    onsets = (Onset(each.phase, each.sample - first, each.weight) for each in example.onsets)
    spans = (Span(each.phase, each.first - first, each.last - first) for each in example.unknown)
    kept = (span for span in spans if span.last >= 0 and span.first < example.length)
    return replace(example, onsets=tuple(onsets), unknown=tuple(kept))
