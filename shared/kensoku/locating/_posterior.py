"""Lay nodes where the probability is: around the maximum, and more where the first were not enough."""

from dataclasses import dataclass, replace

import numpy as np

from kensoku.locating._batch import Batch
from kensoku.locating._lattice import Nodes, Shape, Spacing, around, ball, evaluate, shape_of
from kensoku.locating._moments import Posterior, empty_posterior, shares, summarise
from kensoku.locating._polish import Peaks
from kensoku.locating._sphere import Frame
from kensoku.locating._values import BoolArray, FloatArray, IntArray, LocationSettings, Tables
from kensoku.sphere import EARTH_RADIUS_KM

Limits = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Pass:
    """In standard deviations of what is supposed: at first that of the peak, later that which the pass before found."""

    radius: float
    spacing: Spacing
    edge: float  # begins here
    most_at_edge: float  # share of the probability; a normal distribution has 0.006 and 0.0001


FINER = Spacing(0.8, 1.2)
PASSES = (Pass(4.2, Spacing(1.4, 1.4), 3.5, 0.012), *[Pass(5.4, FINER, 4.6, 0.003)] * 3)
NEAR_LIMIT = 2.5  # standard deviations from the least or the greatest depth: the first pass is too coarse
TOGETHER = 64  # events at a time, so that what is in between stays in the processor's cache
GROWS_FROM = 1e-3  # of the greatest probability of a node: its neighbours are looked at
HILL_RADIUS = 4.2  # of a lattice that grows, or lies around another peak, standard deviations
MOST_NODES = 2000  # of one event: beyond them nothing is added
INSIDE = 3.0  # standard deviations: a peak that near is on the lattice
SECOND_HILL = 1e-3  # of the probability: it counts
SECOND_PLACE = 0.05  # of the probability: it is told
LEAST_APART_KM = 1.0  # class A does not promise more


def explore(batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks, limits: Limits) -> Posterior:
    """Around the first of the peaks of each event; where others count, around them too."""
    count = len(batch.first)
    result = empty_posterior(count)
    best = peaks.reorder(batch, np.zeros((count, 1), np.intp))
    result.mean[:, 3] = best.depth[:, 0]
    shapes = _covariances(best.information[:, 0], limits)
    waiting = np.arange(count)
    for one in PASSES:
        parts = [waiting[start : start + TOGETHER] for start in range(0, len(waiting), TOGETHER)]
        lacking = []
        for events in parts:
            part = batch.take(events)
            limit = limits[0][events], limits[1][events]
            mine = best.select(events, batch.rows(events))
            shape = shape_of(mine.frame.first, result.mean[events, 1:], shapes[events], limit, one.spacing)
            nodes = evaluate(part, tables, settings, shape, around(shape, one.radius), mine.fit.weight)
            share = shares(nodes.log_posterior)
            at_edge = share[:, ball(one.radius, one.spacing)[1] > one.edge].sum(axis=1)
            found = summarise(nodes, share, shape)
            shapes[events], is_narrow = shape.compare(found.covariance[:, 1:, 1:])
            is_coarse = _is_near_limit(found, limit) if one.spacing != FINER else np.False_
            lacking.append(events[(at_edge > one.most_at_edge) | is_narrow | is_coarse])
            result.put(events, found)
        waiting = np.concatenate(lacking) if lacking else waiting
    several = np.flatnonzero((_other_hills(peaks) & ~_is_reached(peaks, result)).any(axis=1))
    for event in np.union1d(waiting, several):
        only = np.array([event])
        rows = batch.rows(only)
        limit = limits[0][only], limits[1][only]
        mine = peaks.select(only, rows)
        result.put(
            only,
            _grow(
                batch.take(only),
                tables,
                settings,
                mine,
                limit,
                result.mean[only, 1:],
                shapes[only],
                grows=bool(np.isin(event, waiting)),
            ),
        )
    return result


def _is_near_limit(found: Posterior, limits: Limits) -> BoolArray:
    room = np.minimum(found.mean[:, 3] - limits[0], limits[1] - found.mean[:, 3])
    return np.asarray(room < NEAR_LIMIT * np.sqrt(found.covariance[:, 3, 3]))


