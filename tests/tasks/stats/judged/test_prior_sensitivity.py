"""Power-scaling sensitivity: ArviZ's numbers, and what they should say of priors weak, strong and in conflict."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import sample_posterior
from tasks.stats.bayes.group_likelihood import marginal_log_lik, parameter_draws
from tasks.stats.bayes.log_density import log_prior
from tasks.stats.bayes.priors import ResolvedPriors, resolve_priors
from tasks.stats.judged import prior_sensitivity as module
from tasks.stats.judged.prior_sensitivity import PriorSensitivity, diagnosis, judge_prior_sensitivity, prior_sensitivity
from tasks.stats.records import Floats, PosteriorDraws
from tests.datasets import ModelCrossProducts, model_of, simulated
from tests.posteriors import SEED, study_of

SIZES = (12,) * 30


def _plain(priors: object) -> object:
    """Nested pairs, which can be cached, as dicts."""
    pairs = priors.items() if isinstance(priors, dict) else priors
    return {key: _plain(value) if isinstance(value, tuple) else value for key, value in pairs}  # type: ignore[attr-defined]


@cache
def drawn(**priors: object) -> tuple[ModelCrossProducts, PosteriorDraws, ResolvedPriors]:
    data = simulated(3, SIZES, beta=(10.0, 2.0), sd=(3.0, 1.0), sigma=1.0)
    study = study_of(data, priors=_plain(priors))
    products, scaling = model_of(data)
    draws, _ = sample_posterior(EmbeddedEngine(), study, products, scaling, SEED, lambda _: None)
    return products, draws, resolve_priors(study, scaling)


def sensitivity(**priors: object) -> PriorSensitivity:
    products, draws, resolved = drawn(**priors)
    return prior_sensitivity(products, (0, 1), draws, resolved, 0.05)


def of(found: PriorSensitivity, kind: str, *terms: str) -> module.Sensitivity:
    return next(one for one in found.quantities if one.kind == kind and one.terms == terms)


def cumulative_jensen_shannon(values: Floats, weights: Floats) -> float:
    """Distance of the draws' distribution from the weighted one: Kallioinen et al. (2024), eqs. 5 to 7."""
    order = np.argsort(values)
    p, q = np.arange(1, values.size) / values.size, np.cumsum(weights[order] / weights.sum())[:-1]
    width = np.diff(values[order])

    def divergence(p: Floats, q: Floats) -> float:
        return float(width @ (p * np.log2(2 * p / (p + q))) + 0.5 / np.log(2) * (width @ (q - p)))

    return float(np.sqrt((divergence(p, q) + divergence(q, p)) / (width @ (p + q))))


def by_formula(values: Floats, log_component: Floats) -> float:
    """The gradient at a power of 1, by plain importance weights."""
    x, powers = values.ravel(), (0.99, 1.01)
    weights = [np.exp((power - 1) * (log_component - log_component.mean())).ravel() for power in powers]
    distances = [max(cumulative_jensen_shannon(sign * x, w) for sign in (1, -1)) for w in weights]
    return float(np.mean([d / abs(np.log2(power)) for d, power in zip(distances, powers, strict=True)]))


@pytest.mark.parametrize("component", ["prior", "likelihood"])
def test_parameters_have_the_sensitivity_of_the_papers_formula(component: str) -> None:
    products, draws, priors = drawn()
    at = parameter_draws(draws, products.outcome_center, draws.sigma.size)
    log_lik = marginal_log_lik(products.gram, (0, 1), at).reshape(draws.sigma.shape)
    scaled, found = (log_prior(draws, priors) if component == "prior" else log_lik), sensitivity()
    values = {
        ("fixef", "intercept"): draws.beta[..., 0],
        ("fixef", "x1"): draws.beta[..., 1],
        ("sigma_group", "intercept"): draws.sigma_group[..., 0],
        ("sigma_group", "x1"): draws.sigma_group[..., 1],
        ("correlation", "intercept", "x1"): draws.correlation[..., 1, 0],
        ("sigma",): draws.sigma,
    }
    ours = [getattr(of(found, *name), component) for name in values]
    np.testing.assert_allclose(ours, [by_formula(x, scaled) for x in values.values()], rtol=0.03)


