"""`kensoku topics`: make a broker's topics what the declared table says, and show what they hold."""

import argparse
from collections.abc import Mapping

from kensoku.bus import Bus
from kensoku.bus.topics import declared_topics, kept_by_fewer, plan
from kensoku.cli._bus import add_bus_flags, open_running_bus
from kensoku.errors import SettingInvalid, TopicUnknown


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    apply = actions.add_parser("apply", help="create and change topics until they agree with the table")
    add_bus_flags(apply)
    apply.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    apply.add_argument(
        "--replication", type=int, default=1, metavar="N", help="brokers that keep each new topic (default: 1)"
    )
    apply.add_argument(
        "--regions", type=int, default=16, metavar="N", help="partitions of picks.by-region (default: 16)"
    )
    apply.set_defaults(execute=apply_topics)
    show = actions.add_parser("list", help="show partitions, messages, retention and, for a group, the lag")
    add_bus_flags(show)
    show.add_argument("--group", action="append", default=[], metavar="GROUP", help="show its lag; may be repeated")
    show.set_defaults(execute=list_topics)


def apply_topics(options: argparse.Namespace) -> int:
    if options.replication < 1:
        raise SettingInvalid(
            f"found replication {options.replication}, expected at least 1; give --replication the number of brokers "
            "that keep each topic"
        )
    with open_running_bus(options) as bus:
        declared, existing = declared_topics(options.regions), bus.existing_topics()
        actions = plan(declared, existing)
        for action in actions:
            print(f"would {action}" if options.dry_run else action)
        if not actions:
            print("all topics are as declared")
        elif not options.dry_run:
            bus.apply_topics(actions, options.replication)
    if fewer := kept_by_fewer(declared, existing, options.replication):
        print(
            f"fewer brokers than {options.replication} keep {', '.join(topic.name for topic in fewer)}; topics that "
            "exist get more replicas from kafka-reassign-partitions, and then min.insync.replicas from kafka-configs"
        )
    return 0


def list_topics(options: argparse.Namespace) -> int:
    with open_running_bus(options) as bus:
        groups = [f"{'lag ' + group:>20}" for group in options.group]
        print(f"{'topic':<28} {'partitions':>10} {'messages':>12}  {'kept':<28}", *groups)
        for topic in bus.existing_topics():
            lags = [f"{show_lag(bus, topic.name, group):>20}" for group in options.group]
            kept = describe_retention(topic.settings)
            print(f"{topic.name:<28} {topic.partitions:>10} {topic.messages:>12,}  {kept:<28}", *lags)
    return 0


def show_lag(bus: Bus, topic: str, group: str) -> str:
    try:
        return f"{sum(bus.lag(topic, group).values()):,}"
    except TopicUnknown:
        return "-"


def describe_retention(settings: Mapping[str, str]) -> str:
    """`6 h, 700 MiB a partition`"""
    if settings.get("cleanup.policy") == "compact":
        return "latest of every key"
    time_ms, size_bytes = int(settings.get("retention.ms", -1)), int(settings.get("retention.bytes", -1))
    hours = time_ms / 3_600_000
    time = "for ever" if time_ms < 0 else f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"
    return time if size_bytes < 0 else f"{time}, {size_bytes / 1024**2:,.0f} MiB a partition"