def _other_hills(peaks: Peaks) -> BoolArray:
    """(event, start): peaks elsewhere that are not far less probable than the first."""
    counts = _log_odds(peaks) > np.log(SECOND_HILL)
    counts &= peaks.fit.log_posterior > peaks.fit.log_posterior[:, :1] - 20
    apart = np.arccos(np.clip((peaks.frame.centre * peaks.frame.centre[:, :, :1]).sum(axis=0), -1, 1)) * EARTH_RADIUS_KM
    offset = np.hypot(apart, peaks.depth - peaks.depth[:, :1])
    width = np.sqrt(np.trace(np.linalg.inv(peaks.information[:, 0] + 1e-6 * np.eye(3)), axis1=1, axis2=2))
    return np.asarray(counts & (offset > np.maximum(0.5 * width[:, None], 0.5)))


def second_places_km(peaks: Peaks) -> FloatArray:
    """By event, from the first peak to the farthest that is well apart on the map and not much less probable; not a
    number where there is none."""
    north, east = _from_first(peaks)
    away = np.stack([north, east, peaks.depth - peaks.depth[:, :1]], axis=-1)[..., None]
    deviations = np.sqrt((away.swapaxes(-1, -2) @ peaks.information @ away)[..., 0, 0])
    apart = np.hypot(north, east)
    is_second = (_log_odds(peaks) > np.log(SECOND_PLACE)) & (deviations > INSIDE) & (apart > LEAST_APART_KM)
    farthest = np.where(is_second, apart, 0).max(axis=1)
    return np.where(farthest > 0, farthest, np.nan)


def _log_odds(peaks: Peaks) -> FloatArray:
    """(event, start): of the hills against the first, each as wide as its peak is."""
    _, log_volume = np.linalg.slogdet(peaks.information + 1e-6 * np.eye(3))
    log_mass = peaks.fit.log_posterior - 0.5 * log_volume
    return np.asarray(log_mass - log_mass[:, :1])


def _from_first(peaks: Peaks) -> tuple[FloatArray, FloatArray]:
    """North and east (event, start) of the peaks, from the first of each event."""
    found = [_coordinates(peaks.frame.first, peaks.frame.centre[:, :, start]) for start in range(peaks.depth.shape[1])]
    north, east = (np.stack(axis, axis=1) for axis in zip(*found, strict=True))
    return north, east


def _is_reached(peaks: Peaks, found: Posterior) -> BoolArray:
    """(event, start): the lattice around the first peak holds that one too."""
    places = np.stack([*_from_first(peaks), peaks.depth], axis=-1)
    away = (places - found.mean[:, None, 1:])[..., None]
    inverse = np.linalg.inv(found.covariance[:, 1:, 1:] + 1e-9 * np.eye(3))[:, None]
    return np.asarray((away.swapaxes(-1, -2) @ inverse @ away)[..., 0, 0] < INSIDE**2)


# --- one event, growing -----------------------------------------------------------------------------------------------


def _grow(
    batch: Batch,
    tables: Tables,
    settings: LocationSettings,
    peaks: Peaks,
    limits: Limits,
    middle: FloatArray,
    covariance: FloatArray,
    *,
    grows: bool,
) -> Posterior:
    """Its lattice, as far as it must grow, and those of other hills."""
    hills = np.flatnonzero(_other_hills(peaks)[0])
    if len(hills):  # as narrow as the first is: between several hills the moments know nothing of that
        middle = np.stack([np.zeros(1), np.zeros(1), peaks.depth[:, 0]], axis=1)
        covariance = _covariances(peaks.information[:, 0], limits)
    shape = shape_of(peaks.frame.first, middle, covariance, limits, FINER)
    weight = peaks.fit.weight[:, :1]
    if grows or len(hills):
        nodes = _flood(batch, tables, settings, shape, weight)
    else:
        nodes = evaluate(batch, tables, settings, shape, around(shape, HILL_RADIUS), weight)
    return _with_hills(batch, tables, settings, peaks, hills, shape, nodes, limits)


