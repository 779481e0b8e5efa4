"""An event of few picks is told only where they fit well: chance makes more small groups than large ones."""

from dataclasses import replace

from kensoku.associating import AssociationSettings, Group, associate
from tests.shocks import Shock, network, onsets

NEAR = {"XX.S11", "XX.S12", "XX.S21"}  # the stations that pick the second one


def found(settings: AssociationSettings | None = None) -> list[Group]:
    large, _ = onsets([Shock(50, -20, -20)], detected=1.0)
    heard, _ = onsets([Shock(350, 2, 2)], detected=1.0, seed=3)
    small = [replace(each, id=f"small {each.id}") for each in heard if each.station in NEAR]
    return associate([*large, *small], network(settings))


def test_few_picks_need_better_odds() -> None:
    large, small = found()
    assert (len(large.members), len(small.members)) == (32, 6)
    enough = (small.log_odds - 0.01) / 2  # for each of the two that it lacks of eight
    assert found(AssociationSettings(few_log_odds=enough)) == [large, small]
    assert found(AssociationSettings(few_log_odds=enough + 0.01)) == [large]
    assert found(AssociationSettings(few_log_odds=enough + 0.01, few_picks=6)) == [large, small]
