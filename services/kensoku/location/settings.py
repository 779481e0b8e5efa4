"""What may be set about location: KENSOKU_LOCATION_*, each also an option of the program."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from kensoku.settings import ServiceSettings


class LocationServiceSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "location_"

    location_velocity_model: Annotated[
        str, Field(min_length=1, description="name of a preset or a file: TOML, VELEST or NonLinLoc layers")
    ] = "iasp91"
    location_deepest_km: Annotated[float, Field(ge=1, le=700, description="depth of the deepest earthquakes")] = 60.0
    location_model_error: Annotated[
        float, Field(ge=0, lt=0.5, description="of travel times, as a share, one standard deviation")
    ] = 0.02
    location_corrections: Annotated[
        Path | None, Field(description="csv of station corrections of travel times, by `kensoku corrections learn`")
    ] = None
    location_time_grids: Annotated[
        Path | None,
        Field(description="folder of NonLinLoc's 3-D grids; layers where there are none"),
    ] = None
    location_formulas: Annotated[
        str, Field(description="magnitude formulas, names or TOML files, separated by commas")
    ] = "iaspei-2013,watanabe-1971,simulated-pv,kuyuk-allen-2013,wu-kanamori-2005"
    location_magnitude_corrections: Annotated[
        Path | None, Field(description="csv of station corrections of magnitudes")
    ] = None
    location_quarries: Annotated[Path | None, Field(description="GeoJSON of known quarries")] = None
    location_utc_offset_h: Annotated[
        float | None, Field(ge=-14, le=14, description="of the local time, for working hours; default: the sun's")
    ] = None
    location_acceptable_km: Annotated[
        float, Field(gt=0, description="horizontal uncertainty up to which a first solution is published")
    ] = 50.0
    location_backfill_days: Annotated[
        float, Field(ge=0, le=25, description="after FINAL, while an event may still be revised")
    ] = 7.0
    location_batch: Annotated[int, Field(gt=0, le=500, description="associations that are solved together at most")] = (
        64
    )
    location_events: Annotated[int, Field(ge=1000, description="events that are remembered at the most")] = 10_000
