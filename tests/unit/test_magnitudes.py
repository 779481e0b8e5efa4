"""Magnitudes follow published formulas, from the amplitudes that suit them, and an event is judged in one call."""

import math
from dataclasses import replace

import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.magnitudes import (
    FORMULAS,
    Estimate,
    Preference,
    Reading,
    Rules,
    Table,
    estimate,
    estimate_all,
    judge,
    load_formula,
    preferred_magnitude,
    read_formula,
    readings_of,
)
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import EVENT_TYPE_EARTHQUAKE, Arrival, Magnitude, Origin
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_JMA_VELOCITY,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    AMPLITUDE_UNIT_COUNT,
    PHASE_P,
    PHASE_S,
    Amplitude,
    Instrument,
    Pick,
    PickMeasurement,
)
from tests.readings import (
    IASPEI,
    NM,
    PD,
    SECOND,
    amplitude,
    displacement,
    horizontals,
    nm_of,
    of_size,
    reading,
    value_of,
)

# --- formulas ---------------------------------------------------------------------------------------------------------


def test_one_millimetre_at_100_km_is_magnitude_3_as_richter_defined_it() -> None:
    assert load_formula("hutton-boore-1987").magnitude(1e-3 / 2080, 100.0, 5.0) == pytest.approx(3.0, abs=1e-9)
    assert IASPEI.magnitude(1e-3 / 2080, 100.0, 5.0) == pytest.approx(3.0, abs=0.005)


def test_ten_millimetres_at_17_km_are_magnitude_3_too() -> None:
    """The other anchor of Hutton & Boore (1987)."""
    assert load_formula("hutton-boore-1987").magnitude(10e-3 / 2080, 17.0, 5.0) == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize(
    ("name", "amplitude_si", "distance_km", "expected"),
    [
        ("bobbio-2009", 1e-3 / 2080, 100.0, 3.0),  # log 1 + 1.79 x 2 - 0.58
        ("watanabe-1971", 1e-2, 10.0, (0 + 1.73 + 2.50) / 0.85),  # 1 cm/s at 10 km
        ("tsuboi-1954", 1e-3, 100.0, 3 + 3.46 - 0.83),  # 1000 um
        ("kuyuk-allen-2013", 1e-2, 10.0, 5.39 + 1.38),  # 1 cm
        ("wu-zhao-2006", 1e-2, 10.0, (0 + 3.463 + 1.374) / 0.729),  # 1 cm
        ("wu-kanamori-2005", 1.0, 50.0, 1.113 / 0.221),  # 1 s
    ],
)
def test_formulas_say_what_their_papers_do(name: str, amplitude_si: float, distance_km: float, expected: float) -> None:
    assert load_formula(name).magnitude(amplitude_si, distance_km, 5.0) == pytest.approx(expected, abs=1e-6)


def test_every_formula_that_comes_along_can_be_read_and_names_its_source() -> None:
    loaded = [load_formula(name) for name in FORMULAS]
    assert len({str(formula) for formula in loaded}) == len(FORMULAS)
    assert all(formula.version in formula.reference for formula in loaded if formula.type != "Mpv")


def test_a_table_is_straight_between_its_distances_and_depths_and_level_beyond() -> None:
    table = Table(distances_km=(10, 20), depths_km=(0, 10), correction=((1, 2), (3, 4)))
    assert table.at(15, 0) == pytest.approx(1.5)
    assert table.at(15, 5) == pytest.approx(2.5)
    assert table.at(500, 99) == pytest.approx(4)
    assert table.at(1, -5) == pytest.approx(1)


TOML = """
name = "own"
version = "1"
type = "ML"
reference = "ours"
amplitude = "wood-anderson"
unit = 1e-9
components = "larger-horizontal"
constant = 0.0
distances_km = [0, 100]
depths_km = [0, 30]
[table]
distances_km = [0, 100]
correction = [[0, 2]]
"""


