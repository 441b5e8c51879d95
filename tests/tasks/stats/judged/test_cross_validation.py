"""Every model's held-out predictions equal those of fits to the other rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tasks.stats.judged.cross_validation
from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix, marginal_data
from tasks.stats.fits.cross_products import centre_scaled, cross_products, scaling_of
from tasks.stats.fits.partial_pooling import partial_pooling
from tasks.stats.judged.cross_validation import BayesModel, CrossValidation, _n_repeats, compare, cross_validation, deal
from tasks.stats.records import Floats, GroupedData
from tests.dense import dense
from tests.posteriors import Sampled, sampled

SEED = 3


def cross_validated(have: Sampled, data: GroupedData | None = None) -> CrossValidation:
    used = data or have.data
    bayes = {"bayes": BayesModel(used, have.products, have.scaling, have.varying, have.draws)}
    found = cross_validation(used, have.products, have.scaling, have.partial, bayes, None, SEED)
    assert found is not None
    return found


def taken(data: GroupedData, rows: np.ndarray) -> GroupedData:
    return replace(data, y=data.y[rows], x=data.x[rows], group_index=data.group_index[rows])


def rmse_by_refits(have: Sampled, predict: object, n_folds: int) -> float:
    """Of `predict(training rows, rows held out)`, over the folds."""
    return float(np.sqrt(squared_errors_by_refits(have, predict, n_folds, 1)[0].mean()))


def squared_errors_by_refits(have: Sampled, predict: object, n_folds: int, n_repeats: int, seed: int = SEED) -> Floats:
    """(repeats, N), rows dealt anew for each repeat."""
    errors = np.empty((n_repeats, have.data.n_rows))
    for repeat in range(n_repeats):
        fold = deal(have.data.group_index, n_folds, [seed, repeat])
        for k in range(n_folds):
            train, test = taken(have.data, fold != k), taken(have.data, fold == k)
            errors[repeat, fold == k] = test.y - predict(have, train, test)  # type: ignore[operator]
    return errors**2


def by_least_squares(have: Sampled, train: GroupedData, test: GroupedData) -> Floats:
    coef = np.linalg.lstsq(design_matrix(train, have.scaling), train.y, rcond=None)[0]
    return np.asarray(design_matrix(test, have.scaling) @ coef)


def by_group(have: Sampled, train: GroupedData, test: GroupedData) -> Floats:
    expected = by_least_squares(have, train, test)
    for j in range(train.n_groups):
        rows = train.group_index == j
        if rows.sum() >= len(train.terms):
            own, asked = taken(train, rows), test.group_index == j
            expected[asked] = by_least_squares(have, own, taken(test, asked))
    return expected


def by_reml(have: Sampled, train: GroupedData, test: GroupedData) -> Floats:
    """Variances of a fit from scratch; then dense matrices of the training rows."""
    products = centre_scaled(cross_products(train), have.scaling)
    fit = partial_pooling(products, have.scaling, have.fullest.flavour, have.varying)
    whole = dense(train, have.scaling, have.varying, fit.cov, fit.sigma)
    x = design_matrix(test, have.scaling)
    effects = whole.modes.reshape(train.n_groups, -1)[test.group_index]
    return np.asarray(x @ whole.beta + (x[:, list(have.varying)] * effects).sum(axis=1) + have.scaling.outcome_center)


@pytest.mark.parametrize("name", ["sleepstudy", "one_single", "dyestuff2", "cbpp_intercepts"])
def test_errors_of_least_squares_and_reml_are_those_of_refits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.stats.judged.cross_validation, "MOST_FOLDS", 3)
    monkeypatch.setattr(tasks.stats.judged.cross_validation, "MOST_REPEATS", 1)
    have = sampled(name)
    found = cross_validated(have)
    assert found.of("complete_pooling").rmse == pytest.approx(rmse_by_refits(have, by_least_squares, found.n_folds))
    assert found.of("no_pooling").rmse == pytest.approx(rmse_by_refits(have, by_group, found.n_folds))
    reml = found.of(f"partial_pooling.{have.fullest.flavour}").rmse
    assert reml == pytest.approx(rmse_by_refits(have, by_reml, found.n_folds), rel=1e-4)


def test_errors_are_averaged_over_several_ways_of_dealing_the_rows() -> None:
    """Three repeats; one alone is up to several standard errors of the average off."""
    have = sampled("bounce_rates")
    found = cross_validated(have)
    assert (found.n_folds, found.n_repeats) == (10, 3)
    for name, predict in (("complete_pooling", by_least_squares), ("no_pooling", by_group)):
        squared = squared_errors_by_refits(have, predict, 10, 3)
        assert found.of(name).rmse == pytest.approx(np.sqrt(squared.mean()))
        assert np.ptp(np.sqrt(squared.mean(axis=1))) > 1e-3


def test_many_groups_are_dealt_once() -> None:
    assert [_n_repeats(work) for work in (1, 1600, 4000, 25_000)] == [3, 3, 2, 1]


def test_the_error_of_bayes_is_that_of_sampling_without_each_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.stats.judged.cross_validation, "MOST_FOLDS", 4)
    monkeypatch.setattr(tasks.stats.judged.cross_validation, "MOST_REPEATS", 1)
    have = sampled("dyestuff")

    def by_sampling(have: Sampled, train: GroupedData, test: GroupedData) -> Floats:
        products = centre_scaled(cross_products(train), have.scaling)
        stan_data = marginal_data(products, have.varying, resolve_priors(have.study, have.scaling), have.scaling)
        variables = EmbeddedEngine().sample(MARGINAL, stan_data, have.study.sampler, 5, lambda _: None)
        draws = posterior_draws(variables, products, have.varying, have.scaling, 5)
        coef = draws.group_coef.mean(axis=(0, 1))[test.group_index]
        return np.asarray((design_matrix(test, have.scaling) * coef).sum(axis=1))

    found = cross_validated(have)
    assert found.of("bayes").rmse == pytest.approx(rmse_by_refits(have, by_sampling, 4), rel=0.01)
    assert found.pareto_k_max < found.pareto_k_threshold


def test_the_error_of_the_extended_model_is_that_of_a_refit_with_its_terms() -> None:
    """A curve: REML with the square as a predictor, which priors and unequal spreads hardly move."""
    have = sampled("curved")
    found, extended = have.findings.cross_validation, have.findings.answer
    assert found is not None
    assert extended is not None
    assert [one.kind for one in extended.answer.added] == ["curve"]

    def with_square(have: Sampled, train: GroupedData, test: GroupedData) -> Floats:
        def wide(data: GroupedData) -> GroupedData:
            squares = (data.x - have.scaling.center) ** 2
            return replace(data, x=np.column_stack([data.x, squares]), terms=(*data.terms, "square"))

        known, asked = wide(train), wide(test)
        scaling = scaling_of(cross_products(known))
        fit = partial_pooling(centre_scaled(cross_products(known), scaling), scaling, "varying_intercept_slope", (0, 1))
        coef = fit.coef[asked.group_index]
        return np.asarray((design_matrix(asked, scaling) * coef).sum(axis=1))

    squared = squared_errors_by_refits(have, with_square, found.n_folds, found.n_repeats, have.findings.run.seed)
    assert found.of("bayes_extended").rmse == pytest.approx(np.sqrt(squared.mean()), rel=0.005)
    assert found.of("bayes").rmse > found.of("bayes_extended").rmse


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_new_rows_are_predicted_less_well_than_old_ones(name: str) -> None:
    have = sampled(name)
    found = cross_validated(have)
    assert found.of("bayes").rmse > have.bayes.rmse
    assert found.of("no_pooling").rmse > have.findings.no_pooling.rmse
    assert found.of(found.best).difference == 0 == found.of(found.best).difference_se
    assert all(error.difference >= 0 for error in found.models)


def test_rows_of_a_group_without_a_fit_are_counted() -> None:
    """A lone row leaves its group empty; every other group keeps more rows than coefficients."""
    assert cross_validated(sampled("one_single")).n_fallback_rows == 1
    assert cross_validated(sampled("sleepstudy")).n_fallback_rows == 0


@pytest.mark.parametrize("n_folds", [2, 7, 10])
def test_rows_are_dealt_evenly_in_all_and_within_groups(n_folds: int) -> None:
    group = sampled("bounce_rates").data.group_index
    fold = deal(group, n_folds, 1)
    assert np.ptp(np.bincount(fold)) <= 1
    counts = np.zeros((8, n_folds), dtype=int)
    np.add.at(counts, (group, fold), 1)
    assert np.ptp(counts, axis=1).max() <= 1
    assert not np.array_equal(fold, deal(group, n_folds, 2))


def test_relabelling_and_reordering_groups_changes_nothing() -> None:
    have = sampled("sleepstudy")
    place = np.random.default_rng(0).permutation(18)
    gram = np.empty_like(have.products.gram)
    gram[place] = have.products.gram
    labels = tuple(f"x{j}" for j in range(18))
    data = replace(have.data, group_index=place[have.data.group_index], labels=labels)
    moved = replace(have, data=data, products=replace(have.products, labels=labels, gram=gram))
    before, after = cross_validated(have), cross_validated(moved)
    for error in before.models:
        assert after.of(error.model).rmse == pytest.approx(error.rmse, rel=1e-6)
        assert after.of(error.model).difference_se == pytest.approx(error.difference_se, rel=1e-4, abs=1e-6)


def test_a_sample_is_held_out_from_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Complete pooling of all rows but a fold's, for the rows of the sample."""
    monkeypatch.setattr(tasks.stats.judged.cross_validation, "MOST_REPEATS", 1)
    have = sampled("bounce_rates")
    chosen = np.sort(np.random.default_rng(2).choice(613, 200, replace=False))
    data = taken(have.data, chosen)
    found = cross_validated(have, data)
    assert found.n_rows == 200
    fold, errors = deal(data.group_index, found.n_folds, [SEED, 0]), np.empty(200)
    for k in range(found.n_folds):
        train = taken(have.data, ~np.isin(np.arange(613), chosen[fold == k]))
        test = taken(data, fold == k)
        errors[fold == k] = test.y - by_least_squares(have, train, test)
    assert found.of("complete_pooling").rmse == pytest.approx(np.sqrt(np.mean(errors**2)))


def test_paired_differences_have_the_bootstrap_s_standard_error() -> None:
    rng = np.random.default_rng(7)
    a = rng.normal(0, 2, 400)
    squared = {"good": a**2, "bad": (a + rng.normal(0, 1, 400)) ** 2}
    good, bad = compare(squared)
    assert (good.difference, good.difference_se) == (0, 0)
    assert bad.difference == pytest.approx(bad.rmse - good.rmse)
    resampled = rng.integers(0, 400, (4000, 400))
    differences = np.sqrt(squared["bad"][resampled].mean(axis=1)) - np.sqrt(squared["good"][resampled].mean(axis=1))
    assert bad.difference_se == pytest.approx(differences.std(), rel=0.1)


def test_too_few_rows_are_not_held_out() -> None:
    have = sampled("dyestuff")
    few = np.arange(3)
    products = centre_scaled(cross_products(taken(have.data, few)), have.scaling)
    data = taken(have.data, few)
    bayes = {"bayes": BayesModel(data, products, have.scaling, have.varying, have.draws)}
    assert cross_validation(data, products, have.scaling, have.partial, bayes, None, 1) is None
