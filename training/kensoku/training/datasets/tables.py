"""Tables of picks on continuous records: `station,phase,utc,score,event,model`, a row a pick."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kensoku.errors import InputInvalid
from kensoku.training.examples import PHASES, Phase
from kensoku.whole_files import written_whole

COLUMNS = ("station", "phase", "utc", "score", "event", "model")
NO_EVENT = "-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPick:
    station: str  # NET.STA
    phase: Phase
    time_s: float  # since 1970
    score: float = 1.0
    event: str = NO_EVENT
    model: str = ""  # that made it: a pseudo-label; empty: somebody else did


def read_picks(path: Path) -> list[TimedPick]:
    """A table with at least station, phase and utc."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_read_row(row) for row in csv.DictReader(file)]
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected a table of picks") from None
    except (KeyError, ValueError) as error:
        raise InputInvalid(
            f"{path}: found {error}; expected columns {', '.join(COLUMNS[:3])} and, if any, {', '.join(COLUMNS[3:])}"
        ) from None


def _read_row(row: dict[str, str]) -> TimedPick:
    moment = datetime.fromisoformat(row["utc"])
    return TimedPick(
        station=row["station"],
        phase=PHASES[("P", "S").index(row["phase"])],
        time_s=moment.replace(tzinfo=moment.tzinfo or UTC).timestamp(),
        score=float(row.get("score") or 1.0),
        event=row.get("event") or NO_EVENT,
        model=row.get("model") or "",
    )


def write_picks(path: Path, picks: Iterable[TimedPick]) -> int:
    """By time; the file has its name when it is whole."""
    ordered = sorted(picks, key=lambda pick: (pick.time_s, pick.station, pick.phase))
    write_table(path, COLUMNS, [_row(pick) for pick in ordered])
    return len(ordered)


def _row(pick: TimedPick) -> Sequence[object]:
    utc = datetime.fromtimestamp(pick.time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return (pick.station, pick.phase, utc, f"{pick.score:.4f}", pick.event, pick.model)


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected a place that can be written") from None
