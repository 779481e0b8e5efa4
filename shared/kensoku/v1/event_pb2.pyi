from kensoku.v1 import pick_pb2 as _pick_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_STATUS_UNSPECIFIED: _ClassVar[EventStatus]
    EVENT_STATUS_PRELIMINARY: _ClassVar[EventStatus]
    EVENT_STATUS_UPDATED: _ClassVar[EventStatus]
    EVENT_STATUS_FINAL: _ClassVar[EventStatus]
    EVENT_STATUS_RETRACTED: _ClassVar[EventStatus]
    EVENT_STATUS_MERGED: _ClassVar[EventStatus]

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TYPE_UNSPECIFIED: _ClassVar[EventType]
    EVENT_TYPE_EARTHQUAKE: _ClassVar[EventType]
    EVENT_TYPE_BLAST: _ClassVar[EventType]
    EVENT_TYPE_TELESEISM: _ClassVar[EventType]
    EVENT_TYPE_LOW_FREQUENCY: _ClassVar[EventType]
    EVENT_TYPE_UNKNOWN: _ClassVar[EventType]

class Quality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_UNSPECIFIED: _ClassVar[Quality]
    QUALITY_A: _ClassVar[Quality]
    QUALITY_B: _ClassVar[Quality]
    QUALITY_C: _ClassVar[Quality]
    QUALITY_D: _ClassVar[Quality]

