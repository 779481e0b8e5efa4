from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PHASE_UNSPECIFIED: _ClassVar[Phase]
    PHASE_P: _ClassVar[Phase]
    PHASE_S: _ClassVar[Phase]

class Polarity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLARITY_UNSPECIFIED: _ClassVar[Polarity]
    POLARITY_UP: _ClassVar[Polarity]
    POLARITY_DOWN: _ClassVar[Polarity]
    POLARITY_UNDECIDABLE: _ClassVar[Polarity]

class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METHOD_UNSPECIFIED: _ClassVar[Method]
    METHOD_CNN: _ClassVar[Method]
    METHOD_CLASSIC: _ClassVar[Method]
    METHOD_CLASSIC_REFINED: _ClassVar[Method]
    METHOD_MANUAL: _ClassVar[Method]
    METHOD_EXTERNAL: _ClassVar[Method]

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_KEPT: _ClassVar[Decision]
    DECISION_REJECTED_NOISE: _ClassVar[Decision]
    DECISION_REJECTED_DUPLICATE: _ClassVar[Decision]
    DECISION_REJECTED_QUALITY: _ClassVar[Decision]
    DECISION_REJECTED_STATION: _ClassVar[Decision]
    DECISION_FAINT: _ClassVar[Decision]

class AmplitudeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AMPLITUDE_KIND_UNSPECIFIED: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_PEAK_DISPLACEMENT: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_PEAK_VELOCITY: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_PEAK_ACCELERATION: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_WOOD_ANDERSON: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_JMA_VELOCITY: _ClassVar[AmplitudeKind]
    AMPLITUDE_KIND_PEAK_RAW: _ClassVar[AmplitudeKind]

class AmplitudeUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AMPLITUDE_UNIT_UNSPECIFIED: _ClassVar[AmplitudeUnit]
    AMPLITUDE_UNIT_COUNT: _ClassVar[AmplitudeUnit]
    AMPLITUDE_UNIT_M: _ClassVar[AmplitudeUnit]
    AMPLITUDE_UNIT_M_PER_S: _ClassVar[AmplitudeUnit]
    AMPLITUDE_UNIT_M_PER_S2: _ClassVar[AmplitudeUnit]
PHASE_UNSPECIFIED: Phase
PHASE_P: Phase
PHASE_S: Phase
POLARITY_UNSPECIFIED: Polarity
POLARITY_UP: Polarity
POLARITY_DOWN: Polarity
POLARITY_UNDECIDABLE: Polarity
METHOD_UNSPECIFIED: Method
METHOD_CNN: Method
METHOD_CLASSIC: Method
METHOD_CLASSIC_REFINED: Method
METHOD_MANUAL: Method
METHOD_EXTERNAL: Method
DECISION_UNSPECIFIED: Decision
DECISION_KEPT: Decision
DECISION_REJECTED_NOISE: Decision
DECISION_REJECTED_DUPLICATE: Decision
DECISION_REJECTED_QUALITY: Decision
DECISION_REJECTED_STATION: Decision
DECISION_FAINT: Decision
AMPLITUDE_KIND_UNSPECIFIED: AmplitudeKind
AMPLITUDE_KIND_PEAK_DISPLACEMENT: AmplitudeKind
AMPLITUDE_KIND_PEAK_VELOCITY: AmplitudeKind
AMPLITUDE_KIND_PEAK_ACCELERATION: AmplitudeKind
AMPLITUDE_KIND_WOOD_ANDERSON: AmplitudeKind
AMPLITUDE_KIND_JMA_VELOCITY: AmplitudeKind
AMPLITUDE_KIND_PEAK_RAW: AmplitudeKind
AMPLITUDE_UNIT_UNSPECIFIED: AmplitudeUnit
AMPLITUDE_UNIT_COUNT: AmplitudeUnit
AMPLITUDE_UNIT_M: AmplitudeUnit
AMPLITUDE_UNIT_M_PER_S: AmplitudeUnit
AMPLITUDE_UNIT_M_PER_S2: AmplitudeUnit

