"""Which sensor a channel belongs to, and which way it points."""

from functools import lru_cache
from typing import NamedTuple

from kensoku.v1 import pick_pb2

COMPONENTS = {"Z": 0, "N": 1, "E": 2, "1": 1, "2": 2, "3": 0}  # in the order that models take; 3 is a third axis, up
SEISMOMETERS = frozenset("HLGNP")  # second letter of a code: high and low gain, gravimeter, accelerometer, geophone


class Instrument(NamedTuple):
    """A sensor: co-located ones are never mixed."""

    network: str
    station: str
    location: str
    band_instrument: str  # first two letters of the codes of its channels: HH

    @property
    def code(self) -> str:
        return ".".join(self)

    @property
    def key(self) -> str:
        """NET.STA, by which messages are sent."""
        return f"{self.network}.{self.station}"

    @classmethod
    def of(cls, message: pick_pb2.Instrument) -> "Instrument":
        return cls(message.network, message.station, message.location, message.band_instrument)

    def to_message(self) -> pick_pb2.Instrument:
        return pick_pb2.Instrument(**self._asdict())


@lru_cache(maxsize=100_000)
def instrument_of(network: str, station: str, location: str, code: str) -> tuple[Instrument, int] | None:
    """The sensor and the number of the component (Z N E); None for a channel that shows no motion of the ground."""
    component = COMPONENTS.get(code[2:])
    if component is None or code[1] not in SEISMOMETERS:
        return None
    return Instrument(network, station, location, code[:2]), component
