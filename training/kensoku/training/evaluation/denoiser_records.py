"""Which classic picks on continuous records of several stations are known to be real, and which to be false.

Real are those that an earthquake of the table of picks claims. False are those that stand alone: no other station, no
other pick of the same station and no pick of the table is near enough in time for an earthquake.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import obspy

from kensoku.errors import InputInvalid
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.streams import Track, to_tracks
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.evaluation.denoiser import Material
from kensoku.training.examples import RATE_HZ, BoolArray

NO_EVENT = ("", "-1")
SHARED_S, STATIONS = 10.0, 3  # as many stations within that time may have seen an earthquake
PAIR_S = (0.3, 20.0)  # P and S of one station
EVENT_S = (5.0, 40.0)  # before the first pick of an earthquake and after its last
DOUBT_S = 5.0  # around a pick that no earthquake claims
BEGIN_S = 15.0  # of a record, in which ratios settle

Times = Mapping[str, Sequence[tuple[float, str]]]  # of each station: when, and the event


def read_materials(records: Path, picks: Path | None, excluded: Path | None = None) -> list[Material]:
    """`picks`: station, utc or time, event (-1: none); `excluded`: station, start, end: reviewed and in doubt."""
    try:
        stream = obspy.read(str(records))
    except (OSError, TypeError, ValueError) as error:
        raise InputInvalid(f"{records}: found {error}; expected records that ObsPy reads, such as miniSEED") from None
    tracks = [Track(each.station, each.start_s, mark_missing(each.counts)) for each in to_tracks(stream.split())]
    table = read_picks(picks) if picks else {}
    spans = read_spans(excluded) if excluded else {}
    shared = shared_times({f"{n}": _triggers(track) for n, track in enumerate(tracks)})
    events = [time_s for rows in table.values() for time_s, event in rows if event]
    return [_material(records.stem, track, table, events, shared, spans.get(track.station, ())) for track in tracks]


def read_picks(path: Path) -> Times:
    of = defaultdict(list)
    for row in _rows(path, "station"):
        event = row.get("event", "")
        of[row["station"]].append(
            (_moment(row.get("utc") or row.get("time") or "", path), "" if event in NO_EVENT else event)
        )
    return of


def read_spans(path: Path) -> Mapping[str, list[tuple[float, float]]]:
    of = defaultdict(list)
    for row in _rows(path, "station", "start", "end"):
        of[row["station"]].append((_moment(row["start"], path), _moment(row["end"], path)))
    return of


def shared_times(triggers: Mapping[str, Sequence[float]]) -> list[tuple[float, float]]:
    """From and to: stretches in which enough stations trigger."""
    ordered = sorted((time_s, station) for station, times_s in triggers.items() for time_s in times_s)
    stretches, first = [], 0
    for last, (time_s, _) in enumerate(ordered):
        while ordered[first][0] < time_s - SHARED_S:
            first += 1
        if len({station for _, station in ordered[first : last + 1]}) >= STATIONS:
            stretches.append((ordered[first][0], time_s))
    return stretches


def _material(
    source: str,
    track: Track,
    table: Times,
    events: Sequence[float],
    shared: Sequence[tuple[float, float]],
    excluded: Sequence[tuple[float, float]],
) -> Material:
    rows = table.get(track.station, ())
    real = np.array(sorted(track.sample(time_s) for time_s, event in rows if event))
    spans = [(time_s - EVENT_S[0], time_s + EVENT_S[1]) for time_s in events]
    spans += [(first - EVENT_S[0], last + EVENT_S[1]) for first, last in shared]
    spans += [(time_s - DOUBT_S, time_s + DOUBT_S) for time_s, event in rows if not event]
    own = _triggers(track)
    spans += [
        (first - EVENT_S[0], second + EVENT_S[1])
        for place, first in enumerate(own)
        for second in own[place + 1 :]
        if PAIR_S[0] <= second - first <= PAIR_S[1]
    ]
    spans += [*excluded, (track.start_s, track.start_s + BEGIN_S)]
    return Material(source, track.station, track.counts, real, _outside(spans, track))


def _outside(spans: Sequence[tuple[float, float]], track: Track) -> BoolArray:
    is_quiet: BoolArray = np.isfinite(track.counts).any(axis=0)
    for first_s, last_s in spans:
        is_quiet[max(0, int(track.sample(first_s))) : max(0, int(track.sample(last_s)) + 1)] = False
    return is_quiet


def _triggers(track: Track) -> list[float]:
    return [track.start_s + sample / RATE_HZ for sample in find_triggers(track.counts).tolist()]


def _moment(text: str, path: Path) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputInvalid(f"{path}: found time {text!r}, expected one such as 2026-01-31T12:00:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _rows(path: Path, *columns: str) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputInvalid(f"{path}: found {error}; expected a csv file") from None
    if rows and (missing := [name for name in columns if name not in rows[0]]):
        raise InputInvalid(f"{path}: found no column {', '.join(missing)}; expected {', '.join(columns)}")
    return rows