def test_an_agencys_own_table_makes_a_formula() -> None:
    assert read_formula(TOML, "own.toml").magnitude(10 * NM, 50.0, 5.0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("found", "instead", "complaint"),
    [
        ('name = "own"', "name = [", "own.toml: found"),
        ("constant = 0.0", "", "constant: found nothing"),
        ("constant = 0.0", "constant = nan", "constant: found nan"),
        ("constant = 0.0", "constant = 0.0\nslop = 2", "slop: found a name that no formula has"),
        ("unit = 1e-9", "unit = 0", "unit: found 0"),
        ("[0, 30]", "[30, 0]", "depths_km to be"),
        ("correction = [[0, 2]]", "correction = [[0, 2, 3]]", "2 corrections in each row"),
        ("[[0, 2]]", "[[0, 2], [1, 2]]", "1 rows of correction"),
        ("distances_km = [0, 100]\ncorr", "distances_km = [0, 0]\ncorr", "distances_km to ascend"),
        ('"wood-anderson"', '"early-displacement"', "window_s above 0"),
    ],
)
def test_what_is_wrong_in_a_formula_is_told(found: str, instead: str, complaint: str) -> None:
    assert found in TOML
    with pytest.raises(InputInvalid, match="own.toml") as error:
        read_formula(TOML.replace(found, instead), "own.toml")
    assert complaint in str(error.value)


def test_a_formula_that_is_not_there_tells_which_are() -> None:
    with pytest.raises(InputInvalid, match="iaspei-2013, hutton-boore-1987"):
        load_formula("richter")


# --- amplitudes -------------------------------------------------------------------------------------------------------


def test_ml_is_of_the_larger_horizontal_and_hutton_boore_of_the_mean_of_both() -> None:
    found = horizontals(1000 * NM, 10 * NM)
    assert value_of(found) == pytest.approx(3 + 2.22 + 0.189 - 2.09)
    of_both = estimate([found], 5.0, load_formula("hutton-boore-1987")).magnitude.value
    of_one = estimate([horizontals(100 * NM, 100 * NM)], 5.0, load_formula("hutton-boore-1987")).magnitude.value
    assert of_both == pytest.approx(of_one)


def test_a_vector_needs_both_horizontals() -> None:
    tsuboi = load_formula("tsuboi-1954")
    north, east = (amplitude(v, c, AMPLITUDE_KIND_PEAK_DISPLACEMENT) for v, c in ((3e-6, "HHN"), (4e-6, "HHE")))
    assert estimate([reading(north, east)], 5.0, tsuboi).magnitude.value == pytest.approx(
        tsuboi.magnitude(5e-6, 100.0, 5.0)
    )
    assert "one horizontal alone" in estimate([reading(north)], 5.0, tsuboi).magnitude.absent_reason


@pytest.mark.parametrize("name", ["tsuboi-1954", "hutton-boore-1987", "iaspei-2013"])
def test_a_horizontal_that_was_not_turned_does_not_count_beside_those_that_were(name: str) -> None:
    """The other one was missing when P came."""
    kinds = AMPLITUDE_KIND_PEAK_DISPLACEMENT, AMPLITUDE_KIND_WOOD_ANDERSON
    alone = reading(*(amplitude(5e-6, "HH1", kind) for kind in kinds))
    both = reading(*(amplitude(v, c, kind) for v, c in ((3e-6, "HHN"), (4e-6, "HHE")) for kind in kinds))
    formula = load_formula(name)
    assert estimate([alone, both], 5.0, formula).magnitude.value == estimate([both], 5.0, formula).magnitude.value != 0


def test_the_velocity_magnitude_is_of_the_vertical() -> None:
    watanabe = load_formula("watanabe-1971")
    found = reading(amplitude(1e-5, "HHZ", AMPLITUDE_KIND_JMA_VELOCITY), distance_km=50)
    assert estimate([found], 5.0, watanabe).magnitude.value == pytest.approx((1.73 * math.log10(50) - 0.5) / 0.85)


def test_without_a_response_there_is_no_value_but_a_reason() -> None:
    raw = Amplitude(kind=AMPLITUDE_KIND_PEAK_RAW, unit=AMPLITUDE_UNIT_COUNT, value=5000, channel="HHN")
    magnitude = estimate([reading(raw)], 5.0, IASPEI).magnitude
    assert magnitude.absent_reason == "no response is known: XS.A..HH"
    assert magnitude.type == "ML"
    assert (magnitude.value, magnitude.stations) == (0, 0)


