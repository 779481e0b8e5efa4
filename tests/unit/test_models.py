"""Promotions: which version judges which event time."""

import re
from pathlib import Path

import pytest

from kensoku.bus import open_bus
from kensoku.cli.main import main
from kensoku.cli.models import states_of
from kensoku.errors import ModelRefused
from kensoku.inference import VersionState
from kensoku.models import (
    KEPT_PROMOTIONS,
    Decision,
    PromotionLog,
    Promotions,
    needed_versions,
    version_in_force,
    with_promotion,
    without_latest,
)
from kensoku.v1.control_pb2 import ModelPromotion

ME = Decision("analyst", "tested on the swarm of May")


def promotion(version: str, effective_ns: int, sha256: str = "") -> ModelPromotion:
    return ModelPromotion(version=version, sha256=sha256 or f"hash of {version}", effective_ns=effective_ns)


PROMOTIONS = [promotion("1", 0), promotion("2", 100), promotion("3", 200)]


@pytest.mark.parametrize(
    ("event_time_ns", "version"), [(-1, None), (0, "1"), (99, "1"), (100, "2"), (199, "2"), (200, "3"), (10**18, "3")]
)
def test_a_window_uses_the_version_in_force_at_its_own_start(event_time_ns: int, version: str | None) -> None:
    found = version_in_force(PROMOTIONS, event_time_ns)
    assert (found.version if found else None) == version


def test_what_was_decided_about_the_past_stays() -> None:
    with pytest.raises(ModelRefused, match="expected a later time"):
        with_promotion(PROMOTIONS, promotion("4", 150))


def test_a_version_whose_file_changed_is_refused() -> None:
    with pytest.raises(ModelRefused, match="give a changed model a version of its own"):
        with_promotion(PROMOTIONS, promotion("2", 300, sha256="another hash"))


def test_promotions_are_bounded() -> None:
    promotions = list[ModelPromotion]()
    for number in range(200):
        promotions = [*with_promotion(promotions, promotion(str(number), number))]
    assert len(promotions) == 64
    assert promotions[-1].version == "199"


def test_rolling_back_returns_to_the_version_before() -> None:
    promotions = without_latest(PROMOTIONS, now_ns=300)
    assert [(p.version, p.effective_ns) for p in promotions][2:] == [("3", 200), ("2", 300)]
    assert promotions[-1].sha256 == "hash of 2"


def test_rolling_back_withdraws_a_promotion_that_is_not_in_force_yet() -> None:
    assert without_latest(PROMOTIONS, now_ns=150) == PROMOTIONS[:2]


@pytest.mark.parametrize(
    ("promotions", "told"),
    [([], "roll back"), (PROMOTIONS[:1], "roll back to; promote the one that shall be in force")],
)
def test_there_must_be_a_version_to_roll_back_to(promotions: list[ModelPromotion], told: str) -> None:
    with pytest.raises(ModelRefused, match=told):
        without_latest(promotions, now_ns=300)


def test_a_version_is_needed_until_no_window_can_start_in_its_time() -> None:
    assert needed_versions(PROMOTIONS, since_ns=99) == {"1", "2", "3"}
    assert needed_versions(PROMOTIONS, since_ns=100) == {"2", "3"}
    assert needed_versions(PROMOTIONS, since_ns=500) == {"3"}


def test_promotions_are_read_back_from_the_bus_as_they_were_written() -> None:
    with open_bus("memory://") as bus:
        log = PromotionLog(bus, now_ns=lambda: 1000)
        log.promote("picker", "1", "aa", None, ME)
        log.promote("picker", "2", "bb", None, ME)
        log.promote("blast", "1", "cc", 500, ME)
        found = {model: [(p.version, p.effective_ns) for p in promotions] for model, promotions in log.read().items()}
    assert found == {"picker": [("1", 0), ("2", 1000)], "blast": [("1", 500)]}


def test_what_is_older_than_all_kept_promotions_is_judged_by_the_first_of_them() -> None:
    promotions: Promotions = []
    for number in range(KEPT_PROMOTIONS + 2):
        promotions = with_promotion(promotions, promotion(str(number), 100 * number))
    assert len(promotions) == KEPT_PROMOTIONS
    found = [version_in_force(promotions, at) for at in (0, 250, 350)]
    assert [each and each.version for each in found] == ["2", "2", "3"]


def test_a_version_that_not_every_server_holds_is_listed_so() -> None:
    states = [
        VersionState("a:1", "picker", "1", "READY", ""),
        VersionState("b:1", "picker", "1", "READY", ""),
        VersionState("a:1", "picker", "2", "READY", ""),
        VersionState("b:1", "picker", "2", "UNAVAILABLE", "unloaded"),
        VersionState("a:1", "picker", "3", "READY", ""),
        VersionState("a:1", "phase", "1", "READY", ""),
    ]
    assert states_of("picker", states, servers=2) == {"1": "READY", "2": "1 of 2", "3": "1 of 2"}


def test_local_models_are_listed_where_no_system_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["models", "list", "--home", str(tmp_path)]
    assert main([*arguments, "--models", "local"]) == 0
    told = capsys.readouterr()
    assert re.search(r"^picker_live +1 +when used +[0-9a-f]{12} +-$", told.out, re.MULTILINE)
    assert "is not known: no system is running here" in told.err
    assert main(arguments) == 1
    assert "no system is running here" in capsys.readouterr().err
