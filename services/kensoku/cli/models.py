"""`kensoku models`: which versions are loaded, which is in force from when, and what they say of a file."""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from kensoku.cli import _models_import, _models_judge, _models_run, _models_ship
from kensoku.cli._bus import add_bus_flags, login_name, open_running_bus
from kensoku.cli._models import ModelSettings, embedded_or
from kensoku.errors import BusUnavailable, ModelRefused, ModelUnknown, SettingInvalid
from kensoku.inference import ModelControl, VersionState, endpoints, versions_in
from kensoku.models import (
    NEEDED_FOR_NS,
    Decision,
    PromotionLog,
    Promotions,
    file_sha256,
    needed_versions,
    version_in_force,
)
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.times import NS_PER_S, iso_time, parse_time_ns


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("list", help="versions, what is loaded and what is in force")
    load = actions.add_parser("load", help="load a version beside those that are loaded")
    unload = actions.add_parser("unload", help="unload a version that no window can need any more")
    promote = actions.add_parser("promote", help="put a loaded version in force from an event time on")
    rollback = actions.add_parser("rollback", help="withdraw a promotion to come, or return to the version before")
    for action, execute in (
        (show, list_models),
        (load, load_version),
        (unload, unload_version),
        (promote, promote_version),
        (rollback, roll_back),
    ):
        add_bus_flags(action)
        add_flags(action, ModelSettings, only=["models", "model_repository"])
        action.set_defaults(execute=execute)
    for action in (load, unload, promote, rollback):
        action.add_argument("model", metavar="MODEL")
    for action in (load, unload, promote):
        action.add_argument("version", metavar="VERSION", help="name of its folder: 1, 2, ...")
    for action in (promote, rollback):
        action.add_argument("--reason", default="", help="for the log and the next shift")
    unload.add_argument("--force", action="store_true", help="even if windows can need it")
    promote.add_argument(
        "--at",
        metavar="TIME",
        help="event time, such as 2026-01-31T12:00:00Z (default: now; for a model's first promotion: all times)",
    )
    promote.add_argument("--sha256", metavar="HASH", help="refuse a file with another hash")
    _models_run.add_actions(actions)
    _models_import.add_action(actions)
    _models_ship.add_action(actions)
    _models_judge.add_action(actions)


# --- the commands -----------------------------------------------------------------------------------------------------


def list_models(options: argparse.Namespace) -> int:
    repository = settings_of(options).model_repository
    promotions = _decided(options)
    with open_control(options) as control:
        states = control.states() if control else []
        servers = len(control.servers()) if control else 0
    names = {path.parent.name for path in repository.glob("*/config.pbtxt")} | {state.model for state in states}
    print(f"{'model':<16} {'version':>7}  {'loaded':<12} {'sha256':<12}  in force")
    for model in sorted(names):
        held = states_of(model, states, servers)
        present = versions_in(repository, model)
        for version in sorted({*present, *held}, key=int):
            loaded = held.get(version, "no") if control else "when used"
            sha256 = file_sha256(repository, model, version)[:12] if version in present else "-"
            print(
                f"{model:<16} {version:>7}  {loaded:<12} {sha256:<12}  {in_force(promotions.get(model, []), version)}"
            )
    return 0


def _decided(options: argparse.Namespace) -> Mapping[str, Promotions]:
    """Local models may be listed where nothing runs."""
    try:
        with open_promotions(options) as log:
            return log.read()
    except BusUnavailable as error:
        if not settings_of(options).models.startswith("local"):
            raise
        print(f"which version is in force is not known: {error}", file=sys.stderr)
        return {}


def load_version(options: argparse.Namespace) -> int:
    with server_control(options) as control:
        control.load(options.model, options.version)
    print(f"version {options.version} of {options.model} is loaded")
    return 0