@pytest.mark.parametrize(
    ("readings", "depth_km", "reason"),
    [
        ([], 5.0, "no station has a reading"),
        ([reading()], 5.0, "nothing was measured: XS.A..HH"),
        ([of_size(3, "A")], 200.0, "the source is at 200 km; iaspei/2013 is for -5 to 60 km"),
        ([reading(amplitude(1e-6, "HHN"), distance_km=2000)], 5.0, "not 0 to 1000 km away: XS.A..HH"),
        ([reading(amplitude(1e-6, "HHZ"))], 5.0, "no horizontal was measured: XS.A..HH"),
        ([reading(amplitude(1e-6, "HHN"), fits=False)], 5.0, "its picks do not suit the origin: XS.A..HH"),
        ([of_size(3, "A", clipped=True)], 5.0, "at least 3.0: XS.A..HH"),
        ([of_size(3, "A", noise=nm_of(2.9))], 5.0, "at most 3.0: XS.A..HH"),
    ],
)
def test_why_there_is_no_value_is_told(readings: list[Reading], depth_km: float, reason: str) -> None:
    found = estimate(readings, depth_km, IASPEI)
    assert not found.has_value
    assert reason in found.magnitude.absent_reason


def test_s_that_is_not_recorded_yet_makes_a_lower_bound() -> None:
    early = of_size(2.0, "A", window_s=3.0)
    assert value_of(early, of_size(3.0, "B")) == pytest.approx(3.0)
    assert value_of(early, of_size(1.0, "B")) > 1.1


def test_the_largest_of_the_next_event_is_an_upper_bound() -> None:
    late = replace(of_size(4.0, "A", time_ns=25 * SECOND), next_ns=20 * SECOND)
    early = replace(of_size(3.0, "A", time_ns=15 * SECOND), next_ns=20 * SECOND)
    assert value_of(early) == pytest.approx(3.0)
    assert "in other waves, so that it is at most 4.0" in estimate([late], 5.0, IASPEI).magnitude.absent_reason
    assert value_of(late, of_size(3.0, "B")) == pytest.approx(3.0)
    near = reading(amplitude(1e-6, "HHN", time_ns=25 * SECOND), distance_km=10)
    assert not estimate([near], 5.0, IASPEI).has_value


def test_of_two_windows_that_without_the_next_event_counts() -> None:
    p = reading(amplitude(nm_of(3.0), "HHN", time_ns=15 * SECOND))
    s = replace(reading(amplitude(nm_of(4.0), "HHN", time_ns=40 * SECOND), phase=PHASE_S), onset_ns=12 * SECOND)
    p, s = (replace(each, next_ns=30 * SECOND) for each in (p, s))
    assert value_of(p, s) == pytest.approx(3.0)


def test_where_the_next_event_follows_a_second_of_s_is_enough() -> None:
    full = amplitude(nm_of(4.0), "HHN", time_ns=30 * SECOND)
    little = amplitude(nm_of(3.0), "HHN", time_ns=13 * SECOND, window_s=1.0)
    s = replace(reading(little, full, phase=PHASE_S), onset_ns=12 * SECOND)
    assert value_of(replace(s, next_ns=20 * SECOND)) == pytest.approx(3.0)
    assert value_of(s) == pytest.approx(4.0)
    assert not estimate([replace(s, amplitudes=(little,))], 5.0, IASPEI).has_value


def test_noise_before_s_is_that_before_p_of_the_same_record() -> None:
    p = horizontals(nm_of(2.5), nm_of(2.4), window_s=3.0, noise=nm_of(0.0))
    s = reading(
        amplitude(nm_of(3.0), "HHN", noise=nm_of(2.8)), amplitude(nm_of(2.9), "HHE", noise=nm_of(2.8)), phase=PHASE_S
    )
    assert not estimate([s], 5.0, IASPEI).has_value
    assert value_of(p, s) == pytest.approx(3.0)


# --- messages and choice ----------------------------------------------------------------------------------------------


