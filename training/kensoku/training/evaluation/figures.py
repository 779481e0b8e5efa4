"""Figures of a report, as PNG."""

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kensoku.training.evaluation.results import Made, Results
from kensoku.training.examples import PHASES, RATE_HZ, Example, Phase

COLOURS: Mapping[Phase, str] = {"P": "#0072B2", "S": "#D55E00"}  # Okabe & Ito (2008)
SHADES = ("#009E73", "#E69F00", "#CC79A7", "#56B4E9")
STEPS = 10
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


def precision_recall(results: Results, groups: Mapping[str, Sequence[int]]) -> bytes:
    """One curve a group of records, over all thresholds."""

    def draw(figure: Figure) -> None:
        for axes, phase in zip(figure.subplots(1, 2, sharey=True), PHASES, strict=True):
            for shade, (name, records) in zip(SHADES * len(groups), groups.items(), strict=False):
                precision, recall = curve(results, phase, set(records))
                axes.plot(recall, precision, color=shade, label=name, linewidth=1.2)
            axes.set_xlim(0, 1.02)
            axes.set_ylim(0, 1.02)
            axes.set_title(phase, fontsize=9)
            axes.set_xlabel("recall")
        figure.axes[0].set_ylabel("precision")
        figure.axes[0].legend(fontsize=7, loc="lower left")

    return to_png(draw, 8, 3)


def curve(results: Results, phase: Phase, records: set[int]) -> tuple[list[float], list[float]]:
    """Precision and recall from the highest score down."""
    made = sorted(
        (made for made in results.made if made.record in records and made.pick.phase == phase),
        key=lambda made: -made.pick.score,
    )
    labels = [label for label in results.labels if label.record in records and label.phase == phase]
    scores = np.sort([label.best_score for label in labels])
    right = np.cumsum([each.is_right for each in made])
    precision = (right / np.arange(1, len(made) + 1)).tolist()
    recall = [float(1 - np.searchsorted(scores, each.pick.score) / max(len(scores), 1)) for each in made]
    return precision, recall


def reliability(results: Results) -> bytes:
    """Stated probability against the share of picks that are right, and how many there are."""

    def draw(figure: Figure) -> None:
        for axes, phase in zip(figure.subplots(1, 2, sharey=True), PHASES, strict=True):
            steps = reliable_steps([made for made in results.made if made.pick.phase == phase])
            axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
            axes.plot(
                [step[0] for step in steps], [step[1] for step in steps], "o-", color=COLOURS[phase], markersize=4
            )
            for stated, share, count in steps:
                axes.annotate(str(count), (stated, share), fontsize=6, xytext=(3, -8), textcoords="offset points")
            axes.set_title(phase, fontsize=9)
            axes.set_xlabel("stated probability")
        figure.axes[0].set_ylabel("share that is right")

    return to_png(draw, 8, 3)


def reliable_steps(made: Sequence[Made]) -> list[tuple[float, float, int]]:
    """Mean stated probability, share right, count; in steps of the stated probability."""
    stated = np.array([each.probability for each in made])
    right = np.array([each.is_right for each in made])
    steps = np.minimum((stated * STEPS).astype(int), STEPS - 1)
    return [
        (float(stated[steps == step].mean()), float(right[steps == step].mean()), int((steps == step).sum()))
        for step in np.unique(steps)
    ]


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
    for row, component in enumerate("ZNE"):
        counts = example.counts[row, first:last].astype(np.float64)
        if not np.isnan(counts).all():
            counts = counts - np.nanmean(counts)
            axes.plot(time_s, counts / (2 * max(np.nanmax(np.abs(counts)), 1e-300)) - row, color="black", linewidth=0.5)
        axes.text(-AROUND_S, -row, component, fontsize=6)
    for label in (each for each in results.labels if each.record == record):
        axes.axvline((label.sample - sample) / RATE_HZ, color=COLOURS[label.phase], linewidth=1)
    for made in (each for each in results.made if each.record == record):
        threshold = results.threshold[PHASES.index(made.pick.phase)]
        if made.pick.score >= threshold:
            place = (made.pick.sample - sample) / RATE_HZ
            axes.axvline(place, color=COLOURS[made.pick.phase], linewidth=1, linestyle=":")
    axes.set_xlim(-AROUND_S, AROUND_S)
    axes.set_ylim(-2.6, 0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=6)
    axes.set_title(f"{example.origin.source} {example.origin.station}: {title}", fontsize=7, pad=2)
