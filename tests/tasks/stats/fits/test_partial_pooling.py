"""Partial pooling agrees with published numbers and with independent solvers, in any unit, whatever the data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import mixedlm
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.reml import Criterion
from tasks.stats.records import Flavour, Floats, GroupedData, PartialPooling
from tests import datasets
from tests.datasets import (
    bounce_rates,
    cbpp,
    dyestuff,
    dyestuff2,
    grouped,
    model_of,
    simulated,
    sleepstudy,
)
from tests.dense import profiled_deviance


def fitted(data: GroupedData, varying: tuple[int, ...], criterion: Criterion = "reml") -> PartialPooling:
    products, scaling = model_of(data)
    flavour: Flavour = "varying_slope" if 0 not in varying else "varying_intercept_slope"
    return partial_pooling(products, scaling, "varying_intercept" if varying == (0,) else flavour, varying, criterion)


class TestPublished:
    """lme4 1.1-7 as printed by Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1), and lme4's help pages."""

    def test_dyestuff(self) -> None:
        fit = fitted(dyestuff(), (0,))
        assert fit.criterion_value == pytest.approx(319.6543, abs=1e-4)
        assert fit.sigma_group[0] == pytest.approx(42.0006, abs=5e-4)
        assert fit.sigma == pytest.approx(49.5101, abs=5e-4)
        assert fit.fixef[0] == pytest.approx(1527.5, abs=1e-6)
        assert fit.se[0] == pytest.approx(19.3834, abs=5e-4)
        assert (fit.is_singular, fit.converged) == (False, True)

    def test_dyestuff2_has_no_variance_between_batches(self) -> None:
        fit = fitted(dyestuff2(), (0,))
        assert fit.criterion_value == pytest.approx(161.8283, abs=1e-4)
        assert fit.sigma_group[0] == 0.0
        assert fit.sigma == pytest.approx(3.7157, abs=5e-4)
        assert fit.fixef[0] == pytest.approx(5.6656, abs=5e-5)
        assert (fit.is_singular, fit.converged) == (True, True)
        np.testing.assert_allclose(fit.coef, fit.fixef[0])

    def test_sleepstudy(self) -> None:
        data = sleepstudy()
        scaling = model_of(data)[1]
        fit = fitted(data, (0, 1))
        to_raw = scaling.to_raw
        cov = to_raw @ fit.cov @ to_raw.T
        assert fit.criterion_value == pytest.approx(1743.6283, abs=1e-4)
        np.testing.assert_allclose(np.sqrt(np.diag(cov)), [24.741, 5.922], atol=5e-3)
        assert cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]) == pytest.approx(0.066, abs=5e-4)
        assert fit.sigma == pytest.approx(25.592, abs=5e-4)
        np.testing.assert_allclose(to_raw @ fit.fixef, [251.405, 10.467], atol=5e-4)
        se = np.sqrt(np.diag(to_raw @ fit.fixef_cov @ to_raw.T))
        np.testing.assert_allclose(se, [6.825, 1.546], atol=5e-4)
        assert (fit.is_singular, fit.converged) == (False, True)

    def test_sleepstudy_by_maximum_likelihood(self) -> None:
        """`lmer(..., REML = FALSE)`: deviance 1751.939, SDs 23.78 and 5.717, correlation 0.08."""
        data = sleepstudy()
        fit = fitted(data, (0, 1), "ml")
        to_raw = model_of(data)[1].to_raw
        cov = to_raw @ fit.cov @ to_raw.T
        assert fit.criterion == "ml"
        assert fit.criterion_value == pytest.approx(1751.9393, abs=1e-4)
        assert fit.criterion_value == fit.criterion_value_scaled
        np.testing.assert_allclose(np.sqrt(np.diag(cov)), [23.7806, 5.7168], atol=2e-3)
        assert cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]) == pytest.approx(0.0813, abs=5e-4)
        assert fit.sigma == pytest.approx(25.5918, abs=5e-4)

    def test_bounce_rates_is_the_singular_case(self) -> None:
        fit = fitted(bounce_rates(), (0, 1))
        assert (fit.is_singular, fit.converged) == (True, True)
        assert abs(fit.correlation[0, 1]) == pytest.approx(1.0, abs=1e-6)


