"""What a number of a scenario may be; the scenario's reader holds every field to it."""

from typing import Annotated

from pydantic import Field

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0, le=100_000)]
PerDay = Annotated[float, Field(gt=0, le=1e6)]
LengthKm = Annotated[float, Field(gt=0, le=1000)]
Share = Annotated[float, Field(ge=0, le=1)]
LatitudeDeg = Annotated[float, Field(ge=-90, le=90)]
LongitudeDeg = Annotated[float, Field(ge=-180, le=180)]
StrikeDeg = Annotated[float, Field(ge=0, le=360)]
DipDeg = Annotated[float, Field(gt=0, le=90)]
RakeDeg = Annotated[float, Field(ge=-180, le=180)]
DepthKm = Annotated[float, Field(ge=0, le=700)]
Magnitude = Annotated[float, Field(ge=-3, le=9)]
UtcOffsetH = Annotated[float, Field(ge=-12, le=14)]
StartH = Annotated[float, Field(ge=-1e5, le=1e5)]  # after the start of the scenario; before it, if negative
Name = Annotated[str, Field(min_length=1)]
Place = tuple[LatitudeDeg, LongitudeDeg]
