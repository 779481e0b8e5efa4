"""Figures of a report, as PNG."""

import io
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kensoku.training.evaluation.results import Made, Results
from kensoku.training.examples import PHASES, RATE_HZ, BoolArray, Example, Phase

COLOURS: Mapping[Phase, str] = {"P": "#0072B2", "S": "#D55E00"}  # Okabe & Ito (2008)
SHADES = ("#009E73", "#E69F00", "#CC79A7", "#56B4E9")
LINES = ("-", "--", ":")
STEPS = 10
FloatArray = npt.NDArray[np.floating[Any]]
Group = tuple[Results, Collection[int]]  # some of the records
Step = tuple[float, float, int]
AROUND_S = 4.0


def to_png(draw: Callable[[Figure], None], width: float, height: float) -> bytes:
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    return content.getvalue()


def residuals(results: Results) -> bytes:
    """Histograms of pick less label."""

    def draw(figure: Figure) -> None:
        for axes, phase in zip(figure.subplots(1, 2, sharey=True), PHASES, strict=True):
            found = [label.residual_s for label in results.labels if label.phase == phase and label.is_found]
            axes.hist(found, bins=np.arange(-0.5, 0.51, 0.02).tolist(), color=COLOURS[phase])
            axes.set_title(f"{phase}: {len(found)} picks", fontsize=9)
            axes.set_xlabel("pick less label, s")

    return to_png(draw, 8, 2.6)


