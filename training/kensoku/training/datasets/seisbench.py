"""Data sets in SeisBench's format, such as STEAD or INSTANCE: metadata.csv and waveforms.hdf5, in chunks or whole.

Woollam et al. (2022), SeisBench: a toolbox for machine learning in seismology.
"""

import csv
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from kensoku.errors import InputInvalid
from kensoku.training.datasets.completing import PSEUDO
from kensoku.training.datasets.labels import LabelRule, Pick, Stretch, apply_rule, doubt_triggers, is_direct
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.records import Record
from kensoku.training.datasets.streams import ROWS, at_rate
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.examples import LABEL_S, RATE_HZ, Example, FloatArray, Kind, Origin, Phase

Row = Mapping[str, str]

LATER_S = (0.5, 2.0)  # around a second P or S of the same earthquake, Pg after Pn or sP: neither pick nor noise
RATES_HZ = (1.0, 10_000.0)  # of seismometers
BLASTS = ("blast", "explosion", "quarry")
_ARRIVAL = re.compile(r"trace_([ps]\w*)_arrival_sample", re.IGNORECASE)
_BUCKET = re.compile(r"(?P<bucket>[^$]+)\$(?P<index>\d+)(?:,:(?P<rows>\d+),:(?P<columns>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeisBenchFolder:
    path: Path
    source: str
    region: str
    rule: LabelRule = field(default_factory=LabelRule)


def find_seisbench(folder: SeisBenchFolder) -> Iterator[tuple[Record, Row]]:
    """Each trace with its row of the metadata."""
    for metadata in metadata_files(folder.path):
        waveforms = metadata.with_name(metadata.name.replace("metadata", "waveforms")).with_suffix(".hdf5")
        for row in _rows(metadata):
            origin = _origin(folder, row)
            load = functools.partial(_load, folder.rule, waveforms, tuple(row.items()), origin)
            yield Record(origin, load, time_s=_time_s(row)), row


def metadata_files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("metadata*.csv"))
    if not found:
        raise InputInvalid(f"{folder}: found no metadata.csv; expected a data set in SeisBench's format")
    return found


def _rows(metadata: Path) -> Iterator[Row]:
    """A row that is cut short lacks labels of waves that are there."""
    try:
        with metadata.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            for row in reader:
                if None in row or None in row.values():
                    found = f"found a row {reader.line_num} of fewer or more values than columns"
                    raise InputInvalid(f"{metadata}: {found}, expected as many; copy the data set anew")
                yield row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputInvalid(f"{metadata}: found {error}; expected a table in UTF-8 with a row for each trace") from None


def _origin(folder: SeisBenchFolder, row: Row) -> Origin:
    station = f"{row.get('station_network_code', '')}.{row.get('station_code', '')}"
    kind = _kind(row)
    return Origin(
        source=folder.source,
        region=folder.region,
        station=station,
        event="" if kind == "noise" else row.get("source_id", ""),
        kind=kind,
        magnitude=_number(row.get("source_magnitude", "")),
        distance_km=_number(row.get("path_ep_distance_km", "") or row.get("path_hyp_distance_km", "")),
    )


def _time_s(row: Row) -> float | None:
    """Of the earthquake, or of the first sample."""
    try:
        moment = datetime.fromisoformat(row.get("source_origin_time") or row.get("trace_start_time", ""))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _kind(row: Row) -> Kind:
    said = row.get("source_type", "").lower()
    if "noise" in row.get("trace_category", "").lower() or "noise" in said:
        return "noise"
    return "blast" if any(word in said for word in BLASTS) else "earthquake"


def _load(rule: LabelRule, path: Path, items: tuple[tuple[str, str], ...], origin: Origin) -> Example:
    row = dict(items)
    counts, rate_hz = _read_trace(path, row)
    arrivals = [] if origin.kind == "noise" else _arrivals(row, RATE_HZ / rate_hz)
    firsts: dict[Phase, Pick] = {}
    for pick, _ in sorted((each for each in arrivals if each[1]), key=lambda each: each[0].sample):
        firsts.setdefault(pick.phase, pick)
    later: list[Stretch] = [
        (pick.sample - RATE_HZ * LATER_S[0], pick.sample + RATE_HZ * LATER_S[1])
        for pick, is_first in arrivals
        if not is_first or pick.sample != firsts[pick.phase].sample
    ]
    if arrivals and not firsts:
        later = [(0, counts.shape[1])]  # its first P and S may be anywhere
    events = [list(firsts.values())] if firsts else []
    triggers = () if rule.is_searched else find_triggers(counts).tolist()
    doubtful = later + doubt_triggers(rule, events, triggers)
    onsets, unknown = apply_rule(rule, events, doubtful, counts.shape[1])
    return Example(counts, onsets, unknown, origin)


