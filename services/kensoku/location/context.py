"""What location needs besides stations, from the files that its settings name."""

from kensoku.locating import LocationSettings, load_time_corrections
from kensoku.location.settings import LocationServiceSettings
from kensoku.magnitudes import Rules, TypeSettings, load_corrections, load_formula, load_quarries
from kensoku.solving import Context
from kensoku.traveltime import Grids, Wave, build_table, digest_of, grid_for, load_model

WAVES: tuple[Wave, Wave] = ("P", "S")
DEFAULTS = LocationSettings()


def context_of(settings: LocationServiceSettings, software_version: str, grids: Grids) -> Context:
    """All that is read from files; stations come later, and which of them the grids are of."""
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
        grids_sha256=digest_of(grids),
        rules=rules_of(settings),
        acceptable_km=settings.location_acceptable_km,
        backfill_days=settings.location_backfill_days,
        software_version=software_version,
        association_method="kensoku.associating",
    )


def rules_of(settings: LocationServiceSettings) -> Rules:
    """How events are sized and told from each other, live and in batch."""
    corrections, quarries = settings.location_magnitude_corrections, settings.location_quarries
    return Rules(
        formulas=tuple(load_formula(name.strip()) for name in settings.location_formulas.split(",") if name.strip()),
        corrections=load_corrections(corrections) if corrections else {},
        quarries=tuple(load_quarries(quarries)) if quarries else (),
        types=TypeSettings(utc_offset_h=settings.location_utc_offset_h),
    )
