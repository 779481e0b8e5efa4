from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_KIND_UNSPECIFIED: _ClassVar[TimeKind]
    TIME_KIND_LIVE: _ClassVar[TimeKind]
    TIME_KIND_REPLAY: _ClassVar[TimeKind]
TIME_KIND_UNSPECIFIED: TimeKind
TIME_KIND_LIVE: TimeKind
TIME_KIND_REPLAY: TimeKind

class WaveformPacket(_message.Message):
    __slots__ = ("network", "station", "location", "start_ns", "rate_hz", "count", "channels", "source", "arrival_ns", "time_kind")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    START_NS_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_NS_FIELD_NUMBER: _ClassVar[int]
    TIME_KIND_FIELD_NUMBER: _ClassVar[int]
    network: str
    station: str
    location: str
    start_ns: int
    rate_hz: float
    count: int
    channels: _containers.RepeatedCompositeFieldContainer[Channel]
    source: str
    arrival_ns: int
    time_kind: TimeKind
    def __init__(self, network: _Optional[str] = ..., station: _Optional[str] = ..., location: _Optional[str] = ..., start_ns: _Optional[int] = ..., rate_hz: _Optional[float] = ..., count: _Optional[int] = ..., channels: _Optional[_Iterable[_Union[Channel, _Mapping]]] = ..., source: _Optional[str] = ..., arrival_ns: _Optional[int] = ..., time_kind: _Optional[_Union[TimeKind, str]] = ...) -> None: ...

class Channel(_message.Message):
    __slots__ = ("code", "location", "start_ns", "rate_hz", "count", "steim2", "int32", "float32")
    CODE_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    START_NS_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    STEIM2_FIELD_NUMBER: _ClassVar[int]
    INT32_FIELD_NUMBER: _ClassVar[int]
    FLOAT32_FIELD_NUMBER: _ClassVar[int]
    code: str
    location: str
    start_ns: int
    rate_hz: float
    count: int
    steim2: bytes
    int32: bytes
    float32: bytes
    def __init__(self, code: _Optional[str] = ..., location: _Optional[str] = ..., start_ns: _Optional[int] = ..., rate_hz: _Optional[float] = ..., count: _Optional[int] = ..., steim2: _Optional[bytes] = ..., int32: _Optional[bytes] = ..., float32: _Optional[bytes] = ...) -> None: ...
