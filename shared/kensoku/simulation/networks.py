"""The stations of a simulated network, read from a file or laid out over a region, and the ground they stand on."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from kensoku.errors import InputInvalid
from kensoku.inventory import read_inventory
from kensoku.simulation.geography import KM_PER_DEG, Outline, is_inside, move
from kensoku.simulation.instruments import SENSORS
from kensoku.simulation.quantities import LatitudeDeg, LengthKm, LongitudeDeg, Name, NotNegative, Place, Positive, Share
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.v1.inventory_pb2 import ChannelEpoch
from kensoku.v1.inventory_pb2 import Station as InventoryStation


def _known_sensor(name: str) -> str:
    if name not in SENSORS:
        near = difflib.get_close_matches(name, SENSORS, 1)
        raise ValueError(f"one of {', '.join(SENSORS)}" + (f"; did you mean {near[0]}?" if near else ""))
    return name


SIMULATED_HZ = (50, 100, 200, 250)
GroundClass = Literal["rock", "stiff", "soft", "basin"]
RateHz = Literal[50, 100, 200, 250]
Components = Literal[1, 3]
SensorName = Annotated[str, AfterValidator(_known_sensor)]


@dataclass(frozen=True, slots=True)
class SiteResponse:
    """What the last hundred metres do to waves."""

    ground: GroundClass
    kappa_s_s: float  # of S, seconds
    kappa_p_s: float
    amplification: float  # of the horizontals over hard rock, about 1 Hz and above
    resonance_hz: float
    resonance: float  # the peak over `amplification`; on the horizontals, so it is H/V too
    vs_m_s: float  # above a borehole's sensor
    sediment_sp_s: float  # how much longer S takes through the sediment than P: the lead of Sp over S


@dataclass(frozen=True, slots=True)
class Station:
    network: str
    code: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    borehole_m: float  # depth of the sensor, 0: at the surface
    sensor: str
    rate_hz: int
    components: int
    site: SiteResponse

    @property
    def name(self) -> str:
        return f"{self.network}.{self.code}"


# --- ground -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ground:
    """Medians of a class; about NEHRP's B, C, D and E."""

    kappa_s: float
    amplification: float
    resonance_hz: float
    resonance: float
    vs_m_s: float  # of the layer that resonates


# Kappa: Ktenidou et al. (2014); amplification over 760 m/s rock and resonance: Boore & Joyner (1997), Nakamura (1989).
_GROUNDS: Mapping[GroundClass, _Ground] = {
    "rock": _Ground(0.020, 1.0, 10.0, 1.2, 1200),
    "stiff": _Ground(0.032, 1.6, 5.0, 1.8, 500),
    "soft": _Ground(0.045, 2.3, 2.0, 2.8, 250),
    "basin": _Ground(0.055, 2.8, 0.4, 3.2, 450),
}
GROUND_CLASSES: tuple[GroundClass, ...] = ("rock", "stiff", "soft", "basin")
VP_OVER_VS = 2.5  # of young sediments
BOREHOLE_KAPPA = 0.5  # what is left of kappa below the soil


def draw_site_response(ground: GroundClass, borehole_m: float, chance: np.random.Generator) -> SiteResponse:
    """A station of this class: log-normal about the class's medians."""
    median = _GROUNDS[ground]
    kappa, kappa_ratio, amplification, resonance_hz, resonance = np.exp(
        np.array([0.3, 0.2, 0.25, 0.4, 0.2]) * np.clip(chance.standard_normal(5), -2.5, 2.5)
    )
    quarter_wave_s = 1 / (4 * median.resonance_hz * resonance_hz)  # of S through the layer
    below = borehole_m > 0
    return SiteResponse(
        ground,
        kappa_s_s=float(median.kappa_s * kappa * (BOREHOLE_KAPPA if below else 1)),
        kappa_p_s=float(median.kappa_s * kappa * kappa_ratio * 0.6 * (BOREHOLE_KAPPA if below else 1)),
        amplification=1.0 if below else float(median.amplification * amplification),
        resonance_hz=float(median.resonance_hz * resonance_hz),
        resonance=1.0 if below else float(max(1.0, median.resonance * resonance)),
        vs_m_s=median.vs_m_s,
        sediment_sp_s=float(quarter_wave_s * (1 - 1 / VP_OVER_VS)),
    )


# --- networks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What stations are made of; each draws one of the possibilities."""

    sensors: Annotated[tuple[SensorName, ...], Field(min_length=1)] = ("geophone-1hz",)
    rates_hz: Annotated[tuple[RateHz, ...], Field(min_length=1)] = (100,)
    components: Annotated[tuple[Components, ...], Field(min_length=1)] = (3,)
    grounds: Annotated[tuple[GroundClass, ...], Field(min_length=1)] = GROUND_CLASSES
    borehole_share: Share = 0.0
    borehole_m: Positive = 100.0

    def equip(self, network: str, code: str, place: Place, seed: int, known: ChannelEpoch, count: int = 0) -> Station:
        """A station at a place; what is `known` of it, and its `count` of components, is not drawn."""
        chance = draw(seed, f"{network}.{code}", "station", 0)
        borehole_m = float(self.borehole_m if chance.random() < self.borehole_share else 0) or known.burial_depth_m
        sensor = self.sensors[chance.integers(len(self.sensors))]
        rate_hz = self.rates_hz[chance.integers(len(self.rates_hz))]
        components = self.components[chance.integers(len(self.components))]
        ground = self.grounds[chance.integers(len(self.grounds))]
        return Station(
            network,
            code,
            *place,
            elevation_m=known.elevation_m,
            borehole_m=borehole_m,
            sensor=known.sensor if known.sensor in SENSORS else _SENSOR_BY_CODE.get(known.code[:2], sensor),
            rate_hz=round(known.rate_hz) or rate_hz,
            components=count or components,
            site=draw_site_response(ground, borehole_m, chance),
        )


