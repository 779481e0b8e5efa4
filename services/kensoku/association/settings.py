"""What may be set about association: KENSOKU_ASSOCIATION_*, each also an option of the program."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from kensoku.settings import ServiceSettings

if TYPE_CHECKING:  # it takes long to import, and who lists the options needs none of it
    from kensoku.associating import AssociationSettings, WatchSettings


def _engine() -> "AssociationSettings":
    from kensoku.associating import AssociationSettings

    return AssociationSettings()


def _watch() -> "WatchSettings":
    from kensoku.associating import WatchSettings

    return WatchSettings()


class AssociationServiceSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "association_"

    location_velocity_model: Annotated[
        str, Field(min_length=1, description="name of a preset or a file, the same as location's")
    ] = "iasp91"
    location_deepest_km: Annotated[
        float, Field(ge=1, le=700, description="depth of the deepest earthquakes, the same as location's")
    ] = Field(default_factory=lambda: _engine().deepest_km)
    location_corrections: Annotated[
        Path | None, Field(description="csv of station corrections of travel times, the same as location's")
    ] = None
    association_least_picks: Annotated[int, Field(ge=4, description="of an event")] = Field(
        default_factory=lambda: _engine().least_picks
    )
    association_least_stations: Annotated[int, Field(ge=3, description="of an event")] = Field(
        default_factory=lambda: _engine().least_stations
    )
    association_early_log_odds: Annotated[
        float, Field(description="of a first declaration with four P, while more picks may come")
    ] = Field(default_factory=lambda: _watch().early_log_odds)
    association_sure_log_odds: Annotated[float, Field(description="of a first declaration with fewer P")] = Field(
        default_factory=lambda: _watch().sure_log_odds
    )
    association_lateness_s: Annotated[
        float, Field(gt=0, description="of a station: nobody waits longer for what it has not picked")
    ] = Field(default_factory=lambda: _watch().lateness_s)
    association_events: Annotated[int, Field(ge=1000, description="final events that are remembered at the most")] = (
        Field(default_factory=lambda: _watch().kept_events)
    )
    association_batch: Annotated[int, Field(gt=0, description="messages that are looked at together at the most")] = (
        2000
    )
    association_recall_days: Annotated[
        float, Field(gt=0, le=30, description="of its own output, how much a restart reads")
    ] = 8.0

    @property
    def engine(self) -> "AssociationSettings":
        return replace(
            _engine(),
            deepest_km=self.location_deepest_km,
            least_picks=self.association_least_picks,
            least_stations=self.association_least_stations,
        )

    @property
    def watch(self) -> "WatchSettings":
        return replace(
            _watch(),
            early_log_odds=self.association_early_log_odds,
            sure_log_odds=self.association_sure_log_odds,
            lateness_s=self.association_lateness_s,
            kept_events=self.association_events,
        )
