"""Training windows: the same dice give the same window, labels lie where waves begin, and nothing unsure is noise."""

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.simulation.disturbances import IN_SENSOR, Disturbance, Kind
from kensoku.simulation.instruments import SENSORS
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sites import Site
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.visibility import see
from kensoku.simulation.window_draws import RATE_HZ, draw_aftershocks, draw_window
from kensoku.simulation.window_mishaps import (
    Gap,
    Mishaps,
    disturb_ground,
    disturb_sensor,
    draw_mishaps,
    loudness,
    silence,
    spoil,
)
from kensoku.simulation.window_noise import make_noise
from kensoku.simulation.windows import WINDOW_S, Label, Window, simulate_aftershocks, simulate_window

SIZE = RATE_HZ * WINDOW_S
QUIET = Mishaps((), (), "", (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def windows() -> list[Window]:
    chance = np.random.default_rng(11)
    return [simulate_window(chance) for _ in range(500)]


def labelled(*labels: Label, gaps: tuple[Gap, ...] = ()) -> Window:
    draw = draw_window(np.random.default_rng(1))
    sources = 1 + max((label.source for label in labels), default=-1)
    return Window(np.zeros((3, SIZE), np.int32), labels, (SourceKind.EARTHQUAKE,) * sources, (), gaps, draw)


def arrival(phase: str, sample: float, snr: float = 10.0, source: int = 0) -> Label:
    return Label(source, phase, sample, snr, snr)


def unsure(window: Window, wave: str) -> list[tuple[int, int]]:
    """First and last sample of each stretch that is not known."""
    known = window.known("P" if wave == "P" else "S").astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[1], known, [1]])))
    return [(int(first), int(last) - 1) for first, last in edges.reshape(-1, 2)]


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_window_has_three_components_of_thirty_seconds(windows: list[Window]) -> None:
    assert {(window.counts.shape, window.counts.dtype) for window in windows} == {((3, SIZE), np.dtype(np.int32))}


def test_the_same_dice_give_the_same_window() -> None:
    first, again = (simulate_window(np.random.default_rng(3)) for _ in range(2))
    assert first.counts.tobytes() == again.counts.tobytes()
    assert repr(replace(first, counts=again.counts)) == repr(again)


def test_aftershocks_are_near_each_other_at_one_station_and_mostly_small() -> None:
    swarms = [draw_aftershocks(np.random.default_rng([3, n])) for n in range(400)]
    counts = [len(swarm) for swarm in swarms]
    assert min(counts) == 1
    assert max(counts) == 31
    assert np.median(counts) == pytest.approx(6, abs=2)
    for swarm in swarms:
        assert len({(each.sensor, each.site, each.attenuation, each.scattering, each.digitiser) for each in swarm}) == 1
    large = [swarm for swarm in swarms if len(swarm) > 10]
    spreads = [np.std(np.log([each.s_minus_p_s for each in swarm])) for swarm in large]
    assert 0.02 < min(spreads) < 0.08
    assert 0.25 < max(spreads) < 0.5
    above = np.array([each.mw - min(e.mw for e in swarm) for swarm in large for each in swarm])
    assert (above < 1).mean() > 0.75, "as Gutenberg and Richter have it"
    assert above.max() > 1.5


def test_a_window_of_aftershocks_has_what_its_dice_say() -> None:
    windows = [simulate_aftershocks(np.random.default_rng([5, n])) for n in range(30)]
    for number, window in enumerate(windows):
        assert len(window.kinds) == len(draw_aftershocks(np.random.default_rng([5, number])))
        assert window.counts.shape == (3, SIZE)
    arrivals = [sum(0 <= label.sample < SIZE for label in window.labels) for window in windows]
    picks = [len(window.picks("P")) + len(window.picks("S")) for window in windows]
    assert max(picks) >= 8
    assert np.sum(picks) < 0.7 * np.sum(arrivals), "many hide in the codas of others"