def precision_recall(groups: Mapping[str, Group]) -> bytes:
    """One curve a group of records, over all thresholds."""

    def draw(figure: Figure) -> None:
        for axes, phase in zip(figure.subplots(1, 2, sharey=True), PHASES, strict=True):
            for place, (name, (results, records)) in enumerate(groups.items()):
                points = curve(results, phase, set(records))
                if points:
                    recall, precision = [each.recall for each in points], [each.precision for each in points]
                    shade, line = SHADES[place % len(SHADES)], LINES[place // len(SHADES) % len(LINES)]
                    axes.plot(recall, precision, line, color=shade, label=name, linewidth=1.2)
            axes.set_xlim(0, 1.02)
            axes.set_ylim(0, 1.02)
            axes.set_title(phase, fontsize=9)
            axes.set_xlabel("recall")
        figure.axes[0].set_ylabel("precision")
        figure.axes[0].legend(fontsize=7, loc="lower left")

    return to_png(draw, 8, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What picks from a score on are worth."""

    score: float
    precision: float
    recall: float


def curve(results: Results, phase: Phase, records: set[int]) -> list[Point]:
    """From the highest score down; nothing without a label."""
    made = sorted(
        (made for made in results.made if made.record in records and made.pick.phase == phase),
        key=lambda made: -made.pick.score,
    )
    labels = [label for label in results.labels if label.record in records and label.phase == phase]
    if not labels or not made:
        return []
    best, right = np.sort([label.best_score for label in labels]), np.cumsum([each.is_right for each in made])
    scores = np.array([each.pick.score for each in made])
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # of equal scores: no threshold parts them
    return [
        Point(
            score=float(scores[place]),
            precision=float(right[place] / (place + 1)),
            recall=float(1 - np.searchsorted(best, scores[place]) / len(best)),
        )
        for place in last.tolist()
    ]


def reliability(steps_of: Mapping[str, Sequence[Step]], claim: str) -> bytes:
    """Stated probability against the share of which the claim holds, and how many there are; a panel each."""

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, max(1, len(steps_of)), sharey=True, squeeze=False)[0]
        for axes, (name, steps) in zip(panels, steps_of.items(), strict=False):
            colour = COLOURS["S" if name == "S" else "P"]
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
            axes.plot([step[0] for step in steps], [step[1] for step in steps], "o-", color=colour, markersize=4)
            for stated, share, count in steps:
                axes.annotate(str(count), (stated, share), fontsize=6, xytext=(3, -8), textcoords="offset points")
            axes.set_ylim(-0.05, 1.05)
            axes.set_title(name, fontsize=9)
            axes.set_xlabel("stated probability")
        panels[0].set_ylabel(claim)

    return to_png(draw, 4 * max(1, len(steps_of)), 3)


def reliable_steps(stated: FloatArray, is_so: BoolArray, weight: FloatArray | None = None) -> list[Step]:
    """Mean stated probability, share of which it is so, count; in steps of the stated probability."""
    weight = np.ones(len(stated)) if weight is None else weight
    steps = np.minimum((stated * STEPS).astype(int), STEPS - 1)
    return [
        (
            float(np.average(stated[steps == step], weights=weight[steps == step])),
            float(np.average(is_so[steps == step], weights=weight[steps == step])),
            int((steps == step).sum()),
        )
        for step in np.unique(steps)
    ]


def as_many_of_each(kinds: npt.NDArray[np.integer[Any] | np.bool_]) -> FloatArray:
    """Weights with which every kind counts alike, as it did in training, however many there are of it here."""
    _, places, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[places])


def picks_reliability(made: Sequence[Made]) -> dict[str, list[Step]]:
    """Of each phase."""
    of = {phase: [each for each in made if each.pick.phase == phase] for phase in PHASES}
    return {
        phase: reliable_steps(np.array([each.probability for each in own]), np.array([each.is_right for each in own]))
        for phase, own in of.items()
        if own
    }


# --- seismograms ------------------------------------------------------------------------------------------------------


def worst(results: Results, count: int = 12) -> bytes | None:
    """Missed labels of high SNR, picks far off, and the surest false picks, four of each."""
    missed = sorted((each for each in results.labels if not each.is_found), key=lambda each: -_or_zero(each.snr))
    far = sorted((each for each in results.labels if each.is_found), key=lambda each: -abs(each.residual_s))
    false = sorted((each for each in results.made if not each.is_right), key=lambda each: -each.pick.score)
    third = count // 3
    shown = [(each.record, each.sample, f"missed {each.phase}, SNR {each.snr:.1f}") for each in missed[:third]]
    shown += [(each.record, each.sample, f"{each.phase} off by {each.residual_s:+.2f} s") for each in far[:third]]
    shown += [
        (each.record, each.pick.sample, f"false {each.pick.phase}, score {each.pick.score:.2f}")
        for each in false[:third]
    ]
    if not shown:
        return None

    def draw(figure: Figure) -> None:
        rows = -(-len(shown) // 3)
        axes = figure.subplots(rows, 3, squeeze=False).ravel()
        for each, (record, sample, title) in zip(axes, shown, strict=False):
            _draw_record(each, results, record, sample, title)
        for each in axes[len(shown) :]:
            each.set_axis_off()

    return to_png(draw, 12, 2 * -(-len(shown) // 3))


def _or_zero(value: float) -> float:
    return value if np.isfinite(value) else 0.0


def _draw_record(axes: Axes, results: Results, record: int, sample: float, title: str) -> None:
    example: Example = results.examples[record]
    first = max(0, round(sample - AROUND_S * RATE_HZ))
    last = min(example.length, round(sample + AROUND_S * RATE_HZ))
    time_s = (np.arange(first, last) - sample) / RATE_HZ
    _draw_components(axes, time_s, example.counts[:, first:last])
    for label in (each for each in results.labels if each.record == record):
        axes.axvline((label.sample - sample) / RATE_HZ, color=COLOURS[label.phase], linewidth=1)
    for made in (each for each in results.made if each.record == record):
        threshold = results.threshold[PHASES.index(made.pick.phase)]
        if made.pick.score >= threshold:
            place = (made.pick.sample - sample) / RATE_HZ
            axes.axvline(place, color=COLOURS[made.pick.phase], linewidth=1, linestyle=":")
    axes.set_xlim(-AROUND_S, AROUND_S)
    axes.set_title(f"{example.origin.source} {example.origin.station}: {title}", fontsize=7, pad=2)


def _draw_components(axes: Axes, time_s: FloatArray, counts: FloatArray) -> None:
    """Each as large as fits."""
    for row, component in enumerate("ZNE"):
        own = counts[row].astype(np.float64)
        if not np.isnan(own).all():
            own = own - np.nanmean(own)
            axes.plot(time_s, own / (2 * max(np.nanmax(np.abs(own)), 1e-300)) - row, color="black", linewidth=0.5)
        axes.text(0.005, (2.6 - row) / 3.2, component, fontsize=6, transform=axes.transAxes, va="bottom")
    axes.set_ylim(-2.6, 0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=6)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A cut that a classifier was asked about."""

    title: str
    counts: FloatArray
    onset: float = math.nan  # sample
    phase: Phase = "P"


def cuts(panels: Sequence[Panel]) -> bytes:
    """Seismograms, the onset as a line."""

    def draw(figure: Figure) -> None:
        rows = -(-len(panels) // 4)
        axes = figure.subplots(rows, 4, squeeze=False).ravel()
        for each, panel in zip(axes, panels, strict=False):
            _draw_components(each, np.arange(panel.counts.shape[1]) / RATE_HZ, panel.counts)
            if math.isfinite(panel.onset):
                each.axvline(panel.onset / RATE_HZ, color=COLOURS[panel.phase], linewidth=1)
            each.set_title(panel.title, fontsize=6, pad=2)
        for each in axes[len(panels) :]:
            each.set_axis_off()

    return to_png(draw, 13, 1.9 * max(1, -(-len(panels) // 4)))
