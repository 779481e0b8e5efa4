"""What may be set about association: KENSOKU_ASSOCIATION_*, each also an option of the program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from kensoku.settings import ServiceSettings

if TYPE_CHECKING:  # it takes long to import, and who lists the options needs none of it
    from kensoku.associating import AssociationSettings, WatchSettings


class AssociationServiceSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "association_"

    location_velocity_model: Annotated[
        str, Field(min_length=1, description="name of a preset or a file, the same as location's")
    ] = "iasp91"
    location_deepest_km: Annotated[
        float, Field(ge=1, le=700, description="depth of the deepest earthquakes, the same as location's")
    ] = 60.0
    location_corrections: Annotated[
        Path | None, Field(description="csv of station corrections of travel times, the same as location's")
    ] = None
    association_least_picks: Annotated[int, Field(ge=4, description="of an event")] = 5
    association_least_stations: Annotated[int, Field(ge=3, description="of an event")] = 3
    association_early_log_odds: Annotated[
        float, Field(description="of a first declaration with four P, while more picks may come")
    ] = 8.0
    association_sure_log_odds: Annotated[float, Field(description="of a first declaration with fewer P")] = 16.0
    association_lateness_s: Annotated[
        float, Field(gt=0, description="of a station: nobody waits longer for what it has not picked, s")
    ] = 70.0
    association_events: Annotated[int, Field(ge=1000, description="final events that are remembered at the most")] = (
        20_000
    )
    association_batch: Annotated[int, Field(gt=0, description="messages that are looked at together at the most")] = (
        2000
    )
    association_recall_days: Annotated[
        float, Field(gt=0, le=30, description="of its own output, how much a restart reads")
    ] = 8.0

    @property
    def engine(self) -> "AssociationSettings":
        from kensoku.associating import AssociationSettings

        return AssociationSettings(
            deepest_km=self.location_deepest_km,
            least_picks=self.association_least_picks,
            least_stations=self.association_least_stations,
        )

    @property
    def watch(self) -> "WatchSettings":
        from kensoku.associating import WatchSettings

        return WatchSettings(
            early_log_odds=self.association_early_log_odds,
            sure_log_odds=self.association_sure_log_odds,
            lateness_s=self.association_lateness_s,
            kept_events=self.association_events,
        )