def test_with_thirty_groups_the_default_priors_hardly_matter() -> None:
    found = sensitivity()
    assert not [one for one in found.flagged if one.kind != "correlation"]
    check = judge_prior_sensitivity(found)[0]
    assert check.status == "pass"


def test_a_prior_far_from_the_data_is_a_conflict() -> None:
    found = sensitivity(sigma_group_sd=(("intercept", 0.3),))
    spread = of(found, "sigma_group", "intercept")
    assert spread.diagnosis == "conflict"
    assert spread.prior > 5 * of(sensitivity(), "sigma_group", "intercept").prior
    check = judge_prior_sensitivity(found)[0]
    assert check.status == "review"
    assert spread in found.to_review


@pytest.mark.parametrize(
    ("kind", "prior", "status", "limit"),
    [
        ("sigma_group", 0.08, "pass", 0.1),
        ("icc", 0.08, "pass", 0.1),
        ("sigma_group", 0.11, "review", 0.1),
        ("fixef", 0.08, "review", 0.05),
        ("correlation", 0.3, "pass", 0.05),
        ("sigma", float("nan"), "pass", 0.05),
    ],
)
def test_spreads_may_lean_on_their_prior_a_little(kind: str, prior: float, status: str, limit: float) -> None:
    terms = ("intercept", "x1") if kind == "correlation" else ("x1",)
    quantities = [
        module.sensitivity_of("fixef", ("intercept",), -1, 0.01, 0.2, 0.05),
        module.sensitivity_of(kind, terms, -1, prior, 0.2, 0.05),  # type: ignore[arg-type]
    ]
    found = PriorSensitivity(tuple(quantities), 0, 4000, 0.05)
    judged = judge_prior_sensitivity(found)[0]
    assert (judged.status, judged.limit) == (status, limit)
    assert [one.kind for one in found.flagged] == ([kind] if prior >= 0.05 else [])
    assert [one.kind for one in found.to_review] == ([kind] if status == "review" else [])


def test_a_prior_that_leaves_the_data_no_say_is_strong() -> None:
    found = sensitivity(correlation_lkj=500.0)
    assert of(found, "correlation", "intercept", "x1").diagnosis == "strong prior"


def test_a_groups_own_rows_count_for_its_estimate() -> None:
    """Twelve rows a group decide its estimate: a normal mean's sensitivity to its likelihood is about 0.1."""
    groups = [one for one in sensitivity().quantities if one.kind == "group"]
    assert len(groups) == 2 * module.GROUPS_LIMIT
    assert 0.06 < np.median([one.likelihood for one in groups]) < 0.14
    assert max(one.prior for one in groups) < 0.05


def test_thinned_draws_say_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sensitivity()
    monkeypatch.setattr(module, "VALUES_LIMIT", 30 * 2000)
    some = sensitivity()
    assert some.n_draws_used == whole.n_draws_used / 2
    pairs = [(a.prior, b.prior) for a, b in zip(whole.quantities, some.quantities, strict=True)]
    assert max(abs(a - b) for a, b in pairs) < 0.03


def test_group_draws_may_be_thinned_themselves() -> None:
    products, draws, priors = drawn()
    thinned = replace(draws, group_coef=draws.group_coef[:, ::10], group_thin=10, checked_coef=draws.group_coef)
    a, b = (prior_sensitivity(products, (0, 1), one, priors, 0.05) for one in (draws, thinned))
    assert a == b


@pytest.mark.parametrize(
    ("prior", "likelihood", "expected"),
    [(0.04, 0.5, ""), (0.06, 0.06, "conflict"), (0.06, 0.04, "strong prior"), (float("nan"), 0.1, "")],
)
def test_diagnoses_are_those_of_kallioinen_et_al(prior: float, likelihood: float, expected: str) -> None:
    assert diagnosis(prior, likelihood, 0.05) == expected
