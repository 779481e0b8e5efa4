"""The posterior around a place, at the nodes of a lattice that has the posterior's own shape.

Sums over a normal distribution at nodes 1.4 standard deviations apart are exact to a ten thousandth.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kensoku.locating._batch import Batch, arrays_of, errors_of
from kensoku.locating._kernels import evaluate_nodes, make_desk
from kensoku.locating._sphere import Frame
from kensoku.locating._values import BoolArray, FloatArray, IntArray, LocationSettings, Tables

ROUNDS = 2  # of weighing arrivals and finding the origin time
LEAST_SLICES = 12  # of depth
NOTHING = -1e9
LEAST_VARIANCE = 0.08  # of what was supposed, that a lattice can find
TOO_NARROW = 0.45


@dataclass(frozen=True, slots=True)
class Spacing:
    """Of nodes, in standard deviations: slices of depth, where limits and interfaces are, and nodes within a slice."""

    depth: float
    across: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Of (event,): whitened coordinates; depth slices tile the allowed depths, so that none is cut by a limit."""

    frame: Frame
    north: FloatArray  # of the middle, km
    east: FloatArray
    depth: FloatArray
    factor: FloatArray  # (event, 3, 3): lower triangle that turns them into depth, north, east (km)
    top: FloatArray
    slice_km: FloatArray
    slices: IntArray  # how many there are
    spacing: Spacing

    @property
    def middle(self) -> IntArray:
        """The slice that holds it."""
        number = np.floor((self.depth - self.top) / self.slice_km).astype(np.intp)
        return np.asarray(np.clip(number, 0, self.slices - 1))

    def compare(self, covariance: FloatArray) -> tuple[FloatArray, BoolArray]:
        """That of north, east and depth, no narrower than these nodes can tell; and whether it is much narrower in any
        direction than was supposed, so that there are too few of them."""
        order = np.array([2, 0, 1])
        inverse = np.linalg.inv(self.factor)
        seen = _product(_product(inverse, covariance[:, order[:, None], order]), inverse.transpose(0, 2, 1))
        values, vectors = np.linalg.eigh(seen)
        widened = _product(self.factor, vectors * np.sqrt(np.maximum(values, LEAST_VARIANCE))[:, None])
        back = np.argsort(order)
        supposed = _product(widened, widened.transpose(0, 2, 1))[:, back[:, None], back]
        return supposed, values[:, 0] < TOO_NARROW

    def coordinates(self, lattice: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Depth, north, east of nodes (3, event, node): a slice counted from the top, and two from the middle."""
        depth = self.top[:, None] + (lattice[0] + 0.5) * self.slice_km[:, None]
        u = (depth - self.depth[:, None]) / self.factor[:, 0, 0, None]
        v, w = lattice[1] * self.spacing.across, lattice[2] * self.spacing.across
        f = self.factor[:, :, :, None]
        north = self.north[:, None] + f[:, 1, 0] * u + f[:, 1, 1] * v
        return depth, north, self.east[:, None] + f[:, 2, 0] * u + f[:, 2, 1] * v + f[:, 2, 2] * w


def _product(one: FloatArray, other: FloatArray) -> FloatArray:
    """Of small matrices (event, 3, 3); numpy's own takes another way for one than for many, and other last bits."""
    return np.asarray((one[:, :, :, None] * other[:, None]).sum(axis=2))


@dataclass(frozen=True, slots=True)
class Nodes:
    """(event, node)."""

    slice: IntArray
    depth: FloatArray
    north: FloatArray
    east: FloatArray
    log_posterior: FloatArray
    time: FloatArray
    time_variance: FloatArray


def shape_of(
    frame: Frame, middle: FloatArray, covariance: FloatArray, limits: tuple[FloatArray, FloatArray], spacing: Spacing
) -> Shape:
    """`middle` is north, east and depth (event, 3), `covariance` theirs."""
    order = np.array([2, 0, 1])
    top, bottom = limits
    factor = np.linalg.cholesky(covariance[:, order[:, None], order])
    slices = np.maximum(np.ceil((bottom - top) / (spacing.depth * factor[:, 0, 0])), LEAST_SLICES).astype(np.intp)
    return Shape(frame, middle[:, 0], middle[:, 1], middle[:, 2], factor, top, (bottom - top) / slices, slices, spacing)


def evaluate(
    batch: Batch, tables: Tables, settings: LocationSettings, shape: Shape, lattice: IntArray, weight: FloatArray
) -> Nodes:
    depth, north, east = shape.coordinates(lattice)
    is_allowed = (lattice[0] >= 0) & (lattice[0] < shape.slices[:, None])
    rows, found = batch.arrays, np.zeros((3, *depth.shape))
    found[0] = NOTHING
    evaluate_nodes(
        *arrays_of(tables),
        rows,
        errors_of(settings),
        ROUNDS,
        shape.frame.arrays,
        north,
        east,
        depth,
        is_allowed,
        weight[:, 0].copy(),
        make_desk(rows),
        found,
    )
    return Nodes(lattice[0], depth, north, east, *found)


@lru_cache(maxsize=4)
def ball(radius: float, spacing: Spacing) -> tuple[IntArray, FloatArray]:
    """Nodes (3, node) within so many standard deviations, and how far out each is."""
    depth, across = (np.arange(-int(radius / step), int(radius / step) + 1) for step in (spacing.depth, spacing.across))
    nodes = np.stack([axis.ravel() for axis in np.meshgrid(depth, across, across, indexing="ij")])
    steps = np.array([spacing.depth, spacing.across, spacing.across])
    away = np.sqrt(((nodes * steps[:, None]) ** 2).sum(axis=0))
    inside = away <= radius
    return nodes[:, inside], away[inside]


def around(shape: Shape, radius: float) -> IntArray:
    nodes, _ = ball(radius, shape.spacing)
    lattice = np.repeat(nodes[:, None, :], len(shape.depth), axis=1)
    lattice[0] += shape.middle[:, None]
    return lattice
