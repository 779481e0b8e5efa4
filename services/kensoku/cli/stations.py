"""`kensoku stations`: leave a station out, take it back, and see who decided so."""

import argparse
import time

from kensoku import control
from kensoku.cli._bus import add_bus_flags, login_name, open_running_bus
from kensoku.errors import SettingInvalid
from kensoku.times import iso_time


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="stations that somebody decided about")
    listing.set_defaults(execute=show)
    add_bus_flags(listing)
    for name, text in (("disable", "use no data of these stations"), ("enable", "use their data again")):
        action = actions.add_parser(name, help=text)
        action.add_argument("codes", nargs="+", metavar="CODE", help="network and station, such as NZ.WEL")
        action.add_argument("--reason", required=True, help="for the log and the next shift")
        action.add_argument("--by", default=login_name(), metavar="NAME", help="who decides (default: %(default)s)")
        action.set_defaults(execute=decide, disabled=name == "disable")
        add_bus_flags(action)


def decide(options: argparse.Namespace) -> int:
    if not options.reason.strip():
        raise SettingInvalid("found an empty --reason, expected why, in words for the next shift")
    decisions = {
        code: control.station_decision(
            code, disabled=options.disabled, author=options.by, reason=options.reason, decided_ns=time.time_ns()
        )
        for code in options.codes
    }
    with open_running_bus(options) as bus:
        with bus.table("inventory") as inventory:
            inventory.refresh()
            known = frozenset(inventory)
        for code, decision in decisions.items():
            control.switch_station(bus, code, decision)
        bus.flush()
    for code in decisions:
        doubt = "" if not known or code in known else "; the inventory has no such station, check the code"
        print(f"{code} is {'disabled' if options.disabled else 'enabled'}{doubt}")
    return 0


def show(options: argparse.Namespace) -> int:
    with open_running_bus(options) as bus, bus.table(control.TOPIC) as table:
        table.refresh()
        decisions = list(control.station_decisions(table))
    if not decisions:
        print("all stations are enabled; nobody has decided about any")
        return 0
    print(f"{'STATION':<12} {'STATE':<9} {'SINCE':<24} {'BY':<12} REASON")
    for code, decision in decisions:
        state = "disabled" if decision.station_switch.disabled else "enabled"
        print(f"{code:<12} {state:<9} {iso_time(decision.decided_ns)} {decision.author:<12} {decision.reason}")
    return 0
