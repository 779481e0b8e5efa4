"""Which events of a catalogue are asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_

from kensoku.catalogue_store._rows import Row, event_row
from kensoku.catalogue_store._tables import EVENTS
from kensoku.v1.event_pb2 import Event

GONE = ("RETRACTED", "MERGED")


@dataclass(frozen=True, slots=True)
class Area:
    """A box on the map; it crosses the date line where west is greater than east."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float

    @property
    def has_date_line(self) -> bool:
        """On its edge, whose longitude is 180 and -180."""
        return 180 in (abs(self.west_deg), abs(self.east_deg))

    def holds(self, latitude_deg: float, longitude_deg: float) -> bool:
        if not self.south_deg <= latitude_deg <= self.north_deg:
            return False
        if self.has_date_line and abs(longitude_deg) == 180:
            return True
        if self.west_deg <= self.east_deg:
            return self.west_deg <= longitude_deg <= self.east_deg
        return longitude_deg >= self.west_deg or longitude_deg <= self.east_deg


@dataclass(frozen=True, slots=True)
class Selection:
    """All conditions hold together; an event without an origin or a magnitude meets no condition on them."""

    start_ns: int | None = None  # origin time, ns UTC
    end_ns: int | None = None  # exclusive
    min_magnitude: float = -math.inf
    max_magnitude: float = math.inf
    min_depth_km: float = -math.inf
    max_depth_km: float = math.inf
    area: Area | None = None
    statuses: Sequence[str] = ()  # empty: all but what is gone
    types: Sequence[str] = ()
    regions: Sequence[str] = ()
    with_gone: bool = False  # also what was retracted or merged into another event

    def condition(self) -> ColumnElement[bool]:
        columns = EVENTS.c
        found = [
            *_within(columns.time_ns, self.start_ns, None if self.end_ns is None else self.end_ns - 1),
            *_within(columns.magnitude, self.min_magnitude, self.max_magnitude),
            *_within(columns.depth_km, self.min_depth_km, self.max_depth_km),
        ]
        for column, values in ((columns.status, self.statuses), (columns.type, self.types)):
            if values:
                found.append(column.in_(values))
        if self.regions:
            found.append(columns.region.in_(self.regions))
        if not self.statuses and not self.with_gone:
            found.append(columns.status.not_in(GONE))
        if self.area:
            found.append(_inside(self.area))
        return and_(True, *found)

    def holds(self, event: Event) -> bool:
        """The same of an event that is in no database."""
        row = event_row(event, 0)
        return (
            _is_within(row["time_ns"], self.start_ns, None if self.end_ns is None else self.end_ns - 1)
            and _is_within(row["magnitude"], self.min_magnitude, self.max_magnitude)
            and _is_within(row["depth_km"], self.min_depth_km, self.max_depth_km)
            and (row["status"] in self.statuses if self.statuses else self.with_gone or row["status"] not in GONE)
            and (not self.types or row["type"] in self.types)
            and (not self.regions or row["region"] in self.regions)
            and (self.area is None or (row["time_ns"] is not None and _holds(self.area, row)))
        )


def _holds(area: Area, row: Row) -> bool:
    return area.holds(row["latitude_deg"], row["longitude_deg"])


def _within(column: ColumnElement[float], least: float | None, most: float | None) -> list[ColumnElement[bool]]:
    found = []
    if _is_limit(least):
        found.append(column >= least)
    if _is_limit(most):
        found.append(column <= most)
    return found


def _is_within(value: float | None, least: float | None, most: float | None) -> bool:
    if value is None:
        return not (_is_limit(least) or _is_limit(most))
    return (least is None or value >= least) and (most is None or value <= most)


def _is_limit(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _inside(area: Area) -> ColumnElement[bool]:
    longitude = EVENTS.c.longitude_deg
    between = (longitude >= area.west_deg, longitude <= area.east_deg)
    across = and_(*between) if area.west_deg <= area.east_deg else or_(*between)
    if area.has_date_line:
        across = or_(across, func.abs(longitude) == 180)
    return and_(EVENTS.c.latitude_deg >= area.south_deg, EVENTS.c.latitude_deg <= area.north_deg, across)
