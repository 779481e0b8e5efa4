"""Which contract every topic carries, and how one of its messages is shown to a person or a program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import json_format, text_format
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Contract

from kensoku.bus import Message
from kensoku.bus.topics import REJECTED
from kensoku.errors import InputInvalid
from kensoku.events import PHASES, decision_name, preferred_magnitude, quality_name, status_name, type_name
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.association_pb2 import Association
from kensoku.v1.control_pb2 import Control
from kensoku.v1.event_pb2 import Event
from kensoku.v1.health_pb2 import StationHealth
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import POLARITY_DOWN, POLARITY_UP, Pick, PickMeasurement, PickMessage, Progress
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

if TYPE_CHECKING:
    from kensoku.packets import ChannelSamples

CONTRACTS: Mapping[str, type[Contract]] = {
    "waveforms": WaveformPacket,
    "waveforms.backfill": WaveformPacket,
    "picks": PickMessage,
    "picks.by-region": PickMessage,
    "associations": Association,
    "events": Event,
    "catalogue": Event,
    "stations": StationHealth,
    "inventory": Station,
    "control": Control,
}

SHOWN_BYTES = 32  # of a value that cannot be read

LONGEST_LATENCY_NS = 86_400 * NS_PER_S  # longer ones are those of a replay, and say nothing


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: str
    value: bytes

    def __str__(self) -> str:
        more = " ..." if len(self.value) > SHOWN_BYTES else ""
        return f"unreadable ({self.reason}): {self.value[:SHOWN_BYTES].hex(' ')}{more}"


def read(topic: str, value: bytes) -> Contract | Unreadable:
    """What a value says by the contract of its topic; for a rejected topic, by that of the topic before."""
    contract = CONTRACTS.get(topic.removesuffix(REJECTED))
    if contract is None:
        return Unreadable(f"topic {topic} has no declared contract", value)
    expected = f"found {len(value)} bytes, expected {contract.DESCRIPTOR.name}"
    try:
        message = contract.FromString(value)
    except DecodeError:
        return Unreadable(expected, value)
    # Protobuf takes nearly any short text for fields of a newer version.
    return message if message.ListFields() or not value else Unreadable(f"{expected} with a known field", value)


def kinds_of(topic: str) -> list[str]:
    """Of messages that may be one of several things; of others none."""
    oneof = {PickMessage: "content", Control: "decision"}.get(CONTRACTS[topic])
    return [field.name for field in CONTRACTS[topic].DESCRIPTOR.oneofs_by_name[oneof].fields] if oneof else []


def kind_of(message: Message) -> str | None:
    contract = read(message.topic, message.value) if message.value is not None else None
    kind: str | None = None
    if isinstance(contract, PickMessage):
        kind = contract.WhichOneof("content")
    elif isinstance(contract, Control):
        kind = contract.WhichOneof("decision")
    return kind


# --- for people -------------------------------------------------------------------------------------------------------


def as_line(message: Message) -> str:
    """`waveforms/12@345 2026-01-31T12:00:00.000Z NZ.WEL ...`"""
    place = f"{message.topic}/{message.partition}@{message.offset} {iso_time(message.published_ns)} {message.key}"
    headers = " ".join(f"{name}={_text(value)!r}" for name, value in message.headers)
    return _printable("  ".join(part for part in (place, headers, _describe(message)) if part))


def _describe(message: Message) -> str:
    if message.value is None:
        return "nothing (tombstone)" if not message.topic.endswith(REJECTED) else "without its value"
    contract = read(message.topic, message.value)
    if isinstance(contract, Unreadable):
        return str(contract)
    if isinstance(contract, WaveformPacket):
        return describe_packet(contract, len(message.value))
    if isinstance(contract, PickMessage):
        return describe_pick_message(contract)
    if isinstance(contract, Event):
        return describe_event(contract)
    if isinstance(contract, Association):
        return describe_association(contract)
    return f"{contract.DESCRIPTOR.name}  {text_format.MessageToString(contract, as_one_line=True, as_utf8=True)}"


def describe_packet(packet: WaveformPacket, size_bytes: int) -> str:
    """When, which channels, how much, how dense, and how long after the last sample it came."""
    from kensoku.packets import decode_packet  # here: only samples need numpy, which takes long to import

    try:
        channels = decode_packet(packet)
    except InputInvalid as error:
        return str(Unreadable(str(error), packet.SerializeToString()))
    start_ns = min(channel.start_ns for channel in channels)
    end_ns = max(c.start_ns + c.samples.size / c.rate_hz * NS_PER_S for c in channels)
    samples = sum(channel.samples.size for channel in channels)
    latency_s = (packet.arrival_ns - end_ns) / NS_PER_S
    kind = " (replay)" if packet.time_kind == TIME_KIND_REPLAY else ""
    return "  ".join(
        (
            f"{iso_time(start_ns)} +{(end_ns - start_ns) / NS_PER_S:g} s",
            f"{packet.network}.{packet.station} {_names(channels)}",
            f"{_agreed([f'{channel.rate_hz:g}' for channel in channels])} Hz",
            f"{_agreed([str(channel.samples.size) for channel in channels])} samples",
            f"{size_bytes / samples:.2f} bytes/sample" if samples else f"{size_bytes} bytes",
            f"latency {latency_s:.2f} s{kind}",
            packet.source,
        )
    )


def describe_pick_message(message: PickMessage) -> str:
    """A pick, what was measured of it later, or how far a partition has been listened to."""
    match message.WhichOneof("content"):
        case "pick":
            return describe_pick(message.pick)
        case "measurement":
            measured = message.measurement
            parts = ["measured", *_onset(measured), f"{len(measured.amplitudes)} amplitudes", measured.id]
            return "  ".join([*parts, "late"] if measured.late else parts)
        case "progress":
            return describe_progress(message.progress)
        case _:
            return "PickMessage without content"


def describe_pick(pick: Pick) -> str:
    word = decision_name(pick).lower().replace("_", " ")
    motion = {POLARITY_UP: "up", POLARITY_DOWN: "down"}.get(pick.polarity)
    parts = [*_onset(pick), f"{word}: {pick.decision_reason}" if pick.decision_reason else word]
    parts += [f"{motion} {pick.polarity_confidence:.2f}"] if motion else []
    parts += [f"blast {pick.blast_probability:.2f}"] if pick.HasField("blast_probability") else []
    parts += [f"{pick.model.name}/{pick.model.version}"] if pick.model.name else []
    if pick.onset_ns < pick.latency.published_ns < pick.onset_ns + LONGEST_LATENCY_NS:
        parts.append(f"published after {(pick.latency.published_ns - pick.onset_ns) / NS_PER_S:.1f} s")
    return "  ".join([*parts, pick.id, "late"] if pick.late else [*parts, pick.id])


def _onset(found: Pick | PickMeasurement) -> list[str]:
    said, sensor = found.probabilities, found.instrument
    name = f"{sensor.network}.{sensor.station}.{sensor.location}.{sensor.band_instrument}"
    return [
        PHASES.get(found.phase, "?"),
        f"{iso_time(found.onset_ns)} +- {found.onset_uncertainty_s:.2f} s",
        name,
        f"P {said.p:.2f} S {said.s:.2f} noise {said.noise:.2f}",
        f"SNR {found.snr:.1f}",
    ]


def describe_progress(progress: Progress) -> str:
    """How far its instruments have been listened to: the slowest and the fastest."""
    ends = [one.evaluated_to_ns for one in progress.instruments]
    span = f" to {iso_time(min(ends))}" if ends else ""
    span += f" ... {iso_time(max(ends))}" if len(set(ends)) > 1 else ""
    gaps = sum(len(one.gaps) for one in progress.instruments)
    parts = [f"progress of waveforms/{progress.partition}", f"{len(ends)} instruments{span}"]
    parts += [f"{gaps} gaps"] if gaps else []
    parts += ["idle"] if progress.idle else []
    return "  ".join(parts)


def describe_event(event: Event) -> str:
    """What a revision says: how big, when, where, how sure, and how long after the earthquake it was published."""
    magnitude = preferred_magnitude(event)
    size = f"{magnitude.type} {magnitude.value:.1f}" if magnitude else "no magnitude"
    kind = type_name(event).lower() if event.type else "of no type"
    parts = [f"{status_name(event)} {event.revision}", f"{size} {kind}"]
    if event.HasField("origin"):
        origin = event.origin
        parts += [
            iso_time(origin.time_ns),
            _place(origin.latitude_deg, origin.longitude_deg, origin.depth_km)
            + f" +- {origin.horizontal_uncertainty_km:.1f} km",
            f"quality {quality_name(event) or '-'}",
            f"{origin.phases_used} phases of {origin.stations_used} stations",
            f"rms {origin.rms_s:.2f} s",
        ]
        if origin.time_ns < event.latency.published_ns < origin.time_ns + LONGEST_LATENCY_NS:
            parts.append(f"published after {(event.latency.published_ns - origin.time_ns) / NS_PER_S:.1f} s")
    else:
        parts.append("no origin")
    return "  ".join([*parts, *_ties(event.merged_into, event.split_from, event.reason)])


def describe_association(association: Association) -> str:
    """Which picks are held to be of one earthquake, and about where it was."""
    stations = {(one.pick.instrument.network, one.pick.instrument.station) for one in association.picks}
    trial = association.trial
    parts = [
        f"{status_name(association)} {association.revision}",
        association.event_id,
        f"{iso_time(trial.time_ns)}  {_place(trial.latitude_deg, trial.longitude_deg, trial.depth_km)}",
        f"{len(association.picks)} picks of {len(stations)} stations, {len(association.silent)} silent",
        f"score {association.score:.1f}",
        f"region {association.seam or association.region}",
    ]
    return "  ".join([*parts, *_ties(association.merged_into, association.split_from, association.reason)])


def _place(latitude_deg: float, longitude_deg: float, depth_km: float) -> str:
    """`35.690 N 117.470 W 9.2 km`"""
    north, east = "NS"[latitude_deg < 0], "EW"[longitude_deg < 0]
    return f"{abs(latitude_deg):.3f} {north} {abs(longitude_deg):.3f} {east} {depth_km:.1f} km"


def _ties(merged_into: str, split_from: str, reason: str) -> list[str]:
    told = (("merged into ", merged_into), ("split from ", split_from), ("because ", reason))
    return [words + text for words, text in told if text]


def _names(channels: Sequence["ChannelSamples"]) -> str:
    """`10.HHZ,10.HHN`, without a dot where the location is empty."""
    return ",".join(f"{c.location}.{c.code}" if c.location else c.code for c in channels)


def _agreed(texts: Sequence[str]) -> str:
    """`100` if all say so, else `100,99,100`."""
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _printable(line: str) -> str:
    """What a sender put into a message must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


# --- for programs -----------------------------------------------------------------------------------------------------


def as_json(message: Message) -> dict[str, object]:
    """Everything there is; 64-bit integers of the contract are texts, as protobuf's JSON has them."""
    return {
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "key": message.key,
        "published": iso_time(message.published_ns),
        "published_ns": message.published_ns,
        "headers": [[name, _text(value)] for name, value in message.headers],
        "bytes": None if message.value is None else len(message.value),
        **_content(message),
    }


def _content(message: Message) -> dict[str, object]:
    if message.value is None:
        return {"type": None, "message": None}
    contract = read(message.topic, message.value)
    if isinstance(contract, Unreadable):
        return {"type": None, "message": None, "unreadable": contract.reason, "hex": message.value.hex()}
    fields = json_format.MessageToDict(contract, preserving_proto_field_name=True)
    return {"type": contract.DESCRIPTOR.name, "message": fields}
