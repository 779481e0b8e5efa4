from kensoku.v1 import event_pb2 as _event_pb2
from kensoku.v1 import pick_pb2 as _pick_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Association(_message.Message):
    __slots__ = ("event_id", "revision", "owner_epoch", "status", "region", "seam", "picks", "silent", "trial", "tick_ns", "merged_into", "split_from", "reason", "score", "decided_ns")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OWNER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    SEAM_FIELD_NUMBER: _ClassVar[int]
    PICKS_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    TICK_NS_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FROM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_NS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    revision: int
    owner_epoch: int
    status: _event_pb2.EventStatus
    region: str
    seam: str
    picks: _containers.RepeatedCompositeFieldContainer[AssociatedPick]
    silent: _containers.RepeatedCompositeFieldContainer[_pick_pb2.Instrument]
    trial: _event_pb2.Hypocentre
    tick_ns: int
    merged_into: str
    split_from: str
    reason: str
    score: float
    decided_ns: int
    def __init__(self, event_id: _Optional[str] = ..., revision: _Optional[int] = ..., owner_epoch: _Optional[int] = ..., status: _Optional[_Union[_event_pb2.EventStatus, str]] = ..., region: _Optional[str] = ..., seam: _Optional[str] = ..., picks: _Optional[_Iterable[_Union[AssociatedPick, _Mapping]]] = ..., silent: _Optional[_Iterable[_Union[_pick_pb2.Instrument, _Mapping]]] = ..., trial: _Optional[_Union[_event_pb2.Hypocentre, _Mapping]] = ..., tick_ns: _Optional[int] = ..., merged_into: _Optional[str] = ..., split_from: _Optional[str] = ..., reason: _Optional[str] = ..., score: _Optional[float] = ..., decided_ns: _Optional[int] = ...) -> None: ...

class AssociatedPick(_message.Message):
    __slots__ = ("pick", "measurement", "phase", "residual_s", "probability")
    PICK_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_S_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    pick: _pick_pb2.Pick
    measurement: _pick_pb2.PickMeasurement
    phase: _pick_pb2.Phase
    residual_s: float
    probability: float
    def __init__(self, pick: _Optional[_Union[_pick_pb2.Pick, _Mapping]] = ..., measurement: _Optional[_Union[_pick_pb2.PickMeasurement, _Mapping]] = ..., phase: _Optional[_Union[_pick_pb2.Phase, str]] = ..., residual_s: _Optional[float] = ..., probability: _Optional[float] = ...) -> None: ...
