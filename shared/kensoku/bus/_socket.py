"""Offer the memory bus of a running system to other programs on this machine, and reach it from there."""

import logging
import os
import re
import socket
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message as ProtoMessage
from google.protobuf.message_factory import GetMessageClass

from kensoku.bus._interface import Gap, Headers, Message, Position
from kensoku.bus._log import Bounds, Fetched, Log, place, size_bytes, unknown_topic
from kensoku.bus.topics import ExistingTopic, Placement, Topic
from kensoku.errors import BusError, BusUnavailable, DeliveryFailed, KensokuError, SettingInvalid, TopicUnknown
from kensoku.v1 import bus_pb2 as v1

log = logging.getLogger("kensoku.bus")

LONGEST_PATH = 100  # characters; the kernel's limit for a socket is 107
CALLERS = 32  # one thread for every member of a group, and one for every question
ANSWER_BYTES = 16 * 1024**2
QUEUED_BYTES = 256 * 1024  # published and not yet sent; `flush` sends the rest
CALL_S = 60.0  # longer than a full topic waits for its readers
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 2 * ANSWER_BYTES),
    ("grpc.max_send_message_length", 2 * ANSWER_BYTES),
]

Answer = TypeVar("Answer", bound=ProtoMessage)

CODES: tuple[tuple[type[KensokuError], grpc.StatusCode], ...] = (
    (TopicUnknown, grpc.StatusCode.NOT_FOUND),
    (DeliveryFailed, grpc.StatusCode.INVALID_ARGUMENT),
    (BusUnavailable, grpc.StatusCode.UNAVAILABLE),
    (BusError, grpc.StatusCode.FAILED_PRECONDITION),
)


# --- values on the wire -----------------------------------------------------------------------------------------------


def encode_positions(positions: Iterable[Position] | Mapping[Position, int]) -> list[v1.LogPosition]:
    offsets = positions if isinstance(positions, Mapping) else dict.fromkeys(positions, 0)
    return [v1.LogPosition(topic=topic, partition=number, offset=o) for (topic, number), o in offsets.items()]


def decode_positions(positions: Iterable[v1.LogPosition]) -> dict[Position, int]:
    return {(position.topic, position.partition): position.offset for position in positions}


def encode_message(message: Message) -> v1.LogMessage:
    return v1.LogMessage(
        position=v1.LogPosition(topic=message.topic, partition=message.partition, offset=message.offset),
        key=message.key,
        value=message.value,
        headers=[v1.LogHeader(name=name, value=value) for name, value in message.headers],
        published_ns=message.published_ns,
    )


def decode_message(message: v1.LogMessage) -> Message:
    return Message(
        topic=message.position.topic,
        partition=message.position.partition,
        offset=message.position.offset,
        key=message.key,
        value=message.value if message.HasField("value") else None,
        published_ns=message.published_ns,
        headers=tuple((header.name, header.value) for header in message.headers),
    )


# --- the running system -----------------------------------------------------------------------------------------------


@contextmanager
def serve_log(served: Log, path: Path) -> Iterator[None]:
    """Offer a log at a socket that only this user can open."""
    _check_path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        _remove_if_deserted(path)
    server = grpc.server(ThreadPoolExecutor(CALLERS, thread_name_prefix="bus"), options=CHANNEL_OPTIONS)
    server.add_generic_rpc_handlers((_handlers(Service(served)),))
    before = os.umask(0o177)  # so that the socket never exists with wider rights
    try:
        server.add_insecure_port(f"unix:{path}")
    finally:
        os.umask(before)
    server.start()
    try:
        yield
    finally:
        server.stop(grace=1.0).wait()
        path.unlink(missing_ok=True)


def _check_path(path: Path) -> None:
    if not path.is_absolute() or len(str(path)) > LONGEST_PATH:
        raise SettingInvalid(
            f"found {path} ({len(str(path))} characters) for the socket of the bus, expected an absolute path of at "
            f"most {LONGEST_PATH}; choose a shorter KENSOKU_HOME"
        )


def _remove_if_deserted(path: Path) -> None:
    """Asked without gRPC, whose next channel of this process would go by the refusal for a second."""
    if stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
    raise SettingInvalid(f"found something at {path} already, expected no running system; stop it or set KENSOKU_HOME")


METHODS = {method.name: method for method in v1.DESCRIPTOR.services_by_name["MemoryBusService"].methods}


def _serialize(message: ProtoMessage) -> bytes:
    return message.SerializeToString()


