from kensoku.v1 import event_pb2 as _event_pb2
from kensoku.v1 import pick_pb2 as _pick_pb2
from kensoku.v1 import waveform_pb2 as _waveform_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorDetail(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_DETAIL_UNSPECIFIED: _ClassVar[ErrorDetail]
    ERROR_DETAIL_CURSOR_EXPIRED: _ClassVar[ErrorDetail]
    ERROR_DETAIL_STATION_UNKNOWN: _ClassVar[ErrorDetail]
    ERROR_DETAIL_MODEL_UNAVAILABLE: _ClassVar[ErrorDetail]
    ERROR_DETAIL_OVERLOADED: _ClassVar[ErrorDetail]
    ERROR_DETAIL_WAVEFORM_INVALID: _ClassVar[ErrorDetail]
ERROR_DETAIL_UNSPECIFIED: ErrorDetail
ERROR_DETAIL_CURSOR_EXPIRED: ErrorDetail
ERROR_DETAIL_STATION_UNKNOWN: ErrorDetail
ERROR_DETAIL_MODEL_UNAVAILABLE: ErrorDetail
ERROR_DETAIL_OVERLOADED: ErrorDetail
ERROR_DETAIL_WAVEFORM_INVALID: ErrorDetail

class IngestRequest(_message.Message):
    __slots__ = ("sequence", "packet")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PACKET_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    packet: _waveform_pb2.WaveformPacket
    def __init__(self, sequence: _Optional[int] = ..., packet: _Optional[_Union[_waveform_pb2.WaveformPacket, _Mapping]] = ...) -> None: ...

class IngestResponse(_message.Message):
    __slots__ = ("accepted_to", "rejections")
    ACCEPTED_TO_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    accepted_to: int
    rejections: _containers.RepeatedCompositeFieldContainer[IngestRejection]
    def __init__(self, accepted_to: _Optional[int] = ..., rejections: _Optional[_Iterable[_Union[IngestRejection, _Mapping]]] = ...) -> None: ...

class IngestRejection(_message.Message):
    __slots__ = ("sequence", "reason")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    reason: str
    def __init__(self, sequence: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PickRequest(_message.Message):
    __slots__ = ("packets", "p_threshold", "s_threshold", "with_rejected", "models")
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    P_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    S_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    WITH_REJECTED_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    packets: _containers.RepeatedCompositeFieldContainer[_waveform_pb2.WaveformPacket]
    p_threshold: float
    s_threshold: float
    with_rejected: bool
    models: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, packets: _Optional[_Iterable[_Union[_waveform_pb2.WaveformPacket, _Mapping]]] = ..., p_threshold: _Optional[float] = ..., s_threshold: _Optional[float] = ..., with_rejected: _Optional[bool] = ..., models: _Optional[_Iterable[str]] = ...) -> None: ...

class PickResponse(_message.Message):
    __slots__ = ("picks", "measurements", "warnings")
    PICKS_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[_pick_pb2.Pick]
    measurements: _containers.RepeatedCompositeFieldContainer[_pick_pb2.PickMeasurement]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, picks: _Optional[_Iterable[_Union[_pick_pb2.Pick, _Mapping]]] = ..., measurements: _Optional[_Iterable[_Union[_pick_pb2.PickMeasurement, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class CallerPick(_message.Message):
    __slots__ = ("id", "instrument", "phase", "onset_ns", "onset_uncertainty_s")
    ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ONSET_NS_FIELD_NUMBER: _ClassVar[int]
    ONSET_UNCERTAINTY_S_FIELD_NUMBER: _ClassVar[int]
    id: str
    instrument: _pick_pb2.Instrument
    phase: _pick_pb2.Phase
    onset_ns: int
    onset_uncertainty_s: float
    def __init__(self, id: _Optional[str] = ..., instrument: _Optional[_Union[_pick_pb2.Instrument, _Mapping]] = ..., phase: _Optional[_Union[_pick_pb2.Phase, str]] = ..., onset_ns: _Optional[int] = ..., onset_uncertainty_s: _Optional[float] = ...) -> None: ...

class DenoiseRequest(_message.Message):
    __slots__ = ("picks", "packets")
    PICKS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[CallerPick]
    packets: _containers.RepeatedCompositeFieldContainer[_waveform_pb2.WaveformPacket]
    def __init__(self, picks: _Optional[_Iterable[_Union[CallerPick, _Mapping]]] = ..., packets: _Optional[_Iterable[_Union[_waveform_pb2.WaveformPacket, _Mapping]]] = ...) -> None: ...

class DenoiseResponse(_message.Message):
    __slots__ = ("judgements",)
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    judgements: _containers.RepeatedCompositeFieldContainer[Judgement]
    def __init__(self, judgements: _Optional[_Iterable[_Union[Judgement, _Mapping]]] = ...) -> None: ...

class Judgement(_message.Message):
    __slots__ = ("id", "probabilities", "is_kept", "reason", "model")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    IS_KEPT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    probabilities: _pick_pb2.PhaseProbabilities
    is_kept: bool
    reason: str
    model: _pick_pb2.ModelReference
    def __init__(self, id: _Optional[str] = ..., probabilities: _Optional[_Union[_pick_pb2.PhaseProbabilities, _Mapping]] = ..., is_kept: _Optional[bool] = ..., reason: _Optional[str] = ..., model: _Optional[_Union[_pick_pb2.ModelReference, _Mapping]] = ...) -> None: ...

class ClassifySourceRequest(_message.Message):
    __slots__ = ("picks", "packets", "origin_time_ns", "depth_km")
    PICKS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_KM_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[CallerPick]
    packets: _containers.RepeatedCompositeFieldContainer[_waveform_pb2.WaveformPacket]
    origin_time_ns: int
    depth_km: float
    def __init__(self, picks: _Optional[_Iterable[_Union[CallerPick, _Mapping]]] = ..., packets: _Optional[_Iterable[_Union[_waveform_pb2.WaveformPacket, _Mapping]]] = ..., origin_time_ns: _Optional[int] = ..., depth_km: _Optional[float] = ...) -> None: ...

class ClassifySourceResponse(_message.Message):
    __slots__ = ("votes", "together")
    VOTES_FIELD_NUMBER: _ClassVar[int]
    TOGETHER_FIELD_NUMBER: _ClassVar[int]
    votes: _containers.RepeatedCompositeFieldContainer[SourceVote]
    together: _event_pb2.TypeProbabilities
    def __init__(self, votes: _Optional[_Iterable[_Union[SourceVote, _Mapping]]] = ..., together: _Optional[_Union[_event_pb2.TypeProbabilities, _Mapping]] = ...) -> None: ...

class SourceVote(_message.Message):
    __slots__ = ("id", "blast_probability", "reason", "model")
    ID_FIELD_NUMBER: _ClassVar[int]
    BLAST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    blast_probability: float
    reason: str
    model: _pick_pb2.ModelReference
    def __init__(self, id: _Optional[str] = ..., blast_probability: _Optional[float] = ..., reason: _Optional[str] = ..., model: _Optional[_Union[_pick_pb2.ModelReference, _Mapping]] = ...) -> None: ...

class LocateRequest(_message.Message):
    __slots__ = ("picks", "velocity_model")
    PICKS_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_MODEL_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[CallerPick]
    velocity_model: str
    def __init__(self, picks: _Optional[_Iterable[_Union[CallerPick, _Mapping]]] = ..., velocity_model: _Optional[str] = ...) -> None: ...

class LocateResponse(_message.Message):
    __slots__ = ("origin", "arrivals", "provenance", "warnings")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ARRIVALS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    origin: _event_pb2.Origin
    arrivals: _containers.RepeatedCompositeFieldContainer[_event_pb2.Arrival]
    provenance: _event_pb2.Provenance
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, origin: _Optional[_Union[_event_pb2.Origin, _Mapping]] = ..., arrivals: _Optional[_Iterable[_Union[_event_pb2.Arrival, _Mapping]]] = ..., provenance: _Optional[_Union[_event_pb2.Provenance, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class SubscribePicksRequest(_message.Message):
    __slots__ = ("cursor", "stations", "with_rejected", "with_progress")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    STATIONS_FIELD_NUMBER: _ClassVar[int]
    WITH_REJECTED_FIELD_NUMBER: _ClassVar[int]
    WITH_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    cursor: bytes
    stations: _containers.RepeatedScalarFieldContainer[str]
    with_rejected: bool
    with_progress: bool
    def __init__(self, cursor: _Optional[bytes] = ..., stations: _Optional[_Iterable[str]] = ..., with_rejected: _Optional[bool] = ..., with_progress: _Optional[bool] = ...) -> None: ...

class SubscribePicksResponse(_message.Message):
    __slots__ = ("message", "cursor")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    message: _pick_pb2.PickMessage
    cursor: bytes
    def __init__(self, message: _Optional[_Union[_pick_pb2.PickMessage, _Mapping]] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class SubscribeEventsRequest(_message.Message):
    __slots__ = ("cursor", "area", "minimum_magnitude", "with_retracted")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_MAGNITUDE_FIELD_NUMBER: _ClassVar[int]
    WITH_RETRACTED_FIELD_NUMBER: _ClassVar[int]
    cursor: bytes
    area: Area
    minimum_magnitude: float
    with_retracted: bool
    def __init__(self, cursor: _Optional[bytes] = ..., area: _Optional[_Union[Area, _Mapping]] = ..., minimum_magnitude: _Optional[float] = ..., with_retracted: _Optional[bool] = ...) -> None: ...

class SubscribeEventsResponse(_message.Message):
    __slots__ = ("event", "cursor")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    cursor: bytes
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ("start_ns", "end_ns", "area")
    START_NS_FIELD_NUMBER: _ClassVar[int]
    END_NS_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    start_ns: int
    end_ns: int
    area: Area
    def __init__(self, start_ns: _Optional[int] = ..., end_ns: _Optional[int] = ..., area: _Optional[_Union[Area, _Mapping]] = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("event", "cursor")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    cursor: bytes
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class Area(_message.Message):
    __slots__ = ("south_deg", "north_deg", "west_deg", "east_deg")
    SOUTH_DEG_FIELD_NUMBER: _ClassVar[int]
    NORTH_DEG_FIELD_NUMBER: _ClassVar[int]
    WEST_DEG_FIELD_NUMBER: _ClassVar[int]
    EAST_DEG_FIELD_NUMBER: _ClassVar[int]
    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float
    def __init__(self, south_deg: _Optional[float] = ..., north_deg: _Optional[float] = ..., west_deg: _Optional[float] = ..., east_deg: _Optional[float] = ...) -> None: ...