def _arrivals(row: Row, factor: float) -> list[tuple[Pick, bool]]:
    """Each, and whether it can be an earthquake's first P or S."""
    found: list[tuple[Pick, bool]] = []
    for column, text in row.items():
        match = _ARRIVAL.fullmatch(column)
        sample = _number(text) if match else np.nan
        if match and np.isfinite(sample):
            phase: Phase = "P" if match[1].upper().startswith("P") else "S"
            pick = Pick(phase, sample * factor, _weight(row, match[1].lower(), phase.lower()))
            found.append((pick, is_direct(match[1])))
    return found


def _weight(row: Row, *names: str) -> float:
    """Less of a stated error of more than a label's curve allows, and of what a program picked: that must not judge."""
    of = {column.lower(): text for column, text in row.items()}

    def said(what: str) -> str:
        return next((text for name in names if (text := of.get(f"trace_{name}_{what}", ""))), "")

    weight, error_s = _number(said("weight")), _number(said("uncertainty_s") or said("uncertainty"))
    weight = min(max(weight, 0.0), 1.0) if np.isfinite(weight) else 1.0
    weight *= min(1.0, LABEL_S / error_s) if error_s > 0 else 1.0
    return weight * (PSEUDO if said("status").lower().startswith("auto") else 1.0)


# --- waveforms --------------------------------------------------------------------------------------------------------


def _read_trace(path: Path, row: Row) -> tuple[FloatArray, float]:
    """Z, N and E at 100 Hz, and the rate that they had."""
    name = row.get("trace_name", "")
    try:
        with h5py.File(path, "r") as file:
            samples = _read_block(file["data"], name)
            said = {key: _text(file["data_format"][key][()]) for key in file.get("data_format", {})}
    except (OSError, KeyError, TypeError) as error:
        raise InputInvalid(f"{path}, trace {name!r}: found {error}; expected SeisBench's format") from None
    if said.get("dimension_order", "CW").endswith("WC"):
        samples = samples.T
    order = (row.get("trace_component_order") or said.get("component_order", "ZNE")).upper()
    shape = np.shape(samples)
    if len(shape) != 2 or shape[0] < len(order) or not ROWS.keys() & set(order):
        found = f"found components {order!r} and samples of shape {shape}"
        raise InputInvalid(f"{path}, trace {name!r}: {found}; expected a row for each, Z, N, E, 1, 2 or 3 among them")
    step_s = _number(row.get("trace_dt_s", ""))
    told = row.get("trace_sampling_rate_hz") or row.get("trace_sampling_rate")
    rate_hz = 1 / step_s if not told and step_s > 0 else _number(told or said.get("sampling_rate", ""))
    if not rate_hz > 0:
        expected = "expected trace_sampling_rate_hz or trace_dt_s"
        raise InputInvalid(f"{path}, trace {name!r}: found no sampling rate; {expected}")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        expected = f"expected {RATES_HZ[0]:g} to {RATES_HZ[1]:,g}"
        raise InputInvalid(f"{path}, trace {name!r}: found {rate_hz:g} samples a second; {expected}")
    rows = {
        ROWS[letter]: at_rate(samples[n].astype(np.float64), rate_hz)
        for n, letter in enumerate(order)
        if letter in ROWS
    }
    length = max((len(each) for each in rows.values()), default=0)
    counts = np.full((3, length), np.nan)
    for number, each in rows.items():
        counts[number] = each
    return mark_missing(counts), rate_hz


def _read_block(group: h5py.Group, name: str) -> FloatArray:
    """A trace of its own, or a part of a bucket: `bucket0$3,:3,:6000`."""
    match = _BUCKET.fullmatch(name)
    if match is None:
        found: FloatArray = group[name][()]
        return found
    block: FloatArray = group[match["bucket"]][int(match["index"])]
    return block[: int(match["rows"]), : int(match["columns"])] if match["rows"] else block


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
