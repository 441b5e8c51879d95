"""Replicates from cross-products are those from rows; intervals say how wrong the fit's estimates tend to be."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.bootstrap import (
    FEWEST_REPLICATES,
    MOST_REPLICATES,
    affordable_replicates,
    bootstrap,
    draw_outcomes,
)
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.judged.implied_coverage import by_draws
from tasks.stats.judged.recommended import judge_implied_coverage, widened
from tasks.stats.records import GroupedData, PartialPooling
from tests import datasets
from tests.datasets import model_of, simulated


def fullest(data: GroupedData) -> PartialPooling:
    products, scaling = model_of(data)
    flavour, varying = list(flavours(tuple(range(1, products.p))).items())[-1]
    return partial_pooling(products, scaling, flavour, varying)


def test_replicates_have_the_moments_of_rows_drawn_from_the_model() -> None:
    """Also of a group of one row, whose X'X has rank 1."""
    data, cov, sigma, n = datasets.one_single(), np.array([[4.0, 1.0], [1.0, 1.0]]), 1.5, 20_000
    products, scaling = model_of(data)
    drawn = draw_outcomes(products, (0, 1), cov, sigma, n, np.random.default_rng(1))
    x, rng = design_matrix(data, scaling), np.random.default_rng(2)
    effects = rng.multivariate_normal(np.zeros(2), cov, (4000, data.n_groups))
    y = (x * effects[:, data.group_index]).sum(axis=2) + sigma * rng.standard_normal((4000, data.n_rows))
    first = data.group_index == 0
    assert first.sum() == 1
    from_rows = [y[:, first] @ x[first], (y**2).sum(axis=1), y @ x]
    from_sums = [drawn.xty[:, :, 0], drawn.yty, drawn.xty.sum(axis=-1)]
    for rows, sums in zip(from_rows, from_sums, strict=True):
        spread = rows.std(axis=0)
        np.testing.assert_allclose(sums.mean(axis=0), rows.mean(axis=0), atol=0.09 * np.max(spread))
        np.testing.assert_allclose(sums.std(axis=0), spread, rtol=0.06)
    by_rows = np.corrcoef(from_rows[1], from_rows[2][:, 0] ** 2)[0, 1]
    assert np.corrcoef(drawn.yty, from_sums[2][:, 0] ** 2)[0, 1] == pytest.approx(by_rows, abs=0.06)


def test_sum_of_squares_is_never_less_than_what_each_group_explains() -> None:
    products = model_of(datasets.one_single())[0]
    drawn = draw_outcomes(products, (0,), np.eye(1), 1.0, 50, np.random.default_rng(3))
    inverse = np.linalg.pinv(products.xtx, rcond=1e-10)
    explained = np.einsum("ran,nab,rbn->r", drawn.xty, inverse, drawn.xty)
    assert (drawn.yty > explained).all()


def test_intervals_of_a_regular_fit_are_near_the_joint_ones() -> None:
    data = simulated(5, [15] * 60)
    fit = fullest(data)
    found = bootstrap(model_of(data)[0], fit, seed=1)
    ratio = (found.upper - found.lower) / (fit.upper - fit.lower)
    assert found.n_replicates == MOST_REPLICATES
    assert np.median(ratio, axis=0) == pytest.approx([1.0, 1.0], abs=0.06)
    assert ((found.sigma_group_lower < fit.sigma_group) & (fit.sigma_group < found.sigma_group_upper)).all()
    assert found.sigma_lower < fit.sigma < found.sigma_upper


def test_intervals_hold_the_truth_of_new_studies_as_often_as_they_say() -> None:
    """Thirty studies, each with group effects that are known: interval by interval, 95 % hold the truth."""
    held = []
    for seed in range(30):
        data, truth = study_with_known_effects(seed)
        found = bootstrap(model_of(data)[0], fullest(data), seed=seed, n_replicates=299)
        held.append((found.lower[:, 0] < truth) & (truth < found.upper[:, 0]))
    assert 0.92 < np.mean(held) < 0.98


