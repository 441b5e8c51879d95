"""How far groups lie apart and are pooled agrees with closed forms, and with what each model says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.counted.heterogeneity import count_icc, latent_icc, median_ratio
from tasks.stats.counted.variance import left_open
from tests.counted_reports import CASES, counts_case, hospitals_case, shares_case
from tests.counted_worlds import World, fit_of, simulate


@pytest.mark.parametrize("name", ["shares", "counts", "hospitals"])
def test_each_model_has_its_own_spread(name: str) -> None:
    found = CASES[name]().findings
    fit, bayes = found.fits.fullest, found.bayes.sigma_group
    np.testing.assert_array_equal(found.variance.likelihood.sd.estimate, fit.sigma_group)
    assert np.isnan(found.variance.likelihood.ratio.lower)
    np.testing.assert_array_equal(found.variance.bayes.sd.upper, bayes.upper)
    assert float(found.variance.bayes.ratio.estimate) == pytest.approx(float(median_ratio(bayes.median[0])))
    quoted = found.variance.quoted
    assert quoted.ratio.lower < quoted.ratio.estimate < quoted.ratio.upper
    assert 0 < quoted.icc.lower < quoted.icc.estimate < quoted.icc.upper < 1
    assert found.heterogeneity == quoted.ratio


def test_icc_is_of_the_latent_scale_or_at_the_mean_count_of_a_row() -> None:
    shares, counts = shares_case().findings, counts_case().findings
    assert shares.variance.count is None
    tau = float(shares.bayes.sigma_group.median[0])
    assert float(shares.variance.bayes.icc.estimate) == pytest.approx(float(latent_icc(tau)))
    assert counts.variance.count == pytest.approx(counts.cells.events.sum() / counts.run.n_rows)
    tau = float(counts.bayes.sigma_group.median[0])
    assert float(counts.variance.bayes.icc.estimate) == pytest.approx(float(count_icc(tau, counts.variance.count)))


def test_what_size_accounts_for_lies_between_groups_too() -> None:
    found = hospitals_case().findings
    assert found.answer is not None
    assert found.variance.answer is not None
    assert found.variance.answer.sd.estimate[0] > found.answer.sigma_group.median[0]


def test_the_pooled_rate_of_a_group_without_predictors_is_its_rate() -> None:
    found = counts_case().findings
    np.testing.assert_allclose(found.variance.pooled, found.compared.rate.estimate, rtol=0.01)


def test_the_pooled_rate_is_of_the_groups_own_cases() -> None:
    """Predicted events of all groups together are about those counted, whatever their mix of cases."""
    found = hospitals_case().findings
    predicted = found.variance.pooled @ found.fits.rates.size
    assert predicted == pytest.approx(found.fits.rates.events.sum(), rel=0.02)


def test_what_is_left_open_is_the_closed_form_where_counts_are_large() -> None:
    """A Poisson group of expectation m has information m on its level: 1 / (1 + m tau^2) is left open."""
    made = simulate(World(family="poisson", groups=40, rows=(3, 30), trials=(40, 60), slope=0.0, between=0.0), 3)
    model = made.model()
    fit = fit_of(model)
    linear = model.design @ fit.fixef + fit.conditional_mode[model.cells.group_index, 0]
    expected = model.cells.of_groups(model.cells.size * np.exp(linear))
    np.testing.assert_allclose(left_open(fit)[:, 0], 1.0 / (1.0 + expected * fit.cov[0, 0]), rtol=1e-6)


def test_nothing_is_open_to_a_groups_own_rows_where_groups_do_not_differ() -> None:
    fit = replace(counts_case().findings.fits.fullest, cov=np.zeros((1, 1)))
    np.testing.assert_array_equal(left_open(fit), 1.0)
