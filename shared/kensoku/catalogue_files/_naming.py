"""The names of events and of what belongs to them, as QuakeML's public ids and back."""

import re
from dataclasses import dataclass

OURS = re.compile(r"smi:[^/]+/kensoku/event/([^/]+)(?:/.*)?")
PICK = re.compile(r".*/kensoku/event/[^/]+/pick/([^/]+)")
PUBLIC = re.compile(r"(smi|quakeml):[A-Za-z0-9][A-Za-z0-9.*()_~'-]{2,}/[A-Za-z0-9.*()_~'-][A-Za-z0-9.*()+?_~'=,;#/&-]*")
ESCAPED = re.compile(r"~([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for a catalogue that is handed out."""

    agency: str = "local"
    author: str = "kensoku"

    def event(self, event_id: str) -> str:
        """The public id; what came with one keeps it."""
        if PUBLIC.fullmatch(event_id):
            return event_id
        return f"smi:{self.agency}/kensoku/event/{quoted(event_id)}"

    def part(self, event_id: str, *names: str) -> str:
        """Of something that belongs to an event: `.../r3/origin`."""
        return "/".join([f"smi:{self.agency}/kensoku/event/{quoted(event_id)}", *map(quoted, names)])

    def thing(self, kind: str, name: str) -> str:
        """Of a method or a model that many events share."""
        return f"smi:{self.agency}/kensoku/{kind}/{quoted(name)}"


def quoted(name: str) -> str:
    """Only what public ids may have; `unquoted` gives the name back."""
    return re.sub(r"[^A-Za-z0-9_.-]", lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), name)


def unquoted(name: str) -> str:
    raw = ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)
    try:
        return raw.encode("latin-1").decode()
    except UnicodeError:
        return name


def event_id(public_id: str) -> str:
    """Ours, where we have named it; else the whole public id."""
    found = OURS.fullmatch(public_id)
    return unquoted(found[1]) if found else public_id


def pick_id(public_id: str) -> str:
    found = PICK.fullmatch(public_id)
    return unquoted(found[1]) if found else public_id


def last_name(public_id: str) -> str:
    """Of a method or a model: what stands behind the last slash."""
    return unquoted(public_id.rpartition("/")[2])
