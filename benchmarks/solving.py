"""How long it takes to turn a state of a candidate into an event, and what of that is location and what magnitudes.

`python -m benchmarks.solving [--json]`: a swarm with an event each 12 s, eight stations with P and S and their
amplitudes. Processor time, with a table's lookups beside it: the machine may be busy.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.report import Figures, main
from kensoku.locating import arrivals_of, locate_many, sites_of
from kensoku.magnitudes import judge
from kensoku.solving import Book, solve_many
from kensoku.v1.association_pb2 import Association
from tests.associations import STATIONS, T0_NS, S, make_association, make_context, make_picks

EVENTS, ALONE, REPEATS = 256, 32, 3


def swarm(chance: np.random.Generator) -> list[Association]:
    states = []
    for number in range(EVENTS):
        north_km, east_km = chance.uniform(-20, 20, 2)
        picks = make_picks(source=(north_km, east_km, chance.uniform(4, 15)), at_ns=T0_NS + number * 12 * S, nm=5000.0)
        states.append(make_association(picks, event_id=f"e{number}"))
    return states


def least_s(work: Callable[[], object]) -> float:
    found = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def locate_all(states: Sequence[Association]) -> None:
    context = make_context()
    sites = sites_of([each.pick.instrument for each in states[0].picks], STATIONS, T0_NS)
    locate_many([arrivals_of(each.picks, T0_NS) for each in states], sites, context.tables, context.location)


def measure() -> Figures:
    states, context = swarm(np.random.default_rng(5)), make_context()
    book = Book()
    events = [each.event for each in solve_many(states, context, book)]
    solved = [(event, state) for event, state in zip(events, states, strict=True) if event is not None]

    def judge_all() -> None:
        for event, state in solved:
            judge(event.origin, event.arrivals, state.picks, context.rules, others_ns=book.others_ns(state))

    distance = np.linspace(0, 150, 100_000)
    together = least_s(lambda: solve_many(states, context, Book()))
    alone = least_s(lambda: [solve_many([state], context, Book()) for state in states[:ALONE]])
    return {
        "events_of_states": len(solved) / EVENTS,
        "ms_together": 1000 * together / EVENTS,
        "ms_alone": 1000 * alone / ALONE,
        "ms_of_location_together": 1000 * least_s(lambda: locate_all(states)) / EVENTS,
        "ms_of_magnitudes_and_type": 1000 * least_s(judge_all) / len(solved),
        "lookups_per_s": distance.size / least_s(lambda: context.tables["P"].lookup(distance, 10.0)),
    }


if __name__ == "__main__":
    main("Solving: from the state of a candidate to a revision of its event", measure)
