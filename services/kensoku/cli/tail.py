"""`kensoku tail`: print the messages of a topic as people read them, or as JSON lines."""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator

from kensoku.bus import Bus, Message, Start
from kensoku.bus.topics import REJECTED
from kensoku.cli._bus import add_bus_flags, open_running_bus
from kensoku.cli._numbers import whole
from kensoku.errors import SettingInvalid
from kensoku.messages import CONTRACTS, as_json, as_line, kind_of, kinds_of
from kensoku.times import parse_time_ns


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", metavar="TOPIC", help="for example waveforms, picks, waveforms.rejected")
    parser.add_argument(
        "--from",
        dest="start",
        default=None,
        metavar="PLACE",
        help="earliest, latest, or a time of publication such as 2026-01-31T12:00:00Z (default: latest to follow, "
        "otherwise earliest)",
    )
    parser.add_argument("--count", type=whole(1), metavar="N", help="stop after so many messages")
    parser.add_argument(
        "--follow",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="wait for more, or stop at the present end (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a message, with all its fields")
    parser.add_argument("--key", metavar="NET.STA", help="only messages with this key")
    parser.add_argument(
        "--only", metavar="KIND", help="of picks: pick, measurement or progress; of control: model_promotions or others"
    )
    add_bus_flags(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    check_topic(options.topic)
    check_kind(options.topic, options.only)
    start = start_of(options.start, options.follow)
    form = as_json_line if options.json else as_line
    with open_running_bus(options) as bus:
        for message in itertools.islice(messages(bus, options, start), options.count):
            print(form(message))
            sys.stdout.flush()  # so that `kensoku tail | grep` shows it now
    return 0


def check_topic(topic: str) -> None:
    if topic.removesuffix(REJECTED) not in CONTRACTS:
        raise SettingInvalid(
            f"found topic {topic!r}, expected one of {', '.join(CONTRACTS)}, or one of them with {REJECTED} for what "
            "could not be read; check the name"
        )


def check_kind(topic: str, kind: str | None) -> None:
    if kind is None:
        return
    kinds = [] if topic.endswith(REJECTED) else kinds_of(topic)
    if kind not in kinds:
        expected = (
            f"expected one of {', '.join(kinds)}" if kinds else f"messages of {topic} are of one kind; leave it out"
        )
        raise SettingInvalid(f"--only: found {kind!r}, {expected}")


def messages(bus: Bus, options: argparse.Namespace, start: Start) -> Iterator[Message]:
    wanted: str | None = options.key
    for message in bus.read(options.topic, start=start, follow=options.follow):
        is_kind = options.only is None or kind_of(message) == options.only
        if is_kind and (wanted is None or message.key == wanted):
            yield message


def start_of(text: str | None, follow: bool) -> Start:
    match text:
        case None:
            return "latest" if follow else "earliest"
        case "earliest" | "latest":
            return text
        case _:
            return parse_time_ns(text)


def as_json_line(message: Message) -> str:
    return json.dumps(as_json(message), ensure_ascii=False)
