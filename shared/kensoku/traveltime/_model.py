"""The earth as layers: how fast P and S go, how heavy the rock is and how much it absorbs."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.sphere import EARTH_RADIUS_KM

FloatArray = npt.NDArray[np.float64]
Wave = Literal["P", "S"]

HIGHEST_KM = -10.0  # the uppermost layer reaches up to here, above every station
LOWEST_KM = 2890.0  # the lowermost layer ends with the mantle
MANTLE_VP_KM_S = 7.6  # rocks of the lower crust are slower (Christensen & Mooney, 1995)
NO_DECAY = 1e-30  # per km: gives the same bits as the limit
FINEST_STEP = 0.01  # of velocity within a sub-layer of a gradient: at most 0.1 m/s from a straight line


@dataclass(frozen=True, slots=True)
class Layer:
    """Down to the top of the next layer; velocities (at its top, at its bottom) change linearly with depth."""

    top_km: float
    vp_km_s: tuple[float, float]
    vs_km_s: tuple[float, float]
    density_kg_m3: float
    qp: float
    qs: float


@dataclass(frozen=True, slots=True)
class Column:
    """What rays of one wave need of a model, one entry a sub-layer, in coordinates in which the earth is flat.

    Depth is w = R ln(R / r) and slowness u = r / (R v), which is exact for rays (Müller, 1971); within a sub-layer u
    falls as exp(-decay w), so a sphere of constant velocity has decay 1 / R, and a flat layer 0.
    """

    top: FloatArray
    bottom: FloatArray
    u_top: FloatArray
    u_bottom: FloatArray
    decay: FloatArray
    bend: FloatArray  # the decay, or next to nothing where there is none
    inverse_q: FloatArray
    fall: FloatArray  # of u², over the decay
    least_between: FloatArray  # u on the way from within one sub-layer to within another, a row and a column each
    velocity: FloatArray  # mean, km/s
    layer: npt.NDArray[np.intp]  # of the model
    zone: npt.NDArray[np.intp]  # counts the jumps of velocity above
    spherical: bool

    def flatten(self, depth_km: FloatArray) -> FloatArray:
        return _flatten(depth_km, self.spherical)

    def radius_ratio(self, w: FloatArray) -> FloatArray:
        """r / R at a flattened depth."""
        return _radius_ratio(w, self.spherical)

    def depth_km(self, w: FloatArray) -> FloatArray:
        return -EARTH_RADIUS_KM * np.expm1(-w / EARTH_RADIUS_KM) if self.spherical else w

    def slowness(self, w: FloatArray, sublayer: npt.NDArray[np.intp]) -> FloatArray:
        return np.asarray(self.u_top[sublayer] * np.exp(-self.decay[sublayer] * (w - self.top[sublayer])))

    def limit(self, upper: FloatArray, lower: FloatArray) -> FloatArray:
        """The most that p can be for a ray between two depths."""
        first, last = self.below(upper), self.above(lower)
        ends = np.minimum(self.slowness(upper, first), self.slowness(lower, last))
        return np.asarray(np.minimum(ends, self.least_between[first, last]))

    def turning_depth(self, p: FloatArray, sublayer: npt.NDArray[np.intp]) -> FloatArray:
        """Where a ray is level, if it is in that sub-layer."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.top[sublayer] + np.log(self.u_top[sublayer] / p) / self.decay[sublayer])

    def above(self, w: FloatArray) -> npt.NDArray[np.intp]:
        """The sub-layer that holds a depth; at an interface the upper one."""
        return np.maximum(np.searchsorted(self.top, w, side="left") - 1, 0)

    def below(self, w: FloatArray) -> npt.NDArray[np.intp]:
        return np.maximum(np.searchsorted(self.top, w, side="right") - 1, 0)


@dataclass(frozen=True)
class EarthModel:
    name: str
    layers: tuple[Layer, ...]
    spherical: bool = True
    reference: str = ""

    def __post_init__(self) -> None:
        if mistakes := [mistake for _, _, mistake in find_mistakes(self.layers)]:
            raise InputInvalid(f"velocity model {self.name!r}: " + "; ".join(mistakes))

    @cached_property
    def sha256(self) -> str:
        """Of all that travel times depend on; the name and the reference may change."""
        content = json.dumps([self.spherical, [astuple(layer) for layer in self.layers]])
        return hashlib.sha256(content.encode()).hexdigest()

    @cached_property
    def moho_layer(self) -> int:
        """The first layer of the mantle; as many as there are layers where the model is all crust."""
        mantle = (number for number, layer in enumerate(self.layers) if layer.vp_km_s[0] >= MANTLE_VP_KM_S)
        return next(mantle, len(self.layers))

    @property
    def crust(self) -> range:
        """Layers in which Pg and Sg have their lowest point."""
        return range(self.moho_layer)

    @property
    def mantle(self) -> range:
        """Layers in which Pn and Sn have their lowest point."""
        return range(self.moho_layer, len(self.layers))

    def layer_at(self, depth_km: float) -> Layer:
        return [layer for layer in self.layers if layer.top_km <= depth_km or layer is self.layers[0]][-1]

    def velocity(self, wave: Wave, depth_km: npt.ArrayLike) -> FloatArray:
        """km/s; at an interface that below it, above the uppermost layer that at its top."""
        tops = np.array([layer.top_km for layer in self.layers])
        above, below = np.array([layer.vp_km_s if wave == "P" else layer.vs_km_s for layer in self.layers]).T
        depth = np.asarray(depth_km, dtype=np.float64)
        layer = np.maximum(np.searchsorted(tops, depth, side="right") - 1, 0)
        share = np.clip((depth - tops[layer]) / np.append(np.diff(tops), 1.0)[layer], 0, 1)
        return np.asarray(above[layer] + share * (below[layer] - above[layer]))

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {wave: _build_column(self, wave) for wave in ("P", "S")}

    def column(self, wave: Wave) -> Column:
        return self._columns[wave]


