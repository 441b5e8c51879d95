"""Groups of one spread share it; where spreads differ, a group's own rows count."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.past.row_spread import row_spread


def simulated(prior_df: float, df: int, j: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True variances, sums of squares and degrees of freedom."""
    rng = np.random.default_rng(7)
    true = np.ones(j) if np.isinf(prior_df) else prior_df / rng.chisquare(prior_df, j)
    return true, true * rng.chisquare(df, j), np.full(j, float(df))


def test_alike_groups_share_one_variance() -> None:
    _, squares, df = simulated(np.inf, 5)
    found = row_spread(squares, df)
    assert found.variance == pytest.approx(1.0, abs=0.2)
    assert found.df.min() > 100


@pytest.mark.parametrize("prior_df", [4.0, 12.0])
def test_the_weight_of_the_others_is_found(prior_df: float) -> None:
    true, squares, df = simulated(prior_df, 5)
    found = row_spread(squares, df)
    assert found.df - 5 == pytest.approx(prior_df, rel=0.2)
    assert np.mean((found.variance - true) ** 2) < np.mean((squares / df - true) ** 2)


def test_with_heavy_tails_differences_count_less() -> None:
    _, squares, df = simulated(12.0, 5)
    assert row_spread(squares, df, 3.0).df.min() > row_spread(squares, df).df.max()


def test_groups_of_no_degree_of_freedom_get_the_common_variance() -> None:
    squares, df = np.array([8.0, 0.0, 12.0]), np.array([10.0, 0.0, 10.0])
    assert row_spread(squares, df).variance == pytest.approx(1.0)
    assert np.isnan(row_spread(np.zeros(2), np.zeros(2)).variance).all()


def test_rows_that_are_all_the_same_have_no_variance() -> None:
    assert row_spread(np.zeros(3), np.full(3, 4.0)).variance.tolist() == [0.0, 0.0, 0.0]
