"""One planted fault of each kind as a seismogram: one that deceived the picker, if any did."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kensoku.training.evaluation.false_picks import Fault, FaultFigures
from kensoku.training.evaluation.figures import COLOURS, to_png
from kensoku.training.examples import RATE_HZ

COLUMNS = 3
BEFORE_S, AFTER_S = 3.0, 4.0


def draw(kinds: Sequence[FaultFigures]) -> bytes:
    shown = [
        (kind, max(kind.faults, key=lambda fault: max((pick.score for pick in fault.picks), default=0.0)))
        for kind in kinds
        if kind.faults
    ]
    rows = max(1, -(-len(shown) // COLUMNS))

    def put(figure: Figure) -> None:
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for each, (kind, fault) in zip(axes, shown, strict=False):
            _draw_fault(each, fault)
            each.set_title(f"{kind.kind}: {kind.deceived} of {len(kind.faults)}", fontsize=7, pad=2)
        for each in axes[len(shown) :]:
            each.set_axis_off()

    return to_png(put, 12, 1.8 * rows)


def _draw_fault(axes: Axes, fault: Fault) -> None:
    planted = fault.planted
    first = max(0, planted.first - round(BEFORE_S * RATE_HZ))
    last = min(planted.counts.shape[1], planted.end + round(AFTER_S * RATE_HZ))
    time_s = (np.arange(first, last) - planted.first) / RATE_HZ
    for row in range(3):
        counts = planted.counts[row, first:last].astype(np.float64)
        if not np.isnan(counts).all():
            counts = counts - np.nanmedian(counts)
            axes.plot(time_s, counts / (2 * max(np.nanmax(np.abs(counts)), 1e-300)) - row, color="black", linewidth=0.5)
    for pick in fault.picks:
        axes.axvline((pick.sample - planted.first) / RATE_HZ, color=COLOURS[pick.phase], linewidth=1, linestyle=":")
    axes.axvspan(0, (planted.end - planted.first) / RATE_HZ, color="0.93", zorder=0)
    axes.set_ylim(-2.6, 0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=6)