def unload_version(options: argparse.Namespace) -> int:
    with open_promotions(options) as log, server_control(options) as control:
        needed = needed_versions(log.read().get(options.model, []), time.time_ns() - NEEDED_FOR_NS)
        if options.version in needed and not options.force:
            days = NEEDED_FOR_NS // (86_400 * NS_PER_S)
            raise ModelRefused(
                f"version {options.version} of {options.model}: windows of the last {days} days or of a promotion to "
                "come can need it; promote another and wait, or give --force"
            )
        control.unload(options.model, options.version)
    print(f"version {options.version} of {options.model} is unloaded")
    return 0


def promote_version(options: argparse.Namespace) -> int:
    sha256 = file_sha256(settings_of(options).model_repository, options.model, options.version)
    if options.sha256 and options.sha256.lower() != sha256:
        raise ModelRefused(
            f"version {options.version} of {options.model}: found sha256 {sha256}, expected {options.sha256}"
        )
    at_ns = parse_time_ns(options.at) if options.at else None
    with open_promotions(options) as log, open_control(options) as control:
        if control:
            refuse_unless_loaded(control, options.model, options.version)
        promotions = log.promote(options.model, options.version, sha256, at_ns, decision(options))
    return announce(options.model, promotions)


def roll_back(options: argparse.Namespace) -> int:
    with open_promotions(options) as log:
        promotions = log.roll_back(options.model, decision(options))
    return announce(options.model, promotions)


# --- what they share --------------------------------------------------------------------------------------------------


def states_of(model: str, states: Sequence[VersionState], servers: int) -> dict[str, str]:
    """Of each version; where servers differ, on how many of them it is ready."""
    of: dict[str, list[str]] = defaultdict(list)
    for each in states:
        if each.model == model and each.version:
            of[each.version].append(each.state)
    return {
        version: found[0]
        if set(found) == {found[0]} and len(found) == servers
        else f"{found.count('READY')} of {servers}"
        for version, found in of.items()
    }


def in_force(promotions: Promotions, version: str) -> str:
    """When a version takes or took effect, for people."""
    now_ns = time.time_ns()
    current = version_in_force(promotions, now_ns)
    if current is not None and current.version == version:
        return f"since {moment(current.effective_ns)}"
    coming = [p for p in promotions if p.version == version and p.effective_ns > now_ns]
    return f"from {moment(coming[0].effective_ns)}" if coming else "-"


def moment(time_ns: int) -> str:
    return iso_time(time_ns) if time_ns else "the beginning"


def refuse_unless_loaded(control: ModelControl, model: str, version: str) -> None:
    ready = {s.server for s in control.states() if (s.model, s.version, s.state) == (model, version, "READY")}
    if without := control.servers() - ready:
        raise ModelUnknown(
            f"version {version} of {model}: found it missing on {', '.join(sorted(without))}, expected it loaded on "
            f"every server; first `kensoku models load {model} {version}`"
        )


def announce(model: str, promotions: Promotions) -> int:
    for promotion in promotions[-2:]:
        print(f"{model} {promotion.version} from {moment(promotion.effective_ns)}, sha256 {promotion.sha256[:12]}")
    if not promotions:
        print(f"{model}: no version is promoted any more")
    return 0


def decision(options: argparse.Namespace) -> Decision:
    return Decision(login_name(), options.reason)


def settings_of(options: argparse.Namespace) -> ModelSettings:
    return load_settings(ModelSettings, overrides(options, ModelSettings))


@contextmanager
def open_promotions(options: argparse.Namespace) -> Iterator[PromotionLog]:
    with open_running_bus(options) as bus:
        yield PromotionLog(bus)


@contextmanager
def open_control(options: argparse.Namespace) -> Iterator[ModelControl | None]:
    """Control of the servers; None with local models, each version of which is loaded when it is first used."""
    url = settings_of(options).models
    if url.startswith("local"):
        yield None
        return
    with ModelControl(endpoints(embedded_or(url))) as control:
        yield control


@contextmanager
def server_control(options: argparse.Namespace) -> Iterator[ModelControl]:
    with open_control(options) as control:
        if control is None:
            raise SettingInvalid("models are local: found no server to tell, expected --models triton://host:port")
        yield control