def find_mistakes(layers: tuple[Layer, ...]) -> Iterator[tuple[int, str, str]]:
    """The layer's number, the field and what is wrong with it: found and expected."""
    if not layers:
        yield 0, "layers", "found no layer; expected at least one"
    for number, layer in enumerate(layers):
        (vp, vp_bottom), (vs, vs_bottom) = layer.vp_km_s, layer.vs_km_s
        above = layers[number - 1].top_km if number else HIGHEST_KM
        if not above < layer.top_km < 1000:
            yield number, "top_km", f"found a top at {layer.top_km:g} km; expected {above:g} < top_km < 1000"
        if not 0.1 <= min(vp, vp_bottom) <= max(vp, vp_bottom) <= 15:
            yield number, "vp_km_s", f"found {_pair(layer.vp_km_s)} km/s; expected 0.1 to 15"
        if not (0 < vs < 0.87 * vp and 0 < vs_bottom < 0.87 * vp_bottom):  # the bulk modulus is positive
            yield number, "vs_km_s", f"found {_pair(layer.vs_km_s)} km/s; expected more than 0 and less than 0.87 Vp"
        if number == len(layers) - 1 and (vp, vs) != (vp_bottom, vs_bottom):
            yield number, "vp_km_s", "found a gradient; expected one velocity, since the last layer has no bottom"
        if not 500 <= layer.density_kg_m3 <= 10_000:
            yield number, "density_kg_m3", f"found {layer.density_kg_m3:g}; expected 500 to 10000"
        for field, quality in (("qp", layer.qp), ("qs", layer.qs)):
            if not 1 <= quality <= 1e6:
                yield number, field, f"found {quality:g}; expected 1 to 1e6"


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:g}" if values[0] == values[1] else f"{values[0]:g} to {values[1]:g}"


def _build_column(model: EarthModel, wave: str) -> Column:
    edges: list[tuple[float, float, float, float, float, int]] = []  # top, bottom, velocities there, Q, layer
    for number, layer in enumerate(model.layers):
        top, bottom = layer.top_km, [*(layer.top_km for layer in model.layers), LOWEST_KM][number + 1]
        (above, below), quality = (layer.vp_km_s, layer.qp) if wave == "P" else (layer.vs_km_s, layer.qs)
        if number == 0 and above == below:
            top = HIGHEST_KM
        elif number == 0:
            edges.append((HIGHEST_KM, top, above, above, quality, 0))
        count = int(np.ceil(abs(np.log(below / above)) / FINEST_STEP)) or 1
        depths, velocities = np.linspace(top, bottom, count + 1), np.linspace(above, below, count + 1)
        edges += [(*depths[i : i + 2], *velocities[i : i + 2], quality, number) for i in range(count)]
    top, bottom, v_top, v_bottom, quality, layer_number = np.array(edges).T
    w_top, w_bottom = _flatten(top, model.spherical), _flatten(bottom, model.spherical)
    u_top = _radius_ratio(w_top, model.spherical) / v_top
    u_bottom = _radius_ratio(w_bottom, model.spherical) / v_bottom
    decay = np.log(u_top / u_bottom) / (w_bottom - w_top)
    return Column(
        top=w_top,
        bottom=w_bottom,
        u_top=u_top,
        u_bottom=u_bottom,
        decay=decay,
        bend=np.where(decay == 0, NO_DECAY, decay),
        fall=fall_of_square(u_top, w_bottom - w_top, decay),
        least_between=_least_between(u_top, u_bottom),
        inverse_q=1 / quality,
        velocity=(v_top + v_bottom) / 2,
        layer=layer_number.astype(np.intp),
        zone=np.concatenate([[0], np.cumsum(np.abs(v_top[1:] - v_bottom[:-1]) > 1e-9)]),
        spherical=model.spherical,
    )


def fall_of_square(u_above: FloatArray, thickness: FloatArray, decay: FloatArray) -> FloatArray:
    """(u1² - u2²) / decay, also where the decay is 0."""
    twice = 2 * decay * thickness
    shrunk = np.divide(-np.expm1(-twice), twice, out=np.ones_like(twice), where=twice != 0)
    return np.asarray(2 * u_above**2 * thickness * shrunk)


def _least_between(u_top: FloatArray, u_bottom: FloatArray) -> FloatArray:
    count = len(u_top)
    least = np.full((count, count), np.inf)
    for last in range(1, count):
        least[:last, last] = np.minimum(least[:last, last - 1], min(u_bottom[last - 1], u_top[last]))
        least[:last, last] = np.minimum(
            least[:last, last], np.where(np.arange(last) < last - 1, u_top[last - 1], np.inf)
        )
    return least


def _flatten(depth_km: FloatArray, spherical: bool) -> FloatArray:
    return -EARTH_RADIUS_KM * np.log1p(-depth_km / EARTH_RADIUS_KM) if spherical else depth_km


def _radius_ratio(w: FloatArray, spherical: bool) -> FloatArray:
    return np.asarray(np.exp(-w / EARTH_RADIUS_KM) if spherical else np.ones_like(w))
