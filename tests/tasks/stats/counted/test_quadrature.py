"""Rules integrate polynomials against the normal density exactly, as far as their points allow."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.counted.quadrature import rule


def moment(dimensions: int, points: int, powers: tuple[int, ...]) -> float:
    """E[prod z_k^power_k] of independent standard normal z."""
    grid = rule(dimensions, points)
    density = np.exp(-0.5 * (grid.nodes**2).sum(axis=1))
    return float((np.exp(grid.log_weights) * density * np.prod(grid.nodes ** np.array(powers), axis=1)).sum())


@pytest.mark.parametrize(("power", "wanted"), [(0, 1.0), (1, 0.0), (2, 1.0), (4, 3.0), (6, 15.0), (8, 105.0)])
def test_moments_of_the_normal_distribution(power: int, wanted: float) -> None:
    assert moment(1, 25, (power,)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    assert moment(2, 9, (power, 2)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_one_point_lies_at_the_mode_and_is_all_there_is_beyond_two_dimensions() -> None:
    for several in (rule(1, 1), rule(3, 1), rule(3, 25)):
        np.testing.assert_array_equal(several.nodes, np.zeros((1, several.nodes.shape[1])))
        np.testing.assert_allclose(several.log_weights, 0.0, atol=1e-15)


def test_an_even_number_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match="not 6"):
        rule(1, 6)
