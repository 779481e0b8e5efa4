from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LogPosition(_message.Message):
    __slots__ = ("topic", "partition", "offset")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class LogHeader(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class LogMessage(_message.Message):
    __slots__ = ("position", "key", "value", "headers", "published_ns")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_NS_FIELD_NUMBER: _ClassVar[int]
    position: LogPosition
    key: str
    value: bytes
    headers: _containers.RepeatedCompositeFieldContainer[LogHeader]
    published_ns: int
    def __init__(self, position: _Optional[_Union[LogPosition, _Mapping]] = ..., key: _Optional[str] = ..., value: _Optional[bytes] = ..., headers: _Optional[_Iterable[_Union[LogHeader, _Mapping]]] = ..., published_ns: _Optional[int] = ...) -> None: ...

class AppendRequest(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[LogMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[LogMessage, _Mapping]]] = ...) -> None: ...

class AppendResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FetchRequest(_message.Message):
    __slots__ = ("positions", "limit", "timeout_s", "member")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[LogPosition]
    limit: int
    timeout_s: float
    member: int
    def __init__(self, positions: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ..., limit: _Optional[int] = ..., timeout_s: _Optional[float] = ..., member: _Optional[int] = ...) -> None: ...

class FetchResponse(_message.Message):
    __slots__ = ("messages", "gaps", "offered")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    OFFERED_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[LogMessage]
    gaps: _containers.RepeatedCompositeFieldContainer[LogGap]
    offered: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, messages: _Optional[_Iterable[_Union[LogMessage, _Mapping]]] = ..., gaps: _Optional[_Iterable[_Union[LogGap, _Mapping]]] = ..., offered: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...

class LogGap(_message.Message):
    __slots__ = ("first", "next_offset")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    first: LogPosition
    next_offset: int
    def __init__(self, first: _Optional[_Union[LogPosition, _Mapping]] = ..., next_offset: _Optional[int] = ...) -> None: ...

class GetBoundsRequest(_message.Message):
    __slots__ = ("topic", "time_ns")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    topic: str
    time_ns: int
    def __init__(self, topic: _Optional[str] = ..., time_ns: _Optional[int] = ...) -> None: ...

class GetBoundsResponse(_message.Message):
    __slots__ = ("bounds",)
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    bounds: _containers.RepeatedCompositeFieldContainer[LogBounds]
    def __init__(self, bounds: _Optional[_Iterable[_Union[LogBounds, _Mapping]]] = ...) -> None: ...

class LogBounds(_message.Message):
    __slots__ = ("partition", "first_offset", "end_offset", "time_offset")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    TIME_OFFSET_FIELD_NUMBER: _ClassVar[int]
    partition: int
    first_offset: int
    end_offset: int
    time_offset: int
    def __init__(self, partition: _Optional[int] = ..., first_offset: _Optional[int] = ..., end_offset: _Optional[int] = ..., time_offset: _Optional[int] = ...) -> None: ...

class ListTopicsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTopicsResponse(_message.Message):
    __slots__ = ("topics",)
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    topics: _containers.RepeatedCompositeFieldContainer[LogTopic]
    def __init__(self, topics: _Optional[_Iterable[_Union[LogTopic, _Mapping]]] = ...) -> None: ...

class LogTopic(_message.Message):
    __slots__ = ("name", "partitions", "messages", "settings", "is_placed_by_number")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    IS_PLACED_BY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    name: str
    partitions: int
    messages: int
    settings: _containers.ScalarMap[str, str]
    is_placed_by_number: bool
    def __init__(self, name: _Optional[str] = ..., partitions: _Optional[int] = ..., messages: _Optional[int] = ..., settings: _Optional[_Mapping[str, str]] = ..., is_placed_by_number: _Optional[bool] = ...) -> None: ...

class JoinRequest(_message.Message):
    __slots__ = ("group", "topics")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    group: str
    topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, group: _Optional[str] = ..., topics: _Optional[_Iterable[str]] = ...) -> None: ...

class JoinResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: int
    def __init__(self, member: _Optional[int] = ...) -> None: ...

class TakeRequest(_message.Message):
    __slots__ = ("member", "positions")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    member: int
    positions: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, member: _Optional[int] = ..., positions: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...

class TakeResponse(_message.Message):
    __slots__ = ("owned",)
    OWNED_FIELD_NUMBER: _ClassVar[int]
    owned: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, owned: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...

class CommitRequest(_message.Message):
    __slots__ = ("member", "positions")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    member: int
    positions: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, member: _Optional[int] = ..., positions: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...

class CommitResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCommittedRequest(_message.Message):
    __slots__ = ("group", "positions")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    group: str
    positions: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, group: _Optional[str] = ..., positions: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...

class GetCommittedResponse(_message.Message):
    __slots__ = ("positions",)
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[LogPosition]
    def __init__(self, positions: _Optional[_Iterable[_Union[LogPosition, _Mapping]]] = ...) -> None: ...
