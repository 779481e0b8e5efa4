"""What `kensoku associate` and `kensoku detect` share: their options, and the network in which picks are associated."""

import argparse
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kensoku.associating import AssociationSettings, Network, network_of
from kensoku.cli._earth_options import add_earth_options
from kensoku.cli._numbers import real, whole
from kensoku.errors import InputInvalid
from kensoku.locating import epoch_at, load_time_corrections, site_at
from kensoku.traveltime import EarthModel, TravelTimeTable, Wave, build_table, grid_for, load_model
from kensoku.v1.inventory_pb2 import Station

WAVES: tuple[Wave, Wave] = ("P", "S")
DEFAULTS = AssociationSettings()
OPTIONS = ("reach_km", "spacing_km", "margin_km")
MOVED_KM = 0.5  # 0.15 s of S, the error of a travel time
KM_PER_DEG = 111.19
NAMED = 5  # stations without a place


@dataclass(frozen=True, slots=True)
class Earth:
    model: EarthModel
    tables: Mapping[Wave, TravelTimeTable]


def add_options(parser: argparse.ArgumentParser) -> None:
    add_earth_options(parser, DEFAULTS.deepest_km)
    parser.add_argument(
        "--least-picks", type=whole(4), default=DEFAULTS.least_picks, metavar="N", help="default: %(default)s"
    )
    for name in OPTIONS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=real(1, 2000), metavar="KM", help="default: by how the stations stand"
        )
    parser.add_argument("--explain", action="store_true", help="tell why each parameter of association has its value")


def earth_of(options: argparse.Namespace) -> Earth:
    model = load_model(options.velocity_model)
    grid = grid_for(options.deepest_km)
    return Earth(model, {wave: build_table(model, wave, grid, options.cache) for wave in WAVES})


def settings_of(options: argparse.Namespace) -> AssociationSettings:
    given = {name: getattr(options, name) for name in OPTIONS}
    return AssociationSettings(deepest_km=options.deepest_km, least_picks=options.least_picks, **given)


def open_network(
    codes: Iterable[str], stations: Mapping[str, Station], at_ns: int, earth: Earth, options: argparse.Namespace
) -> Network:
    """Of the stations that have picks or a record; `--explain` tells its parameters."""
    corrections = load_time_corrections(options.corrections) if options.corrections else {}
    sites = {}
    for code in sorted(set(codes)):
        if code in stations and stations[code].epochs:
            sites[code] = site_at(code, stations[code], at_ns, corrections)
    require_places(codes, stations)
    network = network_of(sites, earth.tables, settings_of(options))
    if options.explain:
        explain(network, earth)
    return network


def parts_of(onsets_ns: Sequence[int], codes: Iterable[str], stations: Mapping[str, Station]) -> list[list[int]]:
    """The numbers of the picks between which no station moved, the earliest part first: each part has its network."""
    begin_ns, end_ns = min(onsets_ns), max(onsets_ns)
    cuts = sorted(
        {
            at_ns
            for code in set(codes) & stations.keys()
            for at_ns in _moves_ns(stations[code])
            if begin_ns < at_ns <= end_ns
        }
    )
    parts = defaultdict[int, list[int]](list)
    for number, onset_ns in enumerate(onsets_ns):
        parts[bisect_right(cuts, onset_ns)].append(number)
    return [parts[each] for each in sorted(parts)]


def _moves_ns(station: Station) -> Iterator[int]:
    for at_ns in {edge for epoch in station.epochs for edge in (epoch.start_ns, epoch.end_ns) if edge}:
        before, after = epoch_at(station, at_ns - 1), epoch_at(station, at_ns)
        north = after.latitude_deg - before.latitude_deg
        east = (after.longitude_deg - before.longitude_deg + 540) % 360 - 180
        down_km = (after.burial_depth_m - after.elevation_m - before.burial_depth_m + before.elevation_m) / 1000
        level = math.cos(math.radians(after.latitude_deg))
        if math.hypot(KM_PER_DEG * north, KM_PER_DEG * level * east, down_km) > MOVED_KM:
            yield at_ns


def require_places(codes: Iterable[str], stations: Mapping[str, Station]) -> None:
    every = sorted(set(codes))
    placeless = [code for code in every if code not in stations or not stations[code].epochs]
    if len(every) - len(placeless) >= DEFAULTS.least_stations:
        return
    named = ", ".join(placeless[:NAMED]) + (" and others" if len(placeless) > NAMED else "")
    remedies = [f"name {named} in an --inventory"] if placeless else []
    remedies += ["add records or picks of other stations"] if len(every) < DEFAULTS.least_stations else []
    raise InputInvalid(
        f"found places of {len(every) - len(placeless)} of {len(every)} stations, expected {DEFAULTS.least_stations} "
        f"at least to locate an earthquake by; {', and '.join(remedies)}"
    )


def explain(network: Network, earth: Earth) -> None:
    for reason in network.reasons:
        print(f"{reason.name} {reason.value:.1f}: {reason.why}")
    settings = network.settings
    print(f"velocity model {earth.model.name}, depths to {settings.deepest_km:g} km")
    print(f"{len(network.nodes.latitude):,} places where a search begins, in {network.volume_km3:,.0f} km3")
    for name, why in REASONS.items():
        print(f"{name} {getattr(settings, name):g}: {why}")


REASONS = {
    "least_picks": "fewer cannot tell an earthquake from chance, but for least_p P",
    "least_p": "so many P of as many stations are enough for a first warning",
    "least_stations": "fewer cannot tell where it was",
    "least_clear": "of faint picks alone there is no earthquake",
    "usual_depth_km": "of earthquakes, where picks do not say it",
    "depth_spread_km": "one standard deviation around it",
    "error_s": "of travel times in a layered earth, at the least",
    "error_share": "of the travel time, as far away the earth is less known",
    "widest_s": "residuals beyond are another event's",
    "detected": "of the stations near an earthquake pick it",
    "swapped": "of labels P and S are the other phase",
    "least_stack": "of the search for places, before anything is fitted",
    "bias": "log odds against every event, as picks come together more often than by chance alone",
    "least_log_odds": "as probable as not, given how often earthquakes are found in the same minutes",
    "few_picks": "an event that has fewer in the end needs better odds",
    "few_log_odds": "more for each pick less: more small groups are false than the bias tells",
}
