import numpy as np

from kensoku.simulation.randomness import draw, vary


def test_a_block_is_the_same_whenever_it_is_drawn() -> None:
    alone = draw(1, "XX.A", "wind", 7).standard_normal(10)
    for block in (9, 8, 7):
        again = draw(1, "XX.A", "wind", block).standard_normal(10)
    assert np.array_equal(alone, again)


def test_seed_name_purpose_and_block_each_give_other_numbers() -> None:
    origins = [(1, "A", "wind", 7), (2, "A", "wind", 7), (1, "B", "wind", 7), (1, "A", "rain", 7), (1, "A", "wind", 8)]
    first = {draw(*origin).random() for origin in origins}
    assert len(first) == len(origins)


def test_blocks_before_1970_can_be_drawn() -> None:
    assert draw(1, "A", "wind", -1).random() != draw(1, "A", "wind", 1).random()


def test_neighbouring_blocks_do_not_share_numbers() -> None:
    blocks = [draw(1, "A", "wind", block).integers(2**63, size=10_000) for block in range(10)]
    assert np.unique(np.concatenate(blocks)).size == 100_000


def test_a_curve_does_not_depend_on_where_it_is_asked_for() -> None:
    times_s = np.arange(1.6e9, 1.6e9 + 3000)
    whole = vary(1, "A", "gust", times_s, 7.0)
    parts = [vary(1, "A", "gust", part, 7.0) for part in np.split(times_s, [1, 500, 501, 2222])]
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_curve_has_variance_1_at_and_between_its_knots() -> None:
    curve = vary(1, "A", "gust", np.arange(0, 400_000, 0.5), 5.0).reshape(-1, 10)
    assert abs(curve.mean()) < 0.01
    assert np.allclose(curve.var(axis=0), 1.0, atol=0.03)
