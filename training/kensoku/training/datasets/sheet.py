"""Contact sheets: many examples on a page, to see with one's own eyes whether labels are right."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kensoku.errors import SettingInvalid
from kensoku.training.datasets.reading import read
from kensoku.training.datasets.split import SIDES
from kensoku.training.examples import PHASES, RATE_HZ, Example, FloatArray, Phase
from kensoku.whole_files import written_whole

COLOURS: dict[Phase, str] = {"P": "#0072B2", "S": "#D55E00"}  # Okabe & Ito (2008)
COLUMNS = 4
AROUND_S = (3.0, 5.0)  # before the first onset and after the last, of close views
HIGH_PASS_HZ = 1.0
DPI = 130  # letters of 9 dots


def draw_sheet(
    folder: Path, out: Path, count: int, seed: int, source: str | None, split: str | None, close: bool = False
) -> int:
    """How many were drawn."""
    sides = [side for side in SIDES if split in (None, side)]
    if not sides:
        raise SettingInvalid(f"found the split {split!r}; expected one of {', '.join(SIDES)}")
    examples = _choose(list(read(folder, sides, None if source is None else {source})), count, seed)
    if not examples:
        raise SettingInvalid(
            f"{folder}: found no example of source {source!r}, split {split!r}; see `kensoku dataset show`"
        )
    draw(examples, out, close)
    return len(examples)


def draw(examples: Sequence[Example], out: Path, close: bool = False) -> None:
    rows = -(-len(examples) // COLUMNS)
    figure = Figure(figsize=(4.5 * COLUMNS, 1.5 * rows), layout="constrained")
    for axes, example in zip(figure.subplots(rows, COLUMNS, squeeze=False).ravel(), examples, strict=False):
        _draw_example(axes, example, close)
    for axes in figure.axes[len(examples) :]:
        axes.set_axis_off()
    with written_whole(out) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI)


def _choose(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    chosen = np.random.default_rng(seed).permutation(len(examples))[:count]
    return [examples[number] for number in np.sort(chosen)]


def _draw_example(axes: Axes, example: Example, close: bool) -> None:
    time_s = np.arange(example.length) / RATE_HZ
    for row, component in enumerate("ZNE"):
        axes.plot(time_s, _shape(example.counts[row]) - 2 * row, color="black", linewidth=0.4)
        axes.text(0, -2 * row, component, fontsize=6, transform=axes.get_yaxis_transform(), ha="right")
    for span in example.unknown:
        top = PHASES.index(span.phase)
        axes.axvspan(span.first / RATE_HZ, span.last / RATE_HZ, 0.5 - 0.5 * top, 1 - 0.5 * top,
                     color=COLOURS[span.phase], alpha=0.15, linewidth=0)  # fmt: skip
    for onset in example.onsets:
        axes.axvline(onset.sample / RATE_HZ, color=COLOURS[onset.phase], linewidth=0.8, alpha=0.3 + 0.7 * onset.weight)
    samples = [onset.sample / RATE_HZ for onset in example.onsets]
    is_close = close and samples
    axes.set_xlim(*((min(samples) - AROUND_S[0], max(samples) + AROUND_S[1]) if is_close else (0, time_s[-1])))
    axes.set_ylim(-5, 1)
    axes.set_yticks([])
    axes.tick_params(labelsize=5)
    axes.set_title(f"{example.origin.source} {example.origin.station} {example.origin.event}"[:60], fontsize=5, pad=1)


def _shape(counts: FloatArray) -> FloatArray:
    """High-passed and at most 1, with missing samples left out."""
    missing = ~np.isfinite(counts)
    if missing.all():
        return counts
    filled = np.where(missing, np.nanmean(counts), counts).astype(np.float64)
    smooth = round(RATE_HZ / HIGH_PASS_HZ)
    filled -= np.convolve(np.pad(filled, smooth // 2, mode="edge"), np.ones(smooth) / smooth, "same")[
        smooth // 2 : smooth // 2 + len(filled)
    ]
    shown: FloatArray = np.where(missing, np.nan, filled / max(np.abs(filled).max(), 1e-300)).astype(np.float32)
    return shown
