"""Write what a denoiser does to classic picks: `MODEL.json` with every figure, `MODEL.html` for people."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kensoku.training.evaluation.denoiser import CLEAR_SNR, THRESHOLDS, JudgedCut, Share, share_of
from kensoku.training.evaluation.figures import Step, as_many_of_each, reliability, reliable_steps, to_png
from kensoku.training.evaluation.pages import image, table, write_json, write_page
from kensoku.training.examples import RATE_HZ

CALLED = ("noise", "onset")
SHOWN = 12  # failures of either sort
LOST = 0.01  # of what is real and clear
SETTLED = 0.003  # the same where a threshold is settled: of other records no more than LOST shall be


def groups(cuts: Sequence[JudgedCut]) -> dict[str, list[JudgedCut]]:
    """By what a pick is; real ones also by SNR and by source, quiet ones by source."""
    found: dict[str, list[JudgedCut]] = {
        f"real, SNR {CLEAR_SNR:g} or more": [cut for cut in cuts if is_clear(cut)],
        "real, all": [cut for cut in cuts if cut.is_real],
        "false, all": [cut for cut in cuts if not cut.is_real],
    }
    for name in sorted({f"{cut.kind}, {cut.source}" for cut in cuts if cut.kind in ("real", "quiet")}):
        chosen = [cut for cut in cuts if f"{cut.kind}, {cut.source}" == name]
        found[name] = [cut for cut in chosen if not cut.is_real or is_clear(cut)]
    for kind in sorted({cut.kind for cut in cuts} - {"real", "quiet"}):
        found[kind] = [cut for cut in cuts if cut.kind == kind]
    return {name: chosen for name, chosen in found.items() if chosen}


def is_clear(cut: JudgedCut) -> bool:
    return cut.is_real and math.isfinite(cut.snr) and cut.snr >= CLEAR_SNR


def highest_threshold(cuts: Sequence[JudgedCut], lost: float = LOST) -> float:
    """The highest at which less than this share of real and clear picks is lost."""
    real = sorted(cut.onset_probability for cut in cuts if is_clear(cut))
    allowed = math.ceil(lost * len(real)) - 1
    return real[max(allowed, 0)] if real else math.nan


def write_denoiser_report(folder: Path, model: str, title: str, threshold: float, cuts: Sequence[JudgedCut]) -> None:
    """Both files under the model's name, beside reports of others; each is there when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    best, found = highest_threshold(cuts), groups(cuts)
    told = {
        "title": title,
        "threshold": threshold,
        "threshold_at_1_percent_lost": best,
        "called_noise": {name: asdict(share_of(chosen, threshold)) for name, chosen in found.items()},
        "called_noise_at_1_percent_lost": {name: asdict(share_of(chosen, best)) for name, chosen in found.items()},
        "by_threshold": {
            f"{each:g}": {name: asdict(share_of(chosen, each)) for name, chosen in list(found.items())[:3]}
            for each in THRESHOLDS
        },
        "confusion": confusion(cuts, threshold),
        "reliability": reliability_of(cuts),
    }
    write_json(folder / f"{model}.json", told)
    write_page(folder / f"{model}.html", title, _body(threshold, best, cuts))


def _body(threshold: float, best: float, cuts: Sequence[JudgedCut]) -> str:
    rows = [
        [name, *_cells(share_of(chosen, threshold)), *_cells(share_of(chosen, best))[1:]]
        for name, chosen in groups(cuts).items()
    ]
    head = ["picks", "count", f"noise at {threshold:.3g}", "90 %", f"noise at {best:.3g}", "90 %"]
    return (
        "<p class='note'>Share of classic picks that the denoiser calls noise: few of the real ones, most others. "
        f"At {best:.3g} less than one in a hundred real ones of SNR {CLEAR_SNR:g} or more is lost.</p>"
        f"{table(head, rows)}<h2>What picks were called</h2>"
        f"{table(['was', *CALLED], [[name, *row.values()] for name, row in confusion(cuts, threshold).items()])}"
        f"<h2>By threshold</h2>{image(curves(cuts))}"
        f"<h2>Reliability</h2><p class='note'>As if there were as many real picks as false ones.</p>"
        f"{image(reliability({'onset': reliability_of(cuts)}, 'share that is real'))}"
        f"<h2>Real picks that look most like noise</h2>{image(seismograms(worst_real(cuts)))}"
        f"<h2>False picks that look most like onsets</h2>{image(seismograms(worst_false(cuts)))}"
    )


