from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATION_STATE_UNSPECIFIED: _ClassVar[StationState]
    STATION_STATE_OK: _ClassVar[StationState]
    STATION_STATE_LATE: _ClassVar[StationState]
    STATION_STATE_SILENT: _ClassVar[StationState]
    STATION_STATE_FAULTY: _ClassVar[StationState]
    STATION_STATE_QUARANTINED: _ClassVar[StationState]
    STATION_STATE_DISABLED: _ClassVar[StationState]
STATION_STATE_UNSPECIFIED: StationState
STATION_STATE_OK: StationState
STATION_STATE_LATE: StationState
STATION_STATE_SILENT: StationState
STATION_STATE_FAULTY: StationState
STATION_STATE_QUARANTINED: StationState
STATION_STATE_DISABLED: StationState

class StationHealth(_message.Message):
    __slots__ = ("network", "station", "interval_start_ns", "interval_end_ns", "channels", "packets", "duplicates", "rejected", "state", "reason")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_START_NS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_END_NS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    network: str
    station: str
    interval_start_ns: int
    interval_end_ns: int
    channels: _containers.RepeatedCompositeFieldContainer[ChannelHealth]
    packets: int
    duplicates: int
    rejected: int
    state: StationState
    reason: str
    def __init__(self, network: _Optional[str] = ..., station: _Optional[str] = ..., interval_start_ns: _Optional[int] = ..., interval_end_ns: _Optional[int] = ..., channels: _Optional[_Iterable[_Union[ChannelHealth, _Mapping]]] = ..., packets: _Optional[int] = ..., duplicates: _Optional[int] = ..., rejected: _Optional[int] = ..., state: _Optional[_Union[StationState, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ChannelHealth(_message.Message):
    __slots__ = ("location", "code", "last_sample_ns", "latency_s", "latency_max_s", "gaps", "gap_s", "overlaps", "overlap_s", "spikes", "rms_counts", "offset_counts", "clock_error_s", "is_flat", "is_clipping")
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    LAST_SAMPLE_NS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_S_FIELD_NUMBER: _ClassVar[int]
    LATENCY_MAX_S_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    GAP_S_FIELD_NUMBER: _ClassVar[int]
    OVERLAPS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_S_FIELD_NUMBER: _ClassVar[int]
    SPIKES_FIELD_NUMBER: _ClassVar[int]
    RMS_COUNTS_FIELD_NUMBER: _ClassVar[int]
    OFFSET_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CLOCK_ERROR_S_FIELD_NUMBER: _ClassVar[int]
    IS_FLAT_FIELD_NUMBER: _ClassVar[int]
    IS_CLIPPING_FIELD_NUMBER: _ClassVar[int]
    location: str
    code: str
    last_sample_ns: int
    latency_s: float
    latency_max_s: float
    gaps: int
    gap_s: float
    overlaps: int
    overlap_s: float
    spikes: int
    rms_counts: float
    offset_counts: float
    clock_error_s: float
    is_flat: bool
    is_clipping: bool
    def __init__(self, location: _Optional[str] = ..., code: _Optional[str] = ..., last_sample_ns: _Optional[int] = ..., latency_s: _Optional[float] = ..., latency_max_s: _Optional[float] = ..., gaps: _Optional[int] = ..., gap_s: _Optional[float] = ..., overlaps: _Optional[int] = ..., overlap_s: _Optional[float] = ..., spikes: _Optional[int] = ..., rms_counts: _Optional[float] = ..., offset_counts: _Optional[float] = ..., clock_error_s: _Optional[float] = ..., is_flat: _Optional[bool] = ..., is_clipping: _Optional[bool] = ...) -> None: ...
