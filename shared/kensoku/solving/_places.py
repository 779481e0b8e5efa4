"""Where the picks of many candidates come from: together as far as their stations stood where they stand."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from kensoku.errors import LocationError
from kensoku.locating import Location, Site, arrivals_of, instrument_code, locate_many_in_grids, sites_of
from kensoku.solving._context import Context
from kensoku.v1.association_pb2 import Association

Sites = Mapping[str, Site]


@dataclass(frozen=True, slots=True)
class Placed:
    """What location says of one candidate."""

    answer: Location | LocationError
    sites: Sites  # by NET.STA.LOC.HH
    reference_ns: int

    @property
    def elevations_km(self) -> dict[str, float]:
        """By NET.STA."""
        return {".".join(code.split(".")[:2]): site.elevation_km for code, site in self.sites.items()}


def reference_of(association: Association) -> int:
    return min(associated.pick.onset_ns for associated in association.picks)


def place(associations: Sequence[Association], context: Context) -> list[Placed]:
    references = [reference_of(association) for association in associations]
    sites = [
        sites_of([each.pick.instrument for each in association.picks], context.stations, at_ns, context.corrections)
        for association, at_ns in zip(associations, references, strict=True)
    ]
    answers: dict[int, Location | LocationError] = {}
    for group in _groups(associations, sites):
        arrivals = [arrivals_of(associations[number].picks, references[number]) for number in group.numbers]
        found = locate_many_in_grids(arrivals, group.sites, context.tables, context.grids, context.location)
        answers.update(zip(group.numbers, found, strict=True))
    return [Placed(answers[number], sites[number], references[number]) for number in range(len(associations))]


@dataclass(frozen=True, slots=True)
class _Group:
    """Candidates that agree about every station."""

    numbers: list[int] = field(default_factory=list)
    sites: dict[str, Site] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def suits(self, own: Sites, unknown: Set[str]) -> bool:
        agrees = all(self.sites.get(code, site) == site for code, site in own.items())
        return agrees and not (unknown & self.sites.keys() or own.keys() & self.unknown)

    def add(self, number: int, own: Sites, unknown: Set[str]) -> None:
        self.numbers.append(number)
        self.sites.update(own)
        self.unknown.update(unknown)


def _groups(associations: Sequence[Association], sites: Sequence[Sites]) -> list[_Group]:
    """A station that has moved, or that the inventory did not know yet, parts those before from those after."""
    groups: list[_Group] = []
    for number, (association, own) in enumerate(zip(associations, sites, strict=True)):
        unknown = {instrument_code(each.pick.instrument) for each in association.picks} - own.keys()
        group = next((group for group in groups if group.suits(own, unknown)), None)
        if group is None:
            groups.append(group := _Group())
        group.add(number, own, unknown)
    return groups
