"""Records of the earthquakes of a catalogue: picks from QuakeML, samples from an archive or a web service.

An archive is a folder of SDS, or of any files that ObsPy reads (miniSEED, WIN, SAC). What a service gives is kept in a
folder, a file an earthquake and station, so that a second call asks only for what is missing.
"""

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import obspy
from obspy.clients.filesystem.sds import Client as SdsClient

from kensoku.errors import InputInvalid
from kensoku.sphere import KM_PER_DEG
from kensoku.training.datasets.completing import PSEUDO
from kensoku.training.datasets.labels import LabelRule, Pick, apply_rule, doubt_triggers, is_direct
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.records import Record
from kensoku.training.datasets.streams import Track, to_tracks
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.examples import LABEL_S, PHASES, RATE_HZ, Example, Kind, Origin, Phase
from kensoku.whole_files import written_whole

BLASTS = ("blast", "explosion")
NONE = "not existing"  # QuakeML's type of what turned out to be no event, or another one
SAME_S = 1.0  # within which two picks of a phase are of one onset


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    events: Path  # QuakeML
    archive: Path
    service: str  # base of an FDSN web service, empty: the archive has all
    source: str
    region: str
    before_s: float
    after_s: float
    manual_only: bool  # other picks are then doubtful
    authors: tuple[str, ...] = ()  # whose picks are trusted, by QuakeML's author or agency; none: everybody's
    rule: LabelRule = field(default_factory=LabelRule)


@dataclass(frozen=True, slots=True)
class _Pick:
    event: str
    phase: Phase
    time_s: float
    instrument: tuple[str, str, str]  # network.station, location, band and instrument code
    is_trusted: bool
    weight: float = 1.0


def find_catalogue(file: Catalogue) -> Iterator[Record]:
    """Each earthquake at each instrument with picks of it and with samples; the picks of others in the record count."""
    events = _named(_read_events(file.events))
    picks = [pick for name, event in events for pick in _picks(name, event, file)]
    at: dict[tuple[str, str, str], list[_Pick]] = defaultdict(list)
    for pick in picks:
        at[pick.instrument].append(pick)
    for name, event in events:
        for instrument in sorted({pick.instrument for pick in picks if pick.event == name and pick.is_trusted}):
            own = [pick.time_s for pick in at[instrument] if pick.event == name]
            cut = _Cut(instrument, name, min(own) - file.before_s, max(own) + file.after_s)
            if _read_track(file, cut) is not None:
                origin = _origin(file, name, event, instrument)
                load = functools.partial(_load, file, cut, tuple(at[instrument]), origin)
                yield Record(origin, load, time_s=min(own))


@dataclass(frozen=True, slots=True)
class _Cut:
    instrument: tuple[str, str, str]
    event: str
    start_s: float
    end_s: float


def _load(file: Catalogue, cut: _Cut, picks: Sequence[_Pick], origin: Origin) -> Example:
    track = _read_track(file, cut)
    if track is None:
        raise InputInvalid(f"{file.archive}: found no more samples of {origin.station}, {cut.event}; build it again")
    counts, of, doubtful = mark_missing(track.counts), defaultdict(list), []
    for pick in picks:
        if cut.start_s <= pick.time_s <= cut.end_s and pick.is_trusted:
            of[pick.event].append(Pick(pick.phase, track.sample(pick.time_s), pick.weight))
        elif cut.start_s <= pick.time_s <= cut.end_s:
            doubtful.append((track.sample(pick.time_s - 1), track.sample(pick.time_s + 1)))
    triggers = () if file.rule.is_searched else find_triggers(counts).tolist()
    doubtful += doubt_triggers(file.rule, of.values(), triggers)
    onsets, unknown = apply_rule(file.rule, of.values(), doubtful, counts.shape[1])
    return Example(counts, onsets, unknown, origin)


# --- catalogue --------------------------------------------------------------------------------------------------------


def _read_events(path: Path) -> list[Any]:
    try:
        return list(obspy.read_events(str(path)))
    except (OSError, TypeError, ValueError) as error:
        raise InputInvalid(f"{path}: found {error}; expected QuakeML or another catalogue that ObsPy reads") from None


def _named(events: Sequence[Any]) -> list[tuple[str, Any]]:
    """Each under the last part of its id, or under all of it where that is another's too: authorities number theirs."""
    whole = [str(event.resource_id.id) for event in events]
    last = [each.rpartition("/")[2] for each in whole]
    count = Counter(last)
    names = (part if count[part] == 1 else each.replace("/", "_") for part, each in zip(last, whole, strict=True))
    return list(zip(names, events, strict=True))


def _picks(name: str, event: Any, file: Catalogue) -> Iterator[_Pick]:
    """Of each instrument a P and an S: the first that is trusted, which an operator put in place of others.

    Others come as well, as picks that nobody trusts, unless they are so near that they are of the same onset.
    """
    origin = event.preferred_origin() or (event.origins[0] if event.origins else None)
    phases = {arrival.pick_id.id: arrival.phase for arrival in (origin.arrivals if origin else ())}
    firsts: dict[tuple[tuple[str, str, str], Phase], _Pick] = {}
    for pick in sorted(event.picks, key=lambda pick: (not _is_trusted(event, pick, file), pick.time)):
        wave, code = phases.get(pick.resource_id.id) or pick.phase_hint or "", pick.waveform_id
        hint = wave.upper()[:1]
        if hint in PHASES and code is not None and code.channel_code and pick.evaluation_status != "rejected":
            phase = PHASES[PHASES.index(hint)]
            station = f"{code.network_code or ''}.{code.station_code}"
            instrument = (station, code.location_code or "", code.channel_code[:2])
            is_trusted, time_s = _is_trusted(event, pick, file) and is_direct(wave), float(pick.time.timestamp)
            found = _Pick(name, phase, time_s, instrument, is_trusted, _weight(pick))
            first = firsts.setdefault((instrument, phase), found) if is_direct(wave) else None
            if first is None or abs(time_s - first.time_s) > SAME_S:
                yield replace(found, is_trusted=False)
    yield from firsts.values()


