"""`kensoku playback`: what other models make of a span of the log, in a namespace of its own beside the live system."""

import argparse
import logging
import threading
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from kensoku.bus import Bus, Options, open_bus
from kensoku.bus.topics import declared_topics, plan
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import Selection, open_store
from kensoku.cli._bus import CommandSettings, login_name, open_running_bus
from kensoku.cli._catalog_select import LINE_HEAD, line
from kensoku.cli._playback_log import LEAD_IN_NS, LEAD_OUT_NS, LoggedSpan
from kensoku.cli._playback_stages import Ensemble, Stage, Stopped
from kensoku.cli._run_services import (
    Chosen,
    add_service_flags,
    association_service,
    catalog_service,
    location_service,
    triggering_services,
)
from kensoku.errors import CatalogueMissing, ModelUnknown, SettingInvalid
from kensoku.events import decision_name
from kensoku.inference import Models, open_models
from kensoku.models import Decision, PromotionLog, file_sha256
from kensoku.picking import CARD
from kensoku.runtime import configure_logs, stop_on_signals
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.times import NS_PER_S, iso_time, parse_time_ns
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.pick_pb2 import PHASE_P, PickMessage

log = logging.getLogger("kensoku.playback")

COPIED = ("inventory", "control")
SHOWN_EVENTS = 20
INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Play a span of the log again, as fast as it goes, into picks and a catalogue of their own. The live system's "
        "log is only read; stations, regions and promotions are those of the live system."
    )
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="event time, ISO 8601, UTC")
    parser.add_argument("--to", dest="end", required=True, metavar="TIME", help="the span ends before it")
    parser.add_argument("--namespace", dest="into", required=True, metavar="NAME", help="where to play it; a new one")
    parser.add_argument(
        "--models",
        dest="versions",
        default="",
        metavar="NAME=VERSION,...",
        help="versions of models instead of those in force, such as picker_live=2",
    )
    parser.add_argument(
        "--replication", type=int, default=1, metavar="N", help="brokers that keep each new topic (default: 1)"
    )
    add_flags(parser, CommandSettings, only=["bus", "bus_wait_s", "home"])
    add_flags(parser, CatalogSettings, only=["log_level"])
    parser.add_argument(
        "--model-server", dest="models", metavar="VALUE", help="local, or triton://host:port [KENSOKU_MODELS]"
    )
    add_service_flags(parser, without={"models_wait_s", "triggering_postpone_after_s", "triggering_postponed_below"})
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    start_ns, end_ns = span_of(options)
    live = load_settings(CommandSettings, overrides(options, CommandSettings))
    chosen = never_behind(Chosen.load(options, options.into))
    picking, keeping = chosen.picking, chosen.keeping
    configure_logs(keeping.log_format, keeping.log_level)
    check_namespace(keeping, live)
    versions = versions_of(options.versions, picking)
    with ExitStack() as opened:
        stop = opened.enter_context(stop_on_signals())
        log_bus = opened.enter_context(open_running_bus(options))
        span = LoggedSpan(log_bus, start_ns, end_ns)
        span.begin()  # what is wrong with it is told before anything is made
        bus = opened.enter_context(open_own_bus(live, options, log_bus))
        copy_tables(log_bus, bus)
        promote(bus, versions)
        models = opened.enter_context(open_models(picking.models_url))
        try:
            play(span, bus, stages_of(chosen, bus, models), stop)
        except Stopped:
            print(f"stopped before the end; namespace {options.into} holds what was made until then")
            return INTERRUPTED
        tell(span, bus, keeping)
    return 0


def play(span: LoggedSpan, bus: Bus, stages: Sequence[Stage], stop: threading.Event) -> None:
    """To the end of the span; raises Stopped when told to stop before."""
    ensemble = Ensemble(bus, stages, stop)
    with ensemble.playing():
        ensemble.feed(
            span.messages(), lambda count: log.info("%d packets, up to %s", count, iso_time(span.log.last_ns))
        )
        ensemble.finish()


# --- what is asked for ------------------------------------------------------------------------------------------------


def span_of(options: argparse.Namespace) -> tuple[int, int]:
    start_ns, end_ns = parse_time_ns(options.start), parse_time_ns(options.end)
    if end_ns <= start_ns:
        raise SettingInvalid(f"found --from {options.start} and --to {options.end}, expected --from before --to")
    return start_ns, end_ns


def never_behind(chosen: Chosen) -> Chosen:
    """What is hours old is not late here: nothing is postponed because of it."""
    return replace(chosen, picking=chosen.picking.model_copy(update={"triggering_postpone_after_s": 0.0}))


def check_namespace(keeping: CatalogSettings, live: CommandSettings) -> None:
    """A playback neither goes into the live namespace nor adds to another one."""
    if keeping.namespace in ("", live.namespace):
        raise SettingInvalid(
            f"found --namespace {keeping.namespace!r}, which is the live system's; expected another, such as trial"
        )
    try:
        with open_store(keeping.database_address, keeping.namespace, must_exist=True) as store:
            count = store.count(Selection(with_gone=True))
    except CatalogueMissing:
        return  # there is none, as it should be
    if count:
        raise SettingInvalid(
            f"found {count} events in the catalogue of namespace {keeping.namespace!r}, expected a new namespace; "
            "choose another name, or remove that catalogue first"
        )


