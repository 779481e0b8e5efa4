"""The records that `kensoku pick` is given: which files hold what, and their samples in the order of time."""

import glob
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from kensoku.acquisition import waveform_files
from kensoku.acquisition.seconds import SECOND_NS, Span, StationSecond, station_seconds
from kensoku.acquisition.waveform_files import Fault, Stretch
from kensoku.acquisition.waveform_files import Piece as FilePiece
from kensoku.batch import Piece
from kensoku.errors import InputInvalid
from kensoku.times import iso_time

AT_ONCE_S = 60  # of a station that is handed on together
# NET.STA.LOC.CHA.D.YEAR.DAY: the name of a file in an SDS tree says what is in it
SDS = re.compile(
    r"(?P<net>[^.]*)\.(?P<sta>[^.]+)\.(?P<loc>[^.]*)\.(?P<cha>[^.]+)\.[A-Z]\.(?P<year>\d{4})\.(?P<day>\d{3})"
)
TOLD = 20  # reasons that are shown; the rest is counted


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is picked of what there is."""

    stations: str = "*"  # patterns of NET.STA or NET.STA.LOC.CHA, separated by commas
    span: Span = Span()
    _met: set[str] = field(default_factory=set, compare=False)  # patterns of which there was a channel

    def has_station(self, station: str) -> bool:
        return any(fnmatchcase(station, ".".join(p.split(".")[:2])) for p in self._patterns)

    def has_channel(self, station: str, location: str, code: str) -> bool:
        name = f"{station}.{location}.{code}"
        met = [p for p in self._patterns if fnmatchcase(name if p.count(".") > 1 else station, p)]
        self._met.update(met)
        return bool(met)

    @property
    def unmet(self) -> list[str]:
        """Patterns that no channel had a name of so far; `*`, which nobody misspells, is none of them."""
        return [pattern for pattern in self._patterns if pattern not in {*self._met, "*"}]

    def may_hold(self, path: Path) -> bool:
        """False for files of an SDS tree whose name says that there is nothing of it."""
        if (name := SDS.fullmatch(path.name)) is None:
            return True
        try:
            day = date(int(name["year"]), 1, 1) + timedelta(days=int(name["day"]) - 1)
        except ValueError:
            return True
        start_ns = (day - date(1970, 1, 1)).days * 86_400 * SECOND_NS
        if not self.span.touches(start_ns - 3600 * SECOND_NS, start_ns + 90_000 * SECOND_NS):  # records cross midnight
            return False
        return self.has_channel(f"{name['net']}.{name['sta']}", name["loc"], name["cha"])

    @property
    def _patterns(self) -> list[str]:
        return [pattern.strip() for pattern in self.stations.split(",")]


@dataclass(slots=True)
class Faults:
    """What could not be used: told to a person, the first of each file, and counted."""

    files: set[Path] = field(default_factory=set)
    parts: int = 0
    is_quiet: bool = False  # of records that are read once more
    channels: dict[str, str] = field(default_factory=dict)
    _told: int = 0

    def add(self, fault: Fault) -> None:
        self.parts += 1
        if fault.path not in self.files:
            self.files.add(fault.path)
            self._tell(f"left out: {fault}")

    def add_channel(self, name: str, reason: str) -> None:
        if name not in self.channels:
            self.channels[name] = reason
            self._tell(f"left out: {name}: {reason}")

    def _tell(self, line: str) -> None:
        self._told += 1
        if self.is_quiet:
            return
        if self._told <= TOLD:
            print(line, file=sys.stderr, flush=True)
        elif self._told == TOLD + 1:
            print("left out: more, which are counted only", file=sys.stderr, flush=True)


def find(sources: Iterable[str], wanted: Wanted) -> list[Path]:
    """Every file that may hold what is wanted, once, in an order that is always the same."""
    found: set[Path] = set()
    for source in sources:
        path = Path(source)
        places = [path] if path.exists() else [Path(match) for match in sorted(glob.glob(source, recursive=True))]
        if not places:
            raise InputInvalid(
                f"found nothing at {source}, expected waveform files or a folder of them; check the path"
            )
        for place in places:
            found.update(waveform_files.find_files(place))
    chosen = sorted({path.resolve(): path for path in sorted(found) if wanted.may_hold(path)}.values())
    if not chosen:
        raise InputInvalid(
            f"found {len(found)} files, expected some {_describe(wanted)}; choose other stations or times"
        )
    return chosen


def scan(paths: Sequence[Path], wanted: Wanted, faults: Faults, step: Callable[[int], None]) -> list[Stretch]:
    """What of it is wanted; `step` is told the bytes of each file that is done."""
    stretches: list[Stretch] = []
    found = 0
    for path in paths:
        for part in waveform_files.scan([path]):
            if isinstance(part, Fault):
                faults.add(part)
                continue
            if not part.stations:
                faults.add(Fault(part.path, part.offset, "found no whole record; the file was cut off", b""))
                continue
            found += 1
            if any(map(wanted.has_station, part.stations)) and wanted.span.touches(part.start_ns, part.end_ns):
                stretches.append(part.since(wanted.span.start_ns))
        step(path.stat().st_size)
    if not found:
        raise InputInvalid(
            f"found {len(paths)} files and no waveform in them, expected miniSEED or another format that ObsPy reads"
        )
    if not stretches:
        raise InputInvalid(f"found waveforms, expected some {_describe(wanted)}; choose other stations or times")
    return stretches


def _describe(wanted: Wanted) -> str:
    return f"of stations {wanted.stations!r} from {iso_time(wanted.span.start_ns)} to {iso_time(wanted.span.end_ns)}"


def groups(stretches: Sequence[Stretch], least: int) -> list[list[Stretch]]:
    """Stations that share files go together; so do as few others as make `least`. One group is in memory at a time."""
    leader: dict[str, str] = {}

    def lead(station: str) -> str:
        while (next_one := leader.setdefault(station, station)) != station:
            station = next_one
        return station

    for stretch in stretches:
        first, *others = sorted(stretch.stations)
        for other in others:
            leader[lead(other)] = lead(first)
    together: dict[str, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        together[lead(min(stretch.stations))].append(stretch)
    found: list[list[Stretch]] = []
    for place, name in enumerate(sorted(together)):
        if place % least == 0 or not found:
            found.append([])
        found[-1] += together[name]
    return found


def pieces(
    stretches: Sequence[Stretch], wanted: Wanted, faults: Faults, step: Callable[[int], None]
) -> Iterator[Piece]:
    """What the stations of a group recorded, in the order of time."""

    def read(stretch: Stretch) -> Iterator[FilePiece]:
        left = stretch.length
        for piece in waveform_files.read(stretch):
            yield piece
            size = min(left, waveform_files.PIECE_BYTES if stretch.record_bytes else left)
            left -= size
            step(size)
        step(left)

    for item in station_seconds(stretches, read, wanted.span, AT_ONCE_S):
        if isinstance(item, Fault):
            faults.add(item)
        elif piece := _piece(item, wanted):
            yield piece


def _piece(item: StationSecond, wanted: Wanted) -> Piece | None:
    channels = tuple(c for c in item.channels if wanted.has_channel(item.key, c.location, c.code))
    if not channels:
        return None
    return Piece(item.network, item.station, channels, item.second * SECOND_NS, item.end_ns)
