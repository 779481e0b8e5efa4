"""Scenario files: what a simulated network is made of, what happens, and what goes wrong on the way."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError

from kensoku import toml_lines
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inventory import read_inventory
from kensoku.simulation.attenuation import Attenuation as Attenuation
from kensoku.simulation.catalogue import Conditions
from kensoku.simulation.disturbances import Rates
from kensoku.simulation.magnitudes import MagnitudeRelation, relate
from kensoku.simulation.networks import AnyNetwork, Layout, Listed, Station
from kensoku.simulation.propagation import Earth
from kensoku.simulation.quantities import Name, NotNegative, Positive, Share, UtcOffsetH
from kensoku.simulation.sequences import AnySequence
from kensoku.simulation.sources import StressDrop
from kensoku.traveltime import PRESETS, EarthModel, load_model

BUNDLED = Path(__file__).parent / "scenarios"
LONGEST_H = 24 * 366.0
YEARS = (1970, 2200)  # that nanoseconds since 1970 and miniSEED both hold
A_TIME = "a time with its zone, such as 2024-05-14T00:00:00Z"
EXPECTED = {  # where pydantic's own words do not read on after "expected"
    "timezone_aware": A_TIME,
    "datetime_type": A_TIME,
    "datetime_parsing": A_TIME,
    "string_pattern_mismatch": "a text that matches {pattern}",
    "string_too_short": "a text",
    "tuple_type": "an array",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "dataclass_type": "a table",
    "dict_type": "a table",
}
LONGEST_SHOWN = 60  # characters of what was found
MOST_TOLD = 50  # mistakes


Mistake = tuple[toml_lines.Path, str]


# --- what a scenario says ---------------------------------------------------------------------------------------------


def _require_years(start: datetime) -> datetime:
    if not YEARS[0] <= start.year < YEARS[1]:
        raise ValueError(f"a year from {YEARS[0]} to {YEARS[1] - 1}")
    return start


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Every station draws its own noise; this shifts all of them."""

    utc_offset_h: UtcOffsetH = 0.0  # of the people who make it
    level: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0  # 1 is from the new low to the new high noise model
    disturbances: Rates = field(default_factory=Rates)  # a day, beside those that the station's place has


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What happens to packets between the digitiser and us; and to stations for good."""

    latency_s: NotNegative = 1.0
    jitter_s: NotNegative = 0.2
    out_of_order: Share = 0.0  # of packets
    duplicates: Share = 0.0
    gaps_a_day: NotNegative = 0.0  # a station
    gap_s: tuple[Positive, Positive] = (2.0, 120.0)
    backfilled: Share = 0.8  # of gaps; the others are lost
    backfill_after_s: Positive = 300.0
    clock_jumps_a_day: NotNegative = 0.0
    clock_jump_s: tuple[Positive, Positive] = (0.05, 5.0)
    dead_stations: Share = 0.0
    flat_components: Share = 0.0  # of stations, one component each
    swapped_components: Share = 0.0  # of stations, two components each
    wrong_metadata: Share = 0.0  # of stations: sensitivity, polarity or place

    def __post_init__(self) -> None:
        for name in ("gap_s", "clock_jump_s"):
            shortest, longest = getattr(self, name)
            if shortest > longest:
                raise ValueError(f"{name} from {shortest} to {longest}; expected the smaller first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    name: Name
    seed: Annotated[int, Field(ge=0)]
    start: Annotated[AwareDatetime, AfterValidator(_require_years)]
    duration_h: Annotated[float, Field(gt=0, le=LONGEST_H)]
    earth: Name = "japan"  # a preset of kensoku.traveltime, or a file beside the scenario
    networks: Annotated[tuple[Annotated[AnyNetwork, Field(discriminator="kind")], ...], Field(min_length=1)]
    sequences: tuple[Annotated[AnySequence, Field(discriminator="kind")], ...] = ()
    magnitudes: MagnitudeRelation | None = None  # from its first knot on; below, what the stations show
    stress_drop: StressDrop = field(default_factory=StressDrop)
    attenuation: Attenuation = field(default_factory=Attenuation)
    noise: Noise = field(default_factory=Noise)
    telemetry: Telemetry = field(default_factory=Telemetry)

    @property
    def start_ns(self) -> int:
        return round(self.start.timestamp() * 1e6) * 1000

    def conditions(self, earth: Earth, stations: Sequence[Station]) -> Conditions:
        """ML is what these stations show of Mw, or what `magnitudes` says from its first knot on."""
        relation = relate(earth, self.stress_drop, stations)
        if self.magnitudes:
            relation = relation.up_to(self.magnitudes)
        return Conditions(self.seed, self.start_ns, self.duration_h / 24, relation)


# --- reading ----------------------------------------------------------------------------------------------------------


def load_scenario(name: str | Path) -> Scenario:
    """A bundled scenario by its name, or a file by its path."""
    path = _find(name)
    try:
        content = path.read_bytes()
        return read_scenario(content.decode("utf-8-sig"), str(name), path.parent)
    except OSError as error:
        raise InputInvalid(f"{name}: found {error.strerror}, expected a readable file") from None
    except UnicodeDecodeError as error:
        line, byte = content[: error.start].count(b"\n") + 1, content[error.start]
        told = f"line {line}: found the byte 0x{byte:02x}, which is no UTF-8; expected TOML; save it as UTF-8"
        raise _mistaken(str(name), [told]) from None


def bundled_scenarios() -> list[str]:
    return sorted(path.stem for path in BUNDLED.glob("*.toml"))


def _find(name: str | Path) -> Path:
    bundled = BUNDLED / f"{name}.toml"
    if str(name) in bundled_scenarios():
        return bundled
    if not Path(name).is_file():
        raise SettingInvalid(
            f"scenario {str(name)!r}: found no such file; expected a path, or one of {', '.join(bundled_scenarios())}"
        )
    return Path(name)


def read_scenario(text: str, name: str, folder: Path) -> Scenario:
    """A scenario from its text; the error names every mistake. Files that it names are looked for in `folder`."""
    try:
        document = tomllib.loads(text)
        lines = toml_lines.find_lines(text)
        scenario, problems = _validate(document)
    except ValueError as error:  # also numbers of over 4,300 digits
        raise _mistaken(name, [_explain_syntax(text, str(error))]) from None
    except RecursionError:
        raise _mistaken(name, [_explain_depth(text)]) from None
    if scenario is not None:
        problems = list(_contradictions(scenario, folder))
    if scenario is None or problems:
        mistakes = sorted({toml_lines.place_of(path, lines) + (mistake,) for path, mistake in problems})
        raise _mistaken(name, [f"line {line}{where}: {mistake}" for line, where, mistake in mistakes])
    return scenario


def read_earth(scenario: Scenario, folder: Path) -> EarthModel:
    return load_model(scenario.earth if scenario.earth in PRESETS else folder / scenario.earth)


def read_stations(scenario: Scenario, folder: Path) -> list[Station]:
    """All stations, where the scenario's files lie in `folder`."""
    stations: list[Station] = []
    for network in scenario.networks:
        if isinstance(network, Layout):
            stations += network.stations(scenario.seed)
        else:
            stations += network.stations(scenario.seed, (folder / network.path).read_bytes())
    return stations


