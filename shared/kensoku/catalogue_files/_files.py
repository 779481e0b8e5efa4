"""Which format a file has, by its name or by what is said; a file appears under its name when it is whole."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kensoku.catalogue_files._fdsn import read_fdsn, write_fdsn
from kensoku.catalogue_files._growclust import Files, write_growclust
from kensoku.catalogue_files._hypodd_read import read_hypodd
from kensoku.catalogue_files._naming import Signature
from kensoku.catalogue_files._phase_files import EVENTS_WITHOUT_ARRIVALS, write_hypodd, write_obs
from kensoku.catalogue_files._quakeml_read import read_quakeml
from kensoku.catalogue_files._quakeml_write import write_quakeml
from kensoku.catalogue_files._stations import PlaceOf, nowhere
from kensoku.catalogue_files._table import read_table, write_arrivals, write_events
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.v1.event_pb2 import Event
from kensoku.whole_files import written_whole

FORMATS = {
    "quakeml": (".xml", ".quakeml", ".qml"),
    "csv": (".csv",),
    "arrivals": (),  # a table too, so it must be asked for
    "fdsn": (".txt",),
    "hypodd": (".pha", ".phase", ".dat"),
    "nonlinloc": (".obs",),
    "growclust": (".evlist",),
}
GROWCLUST_FILES = (".stlist", ".dt", ".ids.csv")  # beside the list of events
HYPODD_FILES = (".ids.csv", ".station.dat")  # beside the phase file
EVENTS_WITHOUT_ORIGIN = "events without an origin"
OURS = Signature()
READABLE = ("quakeml", "csv", "fdsn", "hypodd")


@dataclass(frozen=True, slots=True)
class ReadCatalogue:
    events: Sequence[Event]
    notes: Sequence[str]  # what was in the file and is in no event


def format_of(path: Path, said: str | None = None) -> str:
    if said is not None:
        return said
    for name, endings in FORMATS.items():
        if path.suffix.lower() in endings:
            return name
    known = ", ".join(ending for endings in FORMATS.values() for ending in endings)
    raise SettingInvalid(f"{path}: found the ending {path.suffix!r}, expected one of {known}; or give --format")


def read_catalogue(path: Path, said: str | None = None, signature: Signature = OURS) -> ReadCatalogue:
    """The events of a file, checked; a mistake anywhere refuses all. What this signature has signed is ours."""
    kind, left_out = format_of(path, said), Counter[str]()
    if kind not in READABLE:
        raise SettingInvalid(f"{path}: found the format {kind}, expected one that can be read: {', '.join(READABLE)}")
    try:
        if kind == "quakeml":
            events = read_quakeml(path, left_out)
        elif kind == "hypodd":
            events = read_hypodd(path, path.with_name(path.name + HYPODD_FILES[0]), left_out)
        else:
            events = read_table(path) if kind == "csv" else read_fdsn(path)
    except OSError as error:
        raise InputInvalid(f"cannot read {path}: {error.strerror}; expected a file that can be read") from None
    for event in events:
        _recognise(event, signature)
    return ReadCatalogue(events, _sentences(left_out))


def _recognise(event: Event, signature: Signature) -> None:
    for made in (event, event.origin):
        creation = made.creation
        if creation.agency == signature.agency and creation.author in (signature.author, event.provenance.author):
            made.ClearField("creation")


def write_catalogue(
    path: Path,
    events: Iterable[Event],
    signature: Signature,
    said: str | None = None,
    *,
    with_network: bool = False,
    place_of: PlaceOf = nowhere,
) -> tuple[int, Sequence[str]]:
    """How many events were written, and what of those given the format could not take."""
    kind, left_out, count = format_of(path, said), Counter[str](), 0

    def counted() -> Iterator[Event]:
        nonlocal count
        for event in events:
            count += 1
            yield event

    with ExitStack() as opened:
        file = opened.enter_context(replacing(path))
        if kind == "quakeml":
            write_quakeml(file, counted(), signature)
        elif kind == "csv":
            write_events(file, counted())
        elif kind == "arrivals":
            write_arrivals(file, counted())
        elif kind == "fdsn":
            left_out[EVENTS_WITHOUT_ORIGIN] = write_fdsn(file, counted(), signature)
        elif kind == "nonlinloc":
            stations = opened.enter_context(replacing(path.with_name(path.name + ".gtsrce")))
            write_obs(file, stations, counted(), left_out, with_network, place_of)
        elif kind == "growclust":
            parts = [opened.enter_context(replacing(path.with_suffix(ending))) for ending in GROWCLUST_FILES]
            write_growclust(Files(file, *parts), counted(), left_out, with_network, place_of)
        else:
            names = (path.name + ending for ending in HYPODD_FILES)
            ids, stations = (opened.enter_context(replacing(path.with_name(name))) for name in names)
            write_hypodd(file, ids, stations, counted(), left_out, with_network, place_of)
    lost = left_out[EVENTS_WITHOUT_ORIGIN] + left_out[EVENTS_WITHOUT_ARRIVALS]
    return count - lost, _sentences(left_out)


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A file that takes this name when the block has ended well."""
    if path.is_dir():
        raise SettingInvalid(f"found the folder {path}, expected the name of a file")
    if not path.parent.is_dir():
        raise SettingInvalid(f"{path}: found no folder {path.parent}; make it first")
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


def _sentences(left_out: Counter[str]) -> Sequence[str]:
    return [f"left out: {count} {name}" for name, count in sorted(left_out.items()) if count]