def test_ground_moves_more_after_a_clear_p_than_before(windows: list[Window]) -> None:
    ratios = []
    for window in windows:
        label = next(iter(window.picks("P")), None)
        if label and label.snr > 20 and label == window.labels[0] and 200 < label.sample < 2900:
            at = int(label.sample)
            seen = np.abs(see(window.counts, RATE_HZ))
            ratios.append(seen[:, at : at + 100].max() / seen[:, at - 150 : at - 30].max())
    assert len(ratios) > 50
    assert np.median(ratios) > 5


def test_nothing_moves_before_the_first_wave(windows: list[Window]) -> None:
    """Of records without disturbance: what is slower than noise would come round the end of a transform."""
    ratios = []
    for window in windows:
        label = next(iter(window.labels), None)
        if label and label.snr > 100 and 1000 < label.sample < 2900 and not window.disturbances and not window.gaps:
            quiet = window.counts[:, : int(label.sample) - 100].astype(float)
            halves = np.abs(np.diff([half.mean(axis=1) for half in np.array_split(quiet, 2, axis=1)], axis=0)).max()
            ratios.append(halves / np.ptp(window.counts, axis=1).max())
    assert len(ratios) > 20
    assert np.quantile(ratios, 0.9) < 2e-3


def test_some_windows_clip_and_some_hold_a_few_counts(windows: list[Window]) -> None:
    peaks = np.array([np.abs(window.counts).max() for window in windows])
    flat = [
        np.sum(np.abs(window.counts) == peak) > 3 and peak > 1000 for window, peak in zip(windows, peaks, strict=True)
    ]
    assert 0.01 < np.mean(flat) < 0.25
    steps = [np.median(np.abs(np.diff(window.counts[0]))) for window in windows if window.recorded()[0].all()]
    assert np.mean(np.array(steps) <= 2) > 0.05


def test_the_noise_of_windows_is_that_of_stations() -> None:
    site = Site(culture_db=0.0, burst_db=0.0, storm_db=0.0, wind_db=None, horizontal_db=6.0, tilt_db=0.0)
    chance = np.random.default_rng(1)
    ground = GroundNoise(site, 1, "XX.A", RATE_HZ).blocks(0)
    hann = np.hanning(3600) / np.sqrt(3 / 8)  # against leakage; what is made for windows is periodic
    station = np.mean([np.abs(np.fft.rfft(next(ground)[:, :3600] * hann)) ** 2 for _ in range(40)], axis=0)
    spectra = [make_noise(site, 0.0, np.ones(3600), RATE_HZ, chance) for _ in range(40)]
    window = np.mean(np.abs(np.array(spectra)) ** 2, axis=0)
    hz = np.fft.rfftfreq(3600, 1 / RATE_HZ)
    for low, high in ((0.6, 1.5), (2.0, 8.0), (12.0, 18.0), (20.0, 35.0)):
        band = (hz > low) & (hz < high)
        assert 10 * np.log10(window[:, band].mean(axis=1) / station[:, band].mean(axis=1)) == pytest.approx(0, abs=1.5)


# --- sources ----------------------------------------------------------------------------------------------------------


def test_windows_hold_all_kinds_of_sources_and_none(windows: list[Window]) -> None:
    kinds = Counter(window.kinds[0] if window.kinds else None for window in windows)
    assert set(kinds) == {None, *SourceKind}
    assert 0.08 < kinds[None] / len(windows) < 0.17
    assert all((window.draw.kind,) == window.kinds[:1] for window in windows if window.kinds)


def test_further_earthquakes_come_before_within_and_after_the_first(windows: list[Window]) -> None:
    further = [window for window in windows if len(window.kinds) > 1]
    assert 0.08 < len(further) / len(windows) < 0.3
    assert {len(window.kinds) for window in further} == {2, 3}
    after_s = []
    for window in further:
        first, second = (next(each.sample for each in window.labels if each.source == n) for n in (0, 1))
        after_s.append((second - first) / RATE_HZ)
    assert min(after_s) < -1
    assert max(after_s) > 5
    assert np.mean(np.array(after_s) > 0) > 0.5


