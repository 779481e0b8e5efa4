"""Whole pages: titles, files, and what goes where."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kensoku.errors import InputInvalid, KensokuError, SettingInvalid
from kensoku.events import (
    has_depth,
    has_depth_interval,
    is_known,
    preferred_magnitude,
    quality_name,
    status_name,
    type_name,
)
from kensoku.pictures._map import draw_depths, draw_map, marks_of, write_summary
from kensoku.pictures._records import Band, channels_of
from kensoku.pictures._section import draw_section
from kensoku.traveltime import EarthModel, load_model
from kensoku.v1.event_pb2 import Event, Origin
from kensoku.v1.inventory_pb2 import Station

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".pdf", ".svg")
PAGE_IN = (11.7, 8.3)  # A4, landscape
DPI = 130
APART = "    "  # between parts of a title
WIDE_IN_A_POINT, HIGH_IN_A_POINT = 0.0085, 0.0175  # of a letter and of a line, on the safe side
NO_PLACES: Mapping[str, Station] = {}
DEFAULT_BAND = Band()


def event_picture(
    event: Event,
    records: Any,
    path: Path,
    *,
    stations: Mapping[str, Station] = NO_PLACES,
    model: EarthModel | None = None,
    band: Band = DEFAULT_BAND,
) -> None:
    """The record section, a map and a section through the depth, on a page to print.

    `records` is an ObsPy Stream, or channels by NET.STA. Stations without an arrival are shown where `stations` says
    where they are. Without a `model` the curves are those of the preset that the event names.
    """
    found = model or _model_of(event)
    figure = _open(event, path, PAGE_IN, _about_section(found))
    grid = figure.add_gridspec(3, 2, width_ratios=[2.1, 1], height_ratios=[2.5, 1.5, 0.8])
    draw_section(figure.add_subplot(grid[:, 0]), event, channels_of(records), stations, found, band)
    draw_map(figure.add_subplot(grid[0, 1]), event, marks_of(event, stations))
    draw_depths(figure.add_subplot(grid[1, 1]), event)
    write_summary(figure.add_subplot(grid[2, 1]), event)
    _save(figure, path)


def record_section(
    event: Event,
    records: Any,
    path: Path,
    *,
    stations: Mapping[str, Station] = NO_PLACES,
    model: EarthModel | None = None,
    band: Band = DEFAULT_BAND,
) -> None:
    """The seismograms by distance alone."""
    found = model or _model_of(event)
    figure = _open(event, path, (8.3, 8.3), _about_section(found))
    draw_section(figure.add_subplot(), event, channels_of(records), stations, found, band)
    _save(figure, path)


def epicentre_map(event: Event, path: Path, *, stations: Mapping[str, Station] = NO_PLACES) -> None:
    """The map alone."""
    figure = _open(event, path, (6.5, 7.0), ())
    draw_map(figure.add_subplot(), event, marks_of(event, stations))
    _save(figure, path)


def _open(event: Event, path: Path, size_in: tuple[float, float], notes: Sequence[str]) -> "Figure":
    """An empty page below its title."""
    if path.suffix.lower() not in ENDINGS:
        raise SettingInvalid(f"found a picture named {path.name!r}, expected one that ends in {', '.join(ENDINGS)}")
    if not event.HasField("origin"):
        raise InputInvalid(f"found event {event.id!r} without an origin, expected one that was located")
    try:
        from matplotlib.figure import Figure  # only now: it takes a second to import
    except ImportError:
        raise SettingInvalid("found no matplotlib, which draws pictures; pip install matplotlib") from None
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width_in, height_in = size_in
    figure, below_in = Figure(figsize=size_in), 0.08
    for parts, points, weight in ((headline(event), 9.0, "bold"), ([*certainty(event), *notes], 6.5, "normal")):
        lines = _lines(parts, round(width_in / (points * WIDE_IN_A_POINT)))
        height = 1 - below_in / height_in
        text = "\n".join(lines)
        figure.text(0.5, height, text, ha="center", va="top", fontsize=points, fontweight=weight)
        below_in += len(lines) * points * HIGH_IN_A_POINT + 0.04
    figure.set_layout_engine(ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, 1 - below_in / height_in)))
    return figure


def _lines(parts: Sequence[str], most: int) -> list[str]:
    """As many parts a line as have room."""
    lines: list[str] = []
    for part in ("".join(c for c in part if c.isprintable()) for part in parts):
        if lines and len(lines[-1]) + len(APART) + len(part) <= most:
            lines[-1] += APART + part
        else:
            lines.append(part)
    return lines


def _model_of(event: Event) -> EarthModel | None:
    """The preset that the event was located with; none where it was a file, or nobody knows."""
    try:
        return load_model(event.provenance.velocity_model) if event.provenance.velocity_model else None
    except KensokuError:
        return None


def headline(event: Event) -> list[str]:
    """What, when and where."""
    origin, magnitude = event.origin, preferred_magnitude(event)
    north, east = "NS"[origin.latitude_deg < 0], "EW"[origin.longitude_deg < 0]
    error = f" ± {magnitude.uncertainty:.1f}" if magnitude and magnitude.uncertainty else ""
    return [
        f"{_utc(origin.time_ns)} UTC",
        f"{magnitude.type} {magnitude.value:.1f}{error}" if magnitude else "no magnitude",
        f"{abs(origin.latitude_deg):.3f}°{north} {abs(origin.longitude_deg):.3f}°{east}",
        _depth(origin),
        type_name(event).lower().replace("_", " ") if event.type else "of no type",
    ]


def _depth(origin: Origin) -> str:
    if not has_depth(origin):
        return "no depth"
    interval = f" ({origin.depth_lower_km:.1f} to {origin.depth_upper_km:.1f})" if has_depth_interval(origin) else ""
    return f"{origin.depth_km:.1f} km" + (" (fixed)" if origin.depth_is_fixed else interval)


def certainty(event: Event) -> list[str]:
    """How sure, by what, and which revision says so; what a catalogue does not say is left away."""
    origin = event.origin
    told = {
        "horizontal_uncertainty_km": f"± {origin.horizontal_uncertainty_km:.2f} km",
        "azimuthal_gap_deg": f"gap {origin.azimuthal_gap_deg:.0f}°",
        "nearest_station_km": f"nearest {origin.nearest_station_km:.1f} km",
        "rms_s": f"rms {origin.rms_s:.2f} s",
        "phases_used": f"{origin.phases_used} phases of {origin.stations_used} stations",
    }
    return [
        f"quality {quality_name(event) or '-'}",
        *(text for name, text in told.items() if is_known(origin, name)),
        f"{event.id}, revision {event.revision}, {status_name(event).lower()}",
    ]


def _about_section(model: EarthModel | None) -> list[str]:
    return [
        f"curves: {model.name}" if model else "no curves: the velocity model is not known here",
        "residuals in s, (outliers)",
        "black: vertical, light: larger horizontal, each to its own largest amplitude",
    ]


def _utc(time_ns: int) -> str:
    """To a hundredth of a second."""
    seconds, hundredths = divmod((time_ns + 5_000_000) // 10_000_000, 100)
    return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}.{hundredths:02d}"


def _save(figure: "Figure", path: Path) -> None:
    """Whole or not at all, and the same bytes each time."""
    kind = path.suffix.lower().removeprefix(".")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise InputInvalid(f"cannot write {path}: {error.strerror}; expected a folder that can be written") from None
    try:
        figure.savefig(temporary, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