def _cells(share: Share) -> list[str]:
    if not math.isfinite(share.share):
        return [str(share.count), "-", "-"]
    return [str(share.count), f"{share.share:.3f}", f"{share.low:.3f} to {share.high:.3f}"]


def confusion(cuts: Sequence[JudgedCut], threshold: float) -> dict[str, dict[str, int]]:
    """What picks were called at a threshold, by what they are."""
    counts = {}
    for name, some in (("false", [cut for cut in cuts if not cut.is_real]), ("real", [c for c in cuts if c.is_real])):
        onsets = sum(cut.onset_probability >= threshold for cut in some)
        counts[name] = dict(zip(CALLED, (len(some) - onsets, onsets), strict=True))
    return counts


def reliability_of(cuts: Sequence[JudgedCut]) -> list[Step]:
    is_real = np.array([cut.is_real for cut in cuts], dtype=np.bool_)
    return reliable_steps(np.array([cut.onset_probability for cut in cuts]), is_real, as_many_of_each(is_real))


# --- pictures ---------------------------------------------------------------------------------------------------------


def curves(cuts: Sequence[JudgedCut]) -> bytes:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, chosen), colour in zip(
            list(groups(cuts).items())[:3], ("#D55E00", "#E69F00", "#0072B2"), strict=False
        ):
            shares = [share_of(chosen, threshold) for threshold in THRESHOLDS]
            axes.plot(THRESHOLDS, [share.share for share in shares], color=colour, label=name)
            axes.fill_between(
                THRESHOLDS, [share.low for share in shares], [share.high for share in shares], color=colour, alpha=0.2
            )
        axes.set_xlabel("threshold of the probability of an onset")
        axes.set_ylabel("share called noise")
        axes.legend(fontsize=7)

    return to_png(draw, 6, 3.2)


def worst_real(cuts: Sequence[JudgedCut]) -> list[JudgedCut]:
    return sorted((cut for cut in cuts if is_clear(cut)), key=lambda cut: cut.onset_probability)[:SHOWN]


def worst_false(cuts: Sequence[JudgedCut]) -> list[JudgedCut]:
    """One of each unit, so that one bad minute does not fill the page."""
    found: dict[str, JudgedCut] = {}
    for cut in sorted((cut for cut in cuts if not cut.is_real), key=lambda cut: -cut.onset_probability):
        found.setdefault(cut.unit, cut)
    return list(found.values())[: 2 * SHOWN]


def seismograms(cuts: Sequence[JudgedCut]) -> bytes:
    """8 s around each pick; what the denoiser was shown is white."""

    def draw(figure: Figure) -> None:
        all_axes = figure.subplots(max(1, -(-len(cuts) // 4)), 4, squeeze=False).ravel()
        for axes, cut in zip(all_axes, cuts, strict=False):
            middle_s = cut.counts.shape[1] / 2 / RATE_HZ
            time_s = np.arange(cut.counts.shape[1]) / RATE_HZ - middle_s
            for row, counts in enumerate(cut.counts.astype(np.float64)):
                if not np.isnan(counts).all():
                    counts = counts - np.nanmean(counts)
                    axes.plot(time_s, counts / (2 * (np.nanmax(np.abs(counts)) or 1)) - row, "k", linewidth=0.5)
            axes.axvspan(-middle_s, -middle_s / 2, color="0.9")
            axes.axvspan(middle_s / 2, middle_s, color="0.9")
            axes.axvline(0, color="#0072B2", linewidth=0.8)
            axes.set_title(
                f"{cut.kind}, {cut.source} {cut.station}, SNR {cut.snr:.1f}, onset {cut.onset_probability:.2f}",
                fontsize=6,
            )
            axes.set_yticks([])
            axes.tick_params(labelsize=5)
        for axes in all_axes[len(cuts) :]:
            axes.set_axis_off()

    return to_png(draw, 13, 1.7 * max(1, -(-len(cuts) // 4)))