def test_labels_tell_every_arrival_and_judge_those_inside(windows: list[Window]) -> None:
    for window in windows:
        samples = [label.sample for label in window.labels]
        assert samples == sorted(samples)
        assert {label.source for label in window.labels} == set(range(len(window.kinds)))
        assert all(np.isnan(label.snr) != (0 <= label.sample < SIZE) for label in window.labels)
    assert {label.phase for window in windows for label in window.labels} >= {"Pg", "Pn", "Sg", "Sp", "P"}


def test_draws_reach_past_recorded_sets(windows: list[Window]) -> None:
    draws = [window.draw for window in windows if window.draw.kind is SourceKind.EARTHQUAKE]
    behind, corner = (np.array([getattr(draw, name) for draw in draws]) for name in ("s_minus_p_s", "p_corner_hz"))
    assert behind.min() < 0.4
    assert behind.max() > 50
    assert corner.min() < 1.2
    assert corner.max() > 25
    assert {draw.sensor for draw in draws} == set(SENSORS)
    assert max(draw.mw for draw in draws) > 6
    assert any(draw.borehole_m for draw in draws)


# --- what is a pick, what is noise, and what nobody can say -----------------------------------------------------------


def test_a_pick_is_the_first_visible_arrival_of_its_source() -> None:
    window = labelled(
        arrival("Pn", 900, snr=1.0),
        arrival("Pg", 1000),
        arrival("Pg", 1200, source=1),
        arrival("Sp", 1450),
        arrival("Sg", 1500),
        arrival("Sg", 3400, snr=np.nan, source=1),
    )
    assert [(label.source, label.sample) for label in window.picks("P")] == [(0, 1000), (1, 1200)]
    assert [label.sample for label in window.picks("S")] == [1500]


def test_an_arrival_nobody_sees_is_no_noise() -> None:
    window = labelled(arrival("Pg", 1000, snr=1.9), arrival("Sg", 1500))
    assert unsure(window, "P") == [(950, 1199)]
    assert unsure(window, "S") == []


def test_a_later_arrival_of_the_same_wave_is_neither_pick_nor_noise() -> None:
    window = labelled(arrival("Pn", 1000), arrival("Pg", 1400), arrival("Sg", 2000))
    assert unsure(window, "P") == [(1350, 1599)]


def test_a_distant_s_that_nobody_sees_is_unsure_for_longer() -> None:
    window = labelled(arrival("Pg", -2000, snr=np.nan), arrival("Sg", 1000, snr=1.0))
    assert unsure(window, "S") == [(950, 1599)]


def test_an_arrival_just_before_the_window_leaves_its_start_unsure() -> None:
    window = labelled(arrival("Pg", -600, snr=np.nan), arrival("Sg", -100, snr=np.nan))
    assert unsure(window, "S") == [(0, 99)]
    assert unsure(window, "P") == []


def test_what_was_not_recorded_is_not_known() -> None:
    window = labelled(gaps=(Gap("ZNE", 100, 200), Gap("Z", 500, 600)))
    assert unsure(window, "P") == [(100, 199)]
    assert not window.recorded()[0, 550]
    assert window.recorded()[1, 550]


def test_every_arrival_inside_is_a_pick_or_unsure(windows: list[Window]) -> None:
    told = hidden = 0
    for window in windows:
        for label in window.labels:
            if label.wave and 0 <= label.sample < SIZE:
                is_pick = label in window.picks(label.wave)
                told, hidden = told + is_pick, hidden + (not is_pick)
                assert is_pick or not window.known(label.wave)[int(label.sample)]
    assert told > 300
    assert hidden > 100


# --- mishaps ----------------------------------------------------------------------------------------------------------


def disturbance(kind: Kind, start_s: float, duration_s: float, size: float) -> Disturbance:
    return Disturbance(kind, round(start_s * 1e9), duration_s, (1.0, 1.0, 1.0), size, 0.7)


