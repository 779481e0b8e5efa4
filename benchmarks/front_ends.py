"""The two front ends side by side on a recorded hour, with and without the denoiser.

`python -m benchmarks.front_ends RECORD.mseed [LABELS.csv] [--minutes M] [--min-score 0.3] [--json]`. LABELS.csv has
`station,phase,utc,score,event` with -1 where no event claims a pick; without it all is quiet. A label is one that an
event claims, of the score or more; it is found where a pick of its phase lies within 0.5 s (`any`: of either phase). A
false pick is one in quiet: 5 s or more from every pick of the table, and not from 5 s before to 40 s after one that an
event claims. `removed` and `lost` are what the denoiser takes from the picks of the same front end without it: of those
in quiet, and of labels that were found.
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import machine_name
from kensoku.batch import open_picker
from kensoku.classic import ClassicSettings, JudgedPick, judge_noise, noise_probabilities, pick_classic, refine
from kensoku.continuous import RATE_HZ, Instrument, Timeline, index_of, instrument_of, time_of
from kensoku.detection import Cascade, Picker, pick_packets
from kensoku.inference import Models, open_models
from kensoku.models import default_repository
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.picking import Model, ModelCard, read_card
from kensoku.times import NS_PER_S, parse_time_ns
from kensoku.v1.pick_pb2 import DECISION_KEPT, PHASE_P, Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

PACKET_S = 10
NEAR_S, BESIDE_S, CODA_S = 0.5, 5.0, 40.0
FRONT_ENDS = ("cnn", "classic", "classic, refined")

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    station: str
    phase: str
    time_s: float
    is_noise: bool  # by the denoiser


@dataclass(frozen=True, slots=True)
class Label:
    station: str
    phase: str
    time_s: float
    is_of_event: bool
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    front_end: str
    denoiser: bool
    picks: int
    p_recall: float | None
    s_recall: float | None
    any_recall: float | None
    quiet_hours: float
    false_an_hour: float | None
    removed: float  # share
    lost: float  # share


# --- records and labels -----------------------------------------------------------------------------------------------


def read_labels(path: Path | None, least_score: float) -> list[Label]:
    if path is None:
        return []
    with path.open(newline="") as file:
        return [
            Label(
                row["station"],
                row["phase"],
                parse_time_ns(row["utc"]) / NS_PER_S,
                int(row["event"]) >= 0,
                float(row["score"]) >= least_score,
            )
            for row in csv.DictReader(file)
        ]


def read_record(path: Path, minutes: float) -> Mapping[str, list[ChannelSamples]]:
    """By station, its continuous pieces."""
    from obspy import read

    stream = read(str(path))
    end = min(trace.stats.starttime for trace in stream) + 60 * minutes
    found: dict[str, list[ChannelSamples]] = defaultdict(list)
    for trace in stream.slice(endtime=end):
        head = trace.stats
        samples = np.ascontiguousarray(trace.data)
        is_whole = samples.dtype.kind == "i"
        found[f"{head.network}.{head.station}"].append(
            ChannelSamples(
                head.location,
                head.channel,
                head.starttime.ns,
                float(head.sampling_rate),
                samples.astype(np.int32 if is_whole else np.float32),
            )
        )
    return found


def packets_of(station: str, pieces: Sequence[ChannelSamples]) -> Iterator[WaveformPacket]:
    network, _, code = station.partition(".")
    cuts: dict[int, list[ChannelSamples]] = defaultdict(list)
    for piece in pieces:
        size = round(PACKET_S * piece.rate_hz)
        for first in range(0, piece.samples.size, size):
            start_ns = piece.start_ns + round(first / piece.rate_hz * NS_PER_S)
            cut = ChannelSamples(
                piece.location, piece.code, start_ns, piece.rate_hz, piece.samples[first : first + size]
            )
            cuts[start_ns // (PACKET_S * NS_PER_S)].append(cut)
    for number in sorted(cuts):
        arrival_ns = (number + 2) * PACKET_S * NS_PER_S
        yield encode_packet(network, code, cuts[number], "record", arrival_ns, TIME_KIND_REPLAY)


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """An instrument's record on the grid."""

    timeline: Timeline
    first: int
    counts: FloatArray


