"""Batches to learn from, without end: chosen from the sources, changed by chance, the same for one seed and step."""

import multiprocessing
import signal
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from kensoku.errors import KensokuError, SettingInvalid
from kensoku.training import augment, augment_disturbances, augment_faults, augment_waves, balancing
from kensoku.training.balancing import Trait
from kensoku.training.examples import RATE_HZ, Example, FloatArray, curves, known
from kensoku.training.quiet_parts import QUIET, quiet_parts

Pools = Mapping[str, Sequence[Example]]
Chance = np.random.Generator

MIX = {
    "ncedc": 0.24,
    "ridgecrest": 0.20,
    "new-zealand": 0.13,
    "deepdenoiser": 0.10,
    "iceland": 0.08,
    "ghana": 0.05,
    "colombia": 0.05,
    "simulated": 0.15,
}
MOSTLY = 0.6
BESIDE = {"transient": augment_faults.transient, **augment_disturbances.BESIDE}
ELECTRONIC = {
    name: make
    for name, make in {**augment_faults.FAULTS, **augment_disturbances.DISTURBANCES}.items()
    if name not in ("gaps", "padding", *BESIDE)
}
NOISE_S = 40.0  # shortest record whose noise is laid over others


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("expected the smaller one first")
    return limits


Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Range = Annotated[tuple[Above, Above], AfterValidator(_rising)]
Times = Annotated[float, Field(ge=1 / augment.STEPS, le=100)]
Stretches = Annotated[tuple[Times, Times], AfterValidator(_rising)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Shares of the sources, and how often what is done to an example; ranges are log-uniform."""

    length: Count = 3008  # samples
    mix: Mapping[str, Weight] = field(default_factory=lambda: dict(MIX))
    balance: tuple[Trait, ...] = ()  # within sources, by magnitude, distance_km or snr
    anywhere: Share = 0.1  # cut without regard to onsets
    stretch: Share = 0.5
    stretch_range: Stretches = (0.6, 4.0)
    attenuate: Share = 0.1
    t_star_s: Range = (0.005, 0.08)
    superimpose: Share = 0.3
    superimpose_most: Annotated[int, Field(ge=0)] = 1  # so many with that chance each, as long as the one before came
    superimpose_ratio: Range = (0.03, 3.0)
    close: Share = 0.6  # of those, within seconds of the first
    noise: Share = 0.4
    noise_snr: Range = (3.0, 100.0)
    band: Share = 0.2
    rate: Share = 0.05
    flip: Share = 0.5
    rotate: Share = 0.5
    gains: Share = 0.3
    vertical_only: Share = 0.12
    one_lost: Share = 0.1
    dead: Share = 0.03
    fault: Share = 0.12  # of instruments, and what moves the ground beside them
    gap: Share = 0.1
    padding: Share = 0.05
    coarse: Share = 0.05
    clip: Share = 0.02


class Batch(NamedTuple):
    counts: FloatArray  # (batch, 3, n), NaN where missing
    targets: FloatArray  # (batch, 3, n): noise, P, S
    known: FloatArray  # (batch, 2, n): 0 where it is not known whether P (S) begins
    weight: FloatArray  # (batch,)


Change = Callable[[Batch], Batch]


def batches(
    recipe: Recipe,
    pools: Pools,
    *,
    size: int,
    seed: int = 0,
    step0: int = 0,
    processes: int = 1,
    change: Change | None = None,
) -> Generator[Batch, None, None]:
    """From step `step0` on; `processes` make them ahead, 0: this one does when asked. Each is changed where it is
    made."""
    mixture = _Mixture(recipe, pools, change)
    if processes == 0:
        step = step0
        while True:
            yield make_batch(mixture, size, seed, step)
            step += 1
    with ExitStack() as stack:
        workers = [_start(stack, mixture, size, seed, step0 + n, processes) for n in range(processes)]
        while True:
            for worker in workers:
                yield _received(worker)


def absent(recipe: Recipe, pools: Pools) -> list[str]:
    """Parts of the mix that the data set does not have."""
    pools = with_quiet(recipe, pools)
    return [name for name, share in recipe.mix.items() if share and not pools.get(name)]


def with_quiet(recipe: Recipe, pools: Pools) -> Pools:
    return {**pools, QUIET: quiet_parts(pools, NOISE_S)} if recipe.mix.get(QUIET) else pools


def make_batch(mixture: "_Mixture", size: int, seed: int, step: int) -> Batch:
    batch = to_batch([make_example(mixture, np.random.default_rng([seed, step, row])) for row in range(size)])
    return mixture.change(batch) if mixture.change else batch


def to_batch(examples: Sequence[Example]) -> Batch:
    return Batch(
        np.stack([each.counts for each in examples]).astype(np.float32),
        np.stack([curves(each.onsets, each.length) for each in examples]),
        np.stack([_known(each) for each in examples]),
        np.array([_weight(each) for each in examples], dtype=np.float32),
    )


def _known(example: Example) -> FloatArray:
    there = np.isfinite(example.counts).any(axis=0)
    found: FloatArray = (known(example.unknown, example.length) & there).astype(np.float32)
    return found


def _weight(example: Example) -> float:
    inside = [onset.weight for onset in example.onsets if 0 <= onset.sample < example.length]
    return float(np.mean(inside)) if inside else 1.0


# --- other processes --------------------------------------------------------------------------------------------------


def _start(stack: ExitStack, mixture: "_Mixture", size: int, seed: int, first: int, every: int) -> Connection:
    """Forked, so that the pools are shared; the child touches numpy alone. A full pipe makes it wait."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender, receiver, mixture, size, seed, first, every), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 on, for forks of processes with threads
        process.start()
    sender.close()

    def end() -> None:
        receiver.close()
        process.kill()  # it holds nothing
        process.join()

    stack.callback(end)
    return receiver


def _received(worker: Connection) -> Batch:
    try:
        said = worker.recv()
    except EOFError:
        raise KensokuError(
            "found that a process that makes batches was ended by something else, expected it to go on; is there "
            "enough memory? give fewer --processes"
        ) from None
    if isinstance(said, Exception):
        raise said
    return Batch(*said)


def _serve(
    sender: Connection, receiver: Connection, mixture: "_Mixture", size: int, seed: int, step: int, every: int
) -> None:
    """Ends with its parent: by its order, or when nobody can read from the pipe any more."""
    for number in (signal.SIGTERM, signal.SIGINT):  # they may go to the whole group; the parent says when to end
        signal.signal(number, signal.SIG_IGN)
    receiver.close()
    while True:
        try:
            sender.send(_made(mixture, size, seed, step))
        except OSError:  # nobody asks any more
            return
        step += every


def _made(mixture: "_Mixture", size: int, seed: int, step: int) -> tuple[FloatArray, ...] | Exception:
    """A batch, or why there is none, for the parent to tell."""
    try:
        return tuple(make_batch(mixture, size, seed, step))
    except Exception as error:
        error.add_note(f"in a process that makes batches:\n{traceback.format_exc()}")
        return error


# --- one example ------------------------------------------------------------------------------------------------------


class _Mixture:
    """Pools with their shares, and the noise that is laid over others."""

    def __init__(self, recipe: Recipe, pools: Pools, change: Change | None = None) -> None:
        self.recipe = recipe
        self.change = change
        pools = with_quiet(recipe, pools)
        self.pools = [pools[name] for name in recipe.mix if pools.get(name)]
        shares = np.array([share for name, share in recipe.mix.items() if pools.get(name)])
        if not self.pools or shares.sum() <= 0:
            expected = f"expected a share in the mix for some of {', '.join(sorted(pools))}"
            raise SettingInvalid(f"recipe: found no source of {', '.join(recipe.mix)} in the data set; {expected}")
        self.edges = np.cumsum(shares / shares.sum())
        self.within = [np.cumsum(balancing.shares(pool, recipe.balance)) for pool in self.pools]
        recorded = [example for pool in pools.values() for example in pool if example.origin.kind == "noise"]
        long = [each for each in recorded if each.length >= NOISE_S * RATE_HZ and not each.origin.is_simulated]
        self.noises = long
        self.events = [[each for each in pool if each.onsets and _is_mostly_known(each)] for pool in self.pools]
        self.events = [pool for pool in self.events if pool]

    def choose(self, chance: Chance) -> Example:
        source = _draw(self.edges, chance)
        return self.pools[source][_draw(self.within[source], chance)]

    def choose_noise(self, chance: Chance) -> Example:
        """One in which nothing is doubtful, if a few tries find it."""
        for _ in range(6):
            noise = self.noises[chance.integers(len(self.noises))]
            start = augment.random_start(noise, self.recipe.length, chance)
            part = augment.cut(noise, self.recipe.length, start)
            if not part.unknown:
                break
        return part

    def choose_event(self, chance: Chance) -> Example | None:
        if not self.events:
            return None
        pool = self.events[chance.integers(len(self.events))]
        return pool[chance.integers(len(pool))]


def _draw(edges: npt.NDArray[np.float64], chance: Chance) -> int:
    """By shares that were added up."""
    return min(int(np.searchsorted(edges, chance.random(), side="right")), len(edges) - 1)


def _is_mostly_known(example: Example) -> bool:
    """Laid over another, an hour of aftershocks would make most of it unknown."""
    return bool(known(example.unknown, example.length).mean() > MOSTLY)


def make_example(mixture: _Mixture, chance: Chance) -> Example:
    """In the order in which nature and instruments do it: source, way, noise, sensor, digitiser, faults."""
    recipe = mixture.recipe
    example = _cut_stretched(mixture.choose(chance), recipe, chance)
    if chance.random() < recipe.attenuate:
        example = augment_waves.attenuate(example, _log_uniform(chance, recipe.t_star_s))
    for _ in range(recipe.superimpose_most):
        if chance.random() >= recipe.superimpose:
            break
        example = _superimpose(example, mixture, chance)
    if mixture.noises and chance.random() < recipe.noise:
        example = augment.add_noise(example, mixture.choose_noise(chance), _log_uniform(chance, recipe.noise_snr))
    return augment_faults.forget_drowned(augment_faults.forget_missing(_record(example, recipe, chance)))


def _cut_stretched(example: Example, recipe: Recipe, chance: Chance, start: float | None = None) -> Example:
    """`start`: where the first onset is to lie, in samples of the result; None: anywhere."""
    twentieths = augment.STEPS
    if chance.random() < recipe.stretch:
        twentieths = round(augment.STEPS * _log_uniform(chance, recipe.stretch_range))
    length = -(-recipe.length * augment.STEPS // twentieths)
    if start is None:
        first = augment.random_start(example, length, chance, recipe.anywhere)
    else:
        first = round(min(onset.sample for onset in example.onsets) - start * augment.STEPS / twentieths)
    stretched = augment.stretch(augment.cut(example, length, first), twentieths)
    return augment.cut(stretched, recipe.length, 0)


def _superimpose(example: Example, mixture: _Mixture, chance: Chance) -> Example:
    recipe, other = mixture.recipe, mixture.choose_event(chance)
    if other is None:
        return example
    inside = [onset.sample for onset in example.onsets if 0 <= onset.sample < example.length]
    start = chance.uniform(-500, recipe.length)
    if inside and chance.random() < recipe.close:
        start = inside[chance.integers(len(inside))] + RATE_HZ * chance.uniform(-8, 12)
    laid = _cut_stretched(other, recipe, chance, start)
    return augment.superimpose(example, laid, _log_uniform(chance, recipe.superimpose_ratio))


def _record(example: Example, recipe: Recipe, chance: Chance) -> Example:
    steps: list[tuple[float, Callable[[Example], Example]]] = [
        (recipe.flip, augment_waves.flip_polarity),
        (recipe.rotate, lambda each: augment_waves.rotate_horizontals(each, chance.uniform(0, 2 * np.pi))),
        (recipe.gains, lambda each: augment_waves.scale(each, _gains(chance))),
        (recipe.band, lambda each: augment_waves.filter_band(each, *_band(chance))),
        (recipe.rate, lambda each: augment_waves.limit_rate(each, float(chance.choice([40, 50])))),
        (recipe.clip, lambda each: augment_waves.clip(each, chance.uniform(0.1, 0.8))),
        (recipe.fault, lambda each: _fault(each, chance)),
        (recipe.coarse, lambda each: augment_waves.coarsen(each, _log_uniform(chance, (0.3, 30.0)))),
        (recipe.gap, lambda each: augment_faults.gaps(each, chance)),
        (recipe.padding, lambda each: augment_faults.padding(each, chance)),
        (recipe.vertical_only, lambda each: augment_waves.drop_components(each, (1, 2))),
        (recipe.one_lost, lambda each: augment_waves.drop_components(each, (int(chance.integers(3)),))),
        (recipe.dead, lambda each: augment_waves.drop_components(each, (int(chance.integers(3)),), is_dead=True)),
    ]
    for share, change in steps:
        if chance.random() < share:
            example = change(example)
    return example


def _fault(example: Example, chance: Chance) -> Example:
    """Half of them beside the station: less sharp than those of electronics, and harder to tell from waves."""
    kinds = list((BESIDE if chance.random() < 0.5 else ELECTRONIC).values())
    return kinds[int(chance.integers(len(kinds)))](example, chance)


def _gains(chance: Chance) -> tuple[float, float, float]:
    z, n, e = np.exp(chance.normal(scale=0.3, size=3)).tolist()
    return z, n, e


def _band(chance: Chance) -> tuple[float, float]:
    """Corner frequencies; half of the filters let all high frequencies through."""
    return _log_uniform(chance, (0.1, 4.0)), _log_uniform(chance, (10.0, 40.0)) if chance.random() < 0.5 else 50.0


def _log_uniform(chance: Chance, limits: tuple[float, float]) -> float:
    return float(np.exp(chance.uniform(*np.log(limits))))
