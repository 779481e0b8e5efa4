"""What stays the same from event to event: the earth, the stations, and the rules of a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kensoku.errors import SettingInvalid
from kensoku.locating import LocationSettings
from kensoku.magnitudes import Rules
from kensoku.solving._changes import ChangeSettings
from kensoku.traveltime import EarthModel, Grids, TravelTimeTable, Wave
from kensoku.v1.inventory_pb2 import Station

METHOD = "kensoku.locating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    model: EarthModel
    tables: Mapping[Wave, TravelTimeTable]
    stations: Mapping[str, Station]  # by "NET.STA"; may change from one call to the next
    location: LocationSettings = field(default_factory=LocationSettings)
    corrections: Mapping[tuple[str, str], float] = field(default_factory=dict)  # ("NET.STA", "P" or "S"): seconds
    grids: Grids = field(default_factory=dict)  # by "NET.STA"; elsewhere the times of the layers serve
    grids_sha256: str = ""  # of all that there are, whether stations have them or not
    rules: Rules = field(default_factory=Rules)
    changes: ChangeSettings = field(default_factory=ChangeSettings)
    acceptable_km: float = 50.0  # horizontal uncertainty of a first solution; a final one may be worse
    backfill_days: float = 7.0  # after the first FINAL revision
    software_version: str = ""
    association_method: str = ""

    def __post_init__(self) -> None:
        if missing := [wave for wave in ("P", "S") if wave not in self.tables]:
            raise SettingInvalid(f"found no table of travel times of {', '.join(missing)}, expected those of P and S")
        if not (self.acceptable_km > 0 and self.backfill_days >= 0):
            found = f"acceptable_km {self.acceptable_km:g} and backfill_days {self.backfill_days:g}"
            raise SettingInvalid(f"found {found}, expected more than 0 km and 0 days or more")
