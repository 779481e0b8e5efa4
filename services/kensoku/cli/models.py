"""`kensoku models`: which versions are loaded, and which is in force from when."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kensoku.cli._bus import add_bus_flags, login_name, open_running_bus
from kensoku.errors import ModelRefused, ModelUnknown, SettingInvalid
from kensoku.inference import ModelControl, endpoints, versions_in
from kensoku.models import (
    NEEDED_FOR_NS,
    Decision,
    PromotionLog,
    Promotions,
    default_repository,
    file_sha256,
    iso_time,
    needed_versions,
    version_in_force,
)
from kensoku.settings import ServiceSettings, load_settings
from kensoku.times import parse_time_ns

LOCAL_SERVER = "triton://127.0.0.1:8001"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", help="triton://host:port[,host:port...] or local (default: KENSOKU_MODELS)")
    parser.add_argument("--repository", type=Path, default=default_repository(), help="default: %(default)s")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="versions, what is loaded and what is in force")
    listing.set_defaults(execute=show)
    load = actions.add_parser("load", help="load a version beside those that are loaded")
    unload = actions.add_parser("unload", help="unload a version that no window can need any more")
    promote = actions.add_parser("promote", help="put a loaded version in force from an event time on")
    rollback = actions.add_parser("rollback", help="withdraw the latest promotion, or return to the version before it")
    for action, execute in ((load, load_version), (unload, unload_version), (promote, promote_version)):
        action.add_argument("model")
        action.add_argument("version")
        action.set_defaults(execute=execute)
    rollback.add_argument("model")
    rollback.set_defaults(execute=roll_back)
    unload.add_argument("--force", action="store_true", help="even if windows can need it")
    promote.add_argument(
        "--at", type=event_time_ns, metavar="TIME", help="event time, for example 2026-01-31T12:00:00Z"
    )
    promote.add_argument("--sha256", help="refuse a file with another hash")
    for action in (promote, rollback):
        action.add_argument("--reason", default="", help="for the log and the next shift")
    for action in (listing, load, unload, promote, rollback):
        add_bus_flags(action)


def show(options: argparse.Namespace) -> int:
    with open_promotions(options) as log, open_control(options) as control:
        states = control.states() if control else []
        promotions = log.read()
    names = {path.parent.name for path in options.repository.glob("*/config.pbtxt")} | {s.model for s in states}
    print(f"{'MODEL':<16} {'VERSION':>7}  {'LOADED':<11} {'SHA256':<12}  IN FORCE")
    for model in sorted(names):
        held = {state.version: state.state for state in states if state.model == model and state.version}
        for version in sorted({*versions_in(options.repository, model), *held}, key=int):
            loaded = held.get(version, "-") if control else "local"
            sha256 = file_sha256(options.repository, model, version)[:12]
            print(f"{model:<16} {version:>7}  {loaded:<11} {sha256}  {in_force(promotions.get(model, []), version)}")
    return 0


def in_force(promotions: Promotions, version: str) -> str:
    """When a version takes or took effect, for a table."""
    current = version_in_force(promotions, time.time_ns())
    if current is not None and current.version == version:
        return f"since {iso_time(current.effective_ns)}"
    coming = [p for p in promotions if p.version == version and p.effective_ns > time.time_ns()]
    return f"from {iso_time(coming[0].effective_ns)}" if coming else "-"


def load_version(options: argparse.Namespace) -> int:
    with server_control(options) as control:
        control.load(options.model, options.version)
    print(f"version {options.version} of {options.model} is loaded")
    return 0


def unload_version(options: argparse.Namespace) -> int:
    with open_promotions(options) as log, server_control(options) as control:
        needed = needed_versions(log.read().get(options.model, []), time.time_ns() - NEEDED_FOR_NS)
        if options.version in needed and not options.force:
            raise ModelRefused(
                f"version {options.version} of {options.model}: windows of the last "
                f"{NEEDED_FOR_NS // 86_400_000_000_000} days or of a coming promotion can need it; "
                "promote another and wait, or give --force"
            )
        control.unload(options.model, options.version)
    print(f"version {options.version} of {options.model} is unloaded")
    return 0


def promote_version(options: argparse.Namespace) -> int:
    sha256 = file_sha256(options.repository, options.model, options.version)
    if options.sha256 and options.sha256.lower() != sha256:
        raise ModelRefused(
            f"version {options.version} of {options.model}: found sha256 {sha256}, expected {options.sha256}"
        )
    with open_promotions(options) as log, open_control(options) as control:
        if control:
            refuse_unless_loaded(control, options.model, options.version)
        promotions = log.promote(options.model, options.version, sha256, options.at, decision(options))
    return announce(options.model, promotions)


def refuse_unless_loaded(control: ModelControl, model: str, version: str) -> None:
    states = [state for state in control.states() if (state.model, state.version) == (model, version)]
    without = control.servers() - {state.server for state in states if state.state == "READY"}
    if without:
        raise ModelUnknown(
            f"version {version} of {model}: found it missing on {', '.join(sorted(without))}, expected it loaded on "
            f"every server; `kensoku models load {model} {version}` first"
        )


def roll_back(options: argparse.Namespace) -> int:
    with open_promotions(options) as log:
        promotions = log.roll_back(options.model, decision(options))
    return announce(options.model, promotions)


def announce(model: str, promotions: Promotions) -> int:
    for promotion in promotions[-2:]:
        print(f"{model} {promotion.version} from {iso_time(promotion.effective_ns)} (sha256 {promotion.sha256[:12]})")
    if not promotions:
        print(f"{model}: no version is promoted any more")
    return 0


def decision(options: argparse.Namespace) -> Decision:
    return Decision(login_name(), options.reason)


@contextmanager
def open_promotions(options: argparse.Namespace) -> Iterator[PromotionLog]:
    with open_running_bus(options) as bus:
        yield PromotionLog(bus)


@contextmanager
def open_control(options: argparse.Namespace) -> Iterator[ModelControl | None]:
    """Control of the servers; None with --models local, where a version is loaded when it is first used."""
    url = options.models or load_settings(ServiceSettings).models
    if url.startswith("local"):
        yield None
        return
    with ModelControl(endpoints(LOCAL_SERVER if url == "triton" else url)) as control:
        yield control


@contextmanager
def server_control(options: argparse.Namespace) -> Iterator[ModelControl]:
    with open_control(options) as control:
        if control is None:
            raise SettingInvalid("models are local: found no server to tell, expected --models triton://host:port")
        yield control


def event_time_ns(text: str) -> int:
    try:
        return parse_time_ns(text)
    except SettingInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None
