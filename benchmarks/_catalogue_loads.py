"""Many stations: a day of nothing but false picks, and the worst hour after a great earthquake."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks._association_cases import FALSE_A_STATION_HOUR, START_S, lay_out
from benchmarks._catalogue_bars import Bar, bars_of_loads, least
from benchmarks._catalogue_live import Run, Timed, earth_of, live, picked
from benchmarks._catalogue_picks import of_noise, of_world, stations_of, told_of
from benchmarks._catalogue_queue import Load
from benchmarks._catalogue_records import Cut, nearest
from benchmarks._catalogue_scores import lives_of
from kensoku.associating._seams import GONE
from kensoku.association.settings import AssociationServiceSettings
from kensoku.locating import Site
from kensoku.simulation.engine import open_world

NS_PER_S = 10**9
STATIONS = 60
FAINT_A_STATION_HOUR = 52.0  # of picker_live in Ghana and Colombia: 309 in 6 hours, 470 in 8.7
RECORDS_AFTER_S, RECORDS_S = 120, 120  # after the strongest earthquake: records that are picked
HEARD = 8  # picks of an event that counts
AT_ONCE = 1000.0  # times real time: all is there before it is asked for
MOST = int(AssociationServiceSettings.model_fields["association_batch"].default)  # messages
PICKS_A_SECOND = 100  # that association must keep up with
COMPILED = 1000  # messages


def quiet(hours: float) -> list[Bar]:
    """60 stations, each with 16 false picks an hour, and with as many faint ones as recorded stations have."""
    sites = lay_out(np.random.default_rng(13))
    faint = of_noise(sites, START_S, 3600 * hours, 14, FAINT_A_STATION_HOUR)
    told = told_of(of_noise(sites, START_S, 3600 * hours), sites, START_S + 3600 * hours + 120, faint=faint)
    run = live(told, stations_of(sites), earth_of("japan"))
    lives = lives_of(run.events)
    return [
        Bar("hours", hours),
        Bar("picks a station and hour", (len(run.picks) - len(faint)) / hours / len(sites)),
        Bar("asked for", FALSE_A_STATION_HOUR),
        Bar("faint ones beside", FAINT_A_STATION_HOUR),
        Bar("false events, for a while at least", len(lives.first)),
        Bar("false events that stand", len(lives.standing)),
        Bar("false events a day", len(lives.first) * 24 / hours, 1.0),
        *bars_of_loads(run.loads),
    ]


def kumamoto(minutes: float, spent: Callable[[], int] = time.process_time_ns) -> list[Bar]:
    """From the strongest earthquake on, so much faster than it was that 100 picks come a second. Picks are those of
    rays with errors, since records of it take hours to make."""
    world = open_world("kumamoto")
    strongest = int(np.argmax(world.catalogue.mw))
    place = float(world.catalogue.latitude_deg[strongest]), float(world.catalogue.longitude_deg[strongest])
    start_s = int(world.catalogue.time_ns[strongest]) / NS_PER_S
    chosen = nearest(world, *place, STATIONS)
    sites = {one.name: Site(one.latitude_deg, one.longitude_deg) for one in chosen}
    rows = of_world(world, sites, start_s, 60 * minutes) + of_noise(sites, start_s, 60 * minutes)
    events = [event for *_, event in rows if event >= 0]
    speed = PICKS_A_SECOND / (len(rows) / 60 / minutes)
    told = hastened(told_of(rows, sites, start_s + 60 * minutes + 120), speed)
    stations, earth = stations_of(sites), earth_of(world.scenario.earth)
    live(told[:COMPILED], stations, earth)  # loops are compiled before anything is timed
    run = live(told, stations, earth, spent=spent)
    load = run.loads["association"]
    at_once = live(hastened(told, AT_ONCE), stations, earth, spent=spent, most=MOST)
    assert last_states(at_once) == last_states(run), "what was found depends on how fast it came"
    quarter = len(load.lags_ns) // 4
    return [
        Bar("minutes", minutes),
        Bar("picks a second, in event time", len(rows) / 60 / minutes),
        Bar("times as fast as real time, sent", speed),
        least("events with eight picks, an hour", float((np.bincount(events) >= HEARD).sum()) * 60 / minutes, 300),
        Bar("events found, an hour", len(lives_of(run.events).standing) * 60 / minutes),
        Bar("times as fast as real time, as they come", 60 * minutes / spent_s(run)),
        least("times as fast as real time, when all have come", 60 * minutes / spent_s(at_once), 100),
        Bar("association, lag, p99, s", float(np.quantile(load.lags_ns, 0.99)) / NS_PER_S, 1.0),
        Bar("association, lag, median of the first quarter, s", median_s(load.lags_ns[:quarter])),
        Bar("association, lag, median of the last quarter, s", median_s(load.lags_ns[-quarter:])),
        Bar("association, longest turn, s", load.longest_ns / NS_PER_S),
        *bars_of_loads(run.loads),
    ]


def spent_s(run: Run) -> float:
    return sum(each.spent_ns for each in run.loads.values()) / NS_PER_S


def last_states(run: Run) -> list[list[str]]:
    """The picks of each event that stands."""
    last = {each.event_id: each for _, each in run.associations}
    return sorted(sorted(one.pick.id for one in each.picks) for each in last.values() if each.status not in GONE)


def hastened(told: Sequence[Timed], speed: float) -> list[Timed]:
    """As they would come if all went so much faster."""
    first_ns = told[0][0]
    return [(first_ns + round((at_ns - first_ns) / speed), each) for at_ns, each in told]


def median_s(lags_ns: Sequence[int]) -> float:
    return float(np.median(lags_ns)) / NS_PER_S if lags_ns else float("nan")


def kumamoto_records() -> list[Bar]:
    """How fast its records are picked."""
    world = open_world("kumamoto")
    strongest = int(np.argmax(world.catalogue.mw))
    place = float(world.catalogue.latitude_deg[strongest]), float(world.catalogue.longitude_deg[strongest])
    world = replace(world, stations=nearest(world, *place, STATIONS))
    start = (int(world.catalogue.time_ns[strongest]) // NS_PER_S // 60) * 60 + RECORDS_AFTER_S
    load = Load()
    told = picked(Cut(world, world.stations, start, RECORDS_S), load)
    spent_s = load.spent_ns / NS_PER_S
    return [
        Bar("seconds", RECORDS_S),
        Bar("messages", len(told)),
        Bar("triggering, processor, s", spent_s),
        least("times as fast as real time, on one core", RECORDS_S / spent_s, 10),
    ]