@dataclass(frozen=True)
class Peer:
    """What another program found for the same columns."""

    criterion_value: float
    fixef: Floats
    cov: Floats
    sigma: float

    @property
    def sd(self) -> Floats:
        return np.sqrt(np.diag(self.cov))


def by_mixedlm(data: GroupedData, varying: tuple[int, ...]) -> tuple[Peer, bool]:
    x = design_matrix(data, model_of(data)[1])
    names = [f"x{k}" for k in range(1, x.shape[1])]
    frame = pd.DataFrame(x[:, 1:], columns=names).assign(y=data.y, g=np.array(data.labels)[data.group_index])
    effects = " + ".join(["1" if 0 in varying else "0", *(f"x{k}" for k in varying if k)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = mixedlm.lmer(f"y ~ {' + '.join(names) or '1'} + ({effects} | g)", frame)
    cov = np.atleast_2d(fit.VarCorr().groups["g"].cov)
    return Peer(fit.deviance, np.asarray(fit.beta), cov, fit.sigma), fit.isSingular(tol=1e-4)


def by_statsmodels(data: GroupedData, varying: tuple[int, ...]) -> Peer:
    x = design_matrix(data, model_of(data)[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.MixedLM(data.y, x, groups=data.group_index, exog_re=x[:, list(varying)])
        fit = model.fit(method="powell", reml=True)
    return Peer(-2.0 * fit.llf, np.asarray(fit.fe_params), np.atleast_2d(fit.cov_re), float(np.sqrt(fit.scale)))


DESIGNS: list[tuple[str, tuple[int, ...], bool]] = [
    # data set, varying effects, singular
    ("dyestuff", (0,), False),
    ("dyestuff2", (0,), True),
    ("sleepstudy", (0,), False),
    ("sleepstudy", (1,), False),
    ("sleepstudy", (0, 1), False),
    ("bounce_rates", (0,), False),
    ("bounce_rates", (1,), False),
    ("bounce_rates", (0, 1), True),
    ("cake", (0,), False),
    ("cake", (1,), True),
    ("cake", (0, 1), True),
    ("cake", (1, 2), True),
    ("cake", (0, 1, 2), True),
    ("cake_by_replicate", (0, 1), True),
    ("pastes", (0,), False),
    ("pastes_by_batch", (0,), False),
    ("penicillin", (0,), False),
    ("penicillin_by_plate", (0,), False),
    ("arabidopsis", (1,), False),
    ("arabidopsis", (0, 1), True),
    ("arabidopsis", (0, 1, 2), True),
    ("arabidopsis_by_population", (0, 1), True),
    ("cbpp", (0,), False),
    ("cbpp", (1,), True),
    ("cbpp", (0, 1), True),
    ("cbpp", (1, 2), True),
    ("cbpp", (0, 1, 2), True),
    ("grouseticks", (0, 1), True),
    ("grouseticks", (1, 2), False),
    ("grouseticks", (0, 1, 2), True),
    ("grouseticks_by_brood", (0, 1), True),
    ("insteval", (0,), False),
    ("insteval", (0, 1), False),
    ("insteval", (0, 1, 2), False),
    ("verbagg", (0,), False),
    ("verbagg", (1, 2), False),
    ("verbagg", (0, 1), False),
    ("verbagg", (0, 1, 2), False),
]


@pytest.mark.parametrize(("name", "varying", "singular"), DESIGNS)
def test_agrees_with_mixedlm(name: str, varying: tuple[int, ...], singular: bool) -> None:
    """mixedlm 1.3, on lme4's data sets and the bundled study."""
    data = getattr(datasets, name)()
    ours, (peer, peer_is_singular) = fitted(data, varying), by_mixedlm(data, varying)
    assert ours.criterion_value_scaled == pytest.approx(peer.criterion_value, abs=1e-4)
    np.testing.assert_allclose(ours.sigma_group, peer.sd, rtol=1e-3, atol=2e-4 * ours.sigma)
    np.testing.assert_allclose(ours.cov, peer.cov, rtol=5e-3, atol=1e-3 * ours.sigma**2)
    assert ours.sigma == pytest.approx(peer.sigma, rel=1e-4)
    np.testing.assert_allclose(ours.fixef, peer.fixef, rtol=1e-4, atol=1e-3 * ours.se.min())
    assert ours.is_singular == peer_is_singular == singular
    assert ours.converged


# Where statsmodels 0.15 by Powell's method ends above the optimum, by more than each number here.
STATSMODELS_MISSES = {
    ("cake", (1, 2)): 3e-3,
    ("cake", (0, 1, 2)): 0.1,
    ("cbpp", (1, 2)): 0.5,
    ("cbpp", (0, 1, 2)): 0.03,
    ("arabidopsis", (0, 1)): 4e-4,
    ("arabidopsis", (0, 1, 2)): 5e-4,
    ("arabidopsis_by_population", (0, 1)): 5e-3,
    ("verbagg", (0, 1)): 1e-3,
    ("verbagg", (1, 2)): 1e-3,
}
# Left out here: slow, or (grouseticks, correlation at its limit) an infinite log-likelihood is returned.
STATSMODELS_SKIPS = {"insteval", "grouseticks", "grouseticks_by_brood"}


@pytest.mark.parametrize(
    ("name", "varying"),
    [(n, v) for n, v, _ in DESIGNS if n not in STATSMODELS_SKIPS and (n, v) != ("verbagg", (0, 1, 2))],
)
def test_agrees_with_statsmodels_or_is_better(name: str, varying: tuple[int, ...]) -> None:
    data = getattr(datasets, name)()
    ours, peer = fitted(data, varying), by_statsmodels(data, varying)
    if np.isinf(peer.criterion_value):
        pytest.skip("statsmodels returned an infinite log-likelihood, as it does here with some versions of NumPy")
    gap = peer.criterion_value - ours.criterion_value_scaled
    if (name, varying) in STATSMODELS_MISSES:
        assert gap > STATSMODELS_MISSES[name, varying]
        return
    assert gap == pytest.approx(0.0, abs=1e-4)
    np.testing.assert_allclose(ours.sigma_group, peer.sd, rtol=2e-3, atol=2e-3 * ours.sigma)
    np.testing.assert_allclose(ours.fixef, peer.fixef, rtol=1e-3, atol=1e-2 * ours.se.min())
    assert ours.sigma == pytest.approx(peer.sigma, rel=1e-3)


@pytest.mark.parametrize(("data", "varying"), [(cbpp, (1, 2)), (cbpp, (0, 1, 2))])
def test_where_statsmodels_is_higher_the_dense_criterion_says_so_too(data, varying: tuple[int, ...]) -> None:
    rows = data()
    ours, peer = fitted(rows, varying), by_statsmodels(rows, varying)
    scaling = model_of(rows)[1]
    at_ours, at_peers = (
        profiled_deviance(rows, scaling, varying, found.cov / found.sigma**2, "reml") for found in (ours, peer)
    )
    assert at_ours == pytest.approx(ours.criterion_value_scaled, abs=1e-6)
    assert at_peers == pytest.approx(peer.criterion_value, abs=1e-3)
    assert at_ours < at_peers - 0.03


def relabelled(data: GroupedData, seed: int) -> tuple[GroupedData, np.ndarray]:
    """The same rows in another order, groups numbered anew; and where each old group went."""
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(data.n_rows), rng.permutation(data.n_groups)
    labels = [f"n{names[j]:04d}" for j in data.group_index[order]]
    return grouped(data.y[order], labels, data.x[order], data.terms[1:]), names


class TestEquivariance:
    DATA = staticmethod(lambda: simulated(7, [2, 5, 8, 3, 9, 6], beta=(5.0, 1.0, 2.0), sd=(2.0, 1.0)))

    @pytest.mark.parametrize("varying", [(0,), (1,), (0, 1), (0, 1, 2)])
    def test_order_and_labels_change_nothing(self, varying: tuple[int, ...]) -> None:
        data = self.DATA()
        other, names = relabelled(data, 3)
        a, b = fitted(data, varying), fitted(other, varying)
        assert b.criterion_value == pytest.approx(a.criterion_value, abs=1e-9)
        np.testing.assert_allclose(b.coef[names], a.coef, rtol=1e-6)
        np.testing.assert_allclose(b.coef_se[names], a.coef_se, rtol=1e-5)
        assert (a.is_singular, a.converged) == (b.is_singular, b.converged)

    @pytest.mark.parametrize("varying", [(0,), (0, 1)])
    @pytest.mark.parametrize(("scale", "shift"), [(-3.0, 100.0), (1e-9, 0.0), (1e9, -1e9), (1.0, 1e9)])
    def test_outcome_in_other_units(self, varying: tuple[int, ...], scale: float, shift: float) -> None:
        """Estimates and SDs follow the unit, intercepts the shift; the criterion gains 2 (N - p) log|scale|."""
        data = self.DATA()
        a = fitted(data, varying)
        b = fitted(replace(data, y=scale * data.y + shift), varying)
        moved = shift * np.eye(3)[0]
        tolerance = 1e-6 + 1e-15 * abs(shift / scale)
        np.testing.assert_allclose((b.coef - moved) / scale, a.coef, rtol=1e-5, atol=10 * tolerance)
        np.testing.assert_allclose((b.fixef - moved) / scale, a.fixef, rtol=1e-5, atol=10 * tolerance)
        np.testing.assert_allclose(b.sigma_group / abs(scale), a.sigma_group, rtol=1e-4, atol=1e-6)
        assert b.sigma / abs(scale) == pytest.approx(a.sigma, rel=1e-5)
        np.testing.assert_allclose(b.coef_se / abs(scale), a.coef_se, rtol=1e-4)
        np.testing.assert_allclose(b.shrinkage_factor, a.shrinkage_factor, rtol=1e-3, atol=1e-5)
        gained = 2 * (data.n_rows - 3) * np.log(abs(scale))
        assert b.criterion_value - gained == pytest.approx(a.criterion_value, abs=1e-4)
        assert (a.is_singular, a.converged) == (b.is_singular, b.converged)

    @pytest.mark.parametrize("varying", [(0,), (0, 1)])
    @pytest.mark.parametrize(("scale", "shift"), [(12.0, -5.0), (1e-9, 0.0), (1e9, 1e9), (1.0, 1e6)])
    def test_predictors_in_other_units(self, varying: tuple[int, ...], scale: float, shift: float) -> None:
        """On centre-scaled predictors nothing changes; on raw ones the criterion gains 2 (p - 1) log(scale)."""
        data = self.DATA()
        a = fitted(data, varying)
        b = fitted(replace(data, x=scale * data.x + shift), varying)
        np.testing.assert_allclose(b.coef, a.coef, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(b.lower, a.lower, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(b.cov, a.cov, rtol=1e-3, atol=1e-5)
        assert b.criterion_value_scaled == pytest.approx(a.criterion_value_scaled, abs=1e-6)
        assert b.criterion_value - 4 * np.log(scale) == pytest.approx(a.criterion_value, abs=1e-6)
        assert (a.is_singular, a.converged) == (b.is_singular, b.converged)

    def test_a_mirrored_predictor_mirrors_its_slopes_and_correlations(self) -> None:
        data = self.DATA()
        a = fitted(data, (0, 1))
        b = fitted(replace(data, x=data.x * [-1.0, 1.0]), (0, 1))
        mirror = np.array([1.0, -1.0, 1.0])
        np.testing.assert_allclose(b.coef * mirror, a.coef, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(b.correlation[0, 1], -a.correlation[0, 1], atol=1e-5)

    def test_adding_a_multiple_of_a_predictor_to_the_outcome_adds_to_its_slope(self) -> None:
        data = self.DATA()
        scaling = model_of(data)[1]
        a = fitted(data, (0, 1))
        b = fitted(replace(data, y=data.y + 4.0 * data.x[:, 1]), (0, 1))
        added = 4.0 * np.array([scaling.center[1], 0.0, scaling.scale[1]])
        np.testing.assert_allclose(b.coef - a.coef, np.broadcast_to(added, a.coef.shape), atol=1e-5)
        np.testing.assert_allclose(b.cov, a.cov, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("seed", "scale"), [(1, 1.0), (2, 0.0), (3, 0.05)])
def test_the_criterion_never_rises_when_more_may_vary(seed: int, scale: float) -> None:
    data = simulated(seed, [3, 6, 9, 4, 7, 5, 8], sd=(1.0, scale))
    nested = [fitted(data, varying).criterion_value for varying in ((0,), (0, 1))]
    assert nested[1] <= nested[0] + 1e-7


def test_error_falls_as_more_varies_and_is_that_of_the_rows() -> None:
    data = sleepstudy()
    x = design_matrix(data, model_of(data)[1])
    for varying in ((0,), (0, 1)):
        fit = fitted(data, varying)
        residual = data.y - (x * fit.coef[data.group_index]).sum(axis=1)
        assert fit.rmse == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-9)
    assert fitted(data, (0, 1)).rmse < fitted(data, (0,)).rmse < np.std(data.y)


def test_flavours_stand_side_by_side() -> None:
    assert flavours(()) == {"varying_intercept": (0,)}
    assert flavours((1, 3)) == {
        "varying_intercept": (0,),
        "varying_slope": (1, 3),
        "varying_intercept_slope": (0, 1, 3),
    }


def test_singularity_is_judged_at_the_tolerance_given() -> None:
    products, scaling = model_of(sleepstudy())
    strict = partial_pooling(products, scaling, "varying_intercept_slope", (0, 1), singular_tolerance=0.7)
    assert (strict.is_singular, fitted(sleepstudy(), (0, 1)).is_singular) == (True, False)
    assert strict.converged


def constant_in_groups() -> GroupedData:
    data = simulated(8, [6] * 10)
    return replace(data, x=np.repeat(np.linspace(-2, 3, 10) ** 2, 6)[:, None])


def collinear_within_groups() -> GroupedData:
    data = simulated(9, [6] * 10)
    second = data.x[:, 0] + np.repeat(np.random.default_rng(1).standard_normal(10), 6)
    return replace(data, x=np.column_stack([data.x, second]), terms=("intercept", "x1", "x2"))


AWKWARD: list[tuple[str, Callable[[], GroupedData]]] = [
    ("one group of one row", lambda: simulated(3, [1, 5, 9, 12, 7])),
    ("two groups", lambda: simulated(5, [10, 12])),
    ("two groups of two rows", lambda: simulated(5, [2, 2])),
    ("three thousand groups", lambda: simulated(6, [1, 2, 3, 4, 5, 6] * 500)),
    ("five coefficients", lambda: simulated(7, [9] * 20, beta=(1, 2, 3, 4, 5), sd=(1, 1, 1))),
    ("predictor constant in groups", constant_in_groups),
    ("predictors collinear in groups", collinear_within_groups),
    ("residual SD a ten-thousandth", lambda: simulated(2, [8] * 6, sigma=1e-4)),
    ("an exact line", lambda: simulated(2, [8] * 6, sd=(0.0, 0.0), sigma=0.0)),
    ("an exact line for each group", lambda: simulated(2, [8] * 6, sigma=0.0)),
    ("means a million SDs apart", lambda: grouped(1e6 * np.repeat(np.arange(9.0), 5) + NOISE, np.repeat(range(9), 5))),
    ("every row a group", lambda: simulated(4, [1] * 20)),
]
NOISE = np.random.default_rng(0).standard_normal(45)


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in AWKWARD])
def test_awkward_data_give_finite_numbers(make: Callable[[], GroupedData]) -> None:
    data = make()
    slopes = tuple(range(1, min(len(data.terms), 3)))
    for varying in flavours(slopes).values():
        fit = fitted(data, varying)
        for field in ("fixef", "se", "cov", "coef", "coef_se", "conditional_sd", "lower", "upper", "shrinkage_factor"):
            assert np.isfinite(getattr(fit, field)).all(), field
        assert np.isfinite([fit.criterion_value, fit.sigma, fit.rmse, fit.gradient_norm]).all()
        assert np.linalg.eigvalsh(fit.cov)[0] >= -1e-9 * fit.cov.max()
        assert (fit.coef_se >= 0).all()
        # Fitted lines stay near the data, whatever became of the variances.
        residual = data.y - (design_matrix(data, model_of(data)[1]) * fit.coef[data.group_index]).sum(axis=1)
        assert np.sqrt(np.mean(residual**2)) == pytest.approx(fit.rmse, rel=1e-3, abs=1e-6 * np.std(data.y))
        assert fit.rmse <= np.std(data.y)


def test_a_small_residual_is_found_beside_a_large_spread_of_groups() -> None:
    """SDs of 3 between groups and 0.001 within: cross-products keep what the criterion needs."""
    fit = fitted(simulated(2, [8] * 6, sd=(3.0,), sigma=1e-3), (0,))
    assert fit.converged
    assert fit.sigma == pytest.approx(1e-3, rel=0.3)
    assert 1.5 < fit.sigma_group[0] < 6.0


@pytest.mark.parametrize("seed", range(3))
def test_true_values_are_recovered_from_many_groups(seed: int) -> None:
    data = simulated(seed, [4, 8, 12] * 150, beta=(10.0, 2.0), sd=(3.0, 1.0), sigma=1.5, correlation=0.5)
    scaling = model_of(data)[1]
    fit = fitted(data, (0, 1))
    to_raw = scaling.to_raw
    cov = to_raw @ fit.cov @ to_raw.T
    assert np.all(np.abs(to_raw @ fit.fixef - [10.0, 2.0]) < 4 * np.sqrt(np.diag(to_raw @ fit.fixef_cov @ to_raw.T)))
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), [3.0, 1.0], rtol=0.15)
    assert cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]) == pytest.approx(0.5, abs=0.2)
    assert fit.sigma == pytest.approx(1.5, rel=0.05)


