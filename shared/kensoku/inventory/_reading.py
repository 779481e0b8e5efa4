"""From the bytes of files, in any order and of either kind, to stations."""

from collections.abc import Mapping
from dataclasses import dataclass

from kensoku.errors import InputInvalid
from kensoku.inventory._csv import read_csv
from kensoku.inventory._notes import Notes
from kensoku.inventory._stations import Entry, assemble
from kensoku.v1.inventory_pb2 import Station

PACKED = b"\x1f\x8b"  # as gzip begins
MAX_MISTAKES = 50  # told at once


@dataclass(frozen=True, slots=True)
class Reading:
    stations: Mapping[str, Station]  # by NET.STA, with hash and source
    notes: tuple[str, ...] = ()  # what is missing or doubtful, for a person


def read_inventory(files: Mapping[str, bytes]) -> Reading:
    """Stations from files by name; one error names all that is wrong."""
    entries: list[Entry] = []
    mistakes: list[str] = []
    notes = Notes()
    for name, content in sorted(files.items()):
        found, wrong = _read(name, content, notes)
        entries += found
        mistakes += wrong
    stations, impossible = assemble(entries)
    mistakes += impossible
    if mistakes:
        raise InputInvalid(_explain(mistakes))
    return Reading(stations, tuple(notes.lines()))


def _read(name: str, content: bytes, notes: Notes) -> tuple[list[Entry], list[str]]:
    if content.startswith(PACKED):
        return [], [
            f"{name}: found a file that is packed with gzip, expected StationXML or csv; unpack it, gunzip {name}"
        ]
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        from kensoku.inventory._stationxml import read_stationxml  # only now: ObsPy takes a second to import

        return read_stationxml(name, content, notes)
    entries, mistakes = read_csv(name, content)
    for entry in entries:
        if not entry.epoch.HasField("response"):
            notes.add("no response, so amplitudes stay in counts", f"{entry.network}.{entry.station}")
    return entries, mistakes


def _explain(mistakes: list[str]) -> str:
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    more = [f"and {len(mistakes) - MAX_MISTAKES} more"] if len(mistakes) > MAX_MISTAKES else []
    lead = f"{count} in the inventory, so none of it is used; correct what follows and try again:"
    return "\n  ".join([lead, *mistakes[:MAX_MISTAKES], *more])
