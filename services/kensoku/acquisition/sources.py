"""Where waveforms come from: what any source must answer, and files that were recorded. Scenarios that are simulated as
they are asked for are in `simulated_source`."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kensoku.acquisition import waveform_files
from kensoku.acquisition.position import SourcePosition
from kensoku.acquisition.seconds import SECOND_NS, Span, StationSecond, station_seconds
from kensoku.acquisition.waveform_files import Fault, Piece, Stretch
from kensoku.errors import InputInvalid, SourceUnavailable
from kensoku.v1.inventory_pb2 import Station

log = logging.getLogger("kensoku.acquisition")

SIMULATED = "sim://"
STATIONS_ARE_SIMULATED = "(simulated)"  # how the source of such stations ends in the inventory


class Source(Protocol):
    """What a replay asks for; `span` and stations are chosen when it is made."""

    @property
    def kind(self) -> str:
        """As packets name it."""
        ...

    @property
    def identity(self) -> str:
        """What the saved position belongs to."""
        ...

    def scan(self) -> Iterator[Fault | None]:
        """Find out what there is, a step at a time; nothing to replay is an error."""
        ...

    def stations(self) -> Mapping[str, Station]:
        """What is known of where they are, by NET.STA; nothing of files, which do not say."""
        ...

    def first_ns(self, after: SourcePosition | None) -> int:
        """Where the samples behind a position begin."""
        ...

    def items(self, after: SourcePosition | None) -> Iterator[StationSecond | Fault]:
        """What is behind a position, in the order in which it is due."""
        ...


class FileSource:
    kind = "files"

    def __init__(
        self,
        path: Path,
        stations: str,
        is_selected: Callable[[str], bool],
        span: Span,
        packet_s: int,
        is_quarantined: Callable[[Path], bool],
    ) -> None:
        self._path, self._stations, self._is_selected = path, stations, is_selected
        self._span, self._packet_s, self._is_quarantined = span, packet_s, is_quarantined
        self._stretches: list[Stretch] = []

    @property
    def identity(self) -> str:
        return str(self._path.resolve())

    def scan(self) -> Iterator[Fault | None]:
        files = waveform_files.find_files(self._path)
        found = 0
        for part in waveform_files.scan(files):
            if isinstance(part, Fault):
                yield part
                continue
            found += 1
            if any(map(self._is_selected, part.stations)) and self._span.touches(part.start_ns, part.end_ns):
                self._stretches.append(part)
            yield None
        if not found:
            raise InputInvalid(
                f"found {len(files)} files and no waveform in {self._path}, expected miniSEED or another format that "
                "ObsPy reads; check the path"
            )
        if not self._stretches:
            raise InputInvalid(
                f"found waveforms in {self._path}, expected stations {self._stations!r} between "
                f"{iso(self._span.start_ns)} and {iso(self._span.end_ns)}; choose other stations or times"
            )
        count = len({stretch.path for stretch in self._stretches})
        log.info("found waveforms in %d of %d files in %s", count, len(files), self._path)

    def stations(self) -> Mapping[str, Station]:
        return {}

    def first_ns(self, after: SourcePosition | None) -> int:
        return max(min(stretch.start_ns for stretch in self._stretches), self._span_after(after).start_ns)

    def items(self, after: SourcePosition | None) -> Iterator[StationSecond | Fault]:
        for item in station_seconds(self._stretches, self._read, self._span_after(after), self._packet_s):
            if after and isinstance(item, StationSecond) and (item.second, item.key) <= (after.second, after.station):
                continue
            if isinstance(item, Fault) or self._is_selected(item.key):
                yield item

    def _span_after(self, after: SourcePosition | None) -> Span:
        return replace(self._span, start_ns=max(after.second * SECOND_NS, self._span.start_ns)) if after else self._span

    def _read(self, stretch: Stretch) -> Iterator[Piece]:
        for piece in waveform_files.read(stretch):
            if not self._path.exists() and any(isinstance(part, Fault) for part in piece):
                raise SourceUnavailable(f"found no {self._path} any more, expected the archive of before; put it back")
            yield piece
            if self._is_quarantined(stretch.path):
                return


def iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
