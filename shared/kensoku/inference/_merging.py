"""Let calls of several threads leave as one request, since one round trip costs more than one window.

The first caller of a group leads: it waits for a free server, sends whatever has gathered meanwhile and hands each
caller its share. So a lone caller never waits for company, and under load the requests grow by themselves.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from kensoku.errors import ModelError, ModelServerUnavailable
from kensoku.inference._signature import Tensors

LINGER_S = 0.002  # for company, once a server is free, and only if other requests are on their way


@dataclass(frozen=True, slots=True)
class Call:
    model: str
    version: str
    inputs: Tensors

    @property
    def windows(self) -> int:
        return len(next(iter(self.inputs.values())))

    def key(self) -> Hashable:
        """Calls of one key can be one request."""
        shapes = tuple(sorted((name, value.shape[1:]) for name, value in self.inputs.items()))
        return self.model, self.version, shapes


@dataclass(slots=True)
class Member:
    call: Call
    settled: threading.Event = field(default_factory=threading.Event)
    outcome: Tensors | ModelError | None = None  # None: the leader gave up for itself, so ask again


@dataclass(slots=True)
class Group:
    members: list[Member]
    windows: int
    full: threading.Event = field(default_factory=threading.Event)


# Sends a call before a deadline; once it has a server it asks the function for the call to send in its place.
Send = Callable[[Call, float, Callable[[], Call]], Tensors]


class Merger:
    def __init__(
        self,
        send: Send,
        unavailable: Callable[[], ModelServerUnavailable],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._unavailable = unavailable
        self._clock = clock
        self._lock = threading.Lock()
        self._gathering: dict[Hashable, Group] = {}
        self._leaders = 0

    def infer(self, call: Call, limit: int, deadline: float) -> Tensors:
        """The answer to a call of at most `limit` windows, sent with those of other threads."""
        while True:
            group, member = self._join(call, limit)
            if member is group.members[0]:
                return self._lead(group, call, deadline)
            if not member.settled.wait(max(0.0, deadline - self._clock())):
                raise self._unavailable()
            if isinstance(member.outcome, ModelError):
                raise type(member.outcome)(*member.outcome.args)
            if member.outcome is not None:
                return member.outcome

    def _join(self, call: Call, limit: int) -> tuple[Group, Member]:
        member, key = Member(call), call.key()
        with self._lock:
            group = self._gathering.get(key)
            if group is None or group.windows + call.windows > limit:
                if group is not None:
                    group.full.set()
                group = self._gathering[key] = Group([member], call.windows)
            else:
                group.members.append(member)
                group.windows += call.windows
            if group.windows >= limit:
                group.full.set()
                del self._gathering[key]
        return group, member

    def _close(self, group: Group, key: Hashable) -> list[Member]:
        with self._lock:
            if self._gathering.get(key) is group:
                del self._gathering[key]
        return group.members

    def _lead(self, group: Group, call: Call, deadline: float) -> Tensors:
        def leave() -> Call:
            if self._leaders > 1:
                group.full.wait(LINGER_S)
            return merge([member.call for member in self._close(group, call.key())])

        with self._lock:
            self._leaders += 1
        try:
            shares = split(self._send(call, deadline, leave), group.members)
            for member, share in zip(group.members, shares, strict=True):
                member.outcome = share
            return shares[0]
        except ModelServerUnavailable:
            raise
        except ModelError as error:
            for member in group.members:
                member.outcome = error
            raise
        finally:
            with self._lock:
                self._leaders -= 1
            for member in self._close(group, call.key()):
                member.settled.set()


def merge(calls: list[Call]) -> Call:
    if len(calls) == 1:
        return calls[0]
    first = calls[0]
    inputs = {name: np.concatenate([call.inputs[name] for call in calls]) for name in first.inputs}
    return Call(first.model, first.version, inputs)


def split(outputs: Tensors, members: list[Member]) -> list[Tensors]:
    if len(members) == 1:
        return [outputs]
    ends = np.cumsum([member.call.windows for member in members]).tolist()
    return [
        {name: value[start:end] for name, value in outputs.items()}
        for start, end in zip([0, *ends], ends, strict=False)
    ]