def laid(station: str, pieces: Sequence[ChannelSamples]) -> list[Laid]:
    network, _, code = station.partition(".")
    timelines: dict[Instrument, tuple[Timeline, list[int]]] = {}
    for piece in pieces:
        known = instrument_of(network, code, piece.location, piece.code)
        if known is not None:
            timeline, starts = timelines.setdefault(known[0], (Timeline(known[0]), []))
            timeline.write(known[1], piece)
            starts.append(index_of(piece.start_ns))
    return [
        Laid(timeline, min(starts), timeline.read(min(starts), timeline.end)) for timeline, starts in timelines.values()
    ]


# --- front ends -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Denoiser:
    model: Model
    card: ModelCard


def denoiser_of(models: Models, repository: Path) -> Denoiser:
    def ask(counts: FloatArray) -> FloatArray:
        return np.asarray(models.infer("denoiser", {"counts": counts})["probabilities"], dtype=np.float32)

    return Denoiser(ask, read_card(repository, "denoiser"))


def by_networks(
    station: str, pieces: Sequence[ChannelSamples], records: Sequence[Laid], picker: Picker, denoiser: Denoiser
) -> Iterator[Found]:
    kept = [
        one
        for one in pick_packets(packets_of(station, pieces), Cascade(picker))
        if isinstance(one, Pick) and one.decision == DECISION_KEPT
    ]
    for record in records:
        own = [pick for pick in kept if Instrument.of(pick.instrument) == record.timeline.instrument]
        places = [float(pick.onset_index) for pick in own]
        noise = noise_probabilities(places, record.counts, record.first, denoiser.model, denoiser.card)
        for pick, probability in zip(own, noise, strict=True):
            is_noise = 1 - probability < denoiser.card.threshold.p
            yield Found(station, "P" if pick.phase == PHASE_P else "S", pick.onset_ns / NS_PER_S, is_noise)


def by_ratios(
    station: str, records: Sequence[Laid], denoiser: Denoiser, refined: Callable[[JudgedPick, Laid], JudgedPick]
) -> Iterator[Found]:
    for record in records:
        picks = pick_classic(record.counts, ClassicSettings(), record.first)
        for pick in judge_noise(picks, record.counts, record.first, denoiser.model, denoiser.card):
            better = refined(pick, record)
            whole = int(better.sample)
            time_s = (time_of(whole) + record.timeline.offset_ns(whole)) / NS_PER_S + (better.sample - whole) / RATE_HZ
            yield Found(station, better.phase, time_s, better.is_noise)


# --- scores -----------------------------------------------------------------------------------------------------------