_SCENARIO = TypeAdapter(Scenario)


def _validate(document: dict[str, Any]) -> tuple[Scenario | None, list[Mistake]]:
    """The scenario, or its mistakes; unknown keys are left out to see what else is wrong with their tables."""
    try:
        return _SCENARIO.validate_json(json.dumps(document, default=_json)), []
    except ValidationError as error:
        problems: list[Any] = [problem for problem in error.errors(include_url=False) if not _follows(problem)]
    mistakes = [(toml_lines.path_of(problem), _explain(problem)) for problem in problems]
    unknown = [problem["loc"] for problem in problems if problem["type"] == "unexpected_keyword_argument"]
    for path in unknown:
        table: Any = document
        for step in path[:-1]:
            table = table[step] if isinstance(step, int) else table.get(step, table)  # a table's kind is no step
        del table[path[-1]]
    return None, mistakes + (_validate(document)[1] if unknown else [])


def _follows(problem: Any) -> bool:
    """Whether an array only counts as too short because its elements are wrong."""
    return problem["type"] == "too_short" and bool(len(problem["input"]) >= problem["ctx"]["min_length"])


def _json(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)


# --- mistakes ---------------------------------------------------------------------------------------------------------


def _mistaken(name: str, told: Sequence[str]) -> InputInvalid:
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return InputInvalid("\n  ".join([f"{name}: {len(told)} mistake{'s' * (len(told) > 1)}", *told[:MOST_TOLD], *more]))


