"""`kensoku associate`: which picks of a table one earthquake made."""

import argparse
import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kensoku.associating import Group, Onset, associate
from kensoku.associating import event_id as event_id_of
from kensoku.batch import FAINT, KEPT
from kensoku.cli._associating import Earth, add_options, earth_of, open_network, parts_of
from kensoku.cli._numbers import number_in, positive_in, probability_in
from kensoku.cli._outputs import refuse_file
from kensoku.cli._pick_progress import tell_step
from kensoku.cli.pick import read_stations
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.regions import ALL_GIVEN
from kensoku.times import NS_PER_S, parse_time_ns
from kensoku.v1.inventory_pb2 import Station
from kensoku.whole_files import written_whole

NEEDED = ("station", "phase", "time")
ADDED = ("event_id", "event_phase", "event_probability", "residual_s", "event_log_odds")
USUAL_UNCERTAINTY_S = {"P": 0.1, "S": 0.2}  # of a pick that states none
MOST_TOLD = 5
FOREVER_NS = 1 << 62


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picks", type=Path, metavar="FILE", help="csv: station,phase,time, as of `kensoku pick`")
    parser.add_argument(
        "--inventory", type=Path, action="append", required=True, metavar="FILE", help="StationXML or csv, repeatable"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=f"csv: the same lines and {', '.join(ADDED)}"
    )
    add_options(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    if options.out.suffix.lower() != ".csv":
        raise SettingInvalid(f"found --out {options.out}, expected a csv file")
    refuse_file(options.out)
    names, rows, numbered = read_rows(options.picks)
    numbers, onsets = list(numbered), list(numbered.values())
    stations = read_stations(options.inventory)
    earth = earth_of(options)
    tell_step(f"associating {len(onsets):,} picks")
    groups = associate_parts(onsets, stations, earth, options)
    write_rows(options.out, names, rows, numbers, onsets, groups)
    unknown = sorted({onset.station for onset in onsets if not stations.get(onset.station, Station()).epochs})
    if unknown:
        print(f"left out: picks of {', '.join(unknown)}: no place is known; name an --inventory", file=sys.stderr)
    held = sum(len(group.members) for group in groups)
    print(f"{options.out}: {len(groups):,} events with {held:,} of {len(onsets):,} picks, {earth.model.name}")
    return 0


def associate_parts(
    onsets: Sequence[Onset], stations: Mapping[str, Station], earth: Earth, options: argparse.Namespace
) -> list[Group]:
    """Each with the stations where they stood then."""
    codes = [onset.station for onset in onsets]
    groups, gaps_ns = [], {code: absences_ns(stations[code]) for code in codes if code in stations}
    for part in parts_of([onset.onset_ns for onset in onsets], codes, stations):
        own = [onsets[number] for number in part]
        network = open_network(codes, stations, min(onset.onset_ns for onset in own), earth, options)
        groups += [_renumbered(group, part) for group in associate(own, network, gaps_ns=gaps_ns)]
    return groups


def absences_ns(station: Station) -> list[tuple[int, int]]:
    """When the inventory has no channel of it: picks alone do not tell who was listened to."""
    absences, reached_ns = [], 0
    for start_ns, end_ns in sorted((epoch.start_ns, epoch.end_ns or FOREVER_NS) for epoch in station.epochs):
        if start_ns > reached_ns + NS_PER_S:
            absences.append((reached_ns, start_ns))
        reached_ns = max(reached_ns, end_ns)
    return [*absences, (reached_ns, FOREVER_NS)] if 0 < reached_ns < FOREVER_NS else absences


def _renumbered(group: Group, numbers: Sequence[int]) -> Group:
    return replace(group, members=tuple(replace(each, index=numbers[each.index]) for each in group.members))


def read_rows(path: Path) -> tuple[list[str], list[dict[str, str]], dict[int, Onset]]:
    """The table as it is; and its picks by the number of their row, but for those that were rejected."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            names = list(table.fieldnames or ())
            if missing := [name for name in NEEDED if name not in names]:
                raise InputInvalid(f"found no column {', '.join(missing)} in {path}, expected {', '.join(NEEDED)}")
            rows = list(table)
    except OSError as error:
        raise InputInvalid(f"cannot read {path}: {error.strerror}; expected a csv file of picks") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputInvalid(f"cannot read {path}: {error}; expected a csv file in UTF-8") from None
    onsets, first, mistakes = dict[int, Onset](), dict[str, int](), []
    for number, row in enumerate(rows):
        if row.get("decision") not in (None, "", KEPT, FAINT):
            continue
        try:
            onsets[number] = onset = _onset(row)
            earlier = first.setdefault(onset.id, number)
            if _arrival(onset) != _arrival(onsets[earlier]):
                raise InputInvalid(
                    f"found the id {onset.id!r} of another pick, in line {earlier + 2}, expected one of its own or no "
                    "column id"
                )
        except (InputInvalid, SettingInvalid) as error:
            mistakes.append(f"line {number + 2}: {error}")
    if mistakes:
        more = f"; and {len(mistakes) - MOST_TOLD} more" if len(mistakes) > MOST_TOLD else ""
        raise InputInvalid(f"{path}: {'; '.join(mistakes[:MOST_TOLD])}{more}; correct them")
    if not onsets:
        raise InputInvalid(f"found no pick in {path}, expected a line for each")
    return names, rows, onsets


def _onset(row: Mapping[str, str | None]) -> Onset:
    phase = (row["phase"] or "").strip().upper()
    if phase not in USUAL_UNCERTAINTY_S:
        raise InputInvalid(f"found phase {row['phase']!r}, expected P or S")
    parts = (row["station"] or "").strip().split(".")
    if len(parts) not in (2, 4) or not (parts[0] and parts[1]):
        raise InputInvalid(f"found station {row['station']!r}, expected NET.STA such as CI.CLC")
    onset_ns = parse_time_ns((row["time"] or "").strip())
    key = f"{row['station']}/{phase}/{onset_ns}"
    uncertainty_s, amplitude = positive_in(row, "uncertainty_s"), number_in(row, "peak_velocity_m_s")
    return Onset(
        id=(row.get("id") or row.get("pick_id") or "").strip() or hashlib.sha256(key.encode()).hexdigest()[:16],
        station=".".join(parts[:2]),
        phase="P" if phase == "P" else "S",
        onset_ns=onset_ns,
        uncertainty_s=USUAL_UNCERTAINTY_S[phase] if uncertainty_s is None else max(uncertainty_s, 0.02),
        p=probability_in(row, "p_probability"),
        s=probability_in(row, "s_probability"),
        amplitude=amplitude if amplitude and amplitude > 0 else None,
        is_faint=row.get("decision") == FAINT,
    )


def _arrival(onset: Onset) -> tuple[str, str, int]:
    return onset.station, onset.phase, onset.onset_ns


def write_rows(
    path: Path,
    names: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    numbers: Sequence[int],
    onsets: Sequence[Onset],
    groups: Sequence[Group],
) -> None:
    """Every line that was read, in the same order, with the event that it belongs to or none."""
    told: dict[int, tuple[str, ...]] = {}
    for group in groups:
        first = min(group.members, key=lambda each: (each.phase, onsets[each.index].onset_ns, onsets[each.index].id))
        name = event_id_of(ALL_GIVEN, onsets[first.index].id)
        for member in group.members:
            fit = f"{member.probability:.4f}", f"{member.residual_s:.3f}", f"{group.log_odds:.1f}"
            told[numbers[member.index]] = name, member.phase, *fit
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        kept = [name for name in names if name not in ADDED]
        table.writerow([*kept, *ADDED])
        for number, row in enumerate(rows):
            table.writerow([*(row[name] for name in kept), *told.get(number, ("",) * len(ADDED))])
