"""The triggering service over a bus, with stand-in models: what it is given, run beside a test, and what it told."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from kensoku.bus import Bus
from kensoku.detection import Found, pick_packets
from kensoku.inference import Models
from kensoku.runtime import Pulse
from kensoku.triggering.service import run
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.pick_pb2 import PickMessage, Progress
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests import services
from tests.streams import picks, record, seconds, two_stages

RECORD = record(4000, events=((1800, 0), (2400, 1)))
LAST_OF_LONG = seconds(np.zeros((3, 19_000), dtype=np.int32))[-1:]
LAST = seconds(np.zeros((3, 11_000), dtype=np.int32))[-1]  # a minute later: the rest is waited for no more
EXPECTED = sorted(pick.id for pick in picks(pick_packets(seconds(RECORD), two_stages())))


def publish(bus: Bus, packets: Sequence[WaveformPacket]) -> None:
    services.publish(bus, "waveforms", ((f"{one.network}.{one.station}", one) for one in packets))


def told(bus: Bus, topic: str = "picks") -> list[PickMessage]:
    return services.decoded(bus, topic, PickMessage)


def found(bus: Bus) -> list[Found]:
    kinds = {"pick": lambda m: m.pick, "measurement": lambda m: m.measurement}
    return [kinds[kind](m) for m in told(bus) if (kind := m.WhichOneof("content")) in kinds]


def progress(bus: Bus) -> list[Progress]:
    return [message.progress for message in told(bus) if message.WhichOneof("content") == "progress"]


def serve(
    settings: TriggeringSettings,
    bus: Bus,
    models: Models,
    until: Callable[[], bool],
    pulse: Pulse | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Run the service until something is so."""
    services.serve(lambda stop: run(settings, bus, models, pulse or Pulse(), stop, clock_ns), until)


def progressed(bus: Bus, offset: int) -> Callable[[], bool]:
    return lambda: any(one.next_offset >= offset for one in progress(bus))