def study_with_known_effects(seed: int) -> tuple[GroupedData, np.ndarray]:
    """Thirty groups of 4 to 12 rows without a predictor, and their true levels."""
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(30), [4, 6, 8, 10, 12] * 6)
    levels = 50.0 + 3.0 * rng.standard_normal(30)
    y = levels[index] + 5.0 * rng.standard_normal(index.size)
    labels = tuple(f"g{j:02d}" for j in range(30))
    return GroupedData(y, np.empty((index.size, 0)), index, labels, ("intercept",)), levels


def test_widening_makes_up_for_variances_that_were_estimated() -> None:
    """A hundred studies of 6 groups of 5 rows: joint intervals fall short of 95 %, widened ones do not.

    Limits are three standard errors between studies; the average group's intervals are held to a binomial's.
    """
    short, held, average = [], [], []
    for seed in range(100):
        data, truth = small_study(seed)
        fit = fullest(data)
        found = bootstrap(model_of(data)[0], fit, seed, n_replicates=149)
        lower, upper = widened(fit, found)
        short.append(((fit.lower[:, 0] < truth) & (truth < fit.upper[:, 0])).mean())
        held.append(((lower[:, 0] < truth) & (truth < upper[:, 0])).mean())
        average.append(abs(fit.fixef[0] - 50.0) < 1.959964 * found.average_widening[0] * fit.se[0])
    limit = 3 * np.std(held) / 10
    assert limit < 0.05
    assert abs(np.mean(held) - 0.95) < limit
    assert np.mean(short) < 0.95 - limit
    assert 88 <= np.sum(average) <= 100


def small_study(seed: int) -> tuple[GroupedData, np.ndarray]:
    """Groups differ as much as rows do."""
    rng = np.random.default_rng([9, seed])
    index = np.repeat(np.arange(6), 5)
    levels = 50.0 + rng.standard_normal(6)
    y = levels[index] + rng.standard_normal(index.size)
    return GroupedData(y, np.empty((30, 0)), index, tuple(f"g{j}" for j in range(6)), ("intercept",)), levels


def test_widening_is_the_quantile_of_errors_in_their_own_standard_errors() -> None:
    """Many groups tell the variances well: 1.96 standard errors hold 95 %, and nothing is widened much."""
    data = simulated(5, [15] * 60)
    found = bootstrap(model_of(data)[0], fullest(data), seed=1, n_replicates=199)
    assert (found.widening >= 1).all()
    assert (found.widening < 1.03).all()
    few = simulated(5, [15] * 5)
    assert (bootstrap(model_of(few)[0], fullest(few), seed=1, n_replicates=199).widening > 1.1).all()


def test_intervals_that_no_factor_makes_wide_enough_are_never_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many replicates without a standard error: the factor is NaN, and the widened intervals hold nothing."""
    data = simulated(5, [15] * 8)
    products, fit = model_of(data)[0], fullest(data)
    none = "tasks.stats.fits.bootstrap.standard_errors"
    monkeypatch.setattr(none, lambda batch, fits, varying: np.zeros((len(fits.sigma), 2, 8)))
    found = bootstrap(products, fit, seed=1, n_replicates=50)
    assert np.isnan(found.widening).all()
    held = by_draws(*widened(fit, found), fit.coef[None, None], products.n)
    assert not held.is_kept
    assert [one.against for one in judge_implied_coverage(held, data.terms, (0, 1))] == ["partial_pooling"] * 2


def test_singular_fit_is_not_collapsed_by_the_bootstrap() -> None:
    data = datasets.bounce_rates()
    fit = fullest(data)
    found = bootstrap(model_of(data)[0], fit, seed=1)
    assert found.n_singular > 0.3 * found.n_replicates
    assert (np.median(found.upper - found.lower, axis=0)[1]) > 10 * 2 * 1.96 * np.median(fit.conditional_sd[:, 1])


def test_same_seed_same_numbers_and_fewer_replicates_for_many_groups() -> None:
    data = datasets.dyestuff()
    products, fit = model_of(data)[0], fullest(data)
    first, again, other = (bootstrap(products, fit, seed, n_replicates=50) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.lower, again.lower)
    assert not np.array_equal(first.lower, other.lower)
    assert affordable_replicates(8, 2, 2) == MOST_REPLICATES
    assert affordable_replicates(10_000, 2, 2) == 50
    assert affordable_replicates(10**6, 2, 2) == FEWEST_REPLICATES
