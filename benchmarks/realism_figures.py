"""Simulated beside recorded records: distributions of their summary numbers, curves, and what tells them apart."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, GREEN, ORANGE, fill_quantiles, panels, save, say_absent
from benchmarks.realism_classifier import Records
from benchmarks.realism_features import FADING_S, LEAVING_S, NAMES, RATE_HZ, filtered
from benchmarks.realism_pool import simulated_picked
from benchmarks.realism_study import POOL, study
from benchmarks.recorded import AUTOMATIC, SETS, Picked, picked_windows, ridgecrest_windows
from kensoku.simulation.randomness import FloatArray

LABELS = {
    "s_over_p": "S over P",
    "p_centroid_hz": "frequency of P, Hz",
    "s_centroid_hz": "frequency of S, Hz",
    "p_rise_s": "P, onset to largest, s",
    "s_rise_s": "S, onset to largest, s",
    "coda_2s": "2 s after S, over S",
    "coda_5s": "5 s after S, over S",
    "coda_10s": "10 s after S, over S",
    "p_snr": "SNR of P",
    "s_snr": "SNR of S",
    "p_kurtosis": "kurtosis around P",
    "p_coda": "before S, over P",
    "p_h_over_v": "H/V of P",
    "s_h_over_v": "H/V of S",
    "p_rectilinearity": "rectilinearity of P",
}
SHORT = {
    "N. California": "N. Cal.",
    "New Zealand": "N.Z.",
    "Iceland": "Iceland",
    "Ridgecrest": "Ridgecr.",
    POOL: "all",
}
EDGES_S = np.geomspace(0.5, 13.0, 8)  # of classes of S-P
SHOWN_S_MINUS_P_S = (0.7, 1.2, 2.0, 3.0, 5.0, 8.0, 12.0)
BEFORE_S, AFTER_S = 3.0, 10.0  # of P, of S: what is drawn of a record


def numbers() -> Figure:
    """10, 25, 50, 75 and 90 % of each number, set by set."""
    figure, axes = panels(3, 5, width_in=9.0, height_in=6.0)
    found = study()
    every = {**found.sets, POOL: found.pool}
    for column, (name, panel) in enumerate(zip(NAMES, axes, strict=True)):
        for place, each in enumerate(every.values()):
            draw_range(panel, place - 0.17, each.match.first.numbers[:, column], ORANGE)
            draw_range(panel, place + 0.17, each.match.second.numbers[:, column], BLUE)
        panel.set_xticks(range(len(every)), [SHORT[name] for name in every], rotation=40, fontsize=6)
        panel.set_title(LABELS[name] + ("" if name == "p_rectilinearity" else " (log10)"), fontsize=7)
    axes[0].plot([], [], color=ORANGE, lw=3, label="recorded")
    axes[0].plot([], [], color=BLUE, lw=3, label="simulated")
    axes[0].legend(fontsize=6)
    return figure


def draw_range(axes: Axes, place: float, values: FloatArray, colour: str) -> None:
    low, quarter, middle, three, high = np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9])
    axes.plot([place, place], [low, high], color=colour, lw=1)
    axes.plot([place, place], [quarter, three], color=colour, lw=4, solid_capstyle="butt")
    axes.plot(place, middle, "o", ms=3, color="white", mec=colour)


def told_apart() -> Figure:
    figure, axes = panels(1, 2, width_in=9.0, height_in=3.2)
    found = study()
    every = {**found.sets, POOL: found.pool, **found.held_out}
    for place, (name, each) in enumerate(every.items()):
        told = each.separation
        colour = GREEN if name in found.held_out else BLUE
        axes[0].errorbar(
            told.auc, place, xerr=[[told.auc - told.low], [told.high - told.auc]], fmt="o", color=colour, capsize=3
        )
    axes[0].set_yticks(range(len(every)), list(every))
    for which, middle, style in (("as they are", found.median_unmatched, ":"), ("matched", found.median_matched, "--")):
        axes[0].axvline(middle, color=ORANGE, ls=style, label=f"recorded against recorded, {which}, median")
    axes[0].set(xlim=(0.45, 1), xlabel="AUC, 90 %: 0.5 is not told apart")
    axes[0].invert_yaxis()
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=6)
    lost = np.array([each.separation.importance for each in [*found.sets.values(), found.pool]])
    order = np.argsort(found.pool.separation.importance)
    for place, row in enumerate(lost[:-1]):
        axes[1].plot(row[order], np.arange(order.size), "o", ms=3, label=list(found.sets)[place])
    axes[1].barh(np.arange(order.size), lost[-1][order], color=BLUE, alpha=0.4, label=POOL)
    axes[1].set_yticks(range(order.size), [LABELS[NAMES[column]] for column in order], fontsize=6)
    axes[1].set_xlabel("what the AUC loses when the number is shuffled")
    axes[1].legend(fontsize=6, loc="lower right")
    return figure


def curves() -> Figure:
    """What a seismologist would look at, of all sets together."""
    figure, axes = panels(2, 3, width_in=9.0, height_in=5.0)
    both = study().pool.match
    for records, colour, name in ((both.first, ORANGE, "recorded"), (both.second, BLUE, "simulated")):
        for panel, column in zip(axes, ("p_rise_s", "s_rise_s", "s_over_p"), strict=False):
            plot_by_distance(panel, records, records.numbers[:, NAMES.index(column)], colour)
        ratio = records.numbers[:, NAMES.index("s_centroid_hz")] - records.numbers[:, NAMES.index("p_centroid_hz")]
        plot_by_distance(axes[3], records, ratio, colour)
        long = records.s_minus_p_s > LEAVING_S[-1] / 2
        fill_quantiles(axes[4], LEAVING_S, records.leaving_db[long], colour, name)
        fill_quantiles(axes[5], FADING_S, records.fading_db, colour, name)
    titles = ("P, onset to largest, s", "S, onset to largest, s", "S over P", "frequency of S over that of P")
    for panel, title in zip(axes, titles, strict=False):
        panel.set(xscale="log", xlabel="S-P, s", title=f"{title} (log10)")
        label_plainly(panel, (0.5, 1, 2, 5, 10))
    axes[4].set(xlabel="seconds after P", title="horizontal over vertical, dB")
    axes[5].set(xscale="log", xlabel="seconds after S", title="level over the largest of S, dB")
    label_plainly(axes[5], (0.3, 1, 3, 10))
    axes[5].legend(fontsize=6)
    return figure


def label_plainly(axes: Axes, ticks: Sequence[float]) -> None:
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def plot_by_distance(axes: Axes, records: Records, values: FloatArray, colour: str) -> None:
    """Medians of classes of S-P, and what lies between 16 and 84 %."""
    apart = records.s_minus_p_s
    for low, high in zip(EDGES_S[:-1], EDGES_S[1:], strict=True):
        within = values[(apart >= low) & (apart < high)]
        if within.size >= 8:
            least, middle, most = np.quantile(within, [0.16, 0.5, 0.84])
            at = np.sqrt(low * high) * (0.97 if colour == ORANGE else 1.03)
            axes.errorbar(at, middle, [[middle - least], [most - middle]], fmt="o", ms=3, color=colour, capsize=2)


# --- seismograms ------------------------------------------------------------------------------------------------------


def traces() -> Figure:
    """Simulated ones, near to far."""
    figure, axes = panels(1, 3, width_in=9.0, height_in=6.0)
    draw_traces(axes, chosen_simulated(), BLUE)
    return figure


def traces_beside() -> Figure:
    """Recorded and simulated ones in turn: to look at, not to give away."""
    figure, axes = panels(1, 3, width_in=13.0, height_in=11.0)
    recorded, simulated = chosen_recorded(), chosen_simulated()
    draw_traces(axes, [each for pair in zip(recorded, simulated, strict=True) for each in pair], ORANGE, BLUE)
    return figure


def chosen_simulated() -> list[Picked]:
    records = study().pool.match.second
    chosen = [int(np.argmin(np.abs(np.log(records.s_minus_p_s / apart)))) for apart in SHOWN_S_MINUS_P_S]
    found = [simulated_picked(int(records.stations[index])) for index in chosen]
    return [each for each in found if each]


def chosen_recorded() -> list[Picked]:
    """Of the sets in turn; those in which P is loudest beside what is before it, among the nearest in S-P."""
    sets = [list(picked_windows(name)) for name in (*SETS, *AUTOMATIC)] + [list(ridgecrest_windows())]
    chosen = []
    for number, apart in enumerate(SHOWN_S_MINUS_P_S):
        windows = sets[number % len(sets)]
        chosen.append(min(windows, key=lambda each: abs(np.log((each.s - each.p) / RATE_HZ / apart))))
    return chosen


def draw_traces(axes: Sequence[Axes], picked: Sequence[Picked], *colours: str) -> None:
    for row, window in enumerate(picked):
        begin, last = int(window.p - BEFORE_S * RATE_HZ), int(window.s + AFTER_S * RATE_HZ)
        seen = filtered(window.samples[:, max(begin - 200, 0) : last])[:, -(last - begin) :]
        time_s = (np.arange(seen.shape[1]) + begin - window.p) / RATE_HZ
        largest = np.abs(seen).max()
        for panel, component in zip(axes, seen, strict=True):
            panel.plot(time_s, component / largest - 1.6 * row, color=colours[row % len(colours)], lw=0.5)
            for onset in (0.0, (window.s - window.p) / RATE_HZ):
                panel.plot([onset, onset], [-1.6 * row - 0.7, -1.6 * row + 0.7], color="black", lw=0.6)
    for panel, name in zip(axes, "ZNE", strict=True):
        panel.set(xlabel="seconds after P", title=f"{name}, 2 to 30 Hz")
        panel.set(yticks=[], ylim=(0.4 - 1.6 * len(picked), 1.2))


# --- all of them ------------------------------------------------------------------------------------------------------


def where_recorded(draw_it: Callable[[], Figure]) -> Callable[[], Figure]:
    """A figure that says so where no recorded set is beside the project."""

    def drawn() -> Figure:
        if study().sets:
            return draw_it()
        figure, (only,) = panels(1, 1)
        say_absent(only, "recorded windows")
        return figure

    return drawn


FIGURES = {
    "realism-auc": where_recorded(told_apart),
    "realism-numbers": where_recorded(numbers),
    "realism-curves": where_recorded(curves),
    "realism-traces": where_recorded(traces),
}


def draw(directory: Path, *, with_recorded_traces: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, figure in _chosen(with_recorded_traces):
        save(figure(), directory / f"{name}.png")
        print(directory / f"{name}.png")


def _chosen(with_recorded_traces: bool) -> Iterator[tuple[str, Callable[[], Figure]]]:
    yield from FIGURES.items()
    if with_recorded_traces:
        yield "realism-traces-recorded", traces_beside
