"""How far a replay has come, on disk, so that a restart goes on where the last one was."""

import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger("kensoku.acquisition")


@dataclass(frozen=True, slots=True)
class SourcePosition:
    """Everything up to this station in this second is acknowledged by the bus."""

    second: int  # of the archive, since 1970-01-01 UTC
    station: str  # NET.STA
    shift_ns: int  # added to the archive's times
    turn: int = 0  # how often the archive was repeated


def position_path(home: Path, *selection: object) -> Path:
    """One file for each source and selection, so that two replays do not take each other's place."""
    name = hashlib.sha256(json.dumps([str(part) for part in selection]).encode()).hexdigest()[:16]
    return home / "acquisition" / f"{name}.json"


def load(path: Path) -> SourcePosition | None:
    """None also of one that cannot be read, as a power cut leaves it: what then comes again is the same."""
    if not path.exists():
        return None
    try:
        return SourcePosition(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        log.warning(
            "found no source position in %s, expected what an earlier replay saved: the source begins anew, and what "
            "it sends again is the same",
            path,
        )
        return None


def save(path: Path, position: SourcePosition) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(asdict(position)))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # a full disk leaves an empty one