def test_readings_are_of_arrivals_and_of_both_messages_of_their_picks() -> None:
    here, there = (Instrument(network="XS", station=station, band_instrument="HH") for station in "AB")
    arrivals = [
        Arrival(pick_id="s", instrument=here, phase=PHASE_S, onset_ns=7 * SECOND, distance_km=30),
        Arrival(pick_id="p", instrument=here, phase=PHASE_P, onset_ns=3 * SECOND, distance_km=30),
        Arrival(pick_id="q", instrument=there, phase=PHASE_P, distance_km=50, is_outlier=True),
    ]
    picks = [Pick(id="p", amplitudes=[displacement(1e-6, 1.0, 0.5)], blast_probability=0.2)]
    measured = [
        PickMeasurement(id="p", amplitudes=[displacement(2e-6, 29.92, 9.0)], characteristic_period_s=0.5),
        PickMeasurement(id="elsewhere"),
    ]
    others = {"XS.A": [0, 9 * SECOND, 5 * SECOND]}  # the first is in the noise of P
    p, s, outlier = readings_of(Origin(depth_km=39.0), arrivals, picks, measured, {"XS.A": 1.0}, others)
    assert (p.next_ns, s.next_ns, outlier.next_ns) == (5 * SECOND, 9 * SECOND, None)  # S: 7 s
    assert (p.name, p.hypocentral_km, p.s_after_s, p.period_s) == ("XS.A..HH", 50.0, 4.0, 0.5)
    assert [each.window_s for each in p.amplitudes] == [1.0, 29.92]
    assert p.blast_probability == 0.2
    assert (s.phase, s.amplitudes, s.earliest_s_s) == (PHASE_S, (), 0.0)
    assert not outlier.fits
    assert 39 / 10 < outlier.earliest_s_s < outlier.latest_s_s < 70 / 7


def estimates(ml: int, early: int, bounds: int = 0) -> list[Estimate]:
    def one(kind: str, stations: int, lower: int) -> Estimate:
        reason = "" if stations else "nothing"
        return Estimate(Magnitude(type=kind, value=4, stations=stations, absent_reason=reason), (), lower, stations)

    return [one("Mpd", early, 0), one("ML", ml, bounds)]


def test_the_preferred_magnitude_is_the_first_of_the_order_with_enough_stations() -> None:
    assert preferred_magnitude(estimates(ml=3, early=9))[0] == "ML"
    assert preferred_magnitude(estimates(ml=2, early=9))[0] == "Mpd"
    assert preferred_magnitude(estimates(ml=2, early=1))[0] == "ML"
    assert preferred_magnitude(estimates(ml=2, early=2))[0] == "ML"
    assert preferred_magnitude(estimates(ml=4, early=9, bounds=5))[0] == "Mpd"
    assert preferred_magnitude(estimates(ml=0, early=0)) == ("", "no magnitude has a value")
    assert preferred_magnitude(estimates(ml=9, early=9), Preference(order=("Mpd", "ML")))[0] == "Mpd"
    assert "first of ML, Mv(JMA)" in preferred_magnitude(estimates(ml=3, early=9))[1]


def test_two_formulas_of_one_type_are_refused() -> None:
    both = [IASPEI, load_formula("bobbio-2009")]
    with pytest.raises(SettingInvalid, match="one of each type"):
        estimate_all([], 5.0, both)
    one, other = estimate_all([of_size(3, "A")], 5.0, [IASPEI, PD], {"iaspei/2013": {"XS.A": 0.5}})
    assert one.magnitude.value == pytest.approx(3.5)
    assert not other.has_value


def test_an_event_is_judged_in_one_call() -> None:
    here = [Instrument(network="XS", station=station, band_instrument="HH") for station in "ABC"]
    arrivals = [
        Arrival(pick_id=each.station, instrument=each, phase=PHASE_P, distance_km=99.9, onset_ns=20 * SECOND)
        for each in here
    ]
    north = amplitude(nm_of(3.2), "HHN")
    picks = [
        AssociatedPick(
            pick=Pick(id=each.station, instrument=each),
            measurement=PickMeasurement(id=each.station, amplitudes=[north], blast_probability=0.01),
        )
        for each in here
    ]
    origin = Origin(time_ns=0, depth_km=4.5, depth_lower_km=4.0, depth_upper_km=5.0)
    found = judge(origin, arrivals, picks, Rules())
    assert (found.preferred, found.decision.type) == ("ML", EVENT_TYPE_EARTHQUAKE)
    assert found.magnitude == pytest.approx(3.2, abs=0.01)
    assert [each.type for each in found.magnitudes] == ["ML", "Mv(JMA)", "Mpv", "Mpd", "Mtauc"]
    empty = judge(origin, arrivals, [], Rules())
    assert (empty.preferred, empty.magnitude) == ("", None)
    assert all(each.absent_reason for each in empty.magnitudes)


def test_amplitudes_that_are_no_numbers_say_nothing() -> None:
    broken = [
        amplitude(value, "HHN", noise=noise) for value, noise in ((math.inf, 1e-9), (math.nan, 0), (1e-6, math.nan))
    ]
    assert estimate([reading(*broken)], 5.0, IASPEI).magnitude.absent_reason == "no horizontal was measured: XS.A..HH"