_SENSOR_BY_CODE = {"HH": "broadband-120s", "BH": "broadband-120s", "HN": "accelerometer", "EH": "geophone-1hz"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """So many stations about a place, on triangles that are a little out of true."""

    kind: Literal["layout"] = "layout"
    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,2}$")]
    count: Annotated[int, Field(gt=0, le=10_000)]
    spacing_km: LengthKm
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    outline: Outline = ()  # no station outside
    jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.2  # of the spacing
    prefix: Annotated[str, Field(pattern=r"^[A-Z0-9]{0,4}$")] = ""
    highest_m: NotNegative = 1000.0
    equipment: Equipment = Equipment()

    def __post_init__(self) -> None:
        if len(self.prefix) + len(str(self.count)) > 5:
            raise ValueError(f"prefix {self.prefix!r} and {self.count} stations; expected codes of at most 5 letters")
        if self.outline and (found := len(self._grid()[0])) < self.count:
            raise ValueError(f"an outline that holds {found} stations; expected {self.count}, or a smaller spacing")

    def names(self) -> list[str]:
        digits = len(str(self.count))
        return [f"{self.code}.{self.prefix}{number:0{digits}}" for number in range(1, self.count + 1)]

    def stations(self, seed: int) -> list[Station]:
        chance = draw(seed, self.code, f"layout {self.prefix}", 0)
        away_km = self.jitter * self.spacing_km * np.sqrt(chance.random(self.count))
        azimuth = chance.uniform(0, 2 * np.pi, self.count)
        places = move(*self._grid(), away_km * np.cos(azimuth), away_km * np.sin(azimuth))
        heights_m = np.round(self.highest_m * chance.beta(1, 4, self.count))
        stations = []
        for name, latitude, longitude, height_m in zip(self.names(), *places, heights_m, strict=True):
            code = name.removeprefix(f"{self.code}.")
            place = (round(float(latitude), 5), round(float(longitude), 5))
            known = ChannelEpoch(elevation_m=float(height_m))
            stations.append(self.equipment.equip(self.code, code, place, seed, known))
        return stations

    def _grid(self) -> tuple[FloatArray, FloatArray]:
        """The triangles' corners nearest to the middle, at most `count`."""
        row_km = self.spacing_km * np.sqrt(3) / 2
        steps = np.arange(-reach, reach + 1) if (reach := self._reach()) else np.zeros(1)
        row, column = (index.ravel() for index in np.meshgrid(steps, steps))
        north_km, east_km = row * row_km, (column + (row % 2) / 2) * self.spacing_km
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, north_km, 0.0)
        latitude, longitude = move(latitude, longitude, 0.0, east_km)
        nearest = np.lexsort((row, column, np.round(np.hypot(north_km, east_km), 6)))
        if self.outline:
            nearest = nearest[is_inside(self.outline, latitude[nearest], longitude[nearest])]
        return latitude[nearest[: self.count]], longitude[nearest[: self.count]]

    def _reach(self) -> int:
        """Rows and columns to either side of the middle among which the stations are."""
        if not self.outline:
            return int(0.7 * self.count**0.5) + 2
        away_deg = float(np.abs(np.array(self.outline) - (self.latitude_deg, self.longitude_deg)).max())
        return int(min(away_deg * KM_PER_DEG / (0.8 * self.spacing_km) + 1, 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The stations of a file, StationXML or `id,lat,lon,elev_m`; what it does not say is drawn."""

    kind: Literal["file"] = "file"
    path: Name  # relative to the scenario's folder
    equipment: Equipment = Equipment()

    def stations(self, seed: int, content: bytes) -> list[Station]:
        listed = read_inventory({self.path: content}).stations.values()
        return [self._equip(station, seed) for station in listed]

    def _equip(self, station: InventoryStation, seed: int) -> Station:
        known = station.epochs[-1]  # the sorted list's last is the latest of its channel
        place = (known.latitude_deg, known.longitude_deg)
        if known.rate_hz and round(known.rate_hz) not in SIMULATED_HZ:
            raise InputInvalid(
                f"{self.path}: {station.network}.{station.station} has {known.rate_hz:g} Hz; "
                f"expected one of {', '.join(map(str, SIMULATED_HZ))}; leave it out"
            )
        orientations = {epoch.code[2:] for epoch in station.epochs if epoch.code[:2] == known.code[:2]}
        count = 0 if not known.code else 3 if len(orientations) >= 3 else 1
        return self.equipment.equip(station.network, station.station, place, seed, known, count)


AnyNetwork = Layout | Listed
