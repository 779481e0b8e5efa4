"""The waves of all sources of a scenario at one station after the other, made of those alone that can be seen there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kensoku.simulation.audible import Floor, could_be_seen
from kensoku.simulation.catalogue import Catalogue
from kensoku.simulation.events import Event
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import Earth, Path, trace
from kensoku.simulation.waves import WaveTrain, render_all

TRACED = 64  # rows of the catalogue, counted from its first, whose rays are looked for at once


@dataclass(slots=True)
class _Sight:
    """What one station knows of the catalogue."""

    floor: Floor
    audible: npt.NDArray[np.bool_]
    piece: int = -1  # of the catalogue, that `paths` is of
    paths: dict[int, Path] = field(default_factory=dict)  # by row


class WaveField:
    """Called with rows of the catalogue and a station; None where nothing would be seen."""

    def __init__(
        self,
        catalogue: Catalogue,
        events: Sequence[Event],
        earth: Earth,
        floor_of: Callable[[Station], Floor],
        seed: int,
    ) -> None:
        self._catalogue, self._events, self._earth = catalogue, events, earth
        self._floor_of, self._seed = floor_of, seed
        self._sights: dict[str, _Sight] = {}

    def __call__(self, rows: Sequence[int], station: Station) -> Iterator[WaveTrain | None]:
        sight = self._sight(station)
        audible = [row for row in rows if sight.audible[row]]
        sources = [(self._events[row], self._path(row, station, sight)) for row in audible]
        trains = render_all(sources, station, self._earth, station.rate_hz, self._seed, floor=sight.floor)
        made = dict(zip(audible, trains, strict=True))
        return (made.get(row) for row in rows)

    def _sight(self, station: Station) -> _Sight:
        if station.name not in self._sights:
            floor = self._floor_of(station)
            audible = could_be_seen(self._catalogue, station, self._earth, floor)
            self._sights[station.name] = _Sight(floor, audible)
        return self._sights[station.name]

    def _path(self, row: int, station: Station, sight: _Sight) -> Path:
        """Rays cost little more for many sources than for one."""
        if row // TRACED != sight.piece:
            sight.piece = row // TRACED
            first = sight.piece * TRACED
            rows = first + np.flatnonzero(sight.audible[first : first + TRACED])
            hypocentres = [self._events[each].hypocentre for each in rows]
            sight.paths = dict(
                zip(rows.tolist(), trace(hypocentres, [station] * len(rows), self._earth.model), strict=True)
            )
        return sight.paths[row]
