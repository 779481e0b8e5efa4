"""What may be set about the whole system at once, and what its demonstration replays."""

import argparse
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.models import default_repository
from kensoku.settings import ServiceSettings, load_settings, overrides

DEMO = {  # a minute before an M5.8 beneath six stations, for ever
    "acquisition_source": "sim://aftershocks",
    "acquisition_stations": "XA.0[1-6]",
    "acquisition_start": "2024-06-03T06:14:00Z",
    "acquisition_times": "now",
    "acquisition_loop": True,
    "acquisition_resume": False,
}


class RunSettings(ServiceSettings):
    acquisition_source: Annotated[str | None, Field(description="waveforms to replay; see `--help` of acquisition")] = (
        None
    )
    model_repository: Annotated[Path, Field(description="folder with a folder a model")] = Field(
        default_factory=default_repository
    )
    models_wait_s: Annotated[
        float, Field(gt=0, description="how long models may not answer before the system ends")
    ] = 60.0
    triton_port: Annotated[int, Field(ge=0, le=65535, description="gRPC port of the embedded Triton, 0: any")] = 8001
    triton_metrics_port: Annotated[int, Field(ge=0, le=65535, description="port of its metrics, 0: any")] = 8002


class ReplaySettings(AcquisitionSettings):
    """Those of acquisition, to be right also where nothing is replayed."""

    acquisition_source: str = ""


def acquisition_settings(options: argparse.Namespace, settings: RunSettings) -> AcquisitionSettings | None:
    """What to replay; None when there is nothing."""
    given = overrides(options, AcquisitionSettings)
    if options.demo:
        given |= DEMO
    elif settings.acquisition_source is None:
        return None
    return load_settings(AcquisitionSettings, given)