def _path(name: str) -> str:
    return f"/{METHODS[name].containing_service.full_name}/{name}"


def _handlers(service: "Service") -> grpc.GenericRpcHandler:
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            _answering(getattr(service, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=_serialize,
        )
        for name, method in METHODS.items()
        if not method.server_streaming
    }
    handlers["Join"] = grpc.unary_stream_rpc_method_handler(
        service.join, request_deserializer=v1.JoinRequest.FromString, response_serializer=_serialize
    )
    return grpc.method_handlers_generic_handler(METHODS["Join"].containing_service.full_name, handlers)


def _answering(method: Callable[[Any], Answer]) -> Callable[[Any, grpc.ServicerContext], Answer]:
    """Turn our errors into gRPC's status codes."""

    def answer(request: Any, context: grpc.ServicerContext) -> Answer:
        with _as_status(context):
            return method(request)

    return answer


@contextmanager
def _as_status(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except KensokuError as error:
        code = next((code for kind, code in CODES if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
        context.abort(code, str(error))


class Service:
    def __init__(self, served: Log) -> None:
        self._log = served

    def append(self, request: v1.AppendRequest) -> v1.AppendResponse:
        for message in request.messages:
            m = decode_message(message)
            self._log.append(m.topic, m.key, m.value, m.headers, m.partition)
        return v1.AppendResponse()

    def fetch(self, request: v1.FetchRequest) -> v1.FetchResponse:
        positions = decode_positions(request.positions)
        fetched = self._log.fetch(positions, request.limit, request.timeout_s, request.member)
        response = v1.FetchResponse(offered=encode_positions(fetched.offered))
        for gap in fetched.gaps:
            first = v1.LogPosition(topic=gap.topic, partition=gap.partition, offset=gap.first_offset)
            response.gaps.append(v1.LogGap(first=first, next_offset=gap.next_offset))
        room_bytes = ANSWER_BYTES
        for message in (message for run in fetched.runs for message in run):
            room_bytes -= len(message.value or b"") + 100
            if room_bytes < 0:
                break  # the caller's position stands here, so the next fetch goes on from it
            response.messages.append(encode_message(message))
        return response

    def get_bounds(self, request: v1.GetBoundsRequest) -> v1.GetBoundsResponse:
        at = self._log.offsets_at(request.topic, request.time_ns) if request.HasField("time_ns") else {}
        bounds = [
            v1.LogBounds(partition=number, first_offset=b.first, end_offset=b.end, time_offset=at.get(number, 0))
            for number, b in self._log.bounds(request.topic).items()
        ]
        return v1.GetBoundsResponse(bounds=bounds)

    def list_topics(self, request: v1.ListTopicsRequest) -> v1.ListTopicsResponse:
        topics = [
            v1.LogTopic(
                name=t.name,
                partitions=t.partitions,
                messages=t.messages,
                settings=t.settings,
                is_placed_by_number=t.placement is Placement.BY_NUMBER,
            )
            for t in self._log.existing_topics()
        ]
        return v1.ListTopicsResponse(topics=topics)

    def join(self, request: v1.JoinRequest, context: grpc.ServicerContext) -> Iterator[v1.JoinResponse]:
        with _as_status(context):
            member = self._log.join(request.group, list(request.topics))
        is_over = threading.Event()
        try:
            if context.add_callback(is_over.set):
                yield v1.JoinResponse(member=member)
                is_over.wait()
        finally:
            self._log.leave(member)

    def take(self, request: v1.TakeRequest) -> v1.TakeResponse:
        owned = self._log.take(request.member, frozenset(decode_positions(request.positions)))
        return v1.TakeResponse(owned=encode_positions(owned))

    def commit(self, request: v1.CommitRequest) -> v1.CommitResponse:
        self._log.store(request.member, decode_positions(request.positions))
        return v1.CommitResponse()

    def get_committed(self, request: v1.GetCommittedRequest) -> v1.GetCommittedResponse:
        committed = self._log.committed(request.group, decode_positions(request.positions))
        return v1.GetCommittedResponse(positions=encode_positions(committed))


# --- the other programs -----------------------------------------------------------------------------------------------


class RemoteLog:
    """The log of the system that runs here, in another process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memberships: dict[int, grpc.Call] = {}
        self._topics: Mapping[str, Topic] = {}
        self._lock = threading.RLock()
        self._queued: list[Message] = []
        self._queued_bytes = 0
        self._channel = grpc.insecure_channel(f"unix:{path}", options=CHANNEL_OPTIONS)
        self._join = self._channel.unary_stream(
            _path("Join"),
            request_serializer=_serialize,
            response_deserializer=v1.JoinResponse.FromString,
        )
        self._methods = {
            name: self._channel.unary_unary(
                _path(name),
                request_serializer=_serialize,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            for name, method in METHODS.items()
            if not method.server_streaming
        }
        try:
            self.existing_topics()
        except BusUnavailable:
            self._channel.close()
            raise

    def append(self, topic: str, key: str, value: bytes | None, headers: Headers, partition: int | None) -> None:
        if (known := self._topics.get(topic)) is None:
            raise unknown_topic(topic, self._topics)
        message = Message(topic, place(known, key, value, partition), 0, key, value, 0, headers)
        with self._lock:
            self._queued.append(message)
            self._queued_bytes += size_bytes(message)
            if self._queued_bytes > QUEUED_BYTES:
                self.flush()

    def flush(self) -> None:
        with self._lock:
            queued, self._queued, self._queued_bytes = self._queued, [], 0
            if queued:
                self._ask("Append", v1.AppendRequest(messages=map(encode_message, queued)))

    def fetch(self, positions: Mapping[Position, int], limit: int, timeout_s: float, member: int) -> Fetched:
        answer = self._ask(
            "Fetch",
            v1.FetchRequest(positions=encode_positions(positions), limit=limit, timeout_s=timeout_s, member=member),
        )
        messages = map(decode_message, answer.messages)
        runs = [list(run) for _, run in groupby(messages, key=lambda message: (message.topic, message.partition))]
        gaps = [
            Gap(gap.first.topic, gap.first.partition, gap.first.offset, gap.next_offset, was_committed=True)
            for gap in answer.gaps
        ]
        return Fetched(runs, gaps, frozenset(decode_positions(answer.offered)))

    def bounds(self, topic: str) -> Mapping[int, Bounds]:
        answer = self._ask("GetBounds", v1.GetBoundsRequest(topic=topic))
        return {b.partition: Bounds(b.first_offset, b.end_offset) for b in answer.bounds}

    def offsets_at(self, topic: str, time_ns: int) -> Mapping[int, int]:
        answer = self._ask("GetBounds", v1.GetBoundsRequest(topic=topic, time_ns=time_ns))
        return {b.partition: b.time_offset for b in answer.bounds}

    def existing_topics(self) -> Sequence[ExistingTopic]:
        answer = self._ask("ListTopics", v1.ListTopicsRequest())
        topics = [
            ExistingTopic(
                name=t.name,
                partitions=t.partitions,
                messages=t.messages,
                settings=dict(t.settings),
                placement=Placement.BY_NUMBER if t.is_placed_by_number else Placement.BY_KEY,
            )
            for t in answer.topics
        ]
        self._topics = {t.name: t.declared for t in topics}
        return topics

    def join(self, group: str, topics: Sequence[str]) -> int:
        call = self._join(v1.JoinRequest(group=group, topics=topics))
        with self._our_errors():
            member = int(next(call).member)
        self._memberships[member] = call
        return member

    def take(self, member: int, positions: frozenset[Position]) -> frozenset[Position]:
        answer = self._ask("Take", v1.TakeRequest(member=member, positions=encode_positions(positions)))
        return frozenset(decode_positions(answer.owned))

    def leave(self, member: int) -> None:
        if call := self._memberships.pop(member, None):
            call.cancel()

    def store(self, member: int, offsets: Mapping[Position, int]) -> None:
        self._ask("Commit", v1.CommitRequest(member=member, positions=encode_positions(offsets)))

    def committed(self, group: str, positions: Iterable[Position]) -> Mapping[Position, int]:
        request = v1.GetCommittedRequest(group=group, positions=encode_positions(positions))
        return decode_positions(self._ask("GetCommitted", request).positions)

    def close(self) -> None:
        with suppress(BusUnavailable):
            self.flush()
        for member in list(self._memberships):
            self.leave(member)
        self._channel.close()

    def _ask(self, name: str, request: ProtoMessage) -> Any:
        with self._our_errors():
            return self._methods[name](request, timeout=CALL_S)

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            kind = next((kind for kind, code in CODES if code is error.code()), BusError)
            if kind is BusUnavailable:
                raise BusUnavailable(
                    f"no system is running here: nothing answers at {self._path}; start `kensoku run` or set "
                    "KENSOKU_BUS"
                ) from error
            raise kind(error.details()) from error