def test_every_kind_of_mishap_comes_in_a_share_of_windows() -> None:
    chance = np.random.default_rng(2)
    drawn = [draw_mishaps(SENSORS["broadband-30s"], WINDOW_S, RATE_HZ, chance) for _ in range(2000)]
    assert {each.kind for mishaps in drawn for each in mishaps.disturbances} == set(Kind)
    assert np.mean([bool(mishaps.disturbances) for mishaps in drawn]) == pytest.approx(0.2, abs=0.03)
    whole = Counter(gap.components for mishaps in drawn for gap in mishaps.gaps if (gap.start, gap.stop) == (0, SIZE))
    assert set(whole) == {"NE", "Z", "N", "E"}
    assert {mishaps.dead for mishaps in drawn} == {"", "Z", "N", "E"}
    lengths = np.array([gap.stop - gap.start for mishaps in drawn for gap in mishaps.gaps]) / RATE_HZ
    assert lengths.min() < 0.1
    assert all(0 <= gap.start < gap.stop <= SIZE for mishaps in drawn for gap in mishaps.gaps)


def test_only_sensors_with_a_motor_are_recentred() -> None:
    chance = np.random.default_rng(2)
    drawn = [draw_mishaps(SENSORS["geophone-1hz"], WINDOW_S, RATE_HZ, chance) for _ in range(2000)]
    assert Kind.RECENTRING not in {each.kind for mishaps in drawn for each in mishaps.disturbances}


def test_disturbances_begin_when_they_say(windows: list[Window]) -> None:
    found: list[npt.NDArray[np.intp]] = []
    walked = np.zeros((3, SIZE))
    disturb_ground(walked, 0, RATE_HZ, replace(QUIET, disturbances=(disturbance(Kind.FOOTSTEPS, 7.0, 6.0, 1e-6),)))
    found.append(np.flatnonzero(walked.any(axis=0)))
    struck = replace(QUIET, disturbances=(disturbance(Kind.LIGHTNING, 7.0, 0.2, 0.1),))
    output: FloatArray = disturb_sensor((3, SIZE), 0, RATE_HZ, SENSORS["geophone-1hz"], struck)
    assert np.abs(output).max() == pytest.approx(0.1, rel=0.01)
    found.append(np.flatnonzero(output.any(axis=0)))
    counts = np.arange(3 * SIZE, dtype=np.int32).reshape(3, SIZE)
    spoil(counts, RATE_HZ, replace(QUIET, disturbances=(disturbance(Kind.REPEAT, 7.0, 2.0, 1.0),)))
    found.append(np.flatnonzero(counts[0] != np.arange(SIZE)))
    assert all(700 <= samples[0] <= 701 for samples in found)
    assert (counts[0, 700:900] == np.arange(500, 700)).all()
    struck_windows = [w for w in windows if any(each.kind in IN_SENSOR for each in w.disturbances)]
    assert struck_windows


def test_a_vehicle_is_loudest_in_the_middle_of_its_passage() -> None:
    passage = replace(QUIET, disturbances=(disturbance(Kind.VEHICLE, -45.0, 120.0, 99.0),))
    louder = loudness(passage, np.arange(SIZE) / RATE_HZ)
    assert abs(int(louder.argmax()) - 1500) <= 1
    assert louder.max() == pytest.approx(10, rel=0.01)


def test_gaps_are_zeros_and_dead_components_stay_and_neither_shows_waves() -> None:
    mishaps = replace(QUIET, gaps=(Gap("ZE", 100, 200),), dead="N", offset_counts=(0.0, -41.7, 0.0))
    counts, waves = np.full((3, SIZE), 7, dtype=np.int32), np.full((3, SIZE), 7.0)
    spoil(counts, RATE_HZ, mishaps)
    silence(waves, mishaps)
    assert counts[:, 99:101].tolist() == [[7, 0], [-42, -42], [7, 0]]
    assert waves[:, 99:101].tolist() == [[7, 0], [0, 0], [7, 0]]


def test_what_was_not_recorded_is_zero_in_windows(windows: list[Window]) -> None:
    broken = [window for window in windows if window.gaps]
    assert 0.08 < len(broken) / len(windows) < 0.3
    assert all((window.counts[~window.recorded()] == 0).all() for window in broken)
