"""What the nodes of a lattice say together: mean, covariance, depth interval."""

from dataclasses import dataclass

import numpy as np

from kensoku.locating._kernels import sum_moments
from kensoku.locating._lattice import Nodes, Shape
from kensoku.locating._values import FloatArray, IntArray, ObjectArray

FINE = 32  # steps of depth within a slice
LIKELY_68 = 0.6827


@dataclass(frozen=True, slots=True)
class Posterior:
    """(event, ...); kilometres from the first peak, depths and times as they are."""

    mean: FloatArray  # time s, north km, east km, depth km
    covariance: FloatArray
    depth_lower_km: FloatArray
    depth_upper_km: FloatArray
    nodes: IntArray
    highest: FloatArray  # the greatest logarithm of the posterior of a node, and where: north, east, depth
    cloud: ObjectArray  # where a lattice grew or hills have their own: share, north, east of each node; None elsewhere

    def take(self, events: IntArray) -> "Posterior":
        p = self
        return Posterior(
            p.mean[events],
            p.covariance[events],
            p.depth_lower_km[events],
            p.depth_upper_km[events],
            p.nodes[events],
            p.highest[events],
            p.cloud[events],
        )

    def put(self, events: IntArray, part: "Posterior") -> None:
        for name in self.__slots__:
            getattr(self, name)[events] = getattr(part, name)


def shares(log_posterior: FloatArray) -> FloatArray:
    share = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def summarise(nodes: Nodes, share: FloatArray, shape: Shape) -> Posterior:
    values = np.stack([nodes.time, nodes.north, nodes.east, nodes.depth], axis=1)
    mean, covariance = np.empty(values.shape[:2]), np.empty((len(values), 4, 4))
    sum_moments(values, share, mean, covariance)
    covariance[:, 0, 0] += (share * nodes.time_variance).sum(axis=1)
    lower, upper = _depth_intervals(nodes, share, shape)
    events, best = np.arange(len(mean)), nodes.log_posterior.argmax(axis=1)
    highest = np.stack([nodes.log_posterior, nodes.north, nodes.east, nodes.depth])[:, events, best].T
    counts = np.full(len(mean), nodes.depth.shape[1])
    return Posterior(mean, covariance, lower, upper, counts, highest, np.full(len(mean), None))


def _depth_intervals(nodes: Nodes, share: FloatArray, shape: Shape) -> tuple[FloatArray, FloatArray]:
    """The shortest that hold 68 %; the logarithm of the sums over slices goes as a parabola from one to the next."""
    first = nodes.slice.min(axis=1)
    number = nodes.slice - first[:, None]
    width = int(number.max()) + 1
    flat = np.arange(len(first))[:, None] * width + number
    mass = np.bincount(flat.ravel(), share.ravel(), len(first) * width).reshape(len(first), width)
    log_mass = np.log(np.maximum(mass, 1e-12))
    index = np.arange(width) + first[:, None]
    is_there = (index >= 0) & (index < shape.slices[:, None])
    before, after = np.full_like(log_mass, -30), np.full_like(log_mass, -30)
    before[:, 1:], after[:, :-1] = log_mass[:, :-1], log_mass[:, 1:]
    before, after = (
        np.where(index == 0, 2 * log_mass - after, before),
        np.where(index == shape.slices[:, None] - 1, 2 * log_mass - before, after),
    )
    f = (np.arange(FINE) + 0.5) / FINE - 0.5
    curve, slope = (after + before - 2 * log_mass) / 2, (after - before) / 2
    fine = log_mass[..., None] + f * (slope[..., None] + f * curve[..., None])
    fine = np.where(is_there[..., None], fine, -100).reshape(len(first), -1)
    density = np.exp(fine - fine.max(axis=1, keepdims=True))
    falling = -np.sort(-density, axis=1)
    reached = (falling.cumsum(axis=1) < LIKELY_68 * falling.sum(axis=1, keepdims=True)).sum(axis=1)
    inside = density >= falling[np.arange(len(first)), reached][:, None]
    start, end = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    top, step = shape.top + first * shape.slice_km, shape.slice_km / FINE
    return top + start * step, top + end * step


def empty_posterior(count: int) -> Posterior:
    numbers = np.zeros((count, 4)), np.zeros((count, 4, 4)), np.zeros(count), np.zeros(count)
    return Posterior(*numbers, np.zeros(count, np.intp), np.zeros((count, 4)), np.full(count, None))
