"""The events of a QuakeML file as ObsPy reads them, one in memory at a time."""

import gzip
import io
import warnings
import zlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from kensoku.errors import InputInvalid

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    found: Any  # ObsPy's
    type: str | None  # as the file says it: ObsPy leaves out an event whose type QuakeML does not know


class _Unreadable(Exception):
    """No QuakeML."""


def foreign_events(path: Path) -> Iterator[ForeignEvent]:
    """ObsPy's take 200 kB each, and catalogues have 100,000 of them; so each is read in a document of its own."""
    from lxml.etree import XMLSyntaxError

    try:
        for kind, document in _documents(path):
            yield ForeignEvent(_obspys(document), kind)
    except (XMLSyntaxError, _Unreadable, EOFError, zlib.error, gzip.BadGzipFile) as error:
        words = " ".join(str(error).split())[:200]
        raise InputInvalid(f"cannot be read as QuakeML ({words}); expected QuakeML 1.2") from None


def _documents(path: Path) -> Iterator[tuple[str | None, bytes]]:
    """The type of an event, and the event without it."""
    from lxml import etree

    is_whole = False
    with _opened(path) as file:
        for _, element in etree.iterparse(file, tag=("{*}eventParameters", "{*}event")):
            above = list(element.iterancestors())
            names = [etree.QName(each).localname for each in (element, *above)]
            if names == ["event", "eventParameters", "quakeml"]:
                kind = element.find("{*}type")
                if kind is not None:
                    element.remove(kind)
                yield _words(kind), _alone(element, above)
                element.clear()
                while element.getprevious() is not None:
                    del above[0][0]
            is_whole |= names == ["eventParameters", "quakeml"]
    if not is_whole:
        raise _Unreadable("found XML without eventParameters in quakeml")


def _opened(path: Path) -> IO[bytes]:
    """As agencies hand out large ones, too."""
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP
    return cast(IO[bytes], gzip.open(path)) if is_packed else path.open("rb")


def _words(element: Any) -> str | None:
    """The USGS writes `quarry_blast`."""
    return None if element is None else (element.text or "").strip().replace("_", " ") or None


def _alone(element: Any, above: Sequence[Any]) -> bytes:
    """With what it lies in, and nothing beside it."""
    from lxml import etree

    found = deepcopy(element)
    for each in above:
        whole = etree.Element(each.tag, each.attrib, each.nsmap)
        whole.append(found)
        found = whole
    return bytes(etree.tostring(found))


def _obspys(document: bytes) -> Any:
    from obspy import read_events  # only now: it takes a second to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ids that it does not like; they are ours to judge
            (found,) = read_events(io.BytesIO(document), format="QUAKEML")
    except Exception as error:  # whatever it finds wrong
        raise _Unreadable(str(error)) from None
    return found
