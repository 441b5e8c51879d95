"""Designs that break solvers end in a fit or in the finding that there is no finite one: never in an exception.

RuntimeWarnings of the core are errors in all tests, so none of these overflows either.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling
from tasks.stats.fits.cells import Family
from tests.counted_designs import CountedRows, per_group, simulated

FAMILIES: tuple[Family, ...] = ("binomial", "poisson")


def fit_of(rows: CountedRows, varying: tuple[int, ...] = (0,)) -> CountedPartialPooling:
    fit = partial_pooling(rows.cells(), "varying_intercept", varying)
    assert not (fit.is_converged and fit.is_unbounded)
    assert np.isfinite(fit.log_lik)
    assert np.isfinite(fit.theta).all()
    assert np.isfinite(fit.conditional_mode).all()
    return fit


@pytest.mark.parametrize("family", FAMILIES)
def test_no_events_in_most_groups(family: Family) -> None:
    events = np.zeros(200)
    events[::20] = [1, 2, 4, 1, 1, 3, 2, 1, 1, 4]
    fit = fit_of(per_group(family, events.tolist(), [30.0] * 200))
    assert fit.is_converged
    assert not fit.is_singular
    assert fit.conditional_mode[0] > fit.conditional_mode[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_events_at_all_have_no_finite_intercept(family: Family) -> None:
    fit = fit_of(per_group(family, [0.0] * 50, [30.0] * 50))
    assert not fit.is_converged
    assert fit.is_unbounded
    assert fit.is_singular
    assert fit.log_lik == pytest.approx(0.0, abs=1e-4)


def test_events_in_every_trial_have_no_finite_intercept() -> None:
    fit = fit_of(per_group("binomial", [30.0] * 50, [30.0] * 50))
    assert (fit.is_converged, fit.is_unbounded) == (False, True)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("sd", [0.0, 1.5])
def test_a_million_trials_beside_groups_of_one(family: Family, sd: float) -> None:
    rng = np.random.default_rng(5)
    rate = 0.3 * np.exp(sd * rng.normal(size=50)) / (1 if family == "poisson" else 1 + 0.3 * np.exp(1.5))
    small = rng.binomial(1, np.minimum(rate, 0.99)) if family == "binomial" else rng.poisson(rate)
    fit = fit_of(per_group(family, [300_000.0, *small], [1e6, *[1.0] * 50]))
    assert fit.is_converged
    estimate = fit.fixef[0] + fit.conditional_mode[0, 0]
    own = np.log(0.3) if family == "poisson" else np.log(3 / 7)
    assert estimate == pytest.approx(own, abs=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_two_groups(family: Family) -> None:
    alike, apart = (fit_of(per_group(family, events, [50.0, 50.0])) for events in ([10, 14], [2, 40]))
    assert alike.is_converged
    assert alike.is_singular
    assert apart.is_converged
    assert not apart.is_singular


def test_two_groups_with_none_and_all_have_no_finite_spread() -> None:
    fit = fit_of(per_group("binomial", [0, 50], [50.0, 50.0]))
    assert (fit.is_converged, fit.is_unbounded, fit.is_singular) == (False, True, False)


def test_one_group() -> None:
    fit = fit_of(per_group("binomial", [7], [50]))
    assert fit.is_converged
    assert fit.is_singular
    assert fit.fixef[0] == pytest.approx(np.log(7 / 43), abs=1e-6)


def separated(kind: str) -> CountedRows:
    rows = simulated("binomial", 4, [30] * 20, (0.0, 0.0))
    x = rows.x[:, 0]
    events = {
        "by a number": (x > 0).astype(float),
        "by a category": np.where(x > 0, rows.events, 0.0),
        "between groups": (rows.group < 10).astype(float),
    }[kind]
    predictor = {"by a number": x, "by a category": x > 0, "between groups": rows.group < 10}[kind]
    return replace(rows, events=events, x=predictor.astype(float)[:, None])


@pytest.mark.parametrize("kind", ["by a number", "by a category", "between groups"])
def test_separation_is_a_finding(kind: str) -> None:
    started = time.process_time()
    fit = fit_of(separated(kind))
    assert time.process_time() - started < 10
    assert (fit.is_converged, fit.is_unbounded) == (False, True)


def test_counts_that_a_category_never_has_are_separated_too() -> None:
    rows = simulated("poisson", 4, [30] * 20, (0.0, 0.0))
    chosen = rows.x[:, 0] > 0
    fit = fit_of(replace(rows, events=np.where(chosen, rows.events, 0.0), x=chosen.astype(float)[:, None]))
    assert (fit.is_converged, fit.is_unbounded) == (False, True)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_combination_of_predictors_is_left_out(family: Family) -> None:
    rows = simulated(family, 6, [15] * 20, (-0.4, 0.5, 0.3))
    combined = replace(rows, x=np.column_stack([rows.x, rows.x[:, 0] - 2 * rows.x[:, 1]]))
    fit, plain = fit_of(combined), fit_of(rows)
    assert fit.is_converged
    assert np.isnan(fit.fixef[3])
    assert np.isnan(fit.se[3])
    assert fit.log_lik == pytest.approx(plain.log_lik, abs=1e-9)
    np.testing.assert_allclose(fit.fixef[:3], plain.fixef, atol=1e-6)
    np.testing.assert_allclose(fit.fixef_cov[:3, :3], plain.fixef_cov, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_near_combination_is_fitted_with_its_large_errors(family: Family) -> None:
    rng = np.random.default_rng(8)
    rows = simulated(family, 6, [15] * 20, (-0.4, 0.5, 0.3))
    near = rows.x[:, 0] - 2 * rows.x[:, 1] + 1e-5 * rng.normal(size=300)
    fit = fit_of(replace(rows, x=np.column_stack([rows.x, near])))
    assert fit.is_converged
    assert fit.se[3] > 1e3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_slope_that_varies_nowhere_within_groups(family: Family) -> None:
    rows = simulated(family, 7, [10] * 20, (-0.4, 0.5), (0.8,))
    fit = fit_of(replace(rows, x=(rows.group % 5).astype(float)[:, None]), (0, 1))
    assert fit.is_converged


@pytest.mark.parametrize("family", FAMILIES)
def test_more_random_effects_than_rows(family: Family) -> None:
    rows = simulated(family, 9, [1] * 40, (-0.4, 0.5), (0.8,))
    fit = fit_of(rows, (0, 1))
    assert fit.is_converged or fit.is_unbounded
    assert fit.log_lik >= fit_of(rows).log_lik - 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_three_varying_effects(family: Family) -> None:
    rows = simulated(family, 10, [40] * 30, (-0.4, 0.5, 0.3), (0.8, 0.5, 0.4))
    fit = fit_of(rows, (0, 1, 2))
    assert fit.is_converged
    assert fit.n_points == 1
    np.testing.assert_allclose(fit.sigma_group, [0.8, 0.5, 0.4], atol=0.3)


@pytest.mark.parametrize("seed", range(6))
def test_steep_slopes_of_counts(seed: int) -> None:
    """Counts from none to millions in one group: a search that goes too far meets rates beyond any count."""
    sizes = np.random.default_rng(seed).integers(2, 25, 25).tolist()
    rows = simulated("poisson", seed, sizes, (0.5, 1.0, -0.3), (1.0, 2.5), most=20)
    fit = fit_of(rows, (0, 1))
    assert fit.is_converged
    np.testing.assert_allclose(fit.sigma_group[1] / fit.scaling.scale[0], 2.5, atol=1.2)


@pytest.mark.parametrize(("scale", "size"), [(1e7, 1e3), (50.0, 1e-9), (0.3, 1e12)])
def test_huge_counts_and_extreme_exposures(scale: float, size: float) -> None:
    rng = np.random.default_rng(11)
    events = rng.poisson(scale * np.exp(0.5 * rng.normal(size=40)))
    fit = fit_of(per_group("poisson", events.tolist(), [size] * 40))
    assert fit.is_converged
    assert fit.fixef[0] == pytest.approx(np.log(scale / size), abs=1.0)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(FAMILIES),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3)), min_size=2, max_size=25),
)
def test_any_table_of_counts_is_answered(family: Family, table: list[tuple[int, int, int]]) -> None:
    """Converged, or without a finite maximum: nothing else."""
    events, others, groups = (np.array(column, dtype=float) for column in zip(*table, strict=True))
    group = np.unique(groups, return_inverse=True)[1]
    rows = CountedRows(family, events, events + others + 1.0, np.empty((len(table), 0)), group)
    fit = fit_of(rows)
    assert fit.is_converged or fit.is_unbounded
    if fit.is_converged:
        assert fit.certificate.decrement <= 1e-4
        assert fit.certificate.least_curvature > 0