def heavy_tailed(seed: int) -> GroupedData:
    """Eight small groups, residuals of Student's t on 1.5 degrees of freedom: outlying rows and groups."""
    rng = np.random.default_rng(seed)
    sizes = list(map(int, rng.integers(1, 10, 8)))
    data = simulated(seed, sizes, beta=(1.0, 1.0, 1.0), sd=(1.0, 1.0))
    return replace(data, y=data.y + rng.standard_t(1.5, data.n_rows))


@pytest.mark.parametrize(("seed", "gap"), [(95, 2.0), (194, 9.0), (347, 100.0), (1038, 28.0)])
def test_where_the_criterion_has_two_minima_the_lower_one_is_found(seed: int, gap: float) -> None:
    """mixedlm 1.3 ends in the higher one; both values are those of the dense criterion."""
    data, varying = heavy_tailed(seed), (0, 1, 2)
    ours, (peer, _) = fitted(data, varying), by_mixedlm(data, varying)
    scaling = model_of(data)[1]
    assert ours.converged
    assert peer.criterion_value - ours.criterion_value_scaled > gap
    for value, cov, sigma in (
        (ours.criterion_value_scaled, ours.cov, ours.sigma),
        (peer.criterion_value, peer.cov, peer.sigma),
    ):
        assert profiled_deviance(data, scaling, varying, cov / sigma**2, "reml") == pytest.approx(value, abs=1e-5)
