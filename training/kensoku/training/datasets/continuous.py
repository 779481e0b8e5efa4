"""Continuous records cut into examples: with somebody's picks, or as noise where nothing is suspected."""

import csv
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import obspy

from kensoku.errors import InputInvalid
from kensoku.training.datasets.completing import PSEUDO
from kensoku.training.datasets.cutting import take
from kensoku.training.datasets.labels import LabelRule, Pick, Stretch, apply_rule
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.quiet import doubt
from kensoku.training.datasets.records import Record
from kensoku.training.datasets.streams import Track, to_tracks
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.datasets.windows_file import fill
from kensoku.training.examples import PHASES, RATE_HZ, Example, Kind, Origin

DOUBTFUL_S = 1.0  # on either side of a pick that no event claims
LEAST_KNOWN = 0.02  # share of an example of which something must be known


@dataclass(frozen=True, slots=True, kw_only=True)
class PickColumns:
    station: str = "{station}"
    phase: str = "{phase}"
    time: str = "{time}"  # ISO 8601
    score: str = ""
    event: str = ""
    no_event: str = ""  # what stands there for a pick of no event


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    path: Path
    picks: Path | None
    source: str
    region: str
    window_s: float
    is_noise: bool
    columns: PickColumns = field(default_factory=PickColumns)
    rule: LabelRule = field(default_factory=LabelRule)
    is_to_judge: bool = False  # models' picks are then doubtful


def find_continuous(file: Continuous) -> Iterator[Record]:
    """Examples of each instrument, one after the other; those of which nothing is known are left out."""
    length = round(file.window_s * RATE_HZ)
    for number, (start_s, whole) in enumerate(_label(file)):
        known = np.ones((len(PHASES), whole.length), dtype=np.bool_)
        for span in whole.unknown:
            known[PHASES.index(span.phase), int(span.first) : int(span.last) + 1] = False
        known &= np.isfinite(whole.counts).any(axis=0)
        for first in range(0, whole.length - length + 1, length):
            if known[:, first : first + length].mean() >= LEAST_KNOWN:
                event = "" if file.is_noise else _event(file, start_s + (first + length / 2) / RATE_HZ)
                origin = _origin(file, whole.origin.station, event)
                load, to_judge = (
                    functools.partial(_load, each, number, first, length, origin)
                    for each in (file, replace(file, is_to_judge=True))
                )
                yield Record(origin, load, None if file.is_noise else to_judge)


def _event(file: Continuous, middle_s: float) -> str:
    """The stretch of time that is the same for all stations, whenever their records begin."""
    moment = datetime.fromtimestamp(middle_s // file.window_s * file.window_s, UTC)
    return f"{file.source} {moment.isoformat(timespec='milliseconds')}"


def _load(file: Continuous, number: int, first: int, length: int, origin: Origin) -> Example:
    _, whole = _label(file)[number]
    example = take(whole, first, length)
    return Example(example.counts, example.onsets, example.unknown, origin)


def _origin(file: Continuous, station: str, event: str) -> Origin:
    kind: Kind = "noise" if file.is_noise else "earthquake"
    return Origin(source=file.source, region=file.region, station=station, event=event, kind=kind)


# --- whole records ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2)  # to teach and to judge; examples are loaded in the order of their files
def _label(file: Continuous) -> Sequence[tuple[float, Example]]:
    """Each record whole, and when it begins."""
    tracks = read_tracks(file.path)
    rows = _read_picks(file) if file.picks else {}
    if file.is_noise:
        examples = _label_noise(file, tracks, rows)
    else:
        examples = [_label_track(file, track, rows.get(track.station, [])) for track in tracks]
    return [(track.start_s, example) for track, example in zip(tracks, examples, strict=True)]


def read_tracks(path: Path) -> list[Track]:
    try:
        stream = obspy.read(str(path))
    except (OSError, TypeError, ValueError) as error:
        raise InputInvalid(f"{path}: found {error}; expected records that ObsPy reads, such as miniSEED") from None
    return [Track(track.station, track.start_s, mark_missing(track.counts)) for track in to_tracks(stream.split())]


@dataclass(frozen=True, slots=True)
class _Row:
    phase: str
    time_s: float
    score: float
    event: str


def _read_picks(file: Continuous) -> Mapping[str, list[_Row]]:
    assert file.picks is not None
    columns, of = file.columns, defaultdict(list)
    try:
        with file.picks.open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                event = fill(columns.event, row, file.picks)
                moment = datetime.fromisoformat(fill(columns.time, row, file.picks))
                of[fill(columns.station, row, file.picks)].append(
                    _Row(
                        fill(columns.phase, row, file.picks),
                        moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(),
                        _trust(float(fill(columns.score, row, file.picks) or 1.0), row),
                        "" if event == columns.no_event or (file.is_to_judge and row.get("model")) else event,
                    )
                )
    except (OSError, ValueError) as error:
        raise InputInvalid(f"{file.picks}: found {error}; expected a table of picks") from None
    return of


def _trust(score: float, row: Mapping[str, str]) -> float:
    """Of a pick that the table ascribes to a model: less than judges have."""
    return min(max(score, 0.0), 1.0) * (PSEUDO if row.get("model") else 1.0)


def _label_track(file: Continuous, track: Track, rows: Sequence[_Row]) -> Example:
    events: dict[str, list[Pick]] = defaultdict(list)
    doubtful: list[Stretch] = []
    for row in rows:
        sample = track.sample(row.time_s)
        if row.event and row.phase in PHASES:
            phase = PHASES[PHASES.index(row.phase)]
            events[row.event].append(Pick(phase, sample, row.score))
        else:
            doubtful.append((sample - RATE_HZ * DOUBTFUL_S, sample + RATE_HZ * DOUBTFUL_S))
    onsets, unknown = apply_rule(file.rule, events.values(), doubtful, track.counts.shape[1])
    return Example(track.counts, onsets, unknown, _origin(file, track.station, ""))


def _label_noise(file: Continuous, tracks: Sequence[Track], rows: Mapping[str, Sequence[_Row]]) -> list[Example]:
    """Somebody's picks count as triggers."""
    times = [
        sorted(
            [track.start_s + sample / RATE_HZ for sample in find_triggers(track.counts).tolist()]
            + [row.time_s for row in rows.get(track.station, ())]
        )
        for track in tracks
    ]
    doubtful = doubt({f"{number}": times_s for number, times_s in enumerate(times)})
    examples = []
    for number, track in enumerate(tracks):
        stretches = [(track.sample(first), track.sample(last)) for first, last in doubtful[f"{number}"]]
        onsets, unknown = apply_rule(file.rule, [], stretches, track.counts.shape[1])
        examples.append(Example(track.counts, onsets, unknown, _origin(file, track.station, "")))
    return examples
