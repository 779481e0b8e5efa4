"""What cannot be located is refused by name, and costs no other event."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from kensoku.errors import InputInvalid, LocationError, NotOneEvent, SettingInvalid, TooFewArrivals
from kensoku.locating import Arrival, Location, locate, locate_many
from tests.shakes import (
    ALL,
    EXACT,
    NETWORK,
    SIX,
    shake,
    tables,
)


def test_too_few_arrivals_at_known_stations_are_refused_by_name() -> None:
    arrivals = shake((3.0, -8.0, 9.0), SIX)
    strangers = [dataclasses.replace(a, station=a.station.replace("XX", "YY")) for a in arrivals]
    with pytest.raises(TooFewArrivals, match=r"found 3 arrivals at 3 known stations, expected 4 at 3"):
        locate(arrivals[:3], NETWORK, tables(), EXACT)
    with pytest.raises(TooFewArrivals, match=r"not in the inventory: YY.S03, YY.S10"):
        locate(strangers, NETWORK, tables(), EXACT)
    found = locate([*arrivals, *strangers[:2]], NETWORK, tables(), EXACT)
    assert found.unknown_stations == ("YY.S11", "YY.S12")
    assert len(found.arrivals) == 12


def test_times_that_no_event_explains_are_told() -> None:
    chance = np.random.default_rng(8)
    rubbish = [Arrival(code, "P", float(chance.uniform(0, 200)), 0.05) for code in ALL]
    with pytest.raises(NotOneEvent, match="of 16 arrivals"):
        locate(rubbish, NETWORK, tables(), dataclasses.replace(EXACT, least_arrivals=7))


def test_one_that_fails_does_not_stop_the_others() -> None:
    good = shake((3.0, -8.0, 9.0), SIX)
    first, second, third = locate_many([good, good[:2], good], NETWORK, tables(), EXACT)
    assert isinstance(second, LocationError)
    assert isinstance(first, Location)
    assert isinstance(third, Location)
    assert first.maximum == third.maximum


@pytest.mark.parametrize(
    "wrong", [{"onset_s": math.nan}, {"uncertainty_s": 0.0}, {"probability": 1.5}, {"uncertainty_s": math.inf}]
)
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    arrivals = shake((3.0, -8.0, 9.0), SIX)
    with pytest.raises(InputInvalid, match="expected a time, an uncertainty above 0"):
        locate([dataclasses.replace(arrivals[0], **wrong), *arrivals[1:]], NETWORK, tables(), EXACT)


def test_a_wave_without_a_table_is_refused() -> None:
    with pytest.raises(InputInvalid, match="expected one of P"):
        locate(shake((3.0, -8.0, 9.0), SIX), NETWORK, {"P": tables()["P"]}, EXACT)


@pytest.mark.parametrize(
    "wrong", [{"outlier_share": 0.0}, {"model_error": -1.0}, {"least_arrivals": 3}, {"deepest_km": 0.5}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingInvalid, match=next(iter(wrong))):
        dataclasses.replace(EXACT, **wrong)
