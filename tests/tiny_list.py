"""The list of `kensoku train all` that is shipped, with tiny networks and few steps, and made records for it.

P is a packet of waves on the vertical, S a slower one on the horizontals, far above the noise: a tiny network learns
them in a minute of arithmetic.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import obspy

TRAINING = Path(__file__).parents[1] / "training"
SAMPLES = 4000
HOUR = 12_000  # samples of a continuous record
LATITUDE, LONGITUDE = 35.7, -117.5
BEGAN = obspy.UTCDateTime(2019, 7, 4, 15, 50)
SHORT = {"epoch_steps": 100, "judge_epochs": 1, "stretches": [1], "warmup_steps": 5, "batch": 8, "learning_rate": 0.01}
SMALL = {"channels": [8, 8, 8], "kernel": 5, "mean_samples": 64, "scale_samples": 128}
SHARES = r"^develop_share = 0[.](2|15|1|05)\b"  # of which so few records would leave no one to judge
CLASSIFIERS = ("phase", "denoiser", "blast", "blast_long")
FloatArray = npt.NDArray[np.float64]


def write_list(folder: Path, steps: int) -> Path:
    """Of as many steps each; its settings and descriptions lie beside it as those that are shipped do."""
    (folder / "configs").mkdir(parents=True)
    (folder / "datasets").mkdir()
    for path in (TRAINING / "datasets").glob("*.toml"):
        shared = re.sub(SHARES, "develop_share = 0.6", path.read_text(), flags=re.MULTILINE)
        (folder / "datasets" / path.name).write_text(shared)
    for path in (TRAINING / "configs").glob("*.toml"):
        made = _tiny(tomllib.loads(path.read_text()), steps, is_picker=path.stem not in CLASSIFIERS)
        (folder / "configs" / path.name).write_text(made)
    text = (TRAINING / "configs" / "all.toml").read_text()
    for count, few in (("30_000", "12"), ("24_000", "80")):
        text = text.replace(f"count = {count}", f"count = {few}")
    text = re.sub(r"^last = .*$", "last = 32", text, flags=re.MULTILINE)
    (folder / "configs" / "all.toml").write_text(text)
    return folder / "configs" / "all.toml"


def _tiny(settings: dict[str, Any], steps: int, *, is_picker: bool) -> str:
    network = settings.get("network", {}) | SMALL
    network |= {"dilations": [1, 2, 4, 8, 16]} if is_picker else {"hidden": 8, "dropout": 0.0}
    training = settings.get("training", {}) | SHORT | {"steps": steps}
    training |= {} if is_picker else {"batch": 32}
    training.pop("patience", None)
    recipe = {"length": 3008 if network.get("window", 0) > 1600 else 1600, **settings.get("recipe", {})}
    mix = recipe.pop("mix", {})
    return "".join(
        _section(name, values)
        for name, values in (("network", network), ("training", training), ("recipe", recipe), ("recipe.mix", mix))
        if values
    )


def _section(name: str, values: dict[str, Any]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


# --- records ----------------------------------------------------------------------------------------------------------


def write_records(folder: Path) -> Path:
    """Under the names of the recorded ones."""
    chance = np.random.default_rng(0)
    for name in ("windows", "continuous", "catalogs/colombia_vmm"):
        (folder / name).mkdir(parents=True)
    _write_windows(
        folder / "windows/phasenet_ncedc_train.h5",
        30,
        "name,net,sta",
        "NC_A{n}_20120801{n:02d}000000.x,NC,A{n}",
        chance,
    )
    _write_windows(
        folder / "windows/deepdenoiser_ncedc_signal.h5",
        6,
        "name,net,sta",
        "NC_D{n}_20130801{n:02d}000000.x,NC,D{n}",
        chance,
    )
    _write_windows(
        folder / "windows/nz_southern_alps.h5",
        24,
        "name,sta,mag,ev_time",
        "E{n},Z{n},1.0,2013-09-01T{n:02d}:00:00Z",
        chance,
    )
    _write_windows(
        folder / "windows/iceland_vt_auto.h5", 20, "name,sta,start", "I{n},I{n},2014-08-24T{n:02d}:00:00Z", chance
    )
    _write_spikes(folder / "windows/spikes_strongmotion_150x1c.h5", chance)
    places = {f"CI.S{n}": (LATITUDE + 0.1 * np.cos(n), LONGITUDE + 0.1 * np.sin(n)) for n in range(6)}
    rows = [f"{name},{latitude},{longitude},0" for name, (latitude, longitude) in places.items()]
    (folder / "continuous/ridgecrest_stations.csv").write_text("\n".join(["id,lat,lon,elev_m", *rows, ""]))
    first, second = "continuous/ridgecrest_20190704_1550", "continuous/ridgecrest_20190707_0750"
    _write_hour(folder / f"{first}.mseed", {name: _onsets(place, 7000) for name, place in places.items()}, chance)
    onsets = {name: _onsets(place, 5000) for name, place in places.items()}
    _write_hour(folder / f"{second}.mseed", onsets, chance)
    rows = [
        f"{name},{phase},{BEGAN + sample / 100},0.9,0"
        for name, pair in onsets.items()
        for phase, sample in zip("PS", pair, strict=True)
    ]
    (folder / f"{second}_picks.csv").write_text("\n".join(["station,phase,utc,score,event", *rows, ""]))
    _write_hour(folder / "continuous/ghana_20121009_1204.mseed", {f"GH.G{n}": () for n in range(4)}, chance)
    _write_hour(folder / "continuous/colombia_vmm_20171015_0625.mseed", {f"CM.C{n}": () for n in range(4)}, chance)
    header = "time,network_code,station_code,phase_hint\n"
    (folder / "catalogs/colombia_vmm/pnet_picks.csv").write_text(header + "2017-10-15 06:00:57.61,CM,C1,P\n")
    return folder


def _onsets(place: tuple[float, float], origin: float) -> tuple[float, float]:
    """Of an earthquake in the middle, 8 km deep."""
    km = np.hypot(np.hypot((place[0] - LATITUDE) * 110.9, (place[1] - LONGITUDE) * 90.4), 8)
    return origin + 100 * km / 6.0, origin + 100 * km / 3.45


def _shaken(samples: int, onsets: tuple[float, ...], chance: np.random.Generator) -> FloatArray:
    counts = chance.normal(0, 20, (3, samples))
    for at, period, rows in zip(onsets, (12.0, 25.0), ((0,), (1, 2)), strict=False):
        after = np.arange(samples) - at
        packet = np.where(after >= 0, np.exp(-np.maximum(after, 0) / 80), 0) * np.sin(2 * np.pi * after / period)
        for row in rows:
            counts[row] += 2000 * packet * chance.uniform(0.7, 1.4)
    return np.round(counts)


def _write_windows(path: Path, count: int, header: str, row: str, chance: np.random.Generator) -> None:
    p, s = chance.uniform(2000, 2400, count), np.zeros(count)
    s = p + chance.uniform(150, 500, count)
    with h5py.File(path, "w") as file:
        made = [_shaken(SAMPLES, (p[n], s[n]), chance) for n in range(count)]
        file["X"], file["scale"] = np.array(made).astype(np.int16), np.ones((count, 3), np.float32)
        file["p"], file["s"] = p, np.full(count, np.nan) if "deep" in path.name else s
        file.attrs["sampling_rate"] = 100
    path.with_suffix(".csv").write_text("\n".join([header, *(row.format(n=n) for n in range(count)), ""]))


def _write_spikes(path: Path, chance: np.random.Generator) -> None:
    with h5py.File(path, "w") as file:
        spikes = chance.normal(0, 1, (6, 900))
        spikes[:, 450] = 500
        file["X"], file["label"] = spikes.astype(np.float32), [b"spike"] * 6


def _write_hour(path: Path, onsets: Mapping[str, tuple[float, ...]], chance: np.random.Generator) -> None:
    traces = []
    for name, of in onsets.items():
        network, station = name.split(".")
        for row, component in zip(_shaken(HOUR, of, chance), "ZNE", strict=True):
            header = {"network": network, "station": station, "channel": f"HH{component}", "starttime": BEGAN}
            traces.append(obspy.Trace(row.astype(np.int32), {**header, "sampling_rate": 100.0}))
    obspy.Stream(traces).write(str(path), format="MSEED")
