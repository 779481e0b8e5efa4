"""Memory shared with a model server on this machine, so that windows and answers need not travel.

A region's file is unlinked as soon as the server has it, so nothing stays behind in /dev/shm however either of them
ends. What the server still maps for a client that was killed is let go by the next client.
"""

import contextlib
import ipaddress
import mmap
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from tritonclient.grpc import service_pb2

SHARED_MEMORY = Path("/dev/shm")
LEAST_BYTES = 1 << 14  # below, the message costs less than what is said about the region
SMALLEST_BYTES = 1 << 20  # of a region; larger ones are doubled
LIMIT = 8  # regions on a server; with more calls than that the rest travels
TIMEOUT_S = 1.0
NAME = re.compile(r"kensoku-(\d+)-[0-9a-f]+-client")
NOT_KNOWN = "Unable to find shared memory region"  # as Triton says it after it was started again
TOO_SMALL = "shared memory size specified"  # answers longer than what is asked about
# The server did not say what became of the call.
AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


@dataclass(slots=True)
class Region:
    name: str
    memory: mmap.mmap

    @property
    def capacity(self) -> int:
        return len(self.memory)


@dataclass(slots=True)
class _Shared:
    """What one server shares with us."""

    is_refused: bool = False
    idle: list[Region] = field(default_factory=list)
    count: int = 0  # registered, those of calls that were given up included


class Regions:
    """Thread-safe."""

    def __init__(self, stub: Callable[[str], Any]) -> None:
        self._stub = stub
        self._lock = threading.Lock()
        self._servers: dict[str, _Shared] = {}

    @contextmanager
    def lent(self, address: str, size: int) -> Iterator[Region | None]:
        """A region of at least this size that the server has, or None: what is sent must travel."""
        region = self._take(address, size)
        try:
            yield region
        except grpc.RpcError as error:
            if region is not None:
                self._returned(address, region, error)
            raise
        if region is not None:
            self._returned(address, region)

    def close(self) -> None:
        for address, shared in self._servers.items():
            for region in shared.idle:
                self._unregister(address, region.name)
        self._servers.clear()

    def _take(self, address: str, size: int) -> Region | None:
        if size < LEAST_BYTES or not is_here(address):
            return None
        with self._lock:
            if (shared := self._servers.get(address)) is None:
                shared = self._servers[address] = _Shared()
                self._let_go_of_abandoned(address)
            if shared.is_refused:
                return None
            fitting = [region for region in shared.idle if region.capacity >= size]
            if fitting:
                region = min(fitting, key=lambda region: region.capacity)
                shared.idle.remove(region)
                return region
            while shared.idle and shared.count >= LIMIT:
                self._unregister(address, shared.idle.pop(0).name)
                shared.count -= 1
            return self._registered(address, shared, size) if shared.count < LIMIT else None

    def _registered(self, address: str, shared: _Shared, size: int) -> Region | None:
        capacity = max(SMALLEST_BYTES, 1 << (size - 1).bit_length())
        name = f"kensoku-{os.getpid()}-{secrets.token_hex(4)}-client"
        request = service_pb2.SystemSharedMemoryRegisterRequest(name=name, key=f"/{name}", byte_size=capacity)
        path = SHARED_MEMORY / name
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except OSError:
            shared.is_refused = True
            return None
        try:
            os.posix_fallocate(file, 0, capacity)  # now, since a full /dev/shm would end us at the first write
            region = Region(name, mmap.mmap(file, capacity))
            self._stub(address).SystemSharedMemoryRegister(request, timeout=TIMEOUT_S)
        except (OSError, grpc.RpcError) as error:
            is_away = isinstance(error, grpc.RpcError) and error.code() in AWAY
            shared.is_refused = not is_away  # a container's server sees another /dev/shm; /dev/shm is full
            return None
        finally:
            os.close(file)
            path.unlink()
        shared.count += 1
        return region

    def _returned(self, address: str, region: Region, error: grpc.RpcError | None = None) -> None:
        details = (error.details() or "") if error else ""
        with self._lock:
            shared = self._servers.setdefault(address, _Shared())
            if error and (error.code() == grpc.StatusCode.UNAVAILABLE or NOT_KNOWN in details):
                self._servers[address] = _Shared()  # a server that was started again knows none
            elif not error or error.code() not in AWAY:  # else the server may write into it still
                shared.idle.append(region)
            shared.is_refused |= TOO_SMALL in details

    def _let_go_of_abandoned(self, address: str) -> None:
        with contextlib.suppress(grpc.RpcError):
            request = service_pb2.SystemSharedMemoryStatusRequest()
            known = self._stub(address).SystemSharedMemoryStatus(request, timeout=TIMEOUT_S).regions
            for name in known:
                owner = NAME.fullmatch(name)
                if owner and not Path("/proc", owner[1]).exists():
                    self._unregister(address, name)

    def _unregister(self, address: str, name: str) -> None:
        with contextlib.suppress(grpc.RpcError):
            request = service_pb2.SystemSharedMemoryUnregisterRequest(name=name)
            self._stub(address).SystemSharedMemoryUnregister(request, timeout=TIMEOUT_S)


def is_here(address: str) -> bool:
    """Whether an ip:port is of this machine, as far as the address tells."""
    try:
        return ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False


def is_about_shared_memory(details: str) -> bool:
    return NOT_KNOWN in details or TOO_SMALL in details
