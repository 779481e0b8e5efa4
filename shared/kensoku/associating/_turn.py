"""Networks about a pole, as if they stood about the equator: there a degree to the east is as long everywhere."""

from dataclasses import dataclass

import numpy as np

from kensoku.associating._arrays import Floats
from kensoku.locating import degrees, frames_at, unit_vectors

FLAT_TO_DEG = 75.0  # there 250 km of a flat map are wrong by 0.3 km at the most; by 3 at 85 degrees, 190 at 88


@dataclass(frozen=True)
class Turn:
    """Of the Earth about its middle, from where places are to where they are reckoned with."""

    matrix: Floats | None = None  # None: it stays as it is

    def there(self, latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
        if self.matrix is None:
            return latitude_deg, longitude_deg
        return degrees(self.matrix @ unit_vectors(latitude_deg, longitude_deg))

    def back(self, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
        if self.matrix is None:
            return latitude_deg, longitude_deg
        latitude, longitude = degrees(self.matrix.T @ unit_vectors(latitude_deg, longitude_deg))
        return float(latitude), float(longitude)


def turn_of(latitude_deg: Floats, longitude_deg: Floats) -> Turn:
    """That which brings the middle of the stations to 0, 0 where some stand beyond 75 degrees. Of stations around the
    whole Earth some are about a pole however it is turned."""
    farthest_deg = np.abs(latitude_deg).max()
    if farthest_deg <= FLAT_TO_DEG:
        return Turn()
    frame = frames_at(unit_vectors(latitude_deg, longitude_deg).sum(axis=1))
    turn = Turn(np.stack([frame.centre, frame.east, frame.north]))
    return turn if np.abs(turn.there(latitude_deg, longitude_deg)[0]).max() < farthest_deg else Turn()
