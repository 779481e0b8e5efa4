"""From the bytes of files, in any order and of either kind, to stations."""

from collections.abc import Mapping
from dataclasses import dataclass

from kensoku.errors import InputInvalid
from kensoku.inventory._csv import read_csv
from kensoku.inventory._stations import Entry, assemble
from kensoku.inventory._stationxml import Notes, read_stationxml
from kensoku.v1.inventory_pb2 import Station

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
        is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        found, wrong = read_stationxml(name, content, notes) if is_xml else read_csv(name, content)
        entries += found
        mistakes += wrong
        if not is_xml:
            for entry in found:
                if not entry.epoch.HasField("response"):
                    notes.add("no response, so amplitudes stay in counts", f"{entry.network}.{entry.station}")
    stations, impossible = assemble(entries, ", ".join(sorted(files)))
    mistakes += impossible
    if mistakes:
        raise InputInvalid(_explain(mistakes))
    return Reading(stations, tuple(notes.lines()))


def _explain(mistakes: list[str]) -> str:
    more = [f"and {len(mistakes) - MAX_MISTAKES} more"] if len(mistakes) > MAX_MISTAKES else []
    count = f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)} in the inventory, nothing was published; correct"
    return "\n  ".join(
        [f"{count} {'them' if len(mistakes) > 1 else 'it'} and try again:", *mistakes[:MAX_MISTAKES], *more]
    )
