"""Standard errors of group estimates are those of the mixed-model equations; collapsed ones are told."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.intervals import compare_intervals
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.records import Estimate, GroupedData, PartialPooling
from tests.datasets import bounce_rates, dyestuff, model_of, simulated, sleepstudy
from tests.dense import dense
from tests.posteriors import sampled


def unbalanced() -> GroupedData:
    return simulated(11, [1, 2, 3, 9, 5, 4], beta=(5.0, 1.0, -2.0, 0.5), sd=(2.0, 0.5, 1.0))


DESIGNS = [
    pytest.param(dyestuff, (0,), id="intercepts"),
    pytest.param(sleepstudy, (1,), id="slopes"),
    pytest.param(sleepstudy, (0, 1), id="both"),
    pytest.param(unbalanced, (0, 2), id="unbalanced, two of four effects"),
    pytest.param(unbalanced, (0, 1, 2), id="unbalanced, three effects"),
]


def fitted(data: GroupedData, varying: tuple[int, ...]) -> PartialPooling:
    products, scaling = model_of(data)
    return partial_pooling(products, scaling, "varying_intercept_slope", varying)


@pytest.mark.parametrize(("data", "varying"), DESIGNS)
def test_joint_standard_errors_equal_the_dense_mixed_model_equations(data, varying: tuple[int, ...]) -> None:
    rows = data()
    fit = fitted(rows, varying)
    oracle = dense(rows, model_of(rows)[1], varying, fit.cov, fit.sigma)
    whole = oracle.prediction_cov()
    p, q = len(rows.terms), len(varying)
    for j in range(rows.n_groups):
        pick = np.zeros((p, len(whole)))
        pick[:, :p] = np.eye(p)
        pick[list(varying), p + j * q + np.arange(q)] = 1.0
        expected = np.sqrt(np.diag(pick @ whole @ pick.T))
        np.testing.assert_allclose(fit.coef_se[j], expected, rtol=1e-6)
    np.testing.assert_allclose(fit.fixef_cov, oracle.beta_cov, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(fit.se, np.sqrt(np.diag(oracle.beta_cov)), rtol=1e-7)
    modes = np.zeros((rows.n_groups, p))
    modes[:, list(varying)] = oracle.modes.reshape(-1, q)
    np.testing.assert_allclose(fit.coef, fit.fixef + modes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("data", "varying"), DESIGNS)
def test_conditional_sds_equal_the_dense_conditional_covariance(data, varying: tuple[int, ...]) -> None:
    rows = data()
    fit = fitted(rows, varying)
    cov = dense(rows, model_of(rows)[1], varying, fit.cov, fit.sigma).conditional_cov()
    expected = np.zeros_like(fit.coef)
    expected[:, list(varying)] = np.sqrt(np.diag(cov)).reshape(rows.n_groups, -1)
    np.testing.assert_allclose(fit.conditional_sd, expected, rtol=1e-6, atol=1e-12)


def test_conditional_sds_of_sleepstudy_are_lme4s() -> None:
    """`ranef(fit, condVar = TRUE)` in lme4: SDs 12.07086 and 2.304839 on raw Days; statsmodels 0.15 agrees."""
    data = sleepstudy()
    products, scaling = model_of(data)
    fit = partial_pooling(products, scaling, "varying_intercept_slope", (0, 1))
    # On raw Days the slope is that per SD, divided by the SD.
    np.testing.assert_allclose(fit.conditional_sd[:, 1] / scaling.scale[0], 2.304839, rtol=1e-4)
    x = design_matrix(data, scaling)
    peer = sm.MixedLM(data.y, x, groups=data.group_index, exog_re=x).fit(method="powell")
    peers = np.array([np.sqrt(np.diag(peer.random_effects_cov[j])) for j in range(18)])
    np.testing.assert_allclose(fit.conditional_sd, peers, rtol=5e-3)
    raw = scaling.to_raw @ dense(data, scaling, (0, 1), fit.cov, fit.sigma).conditional_cov()[:2, :2] @ scaling.to_raw.T
    np.testing.assert_allclose(np.sqrt(np.diag(raw)), [12.07086, 2.304839], rtol=1e-4)


@pytest.mark.parametrize("data", [sleepstudy, bounce_rates, unbalanced])
def test_intervals_are_two_sided_95_percent(data) -> None:
    fit = fitted(data(), (0, 1))
    np.testing.assert_allclose(fit.upper - fit.coef, norm.ppf(0.975) * fit.coef_se, rtol=1e-12)
    np.testing.assert_allclose(fit.coef - fit.lower, norm.ppf(0.975) * fit.coef_se, rtol=1e-12)


def test_a_term_that_does_not_vary_has_the_fixed_effect_and_its_error() -> None:
    fit = fitted(unbalanced(), (0, 2))
    for k in (1, 3):
        np.testing.assert_array_equal(fit.conditional_sd[:, k], 0.0)
        np.testing.assert_allclose(fit.coef[:, k], fit.fixef[k])
        np.testing.assert_allclose(fit.coef_se[:, k], fit.se[k])


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_widths_are_compared_by_their_medians(name: str) -> None:
    have = sampled(name)
    found = compare_intervals(have.fullest, have.bayes.groups, have.data.terms, 0.5)
    for comparison, k in zip(found, (0, 1), strict=True):
        width = have.bayes.groups.upper[:, k] - have.bayes.groups.lower[:, k]
        assert comparison.term == have.data.terms[k]
        assert comparison.conditional == pytest.approx(3.919928 * np.median(have.fullest.conditional_sd[:, k]))
        assert comparison.joint == pytest.approx(3.919928 * np.median(have.fullest.coef_se[:, k]))
        assert comparison.calibrated == pytest.approx(np.median(width))
        assert comparison.ratio == pytest.approx(
            np.median(3.919928 * have.fullest.conditional_sd[:, k] / width), rel=1e-6
        )
        assert comparison.implied_coverage == pytest.approx(2 * norm.cdf(1.959964 * comparison.ratio) - 1, abs=1e-6)


def test_collapse_is_told_for_slopes_of_the_singular_fit_only() -> None:
    """Bounce rates: slopes hardly vary, so conditional intervals shrink to almost nothing."""
    found = {
        (name, comparison.term): comparison
        for name, have in (("bounce_rates", sampled("bounce_rates")), ("sleepstudy", sampled("sleepstudy")))
        for comparison in compare_intervals(have.fullest, have.bayes.groups, have.data.terms, 0.5)
    }
    collapsed = {key for key, comparison in found.items() if comparison.is_collapsed}
    assert collapsed == {("bounce_rates", "age")}
    assert found["bounce_rates", "age"].implied_coverage < 0.5
    assert found["sleepstudy", "Days"].implied_coverage > 0.9


@pytest.mark.parametrize(("limit", "collapsed"), [(0.79, False), (0.81, True)])
def test_the_limit_decides_what_is_collapsed(limit: float, collapsed: bool) -> None:
    have = sampled("sleepstudy")
    half = 1.959963984540054 * have.fullest.conditional_sd / 0.8
    groups = Estimate(have.fullest.coef, half, have.fullest.coef - half, have.fullest.coef + half)
    for comparison in compare_intervals(have.fullest, groups, have.data.terms, limit):
        assert comparison.ratio == pytest.approx(0.8)
        assert comparison.is_collapsed is collapsed


def test_calibrated_intervals_are_the_widest_on_a_singular_fit() -> None:
    have = sampled("bounce_rates")
    slope = compare_intervals(have.fullest, have.bayes.groups, have.data.terms, 0.5)[1]
    assert slope.conditional < slope.joint < slope.calibrated
