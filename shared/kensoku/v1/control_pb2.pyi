from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Control(_message.Message):
    __slots__ = ("model_promotions", "station_switch", "region", "author", "reason", "decided_ns")
    MODEL_PROMOTIONS_FIELD_NUMBER: _ClassVar[int]
    STATION_SWITCH_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECIDED_NS_FIELD_NUMBER: _ClassVar[int]
    model_promotions: ModelPromotions
    station_switch: StationSwitch
    region: Region
    author: str
    reason: str
    decided_ns: int
    def __init__(self, model_promotions: _Optional[_Union[ModelPromotions, _Mapping]] = ..., station_switch: _Optional[_Union[StationSwitch, _Mapping]] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., author: _Optional[str] = ..., reason: _Optional[str] = ..., decided_ns: _Optional[int] = ...) -> None: ...

class ModelPromotions(_message.Message):
    __slots__ = ("model", "promotions")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMOTIONS_FIELD_NUMBER: _ClassVar[int]
    model: str
    promotions: _containers.RepeatedCompositeFieldContainer[ModelPromotion]
    def __init__(self, model: _Optional[str] = ..., promotions: _Optional[_Iterable[_Union[ModelPromotion, _Mapping]]] = ...) -> None: ...

class ModelPromotion(_message.Message):
    __slots__ = ("version", "sha256", "effective_ns")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_NS_FIELD_NUMBER: _ClassVar[int]
    version: str
    sha256: str
    effective_ns: int
    def __init__(self, version: _Optional[str] = ..., sha256: _Optional[str] = ..., effective_ns: _Optional[int] = ...) -> None: ...

class StationSwitch(_message.Message):
    __slots__ = ("network", "station", "disabled")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    network: str
    station: str
    disabled: bool
    def __init__(self, network: _Optional[str] = ..., station: _Optional[str] = ..., disabled: _Optional[bool] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("name", "polygon", "reach_km", "partition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLYGON_FIELD_NUMBER: _ClassVar[int]
    REACH_KM_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    polygon: _containers.RepeatedCompositeFieldContainer[Vertex]
    reach_km: float
    partition: int
    def __init__(self, name: _Optional[str] = ..., polygon: _Optional[_Iterable[_Union[Vertex, _Mapping]]] = ..., reach_km: _Optional[float] = ..., partition: _Optional[int] = ...) -> None: ...

class Vertex(_message.Message):
    __slots__ = ("latitude_deg", "longitude_deg")
    LATITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    latitude_deg: float
    longitude_deg: float
    def __init__(self, latitude_deg: _Optional[float] = ..., longitude_deg: _Optional[float] = ...) -> None: ...
