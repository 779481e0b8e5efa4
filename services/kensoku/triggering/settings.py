"""What may be set about triggering: KENSOKU_TRIGGERING_*, each also an option of the program."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from kensoku.models import default_repository
from kensoku.settings import MODELS, ServiceSettings


class TriggeringSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "triggering_"

    @property
    def models_url(self) -> str:
        """Where models are asked; on its own this service starts no server."""
        return f"local:{self.model_repository}" if self.models in ("local", "triton") else self.models

    models: Annotated[
        str,
        Field(
            pattern=MODELS,
            description="triton://host:port[,host:port]; triton and local are the same here: in this process",
        ),
    ] = "triton"
    model_repository: Annotated[Path, Field(description="folder with a folder a model, for their cards")] = Field(
        default_factory=default_repository
    )
    models_wait_s: Annotated[
        float, Field(gt=0, description="how long models may not answer before the service ends")
    ] = 60.0
    triggering_model: Annotated[str, Field(min_length=1, description="the live picker, which decides")] = "picker_live"
    triggering_first: Annotated[
        str, Field(description="the small model that looks at every second first; '' for none")
    ] = "picker_first"
    triggering_classic: Annotated[
        str, Field(description="stations that a classic picker listens to: patterns of NET.STA, separated by commas")
    ] = ""
    triggering_denoiser: Annotated[
        str, Field(description="the model that judges picks of the classic picker; '' for none")
    ] = "denoiser"
    triggering_second: Annotated[
        str, Field(description="the picker that hears half a minute after each pick; '' for none")
    ] = "picker"
    triggering_blast: Annotated[
        str, Field(description="the model that tells blasts by half a minute around P; '' for none")
    ] = "blast_long"
    triggering_hold_s: Annotated[
        float, Field(ge=0, le=60, description="how long the other channels of a second are waited for")
    ] = 3.0
    triggering_lateness_s: Annotated[
        float, Field(gt=0, le=600, description="later samples are left to those who fill in")
    ] = 60.0
    triggering_future_s: Annotated[
        float, Field(gt=0, description="samples so much later than their arrival are left out")
    ] = 60.0
    triggering_backfill: Annotated[
        bool, Field(description="look at what came later than the lateness, as a program of its own")
    ] = False
    triggering_postpone_after_s: Annotated[
        float, Field(ge=0, description="from so much lag on, seconds that promise little are decided later; 0: never")
    ] = 60.0
    triggering_postponed_below: Annotated[
        float, Field(ge=0, le=1, description="what such seconds promise at most: a probability of the first stage")
    ] = 0.3
    triggering_errors_a_minute: Annotated[
        int, Field(gt=0, description="unusable packets of a station, after which they are counted but no longer kept")
    ] = 60
    triggering_picks_a_minute: Annotated[
        int, Field(gt=0, description="picks of an instrument, after which more are rejected")
    ] = 60
    triggering_batch: Annotated[int, Field(gt=0, description="packets that are looked at together at the most")] = 4000
    triggering_recall_s: Annotated[
        float, Field(gt=0, description="of its own output, how much a restart reads; more where that is not enough")
    ] = 300.0
