"""How late a service is: what it reads grows old, and what it says comes so long after what it is about."""

from collections.abc import Iterable

from prometheus_client import Gauge, Histogram

from kensoku.times import NS_PER_S

LATENCIES_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300)  # buckets, the same for every service


class Lag:
    """A figure: how long ago the newest of what was read last had been stamped."""

    def __init__(self, name: str, sentence: str) -> None:
        self._seconds = Gauge(name, f"Wall-clock time since {sentence}")

    def tell(self, stamps_ns: Iterable[int], now_ns: int) -> None:
        """Of what was read now; it stays as it was where that is nothing."""
        newest_ns = max(stamps_ns, default=None)
        if newest_ns is not None:
            self._seconds.set(elapsed_s(newest_ns, now_ns))


class Latency:
    """A figure: how often which time passed from one stamp to another."""

    def __init__(self, name: str, sentence: str) -> None:
        self._seconds = Histogram(name, sentence, buckets=LATENCIES_S)

    def tell(self, since_ns: int, until_ns: int) -> None:
        self._seconds.observe(elapsed_s(since_ns, until_ns))


def elapsed_s(since_ns: int, until_ns: int) -> float:
    """Never below zero: clocks of two machines differ."""
    return max(until_ns - since_ns, 0) / NS_PER_S