def _explain_syntax(text: str, reason: str) -> str:
    """The reader's reason ends in `(at line 3, column 9)` or `(at end of document)`; a number too long has no place."""
    rows = text.splitlines() or [""]
    place = re.search(r" \(at (?:line (\d+), column \d+|[^()]*)\)$", reason)
    longest = max(range(len(rows)), key=lambda row: len(rows[row])) + 1
    line = longest if place is None else min(int(place[1]), len(rows)) if place[1] else len(rows)
    return f"line {line}: found {_shorten(rows[line - 1].strip())}; expected TOML, whose reader says: {reason}"


def _explain_depth(text: str) -> str:
    """Thousands of brackets or of keys joined by points; the line that has most of them."""
    rows = text.splitlines()
    line = max(range(len(rows)), key=lambda row: sum(map(rows[row].count, "[{.")))
    return f"line {line + 1}: found {_shorten(rows[line].strip())}, too deep to be read; expected a few levels"


def _shorten(found: Any) -> str:
    shown = json.dumps(found, ensure_ascii=False)
    return shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + " ..."


def _contradictions(scenario: Scenario, folder: Path) -> Iterator[Mistake]:
    """What no single field shows."""
    names: dict[str, int] = {}
    for index, sequence in enumerate(scenario.sequences):
        if (first := names.setdefault(sequence.name, index)) != index:
            yield (
                ("sequences", index, "name"),
                f"found {sequence.name!r}, which sequences[{first}] has; expected another name",
            )
    for index, network in enumerate(scenario.networks):
        if isinstance(network, Listed) and not (folder / network.path).is_file():
            yield ("networks", index, "path"), f"found no file {network.path!r} beside the scenario; expected one"
    yield from _stations_twice(scenario, folder)
    if scenario.earth not in PRESETS and not (folder / scenario.earth).is_file():
        near = difflib.get_close_matches(scenario.earth, PRESETS, 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one, or one of {', '.join(PRESETS)}"
        yield ("earth",), f"found no file {scenario.earth!r} beside the scenario; {hint}"


def _stations_twice(scenario: Scenario, folder: Path) -> Iterator[Mistake]:
    """Files are read for it only where there is more than one network; what is wrong in them, their reader tells."""
    owners: dict[str, int] = {}
    for index, network in enumerate(scenario.networks if len(scenario.networks) > 1 else ()):
        if isinstance(network, Layout):
            names = set(network.names())
        elif (path := folder / network.path).is_file():
            names = set(read_inventory({network.path: path.read_bytes()}).stations)
        else:
            continue
        if twice := sorted(names & owners.keys()):
            found = f"found station {twice[0]}, which networks[{owners[twice[0]]}] has"
            yield ("networks", index), f"{found}; expected each station in one network"
        owners |= dict.fromkeys(names, index)


def _explain(problem: Any) -> str:
    """One of pydantic's mistakes in our words."""
    path, kind, found, context = problem["loc"], problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        known = _keys_at(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
        return f"found an unknown key {path[-1]}; {hint}"
    if kind == "missing":
        return f"found no {path[-1]}; expected one"
    if kind.startswith("union_tag"):
        tag = f"kind {context['tag']!r}" if "tag" in context else "no kind"
        return f"found {tag}; expected one of {', '.join(_kinds_at(path))}"
    message = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error" and isinstance(found, dict):
        return f"found {message}"
    expected = EXPECTED.get(kind, message).format(**context)
    return f"found {'a table' if isinstance(found, dict) else _shorten(found)}; expected {expected}"


def _keys_at(path: toml_lines.Path) -> list[str]:
    return [name for kind in _classes_at(path) for name in (column.name for column in fields(kind))]


def _kinds_at(path: toml_lines.Path) -> list[str]:
    return [kind for found in _classes_at(path) for kind in get_args(get_type_hints(found)["kind"])]


def _classes_at(path: toml_lines.Path) -> list[type]:
    """The dataclasses that may stand at a place of a scenario."""
    classes: list[type] = [Scenario]
    for step in path:
        hints = [get_type_hints(kind) for kind in classes]
        if isinstance(step, int):
            continue
        if any(step in hint for hint in hints):
            classes = [found for hint in hints if step in hint for found in _classes_in(hint[step])]
        else:
            classes = [kind for kind, hint in zip(classes, hints, strict=True) if step in get_args(hint.get("kind"))]
    return classes


def _classes_in(annotation: Any) -> list[type]:
    if isinstance(annotation, type) and is_dataclass(annotation):
        return [annotation]
    return [found for inner in get_args(annotation) for found in _classes_in(inner)]
