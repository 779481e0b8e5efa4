"""Of many stations one magnitude: those that err, clip or hear nothing do not move it far; corrections are learned."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.errors import InputInvalid
from kensoku.magnitudes import (
    Vote,
    combine,
    estimate,
    learn_corrections,
    load_corrections,
    read_corrections,
    write_corrections,
)
from kensoku.v1.event_pb2 import MAGNITUDE_BOUND_LOWER, MAGNITUDE_BOUND_UNSPECIFIED, Magnitude, StationMagnitude
from kensoku.v1.pick_pb2 import (
    Instrument,
)
from tests.readings import IASPEI, amplitude, nm_of, of_size, reading, value_of


def test_a_station_that_errs_by_three_magnitudes_moves_seven_others_by_less_than_a_tenth() -> None:
    true = [of_size(3 + 0.1 * n, "ABCDEFG"[n + 3]) for n in range(-3, 4)]
    found = estimate([*true, of_size(6.0, "X")], 5.0, IASPEI).magnitude
    assert found.value == pytest.approx(3.0, abs=0.1)
    weights = {each.instrument.station: each.weight for each in found.contributions}
    assert weights["X"] < 0.2
    assert min(weight for station, weight in weights.items() if station != "X") > 0.98


def test_symmetric_errors_give_their_middle_and_residuals_add_up() -> None:
    found = estimate([of_size(2.9, "A"), of_size(3.0, "B"), of_size(3.1, "C")], 5.0, IASPEI).magnitude
    assert found.value == pytest.approx(3.0, abs=1e-9)
    assert [each.residual for each in found.contributions] == pytest.approx([-0.1, 0.0, 0.1], abs=1e-9)
    assert found.stations == 3


def test_two_stations_that_do_not_agree_give_their_middle() -> None:
    assert value_of(of_size(2.0, "A"), of_size(5.0, "B")) == pytest.approx(3.5)


@given(
    st.lists(
        st.builds(
            Vote, st.floats(-1, 7), st.floats(0.1, 1), st.sampled_from(["none", "none", "lower", "upper"])
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_pulls_of_all_stations_add_up_to_nothing(votes: list[Vote]) -> None:
    found = combine(votes, 0.3)
    firm = [vote.value for vote in votes if vote.bound == "none"]
    if found is None:
        assert not firm
        return
    above = 1.345 * found.scale  # a lower bound: what it bounds lies higher
    towards = [vote.value + above * (vote.bound == "lower") for vote in votes]
    pulls = [w * (value - found.value) for value, w in zip(towards, found.weights, strict=True)]
    assert sum(pulls) == pytest.approx(0.0, abs=1e-9)
    assert min(towards) - 1e-9 <= found.value <= max(towards) + 1e-9
    turned = combine(votes[::-1], 0.3)
    assert turned is not None
    assert turned.value == found.value


def test_one_station_has_the_scatter_of_its_formula_as_uncertainty_and_many_have_less() -> None:
    certain = replace(IASPEI, event_scatter=0.0)
    one = estimate([of_size(3, "A")], 5.0, certain).magnitude
    assert one.uncertainty == pytest.approx(0.3, abs=0.001)
    found = [of_size(3 + (-1) ** n * 0.3, f"A{n}") for n in range(4)]
    four = estimate(found, 5.0, certain).magnitude.uncertainty
    assert four == pytest.approx(0.15, abs=0.02)
    assert estimate(found, 5.0, replace(certain, event_scatter=0.4)).magnitude.uncertainty == pytest.approx(
        math.hypot(four, 0.4)
    )


def test_clipped_stations_pull_upwards_only() -> None:
    firm = [of_size(3.0, "A"), of_size(3.1, "B"), of_size(2.9, "C")]
    assert value_of(*firm, of_size(2.0, "X", clipped=True)) == pytest.approx(3.0, abs=1e-9)
    assert value_of(*firm, of_size(4.0, "X", clipped=True)) > 3.05


@pytest.mark.parametrize("clips_at", [0.0, -0.3])
def test_where_half_of_the_stations_clip_or_more_the_magnitude_is_not_too_small(clips_at: float) -> None:
    """A normal scatter of 0.3 around a magnitude of 0; the sites clip at about `clips_at`."""
    chance = np.random.default_rng(3)

    def vote() -> Vote:
        value, most = chance.normal(0, 0.3), clips_at + chance.normal(0, 0.3)
        return Vote(most, bound="lower") if value > most else Vote(value)

    made = (combine([vote() for _ in range(12)], 0.3) for _ in range(600))
    found = [each for each in made if each]
    assert np.mean([each.value for each in found]) == pytest.approx(0.0, abs=0.04)
    assert np.mean([abs(each.value) < 1.96 * each.uncertainty for each in found]) > 0.88


def test_stations_in_noise_pull_downwards_only() -> None:
    firm = [of_size(3.0, "A"), of_size(3.1, "B"), of_size(2.9, "C")]
    assert value_of(*firm, of_size(4.0, "X", noise=nm_of(3.8))) == pytest.approx(3.0, abs=1e-9)
    assert value_of(*firm, of_size(2.0, "X", noise=nm_of(1.8))) < 2.95


def test_readings_near_the_noise_weigh_less() -> None:
    noisy = of_size(3.6, "B", noise=nm_of(3.6) / 3.2)
    found = estimate([of_size(3.0, "A"), noisy], 5.0, IASPEI).magnitude
    assert found.contributions[1].weight < 0.85
    assert found.value < 3.3


def test_co_located_instruments_are_one_station_and_the_one_that_did_not_clip_counts() -> None:
    clipped = of_size(2.0, "A", clipped=True)
    strong = reading(amplitude(nm_of(3.0), "HNN"), amplitude(nm_of(2.9), "HNE"), band="HN")
    found = estimate([clipped, strong], 5.0, IASPEI).magnitude
    assert found.value == pytest.approx(3.0)
    assert found.stations == 1
    assert [(each.instrument.band_instrument, each.weight > 0) for each in found.contributions] == [
        ("HH", False),
        ("HN", True),
    ]


def test_the_order_of_readings_changes_nothing() -> None:
    readings = [of_size(2.5 + 0.2 * n, f"A{n}", clipped=n == 4) for n in range(6)]
    one, other = estimate(readings, 5.0, IASPEI), estimate(readings[::-1], 5.0, IASPEI)
    assert one == other


def test_corrections_of_stations_are_added_and_said() -> None:
    found = estimate([of_size(3.0, "A")], 5.0, IASPEI, {"XS.A": -0.25}).magnitude
    assert found.value == pytest.approx(2.75)
    assert found.contributions[0].correction == -0.25


def test_learned_corrections_take_what_a_station_reads_too_much() -> None:
    def event(more: float) -> Magnitude:
        found = [of_size(3.0 + 0.3 + more, "LOUD"), *(of_size(3.0 + more, f"A{n}") for n in range(5))]
        return estimate(found, 5.0, IASPEI).magnitude

    learned = learn_corrections([event(0.1 * n) for n in range(20)])["iaspei/2013"]
    assert learned["XS.LOUD"] - learned["XS.A0"] == pytest.approx(-0.3 * 20 / 23, abs=0.01)
    assert sum(learned.values()) == pytest.approx(0.0, abs=1e-9)
    assert learn_corrections([event(0.0)]) == {"iaspei/2013": {}}
    corrected = Magnitude(
        formula="f/1",
        contributions=[
            StationMagnitude(instrument=Instrument(network="X", station="A"), residual=0.0, correction=0.5, weight=1)
        ],
    )
    assert learn_corrections([corrected] * 97) == {"f/1": {"X.A": 0.0}}


def test_clipped_records_teach_no_correction() -> None:
    def event(more: float) -> Magnitude:
        clipped = of_size(3.0 + more - 0.3, "CLIPPED", clipped=more > 0.5)
        return estimate([clipped, *(of_size(3.0 + more, f"A{n}") for n in range(5))], 5.0, IASPEI).magnitude

    strong = [event(1.0)] * 20
    assert {each.bound for each in strong[0].contributions} == {MAGNITUDE_BOUND_UNSPECIFIED, MAGNITUDE_BOUND_LOWER}
    assert "XS.CLIPPED" not in learn_corrections(strong)["iaspei/2013"]
    both = learn_corrections([*strong, *[event(0.0)] * 10])["iaspei/2013"]
    assert both["XS.CLIPPED"] - both["XS.A0"] == pytest.approx(0.25 * 10 / 13)  # of the ten that tell what it reads


def test_corrections_come_back_from_their_file() -> None:
    written = write_corrections({"iaspei/2013": {"XS.B": 0.5, "XS.A": -0.25}})
    assert read_corrections(written, "c.csv") == {"iaspei/2013": {"XS.A": -0.25, "XS.B": 0.5}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("station,correction\nXS.A,1\n", "line 1: found no column formula"),
        ("formula,station,correction\nf/1,XS.A,nan\n", "line 2: found f/1,XS.A,nan"),
        ("formula,station,correction\nf/1,A,0.1\n", "line 2: found f/1,A,0.1"),
        ("formula,station,correction\nf/1,XS.A,1\nf/1,XS.A,2\n", "line 3: found XS.A again"),
        ("", "line 1: found no column"),
    ],
)
def test_what_is_wrong_in_corrections_is_told(text: str, complaint: str) -> None:
    with pytest.raises(InputInvalid) as error:
        read_corrections(text, "c.csv")
    assert complaint in str(error.value)


def test_corrections_that_are_not_there_are_told() -> None:
    with pytest.raises(InputInvalid, match="station corrections"):
        load_corrections("/nowhere.csv")
