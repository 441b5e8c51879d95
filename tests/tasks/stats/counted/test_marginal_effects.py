"""Average marginal effects are statsmodels' on rows, differences taken by hand, and what simulation gives."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.marginal_effects import (
    MarginalEffects,
    average_marginal_effects,
    marginal_effects,
    marginal_effects_of_draws,
)
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.fits.cells import Cells, Family
from tests.counted_data import counted, simulated_counts


def effects_of(cells: Cells) -> MarginalEffects:
    scaling = scaling_of(cells)
    fit = complete_rates(cells, scaling)
    return marginal_effects(cells, scaling, fit.coef, fit.cov)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_effects_are_statsmodels_over_rows(family: Family) -> None:
    """`get_margeff` with dummies as differences, and its delta method; one predictor of many values, one of two."""
    rng = np.random.default_rng(2)
    x = np.column_stack([np.round(rng.normal(40, 12, 600)), rng.integers(0, 2, 600)])
    eta = -1.0 + 0.03 * (x[:, 0] - 40) + 0.7 * x[:, 1]
    events = rng.binomial(1, 1 / (1 + np.exp(-eta))) if family == "binomial" else rng.poisson(np.exp(eta))
    model = (sm.Logit if family == "binomial" else sm.Poisson)(events, sm.add_constant(x)).fit(disp=0, tol=1e-12)
    other = model.get_margeff(at="overall", method="dydx", dummy=True)
    found = effects_of(counted(family, events, None, rng.integers(0, 5, 600), x))
    np.testing.assert_allclose(found.difference, other.margeff, rtol=1e-6)
    np.testing.assert_allclose(
        found.difference_upper - found.difference_lower, 2 * 1.959964 * other.margeff_se, rtol=1e-4
    )
    np.testing.assert_allclose(found.ratio, np.exp(model.params[1:]), rtol=1e-6)
    ends = np.exp(model.conf_int()[1:])
    np.testing.assert_allclose(np.column_stack([found.ratio_lower, found.ratio_upper]), ends, rtol=1e-5)


def test_of_a_lone_category_it_is_the_difference_of_two_rates() -> None:
    cells = counted("binomial", [30, 80], [100, 200], None, np.array([2.0, 7.0]))
    found = effects_of(cells)
    assert found.difference[0] == pytest.approx((0.4 - 0.3) / 5.0, rel=1e-9)
    assert found.ratio[0] ** 5 == pytest.approx((0.4 / 0.6) / (0.3 / 0.7), rel=1e-9)
    half = 1.959964 * np.sqrt(0.4 * 0.6 / 200 + 0.3 * 0.7 / 100) / 5.0
    assert found.difference_upper[0] - found.difference[0] == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_derivatives_are_those_of_the_overall_rate(family: Family) -> None:
    """Everybody's predictor moved by a little, each group by its own coefficients."""
    cells = simulated_counts(family, 5, [30] * 4, (-1.0, 0.5, 0.3))
    scaling = scaling_of(cells)
    coef = np.random.default_rng(1).normal(-0.5, 0.5, (4, 3))

    def rate(moved: float, k: int) -> float:
        x = cells.x.copy()
        x[:, k] += moved
        scaled = (x - scaling.center) / scaling.scale
        eta = coef[cells.group_index, 0] + (scaled * coef[cells.group_index, 1:]).sum(axis=1)
        mean = 1 / (1 + np.exp(-eta)) if family == "binomial" else np.exp(eta)
        return float(cells.size @ mean / cells.size.sum())

    wanted = [(rate(1e-5, k) - rate(-1e-5, k)) / 2e-5 for k in range(2)]
    np.testing.assert_allclose(average_marginal_effects(cells, scaling, coef), wanted, rtol=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_draws_agree_with_the_delta_method(family: Family) -> None:
    cells = simulated_counts(family, 5, [200] * 4, (-1.0, 0.5, 0.3))
    scaling = scaling_of(cells)
    fit = complete_rates(cells, scaling)
    draws = np.random.default_rng(3).multivariate_normal(fit.coef, fit.cov, 1500)
    group = np.broadcast_to(draws[:, None], (1500, 4, 3))
    found, delta = marginal_effects_of_draws(cells, scaling, draws, group), effects_of(cells)
    wide = delta.difference_upper - delta.difference_lower
    for name in ("difference", "difference_lower", "difference_upper"):
        assert np.abs((getattr(found, name) - getattr(delta, name)) / wide).max() < 0.06
    np.testing.assert_allclose(found.ratio_upper, delta.ratio_upper, rtol=0.02)


def test_intervals_hold_the_truth() -> None:
    held, n = np.zeros(2), 300
    for seed in range(n):
        rng = np.random.default_rng(seed)
        x = np.column_stack([rng.uniform(-2, 2, 500), rng.integers(0, 2, 500)])
        eta = -0.5 + 0.4 * x[:, 0] + 0.5 * x[:, 1]
        p = 1 / (1 + np.exp(-eta))
        plain = eta - 0.5 * x[:, 1]
        truth = np.array(
            [0.4 * (p * (1 - p)).mean(), (1 / (1 + np.exp(-plain - 0.5)) - 1 / (1 + np.exp(-plain))).mean()]
        )
        found = effects_of(counted("binomial", rng.binomial(1, p), x=x))
        held += (found.difference_lower <= truth) & (truth <= found.difference_upper)
    assert (np.abs(held / n - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)).all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_sample_of_many_cells_says_the_same_as_all(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of the cells, whose own average is taken off: what is left is a small part of the interval."""
    rng = np.random.default_rng(4)
    x = np.column_stack([rng.normal(size=6000), rng.integers(0, 2, 6000)])
    cells = counted(family, rng.integers(0, 2, 6000), rng.integers(2, 9, 6000), rng.integers(0, 40, 6000), x)
    average = np.array([-1.0, 0.4, 0.6]) + 0.1 * rng.standard_normal((300, 3))
    group = average[:, None] + np.array([0.5, 0.0, 0.0]) * rng.standard_normal((300, 40, 3))
    exact = marginal_effects_of_draws(cells, scaling_of(cells), average, group)
    monkeypatch.setattr("tasks.stats.counted.marginal_effects.MOST_CELLS", 500)
    found = marginal_effects_of_draws(cells, scaling_of(cells), average, group)
    wide = exact.difference_upper - exact.difference_lower
    for name in ("difference", "difference_lower", "difference_upper"):
        off = np.abs(getattr(found, name) - getattr(exact, name)) / wide
        assert 0.0 < off.max() < 0.03
