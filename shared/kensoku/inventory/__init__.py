"""Station epochs: read from StationXML or csv, checked, and compared with what is published.

What cannot be expressed is said and never guessed: a channel without a usable response keeps its amplitudes in counts.
"""

from collections.abc import Sequence
from pathlib import Path

from kensoku.errors import InputInvalid
from kensoku.inventory._changes import Change, compare, decode_station, decode_stations
from kensoku.inventory._csv import read_csv
from kensoku.inventory._stations import ChannelPart, Stations, Uncalibrated, assemble, content_hash

__all__ = [
    "Change",
    "Stations",
    "Uncalibrated",
    "assemble",
    "compare",
    "content_hash",
    "decode_station",
    "decode_stations",
    "read_files",
]

TOPIC = "inventory"


def read_files(paths: Sequence[Path]) -> tuple[Stations, list[Uncalibrated]]:
    """The stations of all files together, by NET.STA, and which of their channels stay in counts, and why."""
    parts: list[ChannelPart] = []
    uncalibrated: list[Uncalibrated] = []
    for path in paths:
        found, missing = read_file(path)
        parts += found
        uncalibrated += missing
    return assemble(parts), uncalibrated


def read_file(path: Path) -> tuple[list[ChannelPart], list[Uncalibrated]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputInvalid(f"cannot read {path}: {error.strerror}; expected a StationXML or csv file") from None
    if not content.strip():
        raise InputInvalid(f"{path}: found an empty file, expected StationXML or csv; fetch or export it again")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        from kensoku.inventory._stationxml import read_stationxml  # only now: ObsPy takes a second to import

        return read_stationxml(content, str(path))
    return read_csv(content, str(path))