def _is_trusted(event: Any, pick: Any, file: Catalogue) -> bool:
    if event.event_type == NONE:
        return False
    made = pick.creation_info
    by = {made.author, made.agency_id} if made else set()
    return (not file.manual_only or pick.evaluation_mode == "manual") and (
        not file.authors or bool(by & {*file.authors})
    )


def _weight(pick: Any) -> float:
    """Of a stated error in proportion to what a label's curve allows; what a program picked must not judge."""
    error_s = pick.time_errors.uncertainty if pick.time_errors else None
    weight = min(1.0, LABEL_S / error_s) if error_s else 1.0
    return weight * (PSEUDO if pick.evaluation_mode == "automatic" else 1.0)


def _origin(file: Catalogue, name: str, event: Any, instrument: tuple[str, str, str]) -> Origin:
    origin = event.preferred_origin() or (event.origins[0] if event.origins else None)
    magnitude = event.preferred_magnitude() or (event.magnitudes[0] if event.magnitudes else None)
    of = {pick.resource_id.id: pick.waveform_id for pick in event.picks}
    degrees = [
        arrival.distance
        for arrival in (origin.arrivals if origin else ())
        if arrival.distance is not None and _station(of.get(arrival.pick_id.id)) == instrument[0]
    ]
    return Origin(
        source=file.source,
        region=file.region,
        station=instrument[0],
        event=name,
        kind=_kind(event),
        magnitude=magnitude.mag if magnitude else np.nan,
        distance_km=degrees[0] * KM_PER_DEG if degrees else np.nan,
    )


def _station(code: Any) -> str:
    return f"{code.network_code or ''}.{code.station_code}" if code is not None else ""


def _kind(event: Any) -> Kind:
    return "blast" if any(word in (event.event_type or "") for word in BLASTS) else "earthquake"


# --- samples ----------------------------------------------------------------------------------------------------------


def _read_track(file: Catalogue, cut: _Cut) -> Track | None:
    station, location, code = cut.instrument
    network, _, name = station.partition(".")
    start, end = obspy.UTCDateTime(cut.start_s), obspy.UTCDateTime(cut.end_s)
    stream = _reader(file)(network, name, location, f"{code}?", start, end, cut.event)
    tracks = to_tracks(stream.trim(start, end).split())  # services may give more than they were asked for
    return tracks[0] if tracks and tracks[0].counts.shape[1] >= (cut.end_s - cut.start_s) * RATE_HZ / 2 else None


def _reader(file: Catalogue) -> Callable[..., Any]:
    if file.service:
        return functools.partial(_download, file.service, file.archive)
    if any(path.is_dir() and path.name.isdecimal() for path in file.archive.glob("*")):
        client = SdsClient(str(file.archive))
        return lambda *names: client.get_waveforms(*names[:6])
    return functools.partial(_read_files, file.archive)


def _download(service: str, folder: Path, *names: Any) -> Any:
    """Asks once; an empty file says that the service has nothing."""
    network, station, location, channels, start, end, event = names
    path = folder / event / f"{network}.{station}.{location}.{channels[:2]}.mseed"
    if not path.exists():
        from obspy.clients.fdsn import Client  # only now: it takes its time
        from obspy.clients.fdsn.header import FDSNException, FDSNNoDataException

        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with written_whole(path) as temporary:
                _client(service, Client).get_waveforms(
                    network, station, location or "--", channels, start, end, filename=str(temporary)
                )
        except FDSNNoDataException:
            path.touch()
        except (FDSNException, ValueError) as error:
            raise InputInvalid(f"{service}: found {error}; expected a web service of FDSN; call again later") from None
    return obspy.read(str(path)) if path.stat().st_size else obspy.Stream()


@functools.cache
def _client(service: str, make: Callable[[str], Any]) -> Any:
    return make(service)


def _read_files(folder: Path, *names: Any) -> Any:
    network, station, location, channels, start, end, _ = names
    stream = obspy.Stream()
    for path, starts, ends in _index(folder).get((network, station, location), ()):
        if starts <= end and ends >= start:
            stream += obspy.read(str(path), starttime=start, endtime=end)
    return stream.select(network=network, station=station, location=location, channel=channels)


@functools.lru_cache(maxsize=4)
def _index(folder: Path) -> Mapping[tuple[str, str, str], list[tuple[Path, Any, Any]]]:
    """Which file has which station when; what ObsPy cannot read is none of them."""
    found: dict[tuple[str, str, str], dict[Path, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            traces = obspy.read(str(path), headonly=True)
        except (OSError, TypeError, ValueError):
            continue
        for trace in traces:
            stats = trace.stats
            found[stats.network, stats.station, stats.location][path].append((stats.starttime, stats.endtime))
    return {
        name: [(path, min(start for start, _ in times), max(end for _, end in times)) for path, times in files.items()]
        for name, files in found.items()
    }
