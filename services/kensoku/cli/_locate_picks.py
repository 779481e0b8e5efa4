"""Picks that were grouped to events, from a csv file: that of `kensoku pick` and a column `event_id`, or simpler."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kensoku.cli._numbers import positive_in, probability_in
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.times import parse_time_ns
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Instrument, Phase, Pick

NEEDED = ("event_id", "station", "phase", "time")
PHASES: Mapping[str, Phase] = {"P": PHASE_P, "S": PHASE_S}
USUAL_UNCERTAINTY_S = {"P": 0.1, "S": 0.2}  # of a pick that states none
MOST_TOLD = 5
SAME_NS = 300_000_000  # onsets of one station and phase so close are one arrival, as in association


@dataclass(frozen=True, slots=True)
class PickedEvent:
    id: str
    picks: tuple[AssociatedPick, ...]

    @property
    def reference_ns(self) -> int:
        return min(associated.pick.onset_ns for associated in self.picks)


def without_repeats(event: PickedEvent) -> PickedEvent:
    """Of those that are one arrival the most probable, of equals the surest: lines that stand twice, and a second
    instrument of a station, say nothing new."""
    arrivals: dict[tuple[str, str, Phase], list[list[AssociatedPick]]] = {}
    for each in sorted(event.picks, key=lambda each: (each.pick.onset_ns, each.pick.id)):
        instrument = each.pick.instrument
        of_site = arrivals.setdefault((instrument.network, instrument.station, each.phase), [])
        if of_site and each.pick.onset_ns - of_site[-1][0].pick.onset_ns <= SAME_NS:
            of_site[-1].append(each)
        else:
            of_site.append([each])
    best = {id(min(same, key=_doubt)) for of_site in arrivals.values() for same in of_site}
    return replace(event, picks=tuple(each for each in event.picks if id(each) in best))


def _doubt(associated: AssociatedPick) -> tuple[float, float]:
    return -associated.probability, associated.pick.onset_uncertainty_s


def read_picks(path: Path) -> list[PickedEvent]:
    """In the order of their first lines; lines without an event are left out."""
    events: dict[str, list[AssociatedPick]] = {}
    mistakes = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            _require_columns(path, table.fieldnames or ())
            for number, row in enumerate(table, 2):
                if not (row["event_id"] or "").strip():
                    continue
                try:
                    events.setdefault(row["event_id"].strip(), []).append(_pick(row))
                except (InputInvalid, SettingInvalid) as error:
                    mistakes.append(f"line {number}: {error}")
    except OSError as error:
        raise InputInvalid(f"cannot read {path}: {error.strerror}; expected a csv file of picks") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputInvalid(f"cannot read {path}: {error}; expected a csv file in UTF-8") from None
    if mistakes:
        more = f"; and {len(mistakes) - MOST_TOLD} more" if len(mistakes) > MOST_TOLD else ""
        raise InputInvalid(f"{path}: {'; '.join(mistakes[:MOST_TOLD])}{more}; correct them")
    if not events:
        raise InputInvalid(f"found no pick with an event_id in {path}, expected picks that were grouped to events")
    return [PickedEvent(name, tuple(picks)) for name, picks in events.items()]


def _require_columns(path: Path, names: object) -> None:
    found = list(names) if isinstance(names, list) else []
    if missing := [name for name in NEEDED if name not in found]:
        raise InputInvalid(
            f"found no column {', '.join(missing)} in {path}, expected event_id, station, phase, time and, if known, "
            "uncertainty_s, probability, instrument, id"
        )


def _pick(row: Mapping[str, str | None]) -> AssociatedPick:
    phase = _phase_in(row, "phase")
    associated = _phase_in(row, "event_phase") if (row.get("event_phase") or "").strip() else phase
    instrument = _instrument(row)
    onset_ns = parse_time_ns((row["time"] or "").strip())
    key = f"{row['station']}/{phase}/{onset_ns}"
    uncertainty_s, probability = positive_in(row, "uncertainty_s"), probability_in(row, "event_probability")
    if probability is None:
        probability = probability_in(row, "probability")
    pick = Pick(
        id=(row.get("id") or row.get("pick_id") or "").strip() or hashlib.sha256(key.encode()).hexdigest()[:16],
        instrument=instrument,
        phase=PHASES[phase],
        onset_ns=onset_ns,
        onset_uncertainty_s=USUAL_UNCERTAINTY_S[phase] if uncertainty_s is None else uncertainty_s,
    )
    return AssociatedPick(pick=pick, phase=PHASES[associated], probability=1.0 if probability is None else probability)


def _phase_in(row: Mapping[str, str | None], column: str) -> str:
    phase = (row[column] or "").strip().upper()
    if phase not in PHASES:
        raise InputInvalid(f"found {column} {row[column]!r}, expected P or S")
    return phase


def _instrument(row: Mapping[str, str | None]) -> Instrument:
    """`NET.STA.LOC.HH` where it is known, else `NET.STA`, whose network may have a column of its own."""
    code = (row.get("instrument") or row["station"] or "").strip()
    if network := (row.get("network") or "").strip():
        code = ".".join((network, code, row.get("location") or "", row.get("channel") or ""))
    parts = code.split(".")
    if len(parts) not in (2, 4) or not (parts[0] and parts[1]):
        raise InputInvalid(f"found station {code!r}, expected NET.STA such as CI.CLC")
    location, band = parts[2:] if len(parts) == 4 else ("", "")
    return Instrument(network=parts[0], station=parts[1], location=location, band_instrument=band)
