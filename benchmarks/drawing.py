"""How figures look: colours that everybody can tell apart, units on every axis, and files small enough to commit."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from kensoku.simulation.randomness import FloatArray

REAL = Path(__file__).parents[2] / "shared" / "data"  # recorded data lie beside the project

# Okabe & Ito (2008)
BLUE, ORANGE, GREEN, PURPLE, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
BY_COMPONENT = {"Z": BLUE, "N": ORANGE, "E": GREEN}
rcParams.update({"font.size": 8, "axes.titlesize": 8, "legend.fontsize": 7, "lines.linewidth": 1.0})
rcParams.update({"axes.grid": True, "grid.alpha": 0.3, "legend.framealpha": 0.9, "legend.edgecolor": "none"})
DPI = 110
TONES = 160  # of the palette of a file


def panels(rows: int, columns: int, width_in: float = 8.0, height_in: float = 3.0) -> tuple[Figure, Sequence[Axes]]:
    """A figure and its axes, row by row."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes: Sequence[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    return figure, axes


def save(figure: Figure, path: Path) -> None:
    """As PNG with a palette, which is a third of the size."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    image = Image.open(drawn).convert("RGB").quantize(TONES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    temporary = path.with_suffix(".tmp")
    image.save(temporary, format="PNG", optimize=True)
    temporary.replace(path)


def fill_quantiles(axes: Axes, x: FloatArray, samples: FloatArray, colour: str, label: str) -> None:
    """Median, and what lies between 10 and 90 %, of (samples, x)."""
    low, middle, high = np.nanquantile(samples, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, middle, color=colour, label=label)


def say_absent(axes: Axes, what: str) -> None:
    axes.text(0.5, 0.5, f"{what}:\nnot beside the project", ha="center", va="center", transform=axes.transAxes)
