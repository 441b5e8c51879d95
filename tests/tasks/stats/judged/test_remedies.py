"""The ways on after a singular fit, against published numbers and against dense likelihoods minimised by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tasks.stats.fits.bootstrap import bootstrap
from tasks.stats.fits.cross_products import centre_scaled, cross_products
from tasks.stats.fits.likelihood_profile import likelihood_profiles
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.judged.likelihood_ratio_test import likelihood_ratio_test
from tasks.stats.judged.remedies import penalised_fit, remedies, uncorrelated_fit
from tasks.stats.records import Scaling
from tests import datasets
from tests.datasets import model_of, simulated
from tests.dense import dense
from tests.posteriors import sampled


def test_uncorrelated_fit_is_lme4s() -> None:
    """`lmer(Reaction ~ Days + (Days || Subject), sleepstudy)`: SDs 25.051, 5.988, residual 25.565 (lme4's vignette)."""
    raw = Scaling(("Days",), np.zeros(1), np.ones(1), 0.0, 1.0)
    fit = uncorrelated_fit(centre_scaled(cross_products(datasets.sleepstudy()), raw), (0, 1))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.cov)), [25.051, 5.988], atol=2e-3)
    assert fit.cov[0, 1] == 0.0
    assert fit.sigma == pytest.approx(25.565, abs=1e-3)


def test_uncorrelated_fit_reaches_the_boundary_where_a_dense_search_does() -> None:
    data = simulated(2, [5, 6, 7, 8, 9], sd=(2.0, 0.0))
    products, scaling = model_of(data)
    fit = uncorrelated_fit(products, (0, 1))

    def deviance(logs: np.ndarray) -> float:
        sd = np.exp(logs)
        return dense(data, scaling, (0, 1), np.diag(sd[:2] ** 2), float(sd[2])).deviance("reml")

    least = min(
        minimize(deviance, np.log([2.0, slope, 1.0]), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5}).fun
        for slope in (0.01, 0.5)
    )
    ours = dense(data, scaling, (0, 1), fit.cov, fit.sigma).deviance("reml")
    assert ours <= least + 1e-3


@pytest.mark.parametrize("name", ["dyestuff2", "dyestuff", "one_single"])
def test_penalised_fit_minimises_the_dense_criterion_less_log_det(name: str) -> None:
    data = getattr(datasets, name)()
    products, scaling = model_of(data)
    varying = tuple(range(products.p))
    q, fit = products.p, penalised_fit(products, varying)

    def criterion(free: np.ndarray) -> float:
        factor = np.diag(np.exp(free[1 : q + 1]))
        if q == 2:
            factor[1, 0] = free[3]
        cov = factor @ factor.T
        return float(
            dense(data, scaling, varying, cov, float(np.exp(free[0]))).deviance("reml") - np.linalg.slogdet(cov)[1]
        )

    start = np.log([fit.sigma * 1.1, *([fit.sigma * 0.5] * q)])
    options = {"xatol": 1e-4, "fatol": 1e-6, "maxiter": 2000}
    found = minimize(criterion, np.append(start, [0.0] * (q - 1)), method="Nelder-Mead", options=options)
    ours = float(dense(data, scaling, varying, fit.cov, fit.sigma).deviance("reml") - np.linalg.slogdet(fit.cov)[1])
    assert ours == pytest.approx(found.fun, abs=2e-4)
    assert fit.sigma == pytest.approx(float(np.exp(found.x[0])), rel=2e-3)


@pytest.mark.parametrize("seed", range(12))
def test_penalised_fit_is_never_on_the_boundary(seed: int) -> None:
    fit = penalised_fit(model_of(simulated(seed, [5, 6, 7, 8, 9], sd=(0.0, 0.0)))[0], (0, 1))
    assert np.linalg.svd(fit.factor, compute_uv=False)[-1] > 0.02
    assert (np.diag(fit.factor) > 0).all()


def test_regular_fit_needs_no_way_on() -> None:
    assert sampled("sleepstudy").findings.remedies is None


def test_every_route_is_run_and_compared_with_the_singular_fit() -> None:
    found, fit = sampled("bounce_rates").findings.remedies, sampled("bounce_rates").fullest
    assert found is not None
    names = ["singular_fit", "drop", "uncorrelated", "penalised", "bootstrap", "bayes"]
    assert [route.name for route in found.routes] == names
    drop, penalised = found.routes[1], found.routes[3]
    assert drop.model == "partial_pooling.varying_intercept"
    assert np.isnan(drop.sigma_group[1])
    assert (penalised.is_singular, found.routes[0].is_singular) == (False, True)
    for i, route in enumerate(found.routes):
        assert (route.lower <= route.coef).all()
        assert (route.coef <= route.upper).all()
        for k, term in enumerate(found.varying):
            change = np.abs(route.coef[:, term] - fit.coef[:, term])
            assert found.largest_change[i, k] == change.max() == change[found.changed_most[i, k]]
            assert found.median_width[i, k] == np.median(route.upper[:, term] - route.lower[:, term])
    assert (found.spread >= found.largest_change.max(axis=0)).all()


def test_penalised_and_bootstrap_intervals_are_wider_than_the_collapsed_ones() -> None:
    found = sampled("bounce_rates").findings.remedies
    assert found is not None
    widths = dict(zip([route.name for route in found.routes], found.median_width[:, 1], strict=True))
    assert min(widths["penalised"], widths["bootstrap"], widths["bayes"]) > 1.3 * widths["singular_fit"]


def test_groups_are_named_whose_conclusion_depends_on_the_route() -> None:
    """Recomputed from every way on, the singular fit itself left aside."""
    found = sampled("bounce_rates").findings.remedies
    assert found is not None
    level, slope = found.divided
    assert level.size == 0
    above = np.array([[lower > 0 for lower in route.lower[:, 1]] for route in found.routes[1:]])
    assert not any((route.upper[:, 1] < 0).any() for route in found.routes)
    expected = [j for j in range(8) if above[:, j].any() and not above[:, j].all()]
    assert slope.tolist() == expected
    assert 0 < len(expected) < 8


def test_intercepts_alone_are_dropped_to_complete_pooling() -> None:
    products = model_of(datasets.dyestuff2())[0]
    made = sampled("dyestuff2")
    replicated = bootstrap(products, made.fullest, seed=3)
    found = remedies(products, made.findings.complete, made.partial, made.bayes, replicated)
    assert found is not None
    assert [route.name for route in found.routes] == ["singular_fit", "drop", "penalised", "bootstrap", "bayes"]
    assert found.routes[1].model == "complete_pooling"
    np.testing.assert_allclose(found.routes[1].coef[:, 0], made.findings.complete.coef[0])


@pytest.mark.parametrize("sizes", [[9, 9], [2, 2, 2], [1] * 12 + [4] * 3, [12]])
def test_few_or_tiny_groups_break_nothing(sizes: list[int]) -> None:
    """With two groups there is no penalised fit; with three of two rows no row is left to tell the residual SD by."""
    data = simulated(3, sizes)
    products, scaling = model_of(data)
    partial = {
        flavour: partial_pooling(products, scaling, flavour, varying) for flavour, varying in flavours((1,)).items()
    }
    for fit in partial.values():
        assert np.isfinite(bootstrap(products, fit, seed=1, n_replicates=40).upper).all()
        assert all(np.isfinite(one.deviance).all() for one in likelihood_profiles(products, fit))
    assert 0 < likelihood_ratio_test(products, partial, seed=1, n_replicates=40).p_value <= 1
