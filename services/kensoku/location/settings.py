"""What may be set about location: KENSOKU_LOCATION_*, each also an option of the program."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from kensoku.locating import LocationSettings, load_time_corrections
from kensoku.magnitudes import DEFAULT_FORMULAS, Rules, TypeSettings, load_corrections, load_formula, load_quarries
from kensoku.settings import ServiceSettings
from kensoku.solving import Context
from kensoku.traveltime import Wave, build_table, grid_for, load_model

WAVES: tuple[Wave, Wave] = ("P", "S")
DEFAULTS = LocationSettings()


class LocationServiceSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "location_"

    location_velocity_model: Annotated[
        str, Field(min_length=1, description="name of a preset or a file: TOML, VELEST or NonLinLoc layers")
    ] = "iasp91"
    location_deepest_km: Annotated[float, Field(ge=1, le=700, description="depth of the deepest earthquakes")] = (
        DEFAULTS.deepest_km
    )
    location_model_error: Annotated[
        float, Field(ge=0, lt=0.5, description="of travel times, as a share, one standard deviation")
    ] = DEFAULTS.model_error
    location_corrections: Annotated[
        Path | None, Field(description="csv of station corrections of travel times, by `kensoku corrections learn`")
    ] = None
    location_formulas: Annotated[
        str, Field(description="magnitude formulas, names or TOML files, separated by commas")
    ] = ",".join(DEFAULT_FORMULAS)
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
        float, Field(ge=0, le=25, description="after the last revision, while a final event may still be revised")
    ] = 7.0
    location_batch: Annotated[int, Field(gt=0, le=500, description="associations that are solved together at most")] = (
        64
    )
    location_events: Annotated[int, Field(ge=1000, description="events that are remembered at the most")] = 10_000


def context_of(settings: LocationServiceSettings, software_version: str) -> Context:
    """All that is read from files; stations come later."""
    model = load_model(settings.location_velocity_model)
    grid = grid_for(settings.location_deepest_km)
    cache = settings.home / "traveltime"
    return Context(
        model=model,
        tables={wave: build_table(model, wave, grid, cache) for wave in WAVES},
        stations={},
        location=LocationSettings(
            deepest_km=settings.location_deepest_km,
            model_error=settings.location_model_error,
            assumed_depth_km=min(DEFAULTS.assumed_depth_km, settings.location_deepest_km),
        ),
        corrections=load_time_corrections(settings.location_corrections) if settings.location_corrections else {},
        rules=_rules(settings),
        acceptable_km=settings.location_acceptable_km,
        backfill_days=settings.location_backfill_days,
        software_version=software_version,
        association_method="kensoku.associating",
    )


def _rules(settings: LocationServiceSettings) -> Rules:
    corrections, quarries = settings.location_magnitude_corrections, settings.location_quarries
    return Rules(
        formulas=tuple(load_formula(name.strip()) for name in settings.location_formulas.split(",") if name.strip()),
        corrections=load_corrections(corrections) if corrections else {},
        quarries=tuple(load_quarries(quarries)) if quarries else (),
        types=TypeSettings(utc_offset_h=settings.location_utc_offset_h),
    )