class MagnitudeBound(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAGNITUDE_BOUND_UNSPECIFIED: _ClassVar[MagnitudeBound]
    MAGNITUDE_BOUND_LOWER: _ClassVar[MagnitudeBound]
    MAGNITUDE_BOUND_UPPER: _ClassVar[MagnitudeBound]
EVENT_STATUS_UNSPECIFIED: EventStatus
EVENT_STATUS_PRELIMINARY: EventStatus
EVENT_STATUS_UPDATED: EventStatus
EVENT_STATUS_FINAL: EventStatus
EVENT_STATUS_RETRACTED: EventStatus
EVENT_STATUS_MERGED: EventStatus
EVENT_TYPE_UNSPECIFIED: EventType
EVENT_TYPE_EARTHQUAKE: EventType
EVENT_TYPE_BLAST: EventType
EVENT_TYPE_TELESEISM: EventType
EVENT_TYPE_LOW_FREQUENCY: EventType
EVENT_TYPE_UNKNOWN: EventType
QUALITY_UNSPECIFIED: Quality
QUALITY_A: Quality
QUALITY_B: Quality
QUALITY_C: Quality
QUALITY_D: Quality
MAGNITUDE_BOUND_UNSPECIFIED: MagnitudeBound
MAGNITUDE_BOUND_LOWER: MagnitudeBound
MAGNITUDE_BOUND_UPPER: MagnitudeBound

class Event(_message.Message):
    __slots__ = ("id", "revision", "owner_epoch", "status", "type_probabilities", "type", "origin", "magnitudes", "preferred_magnitude", "arrivals", "provenance", "latency", "region", "merged_into", "split_from", "reason", "comments", "creation")
    ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    OWNER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TYPE_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    MAGNITUDES_FIELD_NUMBER: _ClassVar[int]
    PREFERRED_MAGNITUDE_FIELD_NUMBER: _ClassVar[int]
    ARRIVALS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FROM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COMMENTS_FIELD_NUMBER: _ClassVar[int]
    CREATION_FIELD_NUMBER: _ClassVar[int]
    id: str
    revision: int
    owner_epoch: int
    status: EventStatus
    type_probabilities: TypeProbabilities
    type: EventType
    origin: Origin
    magnitudes: _containers.RepeatedCompositeFieldContainer[Magnitude]
    preferred_magnitude: str
    arrivals: _containers.RepeatedCompositeFieldContainer[Arrival]
    provenance: Provenance
    latency: EventLatency
    region: str
    merged_into: str
    split_from: str
    reason: str
    comments: _containers.RepeatedCompositeFieldContainer[Comment]
    creation: Creation
    def __init__(self, id: _Optional[str] = ..., revision: _Optional[int] = ..., owner_epoch: _Optional[int] = ..., status: _Optional[_Union[EventStatus, str]] = ..., type_probabilities: _Optional[_Union[TypeProbabilities, _Mapping]] = ..., type: _Optional[_Union[EventType, str]] = ..., origin: _Optional[_Union[Origin, _Mapping]] = ..., magnitudes: _Optional[_Iterable[_Union[Magnitude, _Mapping]]] = ..., preferred_magnitude: _Optional[str] = ..., arrivals: _Optional[_Iterable[_Union[Arrival, _Mapping]]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., latency: _Optional[_Union[EventLatency, _Mapping]] = ..., region: _Optional[str] = ..., merged_into: _Optional[str] = ..., split_from: _Optional[str] = ..., reason: _Optional[str] = ..., comments: _Optional[_Iterable[_Union[Comment, _Mapping]]] = ..., creation: _Optional[_Union[Creation, _Mapping]] = ...) -> None: ...

class Creation(_message.Message):
    __slots__ = ("agency", "author", "created_ns")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_NS_FIELD_NUMBER: _ClassVar[int]
    agency: str
    author: str
    created_ns: int
    def __init__(self, agency: _Optional[str] = ..., author: _Optional[str] = ..., created_ns: _Optional[int] = ...) -> None: ...

class TypeProbabilities(_message.Message):
    __slots__ = ("earthquake", "blast", "teleseism", "low_frequency", "unknown")
    EARTHQUAKE_FIELD_NUMBER: _ClassVar[int]
    BLAST_FIELD_NUMBER: _ClassVar[int]
    TELESEISM_FIELD_NUMBER: _ClassVar[int]
    LOW_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    earthquake: float
    blast: float
    teleseism: float
    low_frequency: float
    unknown: float
    def __init__(self, earthquake: _Optional[float] = ..., blast: _Optional[float] = ..., teleseism: _Optional[float] = ..., low_frequency: _Optional[float] = ..., unknown: _Optional[float] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("time_ns", "latitude_deg", "longitude_deg", "depth_km", "depth_is_fixed", "mean", "covariance", "ellipsoid", "depth_lower_km", "depth_upper_km", "time_uncertainty_s", "horizontal_uncertainty_km", "azimuthal_gap_deg", "secondary_gap_deg", "nearest_station_km", "rms_s", "phases_used", "stations_used", "quality", "quality_reason", "creation")
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    DEPTH_KM_FIELD_NUMBER: _ClassVar[int]
    DEPTH_IS_FIXED_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    ELLIPSOID_FIELD_NUMBER: _ClassVar[int]
    DEPTH_LOWER_KM_FIELD_NUMBER: _ClassVar[int]
    DEPTH_UPPER_KM_FIELD_NUMBER: _ClassVar[int]
    TIME_UNCERTAINTY_S_FIELD_NUMBER: _ClassVar[int]
    HORIZONTAL_UNCERTAINTY_KM_FIELD_NUMBER: _ClassVar[int]
    AZIMUTHAL_GAP_DEG_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_GAP_DEG_FIELD_NUMBER: _ClassVar[int]
    NEAREST_STATION_KM_FIELD_NUMBER: _ClassVar[int]
    RMS_S_FIELD_NUMBER: _ClassVar[int]
    PHASES_USED_FIELD_NUMBER: _ClassVar[int]
    STATIONS_USED_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    QUALITY_REASON_FIELD_NUMBER: _ClassVar[int]
    CREATION_FIELD_NUMBER: _ClassVar[int]
    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    depth_is_fixed: bool
    mean: Hypocentre
    covariance: _containers.RepeatedScalarFieldContainer[float]
    ellipsoid: Ellipsoid
    depth_lower_km: float
    depth_upper_km: float
    time_uncertainty_s: float
    horizontal_uncertainty_km: float
    azimuthal_gap_deg: float
    secondary_gap_deg: float
    nearest_station_km: float
    rms_s: float
    phases_used: int
    stations_used: int
    quality: Quality
    quality_reason: str
    creation: Creation
    def __init__(self, time_ns: _Optional[int] = ..., latitude_deg: _Optional[float] = ..., longitude_deg: _Optional[float] = ..., depth_km: _Optional[float] = ..., depth_is_fixed: _Optional[bool] = ..., mean: _Optional[_Union[Hypocentre, _Mapping]] = ..., covariance: _Optional[_Iterable[float]] = ..., ellipsoid: _Optional[_Union[Ellipsoid, _Mapping]] = ..., depth_lower_km: _Optional[float] = ..., depth_upper_km: _Optional[float] = ..., time_uncertainty_s: _Optional[float] = ..., horizontal_uncertainty_km: _Optional[float] = ..., azimuthal_gap_deg: _Optional[float] = ..., secondary_gap_deg: _Optional[float] = ..., nearest_station_km: _Optional[float] = ..., rms_s: _Optional[float] = ..., phases_used: _Optional[int] = ..., stations_used: _Optional[int] = ..., quality: _Optional[_Union[Quality, str]] = ..., quality_reason: _Optional[str] = ..., creation: _Optional[_Union[Creation, _Mapping]] = ...) -> None: ...

class Hypocentre(_message.Message):
    __slots__ = ("time_ns", "latitude_deg", "longitude_deg", "depth_km")
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    DEPTH_KM_FIELD_NUMBER: _ClassVar[int]
    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    def __init__(self, time_ns: _Optional[int] = ..., latitude_deg: _Optional[float] = ..., longitude_deg: _Optional[float] = ..., depth_km: _Optional[float] = ...) -> None: ...

class Ellipsoid(_message.Message):
    __slots__ = ("semi_axis_km", "azimuth_deg", "plunge_deg")
    SEMI_AXIS_KM_FIELD_NUMBER: _ClassVar[int]
    AZIMUTH_DEG_FIELD_NUMBER: _ClassVar[int]
    PLUNGE_DEG_FIELD_NUMBER: _ClassVar[int]
    semi_axis_km: _containers.RepeatedScalarFieldContainer[float]
    azimuth_deg: _containers.RepeatedScalarFieldContainer[float]
    plunge_deg: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, semi_axis_km: _Optional[_Iterable[float]] = ..., azimuth_deg: _Optional[_Iterable[float]] = ..., plunge_deg: _Optional[_Iterable[float]] = ...) -> None: ...

class Arrival(_message.Message):
    __slots__ = ("pick_id", "instrument", "phase", "onset_ns", "onset_uncertainty_s", "residual_s", "weight", "distance_km", "azimuth_deg", "takeoff_deg", "is_outlier", "phase_was_changed", "station_correction_s", "blast_probability", "polarity", "creation")
    PICK_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ONSET_NS_FIELD_NUMBER: _ClassVar[int]
    ONSET_UNCERTAINTY_S_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_S_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_KM_FIELD_NUMBER: _ClassVar[int]
    AZIMUTH_DEG_FIELD_NUMBER: _ClassVar[int]
    TAKEOFF_DEG_FIELD_NUMBER: _ClassVar[int]
    IS_OUTLIER_FIELD_NUMBER: _ClassVar[int]
    PHASE_WAS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATION_CORRECTION_S_FIELD_NUMBER: _ClassVar[int]
    BLAST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    POLARITY_FIELD_NUMBER: _ClassVar[int]
    CREATION_FIELD_NUMBER: _ClassVar[int]
    pick_id: str
    instrument: _pick_pb2.Instrument
    phase: _pick_pb2.Phase
    onset_ns: int
    onset_uncertainty_s: float
    residual_s: float
    weight: float
    distance_km: float
    azimuth_deg: float
    takeoff_deg: float
    is_outlier: bool
    phase_was_changed: bool
    station_correction_s: float
    blast_probability: float
    polarity: _pick_pb2.Polarity
    creation: Creation
    def __init__(self, pick_id: _Optional[str] = ..., instrument: _Optional[_Union[_pick_pb2.Instrument, _Mapping]] = ..., phase: _Optional[_Union[_pick_pb2.Phase, str]] = ..., onset_ns: _Optional[int] = ..., onset_uncertainty_s: _Optional[float] = ..., residual_s: _Optional[float] = ..., weight: _Optional[float] = ..., distance_km: _Optional[float] = ..., azimuth_deg: _Optional[float] = ..., takeoff_deg: _Optional[float] = ..., is_outlier: _Optional[bool] = ..., phase_was_changed: _Optional[bool] = ..., station_correction_s: _Optional[float] = ..., blast_probability: _Optional[float] = ..., polarity: _Optional[_Union[_pick_pb2.Polarity, str]] = ..., creation: _Optional[_Union[Creation, _Mapping]] = ...) -> None: ...

class Magnitude(_message.Message):
    __slots__ = ("type", "value", "uncertainty", "stations", "contributions", "formula", "absent_reason", "creation")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNCERTAINTY_FIELD_NUMBER: _ClassVar[int]
    STATIONS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    ABSENT_REASON_FIELD_NUMBER: _ClassVar[int]
    CREATION_FIELD_NUMBER: _ClassVar[int]
    type: str
    value: float
    uncertainty: float
    stations: int
    contributions: _containers.RepeatedCompositeFieldContainer[StationMagnitude]
    formula: str
    absent_reason: str
    creation: Creation
    def __init__(self, type: _Optional[str] = ..., value: _Optional[float] = ..., uncertainty: _Optional[float] = ..., stations: _Optional[int] = ..., contributions: _Optional[_Iterable[_Union[StationMagnitude, _Mapping]]] = ..., formula: _Optional[str] = ..., absent_reason: _Optional[str] = ..., creation: _Optional[_Union[Creation, _Mapping]] = ...) -> None: ...

class StationMagnitude(_message.Message):
    __slots__ = ("instrument", "value", "residual", "weight", "pick_id", "correction", "bound")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    PICK_ID_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    instrument: _pick_pb2.Instrument
    value: float
    residual: float
    weight: float
    pick_id: str
    correction: float
    bound: MagnitudeBound
    def __init__(self, instrument: _Optional[_Union[_pick_pb2.Instrument, _Mapping]] = ..., value: _Optional[float] = ..., residual: _Optional[float] = ..., weight: _Optional[float] = ..., pick_id: _Optional[str] = ..., correction: _Optional[float] = ..., bound: _Optional[_Union[MagnitudeBound, str]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("software_version", "velocity_model", "velocity_model_hash", "models", "inventory_hashes", "association_method", "location_method", "author", "association_revision")
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_MODEL_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_HASHES_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATION_METHOD_FIELD_NUMBER: _ClassVar[int]
    LOCATION_METHOD_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATION_REVISION_FIELD_NUMBER: _ClassVar[int]
    software_version: str
    velocity_model: str
    velocity_model_hash: str
    models: _containers.RepeatedCompositeFieldContainer[_pick_pb2.ModelReference]
    inventory_hashes: _containers.RepeatedScalarFieldContainer[str]
    association_method: str
    location_method: str
    author: str
    association_revision: int
    def __init__(self, software_version: _Optional[str] = ..., velocity_model: _Optional[str] = ..., velocity_model_hash: _Optional[str] = ..., models: _Optional[_Iterable[_Union[_pick_pb2.ModelReference, _Mapping]]] = ..., inventory_hashes: _Optional[_Iterable[str]] = ..., association_method: _Optional[str] = ..., location_method: _Optional[str] = ..., author: _Optional[str] = ..., association_revision: _Optional[int] = ...) -> None: ...

class EventLatency(_message.Message):
    __slots__ = ("last_sample_ns", "packet_arrival_ns", "window_ready_ns", "pick_published_ns", "associated_ns", "located_ns", "published_ns", "final_ns")
    LAST_SAMPLE_NS_FIELD_NUMBER: _ClassVar[int]
    PACKET_ARRIVAL_NS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_READY_NS_FIELD_NUMBER: _ClassVar[int]
    PICK_PUBLISHED_NS_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATED_NS_FIELD_NUMBER: _ClassVar[int]
    LOCATED_NS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_NS_FIELD_NUMBER: _ClassVar[int]
    FINAL_NS_FIELD_NUMBER: _ClassVar[int]
    last_sample_ns: int
    packet_arrival_ns: int
    window_ready_ns: int
    pick_published_ns: int
    associated_ns: int
    located_ns: int
    published_ns: int
    final_ns: int
    def __init__(self, last_sample_ns: _Optional[int] = ..., packet_arrival_ns: _Optional[int] = ..., window_ready_ns: _Optional[int] = ..., pick_published_ns: _Optional[int] = ..., associated_ns: _Optional[int] = ..., located_ns: _Optional[int] = ..., published_ns: _Optional[int] = ..., final_ns: _Optional[int] = ...) -> None: ...

class Comment(_message.Message):
    __slots__ = ("time_ns", "author", "text")
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    time_ns: int
    author: str
    text: str
    def __init__(self, time_ns: _Optional[int] = ..., author: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...