class PickMessage(_message.Message):
    __slots__ = ("pick", "measurement", "progress", "owner_epoch")
    PICK_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    OWNER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    pick: Pick
    measurement: PickMeasurement
    progress: Progress
    owner_epoch: int
    def __init__(self, pick: _Optional[_Union[Pick, _Mapping]] = ..., measurement: _Optional[_Union[PickMeasurement, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., owner_epoch: _Optional[int] = ...) -> None: ...

class Pick(_message.Message):
    __slots__ = ("id", "instrument", "channels", "phase", "onset_ns", "onset_uncertainty_s", "onset_index", "probabilities", "blast_probability", "snr", "amplitudes", "polarity", "polarity_confidence", "method", "model", "inventory_hash", "decision", "decision_reason", "late", "latency", "judges", "software_version")
    ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ONSET_NS_FIELD_NUMBER: _ClassVar[int]
    ONSET_UNCERTAINTY_S_FIELD_NUMBER: _ClassVar[int]
    ONSET_INDEX_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    BLAST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SNR_FIELD_NUMBER: _ClassVar[int]
    AMPLITUDES_FIELD_NUMBER: _ClassVar[int]
    POLARITY_FIELD_NUMBER: _ClassVar[int]
    POLARITY_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_HASH_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_REASON_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    JUDGES_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    instrument: Instrument
    channels: _containers.RepeatedScalarFieldContainer[str]
    phase: Phase
    onset_ns: int
    onset_uncertainty_s: float
    onset_index: int
    probabilities: PhaseProbabilities
    blast_probability: float
    snr: float
    amplitudes: _containers.RepeatedCompositeFieldContainer[Amplitude]
    polarity: Polarity
    polarity_confidence: float
    method: Method
    model: ModelReference
    inventory_hash: str
    decision: Decision
    decision_reason: str
    late: bool
    latency: PickLatency
    judges: _containers.RepeatedCompositeFieldContainer[ModelReference]
    software_version: str
    def __init__(self, id: _Optional[str] = ..., instrument: _Optional[_Union[Instrument, _Mapping]] = ..., channels: _Optional[_Iterable[str]] = ..., phase: _Optional[_Union[Phase, str]] = ..., onset_ns: _Optional[int] = ..., onset_uncertainty_s: _Optional[float] = ..., onset_index: _Optional[int] = ..., probabilities: _Optional[_Union[PhaseProbabilities, _Mapping]] = ..., blast_probability: _Optional[float] = ..., snr: _Optional[float] = ..., amplitudes: _Optional[_Iterable[_Union[Amplitude, _Mapping]]] = ..., polarity: _Optional[_Union[Polarity, str]] = ..., polarity_confidence: _Optional[float] = ..., method: _Optional[_Union[Method, str]] = ..., model: _Optional[_Union[ModelReference, _Mapping]] = ..., inventory_hash: _Optional[str] = ..., decision: _Optional[_Union[Decision, str]] = ..., decision_reason: _Optional[str] = ..., late: _Optional[bool] = ..., latency: _Optional[_Union[PickLatency, _Mapping]] = ..., judges: _Optional[_Iterable[_Union[ModelReference, _Mapping]]] = ..., software_version: _Optional[str] = ...) -> None: ...

class Instrument(_message.Message):
    __slots__ = ("network", "station", "location", "band_instrument")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    STATION_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    BAND_INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    network: str
    station: str
    location: str
    band_instrument: str
    def __init__(self, network: _Optional[str] = ..., station: _Optional[str] = ..., location: _Optional[str] = ..., band_instrument: _Optional[str] = ...) -> None: ...

class PhaseProbabilities(_message.Message):
    __slots__ = ("noise", "p", "s")
    NOISE_FIELD_NUMBER: _ClassVar[int]
    P_FIELD_NUMBER: _ClassVar[int]
    S_FIELD_NUMBER: _ClassVar[int]
    noise: float
    p: float
    s: float
    def __init__(self, noise: _Optional[float] = ..., p: _Optional[float] = ..., s: _Optional[float] = ...) -> None: ...

class ModelReference(_message.Message):
    __slots__ = ("name", "version", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class Amplitude(_message.Message):
    __slots__ = ("kind", "unit", "value", "channel", "time_ns", "period_s", "window_s", "clipped", "noise", "high_pass_hz")
    KIND_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    CLIPPED_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    HIGH_PASS_HZ_FIELD_NUMBER: _ClassVar[int]
    kind: AmplitudeKind
    unit: AmplitudeUnit
    value: float
    channel: str
    time_ns: int
    period_s: float
    window_s: float
    clipped: bool
    noise: float
    high_pass_hz: float
    def __init__(self, kind: _Optional[_Union[AmplitudeKind, str]] = ..., unit: _Optional[_Union[AmplitudeUnit, str]] = ..., value: _Optional[float] = ..., channel: _Optional[str] = ..., time_ns: _Optional[int] = ..., period_s: _Optional[float] = ..., window_s: _Optional[float] = ..., clipped: _Optional[bool] = ..., noise: _Optional[float] = ..., high_pass_hz: _Optional[float] = ...) -> None: ...

class PickLatency(_message.Message):
    __slots__ = ("last_sample_ns", "packet_arrival_ns", "window_ready_ns", "inferred_ns", "published_ns")
    LAST_SAMPLE_NS_FIELD_NUMBER: _ClassVar[int]
    PACKET_ARRIVAL_NS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_READY_NS_FIELD_NUMBER: _ClassVar[int]
    INFERRED_NS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_NS_FIELD_NUMBER: _ClassVar[int]
    last_sample_ns: int
    packet_arrival_ns: int
    window_ready_ns: int
    inferred_ns: int
    published_ns: int
    def __init__(self, last_sample_ns: _Optional[int] = ..., packet_arrival_ns: _Optional[int] = ..., window_ready_ns: _Optional[int] = ..., inferred_ns: _Optional[int] = ..., published_ns: _Optional[int] = ...) -> None: ...

class PickMeasurement(_message.Message):
    __slots__ = ("id", "instrument", "phase", "onset_ns", "onset_uncertainty_s", "probabilities", "blast_probability", "snr", "amplitudes", "characteristic_period_s", "models", "inventory_hash", "late", "latency")
    ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ONSET_NS_FIELD_NUMBER: _ClassVar[int]
    ONSET_UNCERTAINTY_S_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    BLAST_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SNR_FIELD_NUMBER: _ClassVar[int]
    AMPLITUDES_FIELD_NUMBER: _ClassVar[int]
    CHARACTERISTIC_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_HASH_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    id: str
    instrument: Instrument
    phase: Phase
    onset_ns: int
    onset_uncertainty_s: float
    probabilities: PhaseProbabilities
    blast_probability: float
    snr: float
    amplitudes: _containers.RepeatedCompositeFieldContainer[Amplitude]
    characteristic_period_s: float
    models: _containers.RepeatedCompositeFieldContainer[ModelReference]
    inventory_hash: str
    late: bool
    latency: PickLatency
    def __init__(self, id: _Optional[str] = ..., instrument: _Optional[_Union[Instrument, _Mapping]] = ..., phase: _Optional[_Union[Phase, str]] = ..., onset_ns: _Optional[int] = ..., onset_uncertainty_s: _Optional[float] = ..., probabilities: _Optional[_Union[PhaseProbabilities, _Mapping]] = ..., blast_probability: _Optional[float] = ..., snr: _Optional[float] = ..., amplitudes: _Optional[_Iterable[_Union[Amplitude, _Mapping]]] = ..., characteristic_period_s: _Optional[float] = ..., models: _Optional[_Iterable[_Union[ModelReference, _Mapping]]] = ..., inventory_hash: _Optional[str] = ..., late: _Optional[bool] = ..., latency: _Optional[_Union[PickLatency, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("partition", "sent_ns", "instruments", "idle", "next_offset", "read_to_ns")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    SENT_NS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    READ_TO_NS_FIELD_NUMBER: _ClassVar[int]
    partition: int
    sent_ns: int
    instruments: _containers.RepeatedCompositeFieldContainer[InstrumentProgress]
    idle: bool
    next_offset: int
    read_to_ns: int
    def __init__(self, partition: _Optional[int] = ..., sent_ns: _Optional[int] = ..., instruments: _Optional[_Iterable[_Union[InstrumentProgress, _Mapping]]] = ..., idle: _Optional[bool] = ..., next_offset: _Optional[int] = ..., read_to_ns: _Optional[int] = ...) -> None: ...

class InstrumentProgress(_message.Message):
    __slots__ = ("instrument", "evaluated_to_ns", "gaps", "noise_level", "noise_unit", "idle")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    EVALUATED_TO_NS_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    NOISE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    NOISE_UNIT_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    instrument: Instrument
    evaluated_to_ns: int
    gaps: _containers.RepeatedCompositeFieldContainer[Span]
    noise_level: float
    noise_unit: AmplitudeUnit
    idle: bool
    def __init__(self, instrument: _Optional[_Union[Instrument, _Mapping]] = ..., evaluated_to_ns: _Optional[int] = ..., gaps: _Optional[_Iterable[_Union[Span, _Mapping]]] = ..., noise_level: _Optional[float] = ..., noise_unit: _Optional[_Union[AmplitudeUnit, str]] = ..., idle: _Optional[bool] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("start_ns", "end_ns")
    START_NS_FIELD_NUMBER: _ClassVar[int]
    END_NS_FIELD_NUMBER: _ClassVar[int]
    start_ns: int
    end_ns: int
    def __init__(self, start_ns: _Optional[int] = ..., end_ns: _Optional[int] = ...) -> None: ...
