from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GroundMotion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GROUND_MOTION_UNSPECIFIED: _ClassVar[GroundMotion]
    GROUND_MOTION_DISPLACEMENT: _ClassVar[GroundMotion]
    GROUND_MOTION_VELOCITY: _ClassVar[GroundMotion]
    GROUND_MOTION_ACCELERATION: _ClassVar[GroundMotion]
GROUND_MOTION_UNSPECIFIED: GroundMotion
GROUND_MOTION_DISPLACEMENT: GroundMotion
GROUND_MOTION_VELOCITY: GroundMotion
GROUND_MOTION_ACCELERATION: GroundMotion

class Station(_message.Message):
    __slots__ = ("network", "station", "epochs", "hash", "source", "published_ns")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_NS_FIELD_NUMBER: _ClassVar[int]
    network: str
    station: str
    epochs: _containers.RepeatedCompositeFieldContainer[ChannelEpoch]
    hash: str
    source: str
    published_ns: int
    def __init__(self, network: _Optional[str] = ..., station: _Optional[str] = ..., epochs: _Optional[_Iterable[_Union[ChannelEpoch, _Mapping]]] = ..., hash: _Optional[str] = ..., source: _Optional[str] = ..., published_ns: _Optional[int] = ...) -> None: ...

class ChannelEpoch(_message.Message):
    __slots__ = ("location", "code", "start_ns", "end_ns", "latitude_deg", "longitude_deg", "elevation_m", "burial_depth_m", "azimuth_deg", "dip_deg", "rate_hz", "response", "sensor")
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    START_NS_FIELD_NUMBER: _ClassVar[int]
    END_NS_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    ELEVATION_M_FIELD_NUMBER: _ClassVar[int]
    BURIAL_DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    AZIMUTH_DEG_FIELD_NUMBER: _ClassVar[int]
    DIP_DEG_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SENSOR_FIELD_NUMBER: _ClassVar[int]
    location: str
    code: str
    start_ns: int
    end_ns: int
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    burial_depth_m: float
    azimuth_deg: float
    dip_deg: float
    rate_hz: float
    response: Response
    sensor: str
    def __init__(self, location: _Optional[str] = ..., code: _Optional[str] = ..., start_ns: _Optional[int] = ..., end_ns: _Optional[int] = ..., latitude_deg: _Optional[float] = ..., longitude_deg: _Optional[float] = ..., elevation_m: _Optional[float] = ..., burial_depth_m: _Optional[float] = ..., azimuth_deg: _Optional[float] = ..., dip_deg: _Optional[float] = ..., rate_hz: _Optional[float] = ..., response: _Optional[_Union[Response, _Mapping]] = ..., sensor: _Optional[str] = ...) -> None: ...

class Response(_message.Message):
    __slots__ = ("input", "sensitivity", "frequency_hz", "poles", "zeros", "normalisation", "clip_counts")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_HZ_FIELD_NUMBER: _ClassVar[int]
    POLES_FIELD_NUMBER: _ClassVar[int]
    ZEROS_FIELD_NUMBER: _ClassVar[int]
    NORMALISATION_FIELD_NUMBER: _ClassVar[int]
    CLIP_COUNTS_FIELD_NUMBER: _ClassVar[int]
    input: GroundMotion
    sensitivity: float
    frequency_hz: float
    poles: _containers.RepeatedCompositeFieldContainer[Complex]
    zeros: _containers.RepeatedCompositeFieldContainer[Complex]
    normalisation: float
    clip_counts: float
    def __init__(self, input: _Optional[_Union[GroundMotion, str]] = ..., sensitivity: _Optional[float] = ..., frequency_hz: _Optional[float] = ..., poles: _Optional[_Iterable[_Union[Complex, _Mapping]]] = ..., zeros: _Optional[_Iterable[_Union[Complex, _Mapping]]] = ..., normalisation: _Optional[float] = ..., clip_counts: _Optional[float] = ...) -> None: ...

class Complex(_message.Message):
    __slots__ = ("real", "imaginary")
    REAL_FIELD_NUMBER: _ClassVar[int]
    IMAGINARY_FIELD_NUMBER: _ClassVar[int]
    real: float
    imaginary: float
    def __init__(self, real: _Optional[float] = ..., imaginary: _Optional[float] = ...) -> None: ...
