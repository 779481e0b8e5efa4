"""What the shipped description makes of recorded sets is what their owners say is in them."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawing import REAL
from kensoku.training.datasets.description import load_description
from kensoku.training.datasets.records import load_all
from kensoku.training.datasets.split import SAME_EVENT_S, join_events, split
from kensoku.training.examples import Example

DESCRIPTION = Path(__file__).parents[2] / "training" / "datasets" / "picker.toml"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not REAL.exists(), reason="found no recorded windows beside the project"),
]


def read(name: str) -> list[Example]:
    [source] = [source for source in load_description(DESCRIPTION).sources if source.name == name]
    return list(load_all(source.records({"recorded": REAL})))


def test_all_manual_picks_are_found() -> None:
    examples = read("ncedc") + read("deepdenoiser") + read("new-zealand")
    picks = Counter(onset.phase for example in examples for onset in example.onsets)
    assert (picks["P"], picks["S"]) == (479, 366)


def test_s_that_nobody_labelled_is_not_known() -> None:
    assert all(any(span.phase == "S" for span in example.unknown) for example in read("deepdenoiser"))


def test_single_components_are_alone() -> None:
    alone = [np.isnan(example.counts[1:]).all() for example in read("ncedc")]
    assert sum(alone) == 39


def test_an_hour_of_aftershocks_teaches_no_noise_far_from_a_pick() -> None:
    for example in read("ridgecrest")[::20]:
        near = np.zeros(example.length, dtype=np.bool_)
        for onset in example.onsets:
            near[max(round(onset.sample) - 1300, 0) : max(round(onset.sample) + 1500, 0)] = True
        taught = np.ones(example.length, dtype=np.bool_)
        for span in example.unknown:
            if span.phase == "P":
                taught[max(int(span.first), 0) : max(int(span.last) + 1, 0)] = False
        inside = slice(1500, -1500)  # else the pick may be in the minute before or after
        assert not (taught & ~near)[inside].any()


def test_nothing_leaks_between_the_sides() -> None:
    description = load_description(DESCRIPTION)
    sources = [source for source in description.sources if source.name not in ("simulated", "ghana", "colombia")]
    records = [record for source in sources for record in source.records({"recorded": REAL})]
    origins = join_events([record.origin for record in records], [record.time_s for record in records])
    sides = split(origins, description.plan())  # which tells what leaks
    judging = Counter(
        origin.region for origin, side in zip(origins, sides, strict=True) if side == "develop" and origin.event
    )
    assert min(judging[region] for region in ("northern-california", "new-zealand")) >= 14
    times_s: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record, side in zip(records, sides, strict=True):
        if record.time_s is not None:
            times_s[record.origin.region, side].append(record.time_s)
    for region in ("northern-california", "new-zealand"):
        taught = np.array(times_s[region, "train"])
        assert min(np.abs(taught - judged).min() for judged in times_s[region, "develop"]) > SAME_EVENT_S
