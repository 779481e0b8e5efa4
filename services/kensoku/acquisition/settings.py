"""What may be set about acquisition: KENSOKU_ACQUISITION_*, each also an option of the program."""

import math
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from kensoku.settings import ServiceSettings


def _speed(value: object) -> object:
    return math.inf if value == "max" else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


class AcquisitionSettings(ServiceSettings):
    flag_prefix: ClassVar[str] = "acquisition_"

    acquisition_source: Annotated[
        str,
        BeforeValidator(_text),
        Field(min_length=1, description="a waveform file, a folder of them, an SDS archive, or sim://SCENARIO"),
    ]
    acquisition_speed: Annotated[
        float, Field(gt=0, allow_inf_nan=True, description="times real time, or max"), BeforeValidator(_speed)
    ] = 1.0
    acquisition_packet_s: Annotated[
        int, Field(ge=0, le=60, description="seconds of a station in one packet; 0: 1, or 5 when faster than 5 times")
    ] = 0
    acquisition_times: Annotated[
        Literal["original", "now"], Field(description="as recorded, or shifted so that the first sample is now")
    ] = "original"
    acquisition_loop: Annotated[bool, Field(description="begin again at the end")] = False
    acquisition_start: Annotated[
        AwareDatetime | None, Field(description="leave out what is earlier, e.g. 2019-07-04T15:50:00Z")
    ] = None
    acquisition_end: Annotated[AwareDatetime | None, Field(description="leave out this moment and what is later")] = (
        None
    )
    acquisition_stations: Annotated[str, Field(description="patterns of NET.STA, separated by commas")] = "*"
    acquisition_resume: Annotated[bool, Field(description="go on where the last replay of this source was stopped")] = (
        True
    )
    acquisition_max_unflushed: Annotated[int, Field(gt=0, description="packets on their way to the bus at a time")] = (
        5000
    )
    acquisition_max_rejects: Annotated[
        int, Field(gt=0, description="unusable records of one file before the rest of it is left out")
    ] = 100

    @property
    def packet_s(self) -> int:
        """Nobody waits for each second of a fast replay, and a packet of five costs little more than one of one."""
        return self.acquisition_packet_s or (1 if self.acquisition_speed <= 5 else 5)
