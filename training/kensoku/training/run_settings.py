"""The settings of a training run: one TOML file, whose tables different parts read."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from kensoku import toml_lines
from kensoku.errors import SettingInvalid

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Tables:
    path: Path
    content: Mapping[str, Any]
    lines: Mapping[toml_lines.Path, int]

    def refuse_others(self, names: tuple[str, ...]) -> None:
        for name in self.content:
            if name not in names:
                raise self.mistake((name,), f"found {name!r}, expected one of {', '.join(names)}")

    def read(self, name: str, kind: type[Kind]) -> Kind:
        """A table as a frozen dataclass or a model; an absent one is all default."""
        table = self.content.get(name, {})
        if not isinstance(table, dict):
            raise self.mistake((name,), f"found {table!r}, expected a table [{name}]")
        known = _names(kind)
        for key in table:
            if key not in known:
                raise self.mistake((name, key), f"found {key!r}, expected one of {', '.join(known)}")
        try:
            read = TypeAdapter(kind).validate_python(table)
        except ValidationError as error:
            first = error.errors()[0]
            raise self.mistake((name, *first["loc"]), f"found {first['input']!r}: {first['msg']}") from None
        for key, value in table.items():
            for found in _confused(value, getattr(read, key)):
                expected = "a number" if isinstance(found, bool) else "true or false"
                raise self.mistake((name, key), f"found {str(found).lower()}, expected {expected}")
        return read

    def mistake(self, path: toml_lines.Path, what: str) -> SettingInvalid:
        """Names the line of the value, or of the table in which it is missing."""
        within = path
        while within not in self.lines:
            within = within[:-1]
        return SettingInvalid(f"{self.path}:{self.lines[within]}: {'.'.join(map(str, path))}: {what}; mend the file")


def read_tables(path: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> Tables:
    """With `changes` of some keys of some tables."""
    try:
        text = path.read_text()
        content = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingInvalid(f"{path}: expected the settings of a training run, found none ({error})") from None
    for name, table in (changes or {}).items():
        content[name] = {**content.get(name, {}), **table}
    return Tables(path, content, toml_lines.find_lines(text))


def _confused(found: Any, meant: Any) -> Iterator[Any]:
    """What is true or false where a number is meant, which Python counts as 1 and 0, or the other way round."""
    if isinstance(found, list) and isinstance(meant, tuple):
        for each in zip(found, meant, strict=True):
            yield from _confused(*each)
    elif isinstance(found, dict) and isinstance(meant, Mapping):
        for key, value in found.items():
            yield from _confused(value, meant[key])
    elif isinstance(meant, int | float) and isinstance(found, bool) != isinstance(meant, bool):
        yield found


def _names(kind: type[Any]) -> tuple[str, ...]:
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    assert issubclass(kind, BaseModel)
    return tuple(kind.model_fields)
