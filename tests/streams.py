"""Records of stations as packets in the order of their arrival, and a small causal model to look at them."""

from collections.abc import Iterable, Sequence
from copy import deepcopy

import numpy as np
import numpy.typing as npt

from kensoku.detection import Cascade, Found, Picker, Stage
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.picking import Delay, Geometry, ModelCard, PhasePair
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

FloatArray = npt.NDArray[np.float32]
CountArray = npt.NDArray[np.int32]

START_NS = 1_900_000_000 * 10**9
SAMPLE_NS = 10**7
BLOCK = 16  # samples that a causal network takes at once
EVENTS = ((1800, 0), (2400, 1), (4600, 0), (5005, 1), (7320, 0), (7811, 1))  # sample and component


def record(length: int = 9000, seed: int = 3, events: Iterable[tuple[int, int]] = EVENTS) -> CountArray:
    """(3, length): noise of 20 counts, and waves of 400."""
    made = np.random.default_rng(seed).normal(0, 20, (3, length))
    for first, component in events:
        wave = np.random.default_rng(first).normal(0, 400, length - first) * np.exp(-np.arange(length - first) / 60)
        made[component, first:] += wave
    return np.asarray(np.round(made), dtype=np.int32)


def packet(
    counts: CountArray,
    first: int,
    last: int,
    *,
    components: Sequence[int] = (0, 1, 2),
    station: str = "STA",
    delay_s: float = 0.0,
    offset_ns: int = 0,
    rate_hz: float = 100.0,
    codes: Sequence[str] = ("HHZ", "HHN", "HHE"),
) -> WaveformPacket:
    """Samples of a record, which came so long after the last of them."""
    step_ns = round(1e9 / rate_hz)
    start_ns = START_NS + first * step_ns + offset_ns
    channels = [ChannelSamples("", codes[c], start_ns, rate_hz, counts[c, first:last]) for c in components]
    arrival_ns = START_NS + last * step_ns + offset_ns + round(delay_s * 1e9)
    return encode_packet("XX", station, channels, "test", arrival_ns, TIME_KIND_REPLAY)


def seconds(counts: CountArray, size: int = 100, **given: object) -> list[WaveformPacket]:
    """A record in packets of equal size."""
    length = counts.shape[1]
    return [
        packet(counts, first, min(first + size, length), **given)  # type: ignore[arg-type]  # passed on as it is
        for first in range(0, length, size)
    ]


def by_arrival(packets: Iterable[WaveformPacket]) -> list[WaveformPacket]:
    return sorted(packets, key=lambda one: one.arrival_ns)


def onsets(counts: FloatArray, floor: float = 1.0) -> FloatArray:
    """Probable where the last 0.3 s are larger than the 2 s before; late by the delays, up to the end of its block.

    `floor` counts are always there.
    """
    heard = np.abs(np.nan_to_num(counts)).astype(np.float64)
    heard = np.repeat(heard.reshape(*heard.shape[:2], -1, BLOCK).mean(axis=-1), BLOCK, axis=-1)
    total = np.pad(np.cumsum(heard, axis=-1), ((0, 0), (0, 0), (400, 0)))
    length = counts.shape[2]

    def mean(first: int, last: int) -> npt.NDArray[np.float64]:
        """From `first` to `last` samples before each."""
        late, early = total[..., 400 - last : 400 - last + length], total[..., 400 - first : 400 - first + length]
        return (late - early) / (first - last)

    said = np.zeros_like(counts)
    for row, component, delay in ((1, 0, 50), (2, 1, 140)):
        ratio = mean(delay + 5, delay - 25)[:, component] / (mean(delay + 200, delay)[:, component] + floor)
        said[:, row] = 0.99 * ratio / (ratio + 4)
    said[:, 0] = 1 - said[:, 1:].max(axis=1)
    return said.astype(np.float32)


def card(threshold: float, **given: object) -> ModelCard:
    return ModelCard(
        kind="picker",
        description="waves that begin",
        threshold=PhasePair(p=threshold, s=threshold),
        geometry=Geometry(window=1024, before=400, after=BLOCK),
        delay=Delay(p=50, s=140),
        look_ahead_s=PhasePair(p=1.0, s=2.0),
        p_yields=False,
        label_s=0.0,
        **given,  # type: ignore[arg-type]  # a case differs in a field or two
    )


def one_stage() -> Cascade:
    return Cascade(Picker(Stage("picker_live", card(0.4), onsets, "1", "ab")))


def two_stages(threshold: float = 0.3, **given: object) -> Cascade:
    final, first = card(0.4, **given), card(threshold)
    return Cascade(Picker(Stage("picker_live", final, onsets, "1", "ab"), Stage("gate", first, onsets, "1", "cd")))


def contents(found: Iterable[Found]) -> list[bytes]:
    """Messages without what the clock wrote into them, in an order of their own."""
    plain = []
    for message in found:
        copy = deepcopy(message)
        copy.ClearField("latency")
        plain.append(type(message).__name__.encode() + copy.SerializeToString(deterministic=True))
    return sorted(plain)


def picks(found: Iterable[Found]) -> list[Pick]:
    return sorted((one for one in found if isinstance(one, Pick)), key=lambda pick: pick.onset_ns)
