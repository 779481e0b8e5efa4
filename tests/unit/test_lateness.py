"""Figures of how late a service is: the newest counts, nothing read changes nothing, and no clock makes it negative."""

import pytest
from prometheus_client import REGISTRY

from kensoku.lateness import Lag, Latency

S = 10**9


@pytest.fixture(scope="module")
def lag() -> Lag:
    return Lag("tests_lag_seconds", "a test")


@pytest.fixture(scope="module")
def latency() -> Latency:
    return Latency("tests_latency_seconds", "From a test to another")


def test_a_lag_is_that_of_the_newest_and_stays_while_nothing_is_read(lag: Lag) -> None:
    lag.tell([5 * S, 8 * S, 7 * S], 10 * S)
    lag.tell([], 100 * S)
    assert REGISTRY.get_sample_value("tests_lag_seconds") == 2.0


def test_clocks_that_differ_make_nothing_early(lag: Lag, latency: Latency) -> None:
    lag.tell([10 * S], 9 * S)
    latency.tell(10 * S, 9 * S)
    assert REGISTRY.get_sample_value("tests_lag_seconds") == 0.0
    assert REGISTRY.get_sample_value("tests_latency_seconds_sum") == 0.0


def test_latencies_are_counted_in_the_buckets_of_every_service(latency: Latency) -> None:
    before = REGISTRY.get_sample_value("tests_latency_seconds_bucket", {"le": "0.75"}) or 0.0
    latency.tell(0, 600_000_000)
    assert REGISTRY.get_sample_value("tests_latency_seconds_bucket", {"le": "0.75"}) == before + 1
    assert REGISTRY.get_sample_value("tests_latency_seconds_bucket", {"le": "0.5"}) == before
