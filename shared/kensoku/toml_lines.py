"""On which line of a TOML text each key, table and element stands; the standard library's reader does not say."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r"""\s*(?:"(?P<basic>(?:\\.|[^"\\])*)"|'(?P<literal>[^']*)'|(?P<bare>[\w-]+))\s*""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'|[^,\]}#\n]+''',
    re.DOTALL,
)


def find_lines(text: str) -> Mapping[Path, int]:
    """Lines counted from 1, by path such as ("stations", 2, "code"); the text must be valid TOML."""
    return _Scanner(text).scan()


def path_of(problem: Any) -> Path:
    """Where one of pydantic's mistakes is."""
    path: Path = problem["loc"]
    return (*path, "kind") if problem["type"].startswith("union_tag") else path


def place_of(path: Path, lines: Mapping[Path, int]) -> tuple[int, str]:
    """The line, and `, networks[0].code`, as near to a mistake as the text has anything."""
    there: Path = ()
    for step in path:  # pydantic's has the kind of a table too, which is no step of the text
        if (*there, step) in lines:
            there = (*there, step)
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in there).lstrip(".")
    return lines[there], f", {name}" if name else ""


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = self._counted = 0
        self._line = 1  # at `_counted`
        self._lines: dict[Path, int] = {(): 1}
        self._elements: Counter[Path] = Counter()  # of arrays of tables

    def scan(self) -> Mapping[Path, int]:
        table: Path = ()
        while self._skip_blank():
            if self._found("[["):
                *outer, last = self._keys()
                array = self._table(outer, ()) + (last,)
                table = (*array, self._elements[array])
                self._elements[array] += 1
                self._note(array)
                self._note(table)
                self._found("]]")
            elif self._found("["):
                table = self._table(self._keys(), ())
                self._found("]")
            else:
                self._pair(table)
        return self._lines

    def _table(self, keys: list[str], path: Path) -> Path:
        """Where keys lead from `path`, in the latest element of each array of tables."""
        for key in keys:
            path = (*path, key)
            self._note(path)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path = self._table(self._keys(), table)
        self._found("=")
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            match = _KEY.match(self._text, self._position)
            assert match is not None, "tomllib has read this text"
            self._position = match.end()
            basic, literal, bare = match.group("basic", "literal", "bare")
            keys.append(_unescape(basic) if basic is not None else literal if literal is not None else bare)
            if not self._found("."):
                return keys

    def _value(self, path: Path) -> None:
        self._skip_blank()
        if self._found("["):
            index = 0
            while self._skip_blank() and not self._found("]"):
                self._note((*path, index))
                self._value((*path, index))
                index += 1
        elif self._found("{"):
            while self._skip_blank() and not self._found("}"):
                self._pair(path)
        else:
            match = _SCALAR.match(self._text, self._position)
            assert match is not None, "tomllib has read this text"
            self._position = match.end()

    def _skip_blank(self) -> bool:
        """Whether anything is left."""
        match = _BLANK.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._position < len(self._text)

    def _found(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._position)
        self._position += len(mark) * found
        return found

    def _note(self, path: Path) -> None:
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
        self._lines.setdefault(path, self._line)


def _unescape(key: str) -> str:
    import tomllib  # for the rare key that needs it

    return str(tomllib.loads(f'key = "{key}"')["key"]) if "\\" in key else key
