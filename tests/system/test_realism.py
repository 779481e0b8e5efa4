"""Simulated records stand beside recorded ones of their S-P, SNR and frequency, where these lie beside the project."""

import functools

import numpy as np
import pytest

from benchmarks.drawing import REAL
from benchmarks.realism_classifier import Records
from benchmarks.realism_features import NAMES
from benchmarks.realism_pool import balanced, recorded_sets, simulated_pool
from benchmarks.realism_study import Comparison, compare, compare_recorded

SETS = ("N. California", "New Zealand", "Iceland", "Ridgecrest")
TOLD_APART = 0.75  # AUC from which on a classifier is said to

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL.exists(), reason="found no recorded windows beside the project"),
]


@functools.cache
def simulated() -> Records:
    return simulated_pool()


@functools.cache
def recorded() -> dict[str, Records]:
    return recorded_sets()


@functools.cache
def compared(name: str) -> Comparison:
    return compare(recorded()[name], simulated())


@pytest.mark.parametrize("name", SETS)
def test_a_classifier_hardly_tells_simulated_records_from_those_of_a_network(name: str) -> None:
    """As far as so few recorded windows can say; all together they can."""
    found = compared(name)
    told = ", ".join(NAMES[column] for column in np.argsort(-found.separation.importance)[:3])
    assert found.separation.low < TOLD_APART, f"told apart by {told}"
    assert np.abs(found.match.offsets).max() < 0.35  # standard deviations


def test_a_classifier_hardly_tells_simulated_records_from_those_of_all_networks() -> None:
    assert compare(balanced(recorded().values()), simulated()).separation.auc < TOLD_APART


def test_simulated_records_are_nearer_to_all_networks_than_these_are_to_each_other() -> None:
    pooled = compare(balanced(recorded().values()), simulated()).separation
    assert pooled.auc <= np.nanmedian([pair.matched for pair in compare_recorded(recorded())])
