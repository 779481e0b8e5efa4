"""Settings: read once from KENSOKU_* and the command line, checked, shown at the start with secrets masked."""

import argparse
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from kensoku.errors import SettingInvalid

PREFIX = "KENSOKU_"
MODELS = r"^(triton|local|local:.+|triton://.+)$"
# Up to the last @ of the word: passwords are typed into addresses as they are, with / and @ in them.
URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):\S+@")
VALUE_PASSWORD = re.compile(r"\A([\w+.-]+://[^/@:]*):.+@", re.DOTALL)  # also with blanks: here all is the address
QUERY_PASSWORD = re.compile(r"(?<=password=)[^&\s'\"]+")
MASK = "********"


def default_home() -> Path:
    """Where this machine keeps what Kensoku must not lose: XDG's place for state."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local/state") / "kensoku"


def socket_path(home: Path) -> Path:
    """Where a running system lets this user's other programs reach its memory bus."""
    return home.resolve() / "run" / "bus.sock"


def _expand(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) else value


class ServiceSettings(BaseSettings):
    """What every service can be told."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True, allow_inf_nan=False
    )
    flag_prefix: ClassVar[str] = ""  # of its own settings' names, left out of their options

    bus: Annotated[
        str, Field(pattern=r"^(memory://(/.+)?|kafka://.+)$", description="memory:// or kafka://host:port[,host:port]")
    ] = "memory://"
    bus_wait_s: Annotated[float, Field(gt=0, description="how long a broker may be away before the service ends")] = (
        60.0
    )
    namespace: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9][a-z0-9-]{0,30})?$",
            description="at most 31 of a-z, 0-9 and -: the prefix of topics and groups, for a system of its own",
        ),
    ] = ""
    home: Annotated[
        Path, BeforeValidator(_expand), Field(description="folder of positions, sockets and the server")
    ] = Field(default_factory=default_home)
    models: Annotated[
        str,
        Field(
            pattern=MODELS,
            description="triton (embedded), local (no server), or triton://host:port[,host:port]",
        ),
    ] = "triton"
    host: Annotated[str, Field(min_length=1, description="address for /livez, /readyz and /metrics")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="port for them, 0: any free one")] = 8710
    log_format: Annotated[Literal["human", "json"], Field(description="lines for people or for programs")] = "human"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(description="the least that is told")] = (
        "INFO"
    )


SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


def load_settings(kind: type[SettingsType], overrides: Mapping[str, object] | None = None) -> SettingsType:
    """Settings from the environment, and what the command line gives instead; the error names all that is wrong."""
    check_settings((kind, overrides or {}))
    return kind(**_given(overrides or {}))


def check_settings(*pairs: tuple[type[ServiceSettings], Mapping[str, object]]) -> None:
    """Tell all that is wrong about the settings of parts that start together; what they share is told once."""
    mistakes = {name: text for kind, overrides in pairs for name, text in _mistakes(kind, overrides)}
    if mistakes:
        count = f"{len(mistakes)} wrong setting{'s' * (len(mistakes) > 1)}:"
        raise SettingInvalid("\n  ".join([count, *mistakes.values()]))


def _given(overrides: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in overrides.items() if value is not None}


def _mistakes(kind: type[ServiceSettings], overrides: Mapping[str, object]) -> list[tuple[str, str]]:
    given = _given(overrides)
    try:
        kind(**given)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        return [(str(problem["loc"][:1]), _explain(kind, problem, given)) for problem in problems]
    return []


def from_command_line(kind: type[SettingsType], program: str, description: str) -> SettingsType:
    """Those of a service whose whole command line is its settings."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    add_flags(parser, kind)
    return load_settings(kind, overrides(parser.parse_args(), kind))


def _explain(kind: type[ServiceSettings], problem: Any, given: Mapping[str, object]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    option = flag(name, kind.flag_prefix)
    source = option if name in given else variable(name)
    field = kind.model_fields.get(name)
    expected = f" ({field.description})" if field and field.description else ""
    if problem["type"] == "missing":
        return f"{variable(name)} or {option}: found nothing, expected a value{expected}"
    found = f"{source}: found {_shown(field, problem['input'])}"
    if problem["type"] == "string_pattern_mismatch" and field and field.description:
        return f"{found}, expected {field.description}"
    message = str(problem["msg"])
    return f"{found}: {message[:1].lower()}{message[1:]}{expected}"


def _shown(field: FieldInfo | None, value: object) -> str:
    if field is not None and "Secret" in str(field.annotation):
        return MASK
    return repr(mask_value(value) if isinstance(value, str) else value)


def describe(*parts: ServiceSettings) -> str:
    """`bus=memory:// port=8710 ...`, fit for a log; what parts share is told once."""
    told = {name: value for settings in parts for name, value in settings}
    return " ".join(f"{name}={mask_value(str(value))}" for name, value in told.items())


def mask(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    return QUERY_PASSWORD.sub(MASK, URL_PASSWORD.sub(rf"\1:{MASK}@", text))


def mask_value(text: str) -> str:
    """The same of a setting, which is an address or none."""
    return mask(VALUE_PASSWORD.sub(rf"\1:{MASK}@", text))


def misspelt(
    kinds: Iterable[type[ServiceSettings]], environment: Mapping[str, str] = os.environ, alike: float = 0.8
) -> list[str]:
    """A sentence for each variable that is no setting but looks like one."""
    known = {variable(name) for kind in kinds for name in kind.model_fields}
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and (near := difflib.get_close_matches(name, known, 1, alike)):
            sentences.append(f"found the variable {name}, which is no setting; did you mean {near[0]}?")
    return sentences


def misspelt_beside_others(kind: type[ServiceSettings], environment: Mapping[str, str] = os.environ) -> list[str]:
    """Of a service whose environment may have settings of others: its own, and what is very much like one of all."""
    own = {name: value for name, value in environment.items() if name.startswith(variable(kind.flag_prefix))}
    others = {name: value for name, value in environment.items() if name not in own}
    return misspelt([kind], own) + misspelt([ServiceSettings], others, alike=0.85)


# --- the command line -------------------------------------------------------------------------------------------------


def variable(name: str) -> str:
    return PREFIX + name.upper()


def flag(name: str, prefix: str = "") -> str:
    return "--" + name.removeprefix(prefix).replace("_", "-")


def add_flags(
    parser: argparse._ActionsContainer, kind: type[ServiceSettings], only: Iterable[str] | None = None
) -> None:
    """An option for every setting (or those named), stored under the setting's name; unset means None."""
    for name, field in kind.model_fields.items():
        if only is not None and name not in only:
            continue
        if field.annotation in (SecretStr, SecretStr | None):
            continue  # a secret on a command line can be read by everyone on the machine
        text = ((field.description or name) + _shown_default(field)).replace("%", "%%") + f" [{variable(name)}]"
        if field.annotation is bool:
            parser.add_argument(
                flag(name, kind.flag_prefix), dest=name, action=argparse.BooleanOptionalAction, help=text
            )
        else:
            parser.add_argument(flag(name, kind.flag_prefix), dest=name, metavar="VALUE", help=text)


def _shown_default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value in (None, "", PydanticUndefined):
        return ""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return f" (default: {f'{value:g}' if isinstance(value, float) else value})"


def overrides(options: argparse.Namespace, kind: type[ServiceSettings]) -> dict[str, object]:
    """What the command line set of these settings."""
    given = vars(options)
    return {name: given[name] for name in kind.model_fields if given.get(name) is not None}
