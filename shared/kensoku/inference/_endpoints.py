"""Choose among model servers: the least busy one that works; a failed one is put aside, then probed."""

import ipaddress
import random
import socket
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import Gauge

from kensoku.errors import ModelServerUnavailable

IN_FLIGHT = Gauge("inference_in_flight_requests", "Requests that a model server has not answered yet")
ENDPOINTS = Gauge("inference_endpoints", "Addresses that the model servers' host names stand for")

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.05, 5.0
RESOLVE_EVERY_S = 10.0  # pods of a Kubernetes headless service come and go
RESOLVE_AGAIN_S = 1.0  # after a failure: the server may have come back elsewhere


@dataclass(slots=True)
class Endpoint:
    address: str
    outstanding: int = 0
    failures: int = 0  # in a row
    aside_until: float = 0.0
    reason: str = "not tried yet"

    def is_open(self, now: float, limit: int) -> bool:
        # One that failed gets a single request, the probe, until it has answered.
        return now >= self.aside_until and self.outstanding < (1 if self.failures else limit)


def choose(endpoints: Sequence[Endpoint], now: float, limit: int, chance: random.Random) -> Endpoint | None:
    """The open endpoint with the fewest requests in flight; None if all are busy or put aside."""
    available = [endpoint for endpoint in endpoints if endpoint.is_open(now, limit)]
    return min(available, key=lambda endpoint: (endpoint.outstanding, chance.random()), default=None)


def backoff_s(failures: int, chance: random.Random) -> float:
    """Exponential with jitter: half to once the doubled time, so that many callers do not come back as one."""
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 10)) * chance.uniform(0.5, 1.0)


def resolve(address: str) -> list[str]:
    """Every `ip:port` that a `host:port` stands for."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    found = {str(info[4][0]) for info in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)}
    # Servers on loopback listen on one family alone; a name that has both would give a dead endpoint.
    v4 = sorted(ip for ip in found if ipaddress.ip_address(ip).version == 4)
    return [f"{ip}:{port}" for ip in v4] or [f"[{ip}]:{port}" for ip in sorted(found)]


@dataclass(slots=True)
class Balancer:
    """Leases endpoints to callers; at most `limit` requests are in flight on each, further callers wait."""

    addresses: Sequence[str]
    limit: int
    probe: Callable[[str], bool]
    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    resolve: Callable[[str], list[str]] = resolve
    _endpoints: list[Endpoint] = field(default_factory=list)
    _resolved_at: float = float("-inf")
    _resolve_at: float = float("-inf")
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _unresolved: str = ""

    @contextmanager
    def lease(self, deadline: float, avoid: Container[str] = ()) -> Iterator[Endpoint]:
        """An endpoint that works as far as is known; ModelServerUnavailable if there is none until the deadline."""
        while True:
            endpoint = self._acquire(deadline, avoid)
            with IN_FLIGHT.track_inprogress():
                try:
                    if endpoint.failures == 0 or self.probe(endpoint.address):
                        yield endpoint
                        return
                    self.failed(endpoint, endpoint.reason)
                finally:
                    with self._changed:
                        endpoint.outstanding -= 1
                        self._changed.notify_all()

    def succeeded(self, endpoint: Endpoint) -> None:
        endpoint.failures = 0

    def failed(self, endpoint: Endpoint, reason: str) -> None:
        with self._changed:
            endpoint.failures += 1
            endpoint.aside_until = self.clock() + backoff_s(endpoint.failures, self.chance)
            endpoint.reason = reason
            self._resolve_at = min(self._resolve_at, self._resolved_at + RESOLVE_AGAIN_S)

    def known(self) -> list[str]:
        """The addresses as they resolve now."""
        with self._changed:
            self._refresh(self.clock())
            return [endpoint.address for endpoint in self._endpoints]

    def unavailable(self) -> ModelServerUnavailable:
        states = "; ".join(f"{endpoint.address}: {self._state(endpoint)}" for endpoint in self._endpoints)
        return ModelServerUnavailable(
            f"model server {','.join(self.addresses)}: no answer within the deadline; "
            f"found {states or self._unresolved or 'no address'}; start it, or check the address"
        )

    def _state(self, endpoint: Endpoint) -> str:
        is_full = not endpoint.failures and endpoint.outstanding >= self.limit
        return f"busy with {endpoint.outstanding} requests" if is_full else endpoint.reason

    def _acquire(self, deadline: float, avoid: Container[str]) -> Endpoint:
        with self._changed:
            while True:
                if (now := self.clock()) >= deadline:
                    raise self.unavailable()
                self._refresh(now)
                allowed = [endpoint for endpoint in self._endpoints if endpoint.address not in avoid]
                if (endpoint := choose(allowed, now, self.limit, self.chance)) is not None:
                    endpoint.outstanding += 1
                    return endpoint
                next_return = [e.aside_until for e in self._endpoints if e.aside_until > now]
                self._changed.wait(min([deadline, self._resolve_at, *next_return]) - now)

    def _refresh(self, now: float) -> None:
        if now < self._resolve_at:
            return
        found: list[str] = []
        for address in self.addresses:
            try:
                found += self.resolve(address)
            except OSError as error:
                self._unresolved = f"{address}: {error.strerror or error}"
        known = {endpoint.address: endpoint for endpoint in self._endpoints}
        if found:  # a name server that is away for a moment takes no server away
            self._endpoints = [known.get(address) or Endpoint(address) for address in dict.fromkeys(found)]
        self._resolved_at = now
        self._resolve_at = now + (RESOLVE_EVERY_S if found else RESOLVE_AGAIN_S)
        ENDPOINTS.set(len(self._endpoints))