def _flood(batch: Batch, tables: Tables, settings: LocationSettings, shape: Shape, weight: FloatArray) -> Nodes:
    """From the ball on, as long as a node at the edge has probability."""
    fresh = around(shape, HILL_RADIUS)
    fresh = fresh[:, :, (fresh[0, 0] >= 0) & (fresh[0, 0] < shape.slices[0])]
    known, parts = _keys(fresh[:, 0]), [evaluate(batch, tables, settings, shape, fresh, weight)]
    lattices = [fresh]
    while True:
        log_posterior = np.concatenate([part.log_posterior for part in parts], axis=1)[0]
        probable = log_posterior > log_posterior.max() + np.log(GROWS_FROM)
        lattice = np.concatenate(lattices, axis=2)[:, 0, probable]
        steps = np.concatenate([np.eye(3, dtype=np.intp), -np.eye(3, dtype=np.intp)])
        beside = (lattice[:, :, None] + steps.T[:, None, :]).reshape(3, -1)
        beside = beside[:, (beside[0] >= 0) & (beside[0] < shape.slices[0])]
        keys, first = np.unique(_keys(beside), return_index=True)
        new = ~np.isin(keys, known)
        if not new.any() or len(known) + new.sum() > MOST_NODES:
            break
        fresh = beside[:, None, first[new]]
        known = np.concatenate([known, keys[new]])
        lattices.append(fresh)
        parts.append(evaluate(batch, tables, settings, shape, fresh, weight))
    return _join(parts)


def _keys(lattice: IntArray) -> IntArray:
    return np.asarray((lattice[0] * 100_003 + lattice[1] + 40_000) * 100_003 + lattice[2] + 40_000)


def _with_hills(
    batch: Batch,
    tables: Tables,
    settings: LocationSettings,
    peaks: Peaks,
    hills: IntArray,
    shape: Shape,
    nodes: Nodes,
    limits: Limits,
) -> Posterior:
    """The other hills on lattices of their own, with the same slices of depth; a hill that was reached counts once."""
    frame, volumes = shape.frame, [np.full(nodes.depth.shape, _log_cell(shape))]
    parts = [nodes]
    for hill in hills:
        (north,), (east,) = _coordinates(frame, peaks.frame.centre[:, :, hill])
        known = _join(parts)
        gap = np.min((known.north - north) ** 2 + (known.east - east) ** 2 + (known.depth - peaks.depth[0, hill]) ** 2)
        if gap < _cell_km(shape) ** 2:
            continue
        covariance = _covariances(peaks.information[:, hill], limits)
        at = Frame(*(axis[:, :, hill] for axis in (peaks.frame.centre, peaks.frame.north, peaks.frame.east)))
        zero = np.zeros(1)
        other = shape_of(at, np.stack([zero, zero, peaks.depth[:, hill]], axis=1), covariance, limits, FINER)
        other = replace(other, slice_km=shape.slice_km, slices=shape.slices)
        found = _flood(batch, tables, settings, other, peaks.fit.weight[:, hill, None])
        north, east = _coordinates(frame, at.place(found.north, found.east))
        found = Nodes(found.slice, found.depth, north, east, found.log_posterior, found.time, found.time_variance)
        parts.append(found)
        volumes.append(np.full(found.depth.shape, _log_cell(other)))
    joined, volume = _join(parts), np.concatenate(volumes, axis=1)
    share = shares(joined.log_posterior + volume)
    result = summarise(joined, share, shape)
    result.cloud[0] = np.concatenate([share, joined.north, joined.east])
    return result


def _log_cell(shape: Shape) -> float:
    f = shape.factor[0]
    return float(np.log(shape.slice_km[0] * f[1, 1] * f[2, 2] * shape.spacing.across**2))


def _cell_km(shape: Shape) -> float:
    f = shape.factor[0]
    return float(max(shape.slice_km[0], shape.spacing.across * max(f[1, 1], f[2, 2])))


def _coordinates(frame: Frame, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of places (3, event, ...), along great circles from the centre of each frame."""
    more = (..., *(None,) * (places.ndim - 2))
    north, east, up = ((axis[more] * places).sum(axis=0) for axis in (frame.north, frame.east, frame.centre))
    level = np.hypot(north, east)
    longer = EARTH_RADIUS_KM * np.arctan2(level, up) / np.maximum(level, 1e-15)
    return north * longer, east * longer


def _covariances(information: FloatArray, limits: Limits) -> FloatArray:
    """No wider than the allowed depths, or than is of use."""
    depth = (limits[1] - limits[0]) / 3
    least = np.zeros_like(information)
    least[:, 0, 0] = least[:, 1, 1] = 1e-5
    least[:, 2, 2] = depth**-2
    return np.asarray(np.linalg.inv(information + least))


def _join(parts: list[Nodes]) -> Nodes:
    names = ("slice", "depth", "north", "east", "log_posterior", "time", "time_variance")
    return Nodes(*(np.concatenate([getattr(part, name) for part in parts], axis=1) for name in names))