class Truth:
    def __init__(self, labels: Sequence[Label], records: Mapping[str, Sequence[Laid]]) -> None:
        self._times = {(station, kind): np.sort(_times(labels, station, kind)) for station in records for kind in KINDS}
        self._spans = {
            station: (min(one.first for one in laid), max(one.first + one.counts.shape[1] for one in laid))
            for station, laid in records.items()
        }
        self.labels = [one for one in labels if one.is_of_event and one.is_sure and self._holds(one)]

    def _holds(self, label: Label) -> bool:
        first, last = self._spans.get(label.station, (0, 0))
        return first + BESIDE_S * RATE_HZ <= label.time_s * RATE_HZ <= last - BESIDE_S * RATE_HZ

    def is_quiet(self, station: str, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        every, claimed = self._times[station, "every"], self._times[station, "claimed"]
        is_beside = _has_between(every, times_s - BESIDE_S, times_s + BESIDE_S)
        return ~is_beside & ~_has_between(claimed, times_s - CODA_S, times_s + BESIDE_S)

    def quiet_hours(self) -> float:
        seconds = 0
        for station, (first, last) in self._spans.items():
            seconds += int(self.is_quiet(station, np.arange(first // RATE_HZ, last // RATE_HZ, dtype=np.float64)).sum())
        return seconds / 3600


KINDS = ("every", "claimed")


def _times(labels: Sequence[Label], station: str, kind: str) -> npt.NDArray[np.float64]:
    return np.array([one.time_s for one in labels if one.station == station and (kind == "every" or one.is_of_event)])


def _has_between(
    times: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    return np.asarray(np.searchsorted(times, high, side="right") > np.searchsorted(times, low))


def rows_of(front_end: str, found: Sequence[Found], truth: Truth) -> list[Row]:
    without, with_it = found, [one for one in found if not one.is_noise]
    held = [_is_found(label, without, phase=False) for label in truth.labels]
    left = [_is_found(label, with_it, phase=False) for label in truth.labels]
    false, false_left = _false(without, truth), _false(with_it, truth)
    lost = sum(before and not after for before, after in zip(held, left, strict=True)) / max(sum(held), 1)
    removed = 1 - false_left / max(false, 1)
    return [
        _row(front_end, False, without, truth, removed=0.0, lost=0.0),
        _row(front_end, True, with_it, truth, removed=removed, lost=lost),
    ]


def _row(front_end: str, denoiser: bool, found: Sequence[Found], truth: Truth, *, removed: float, lost: float) -> Row:
    def recall(phase: str) -> float | None:
        labels = [one for one in truth.labels if one.phase == phase or phase == "any"]
        held = [_is_found(one, found, phase=phase != "any") for one in labels]
        return round(sum(held) / len(held), 3) if held else None

    hours = truth.quiet_hours()
    return Row(
        front_end=front_end,
        denoiser=denoiser,
        picks=len(found),
        p_recall=recall("P"),
        s_recall=recall("S"),
        any_recall=recall("any"),
        quiet_hours=round(hours, 2),
        false_an_hour=round(_false(found, truth) / hours, 1) if hours else None,
        removed=round(removed, 3),
        lost=round(lost, 4),
    )


def _is_found(label: Label, found: Sequence[Found], *, phase: bool) -> bool:
    return any(
        one.station == label.station
        and abs(one.time_s - label.time_s) <= NEAR_S
        and (one.phase == label.phase or not phase)
        for one in found
    )


def _false(found: Sequence[Found], truth: Truth) -> int:
    return sum(int(truth.is_quiet(one.station, np.array([one.time_s]))[0]) for one in found)


def measure(record: Path, labels: Path | None, minutes: float, least_score: float) -> list[Row]:
    pieces, repository = read_record(record, minutes), default_repository()
    records = {station: laid(station, parts) for station, parts in pieces.items()}
    truth, url = Truth(read_labels(labels, least_score), records), f"local:{repository}"
    found: dict[str, list[Found]] = {front_end: [] for front_end in FRONT_ENDS}
    with open_models(url) as models, open_picker(repository, url, "picker_live") as picker:
        denoiser, card = denoiser_of(models, repository), picker.final.card

        def finer(pick: JudgedPick, one: Laid) -> JudgedPick:
            return refine(pick, one.counts, one.first, picker.final.model, card)

        for station, own in records.items():
            found["cnn"] += by_networks(station, pieces[station], own, picker, denoiser)
            found["classic"] += by_ratios(station, own, denoiser, lambda pick, _: pick)
            found["classic, refined"] += by_ratios(station, own, denoiser, finer)
    return [row for front_end in FRONT_ENDS for row in rows_of(front_end, found[front_end], truth)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front_ends", description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("labels", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=80.0, help="of the record, from its start")
    parser.add_argument("--min-score", type=float, default=0.3, help="of a label")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(options.record, options.labels, options.minutes, options.min_score)
    if options.json:
        print(json.dumps({"machine": machine_name(), "rows": [asdict(row) for row in rows]}))
        return
    names = list(asdict(rows[0]))
    print("  ".join(f"{name:>16}" for name in names))
    for row in rows:
        print("  ".join(f"{value!s:>16}" for value in asdict(row).values()))


if __name__ == "__main__":
    main()