def versions_of(text: str, settings: TriggeringSettings) -> Mapping[str, tuple[str, str]]:
    """By model, the version and the hash of its file."""
    repository = settings.model_repository
    if not (repository / settings.triggering_model / CARD).is_file():
        raise ModelUnknown(f"found no model {settings.triggering_model!r} in {repository}, expected one; give --model")
    versions = {}
    for part in filter(None, text.split(",")):
        name, separator, version = part.partition("=")
        if not (name and separator and version):
            raise SettingInvalid(f"found --models {part!r}, expected NAME=VERSION such as picker_live=2")
        if not (repository / name / CARD).is_file():
            known = ", ".join(sorted(path.parent.name for path in repository.glob(f"*/{CARD}")))
            raise ModelUnknown(f"found model {name!r} in --models, expected one of {known}")
        versions[name] = version, file_sha256(repository, name, version)
    return versions


# --- a namespace of its own -------------------------------------------------------------------------------------------


@contextmanager
def open_own_bus(live: CommandSettings, options: argparse.Namespace, log_bus: Bus) -> Iterator[Bus]:
    """Beside the live one: topics of their own on its Kafka, or a bus in this process that nobody else sees."""
    is_kafka = live.bus.startswith("kafka://")
    regions = {topic.name: topic.partitions for topic in log_bus.existing_topics()}.get("picks.by-region", 1)
    topics = declared_topics(regions)
    url = live.bus if is_kafka else "memory://"
    with open_bus(url, options.into, Options(wait_s=live.bus_wait_s), topics) as bus:
        if is_kafka:
            existing = bus.existing_topics()
            if held := sum(topic.messages for topic in existing):
                raise SettingInvalid(
                    f"found {held} messages in the topics of namespace {options.into!r}, expected a new namespace; "
                    "choose another name, or delete those topics first"
                )
            bus.apply_topics(plan(topics, existing), options.replication)
        yield bus


def copy_tables(source: Bus, target: Bus) -> None:
    """What the live system knows of stations, and what its operators have decided."""
    for topic in COPIED:
        with source.table(topic) as table:
            table.refresh()
            for key, value in table.items():
                target.publish(topic, key, value)
    target.flush()


def promote(bus: Bus, versions: Mapping[str, tuple[str, str]]) -> None:
    """For all times, whatever the live system's operators have decided."""
    promotions = PromotionLog(bus)
    for model, (version, sha256) in versions.items():
        promotions.replace(model, version, sha256, Decision(login_name(), "playback"))


def stages_of(chosen: Chosen, bus: Bus, models: Models) -> list[Stage]:
    """In the order in which they end."""
    present, late = triggering_services(chosen.picking, bus, models)
    return [
        Stage(present, "waveforms", "triggering"),
        Stage(late, "waveforms.backfill", "triggering-backfill", is_committed=True),
        Stage(association_service(chosen.associating, bus), "picks.by-region", "association"),
        Stage(location_service(chosen.locating, bus), "associations", "location", is_committed=True),
        Stage(catalog_service(chosen.keeping, bus), "events", "catalog", is_committed=True),
    ]


# --- what it has made -------------------------------------------------------------------------------------------------


def tell(span: LoggedSpan, bus: Bus, keeping: CatalogSettings) -> None:
    played, seen = span.played, span.log
    print(f"played {played.packets} packets of {len(played.stations)} stations, {played}")
    before_s, after_s = LEAD_IN_NS // NS_PER_S, LEAD_OUT_NS // NS_PER_S
    print(f"       with {before_s} s before and {after_s} s after, as far as the log has them")
    if seen.first_ns > span.start_ns:
        print(f"       the log begins at {iso_time(seen.first_ns)}: what was before is missing")
    if seen.last_ns < span.end_ns:
        print(f"       the log ends at {iso_time(seen.last_ns)}: what is later is missing")
    picks = picks_in(bus, span)
    print("picks  " + (", ".join(f"{count} {name}" for name, count in sorted(picks.items())) or "none"))
    selection = Selection(start_ns=span.start_ns, end_ns=span.end_ns)
    with open_store(keeping.database_address, keeping.namespace, must_exist=True) as store:
        count, newest = store.count(selection), store.newest(SHOWN_EVENTS, selection)
    print(f"events {count or 'none'}")
    for text in [LINE_HEAD, *map(line, newest)] if newest else []:
        print(f"  {text}")
    times = f"--from {iso_time(span.start_ns)} --to {iso_time(span.end_ns)}"
    print(f"look at them: kensoku catalog list --namespace {keeping.namespace}")
    print(f"compare:      kensoku catalog diff database database:{keeping.namespace} {times}")


def picks_in(bus: Bus, span: LoggedSpan) -> Mapping[str, int]:
    """By phase and decision: `P kept`."""
    picks: dict[str, str] = {}
    for message in bus.read("picks"):
        content = PickMessage.FromString(message.value or b"")
        if content.WhichOneof("content") == "pick" and span.start_ns <= content.pick.onset_ns < span.end_ns:
            decision = decision_name(content.pick).lower().replace("_", " ")
            picks[content.pick.id] = f"{'P' if content.pick.phase == PHASE_P else 'S'} {decision}"
    return Tally(picks.values())
