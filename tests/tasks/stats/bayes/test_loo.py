"""Leave-one-row-out scores equal what comes from leaving rows out in truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import logsumexp
from scipy.stats import norm

import tasks.stats.bayes.loo
from tasks.engines.engines import MARGINAL, EmbeddedEngine
from tasks.stats.bayes.loo import loo, row_scores
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.stan_data import design_matrix, marginal_data
from tasks.stats.fits.cross_products import centre_scaled, cross_products
from tasks.stats.records import GroupedData
from tests.posteriors import Sampled, sampled


def thinned(have: Sampled, scored: int, count: int) -> Iterator[tuple[int, np.ndarray, np.ndarray, float]]:
    """Positions of `count` of the `scored` draws, with their beta (p,), Sigma (q, q) and sigma."""
    step = have.draws.sigma.size // scored
    beta, sd, sigma = (
        a.reshape(-1, *a.shape[2:])[::step] for a in (have.draws.beta, have.draws.sigma_group, have.draws.sigma)
    )
    correlation = have.draws.correlation.reshape(-1, *have.draws.correlation.shape[2:])[::step]
    cov = correlation * sd[:, :, None] * sd[:, None, :]
    for s in np.linspace(0, scored - 1, count).astype(int):
        yield s, beta[s], cov[s], sigma[s]


@pytest.mark.parametrize("name", ["sleepstudy", "dyestuff2"])
def test_row_densities_are_normal_conditionals_of_the_marginal_model(name: str) -> None:
    """By conditioning the N x N normal distribution on the other rows of the group, or on all of them."""
    have = sampled(name)
    rows = np.array([0, 1, 17, have.data.n_rows - 1])
    others, all_rows, surprise = row_scores(have.data, have.products, have.varying, have.draws, have.scaling, rows)
    x = design_matrix(have.data, have.scaling)
    for s, beta, cov, sigma in thinned(have, len(others), 6):
        for i, row in enumerate(rows):
            mine = np.flatnonzero(have.data.group_index == have.data.group_index[row])
            z = x[mine][:, list(have.varying)]
            mean, v = x[mine] @ beta, z @ cov @ z.T + sigma**2 * np.eye(mine.size)
            at = int(np.flatnonzero(mine == row)[0])
            rest = np.arange(mine.size) != at
            y = have.data.y[mine]
            gain = np.linalg.solve(v[np.ix_(rest, rest)], v[rest, at])
            conditional = norm(mean[at] + gain @ (y - mean)[rest], np.sqrt(v[at, at] - gain @ v[rest, at]))
            assert others[s, i] == pytest.approx(conditional.logpdf(y[at]), abs=1e-8)
            assert norm.cdf(surprise[s, i]) == pytest.approx(conditional.cdf(y[at]), abs=1e-8)
            # A new row of the same predictors, after all of the group's rows.
            effect = cov @ z.T @ np.linalg.solve(v, y - mean)
            spread = z[at] @ (cov - cov @ z.T @ np.linalg.solve(v, z @ cov)) @ z[at] + sigma**2
            replicate = norm(mean[at] + z[at] @ effect, np.sqrt(spread))
            assert all_rows[s, i] == pytest.approx(replicate.logpdf(y[at]), abs=1e-8)


def without(data: GroupedData, row: int) -> GroupedData:
    keep = np.arange(data.n_rows) != row
    return GroupedData(data.y[keep], data.x[keep], data.group_index[keep], data.labels, data.terms)


def exact(have: Sampled, row: int) -> float:
    """log p(y_i | all other rows), sampled without row i under the same priors."""
    data = without(have.data, row)
    products = centre_scaled(cross_products(data), have.scaling)
    stan_data = marginal_data(products, have.varying, resolve_priors(have.study, have.scaling), have.scaling)
    variables = EmbeddedEngine().sample(MARGINAL, stan_data, have.study.sampler, 7 + row, lambda _: None)
    draws = posterior_draws(variables, products, have.varying, have.scaling, 7 + row)
    coef = draws.group_coef[:, :, have.data.group_index[row]].reshape(-1, len(data.terms))
    mean = coef @ design_matrix(have.data, have.scaling)[row]
    density = norm.logpdf(have.data.y[row], mean, draws.sigma.reshape(-1))
    return float(logsumexp(density) - np.log(density.size))


@pytest.mark.parametrize(("name", "group"), [("dyestuff2", 0), ("cbpp_intercepts", 3)])
def test_scores_equal_those_of_fits_without_the_row(name: str, group: int) -> None:
    """All rows of one group, each left out in turn; PSIS and refits within their Monte Carlo error."""
    have = sampled(name)
    rows = np.flatnonzero(have.data.group_index == group)
    expected = sum(exact(have, int(row)) for row in rows)
    assert have.bayes.loo.elpd_by_group[group] == pytest.approx(expected, abs=0.03 * rows.size)


@pytest.mark.parametrize("name", ["sleepstudy", "bounce_rates", "dyestuff2"])
def test_parts_add_up(name: str) -> None:
    have = sampled(name)
    found = have.bayes.loo
    assert found.elpd_loo == pytest.approx(found.elpd_by_group.sum())
    assert found.n_rows_used == have.data.n_rows == found.rows.size == found.pareto_k.size
    assert found.pareto_k_max == found.pareto_k.max()
    assert found.n_high_pareto_k == (found.pareto_k > found.pareto_k_threshold).sum()
    assert found.pareto_k_threshold == pytest.approx(0.7)
    # At least the residual SD, at most as many parameters as there are.
    count = have.products.p + len(have.products.labels) * len(have.varying) + 4
    assert 0.8 < found.p_loo < count
    assert 0 < found.se < abs(found.elpd_loo)


def conditional_log_lik(have: Sampled) -> np.ndarray:
    """(S, N) given the group effects, as programs that sample them give it."""
    coef = have.draws.group_coef.reshape(-1, *have.draws.group_coef.shape[2:])[:, have.data.group_index]
    mean = (coef * design_matrix(have.data, have.scaling)).sum(axis=-1)
    return norm.logpdf(have.data.y, mean, have.draws.sigma.reshape(-1, 1))


@pytest.mark.parametrize("name", ["sleepstudy", "dyestuff", "bounce_rates"])
def test_scores_agree_with_arviz_on_conditional_likelihoods(name: str) -> None:
    """ArviZ 0.8 scores the same rows given the group effects: the same target, by harder importance sampling."""
    have = sampled(name)
    scores, _, parameters = array_stats.loo(conditional_log_lik(have).T[:, None, :])
    assert have.bayes.loo.elpd_loo == pytest.approx(scores.sum(), abs=1.5)
    assert have.bayes.loo.p_loo == pytest.approx(parameters.sum(), rel=0.07)
    assert have.bayes.loo.se == pytest.approx(np.sqrt(scores.size) * scores.std(ddof=1), rel=0.03)


def test_integrating_the_group_effects_out_lowers_pareto_k() -> None:
    """What is left at two outlying rows comes from the residual SD."""
    have = sampled("sleepstudy")
    k = array_stats.psislw(conditional_log_lik(have), axis=0)[1]
    assert (have.bayes.loo.pareto_k > 0.5).sum() < (k > 0.5).sum()
    assert np.median(have.bayes.loo.pareto_k) < np.median(k)
    assert have.bayes.loo.pareto_k_max < k.max()


def test_a_threshold_of_the_study_counts_rows() -> None:
    have = sampled("sleepstudy")
    found = loo(have.data, have.products, have.varying, have.draws, have.scaling, 0.05, 1)
    assert found.pareto_k_threshold == 0.05
    assert 0 < found.n_high_pareto_k == (found.pareto_k > 0.05).sum()


def test_sampled_rows_estimate_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    have = sampled("sleepstudy")
    whole = have.bayes.loo
    monkeypatch.setattr(tasks.stats.bayes.loo, "ROWS_LIMIT", 60)
    monkeypatch.setattr(tasks.stats.bayes.loo, "DRAWS_LIMIT", 1000)
    arguments = (have.data, have.products, have.varying, have.draws, have.scaling, None)
    parts = [loo(*arguments, seed) for seed in range(12)]
    assert {part.n_rows_used for part in parts} == {60}
    assert all(np.unique(part.rows).size == 60 for part in parts)
    assert len({part.elpd_loo for part in parts}) == 12
    spread = np.std([part.elpd_loo for part in parts], ddof=1)
    assert abs(np.mean([part.elpd_loo for part in parts]) - whole.elpd_loo) < 3 * spread / np.sqrt(12) + 0.5
    assert np.mean([part.p_loo for part in parts]) == pytest.approx(whole.p_loo, rel=0.25)
    # The standard error is that of a sum over 180 rows of which 60 were scored.
    assert np.mean([part.se for part in parts]) == pytest.approx(whole.se * np.sqrt(3), rel=0.25)


def test_a_lone_row_is_predicted_from_the_other_groups() -> None:
    have = sampled("one_single")
    rows = np.flatnonzero(have.data.group_index == 0)
    assert rows.size == 1
    others, _, _ = row_scores(have.data, have.products, have.varying, have.draws, have.scaling, rows)
    x = design_matrix(have.data, have.scaling)[rows[0]]
    z = x[list(have.varying)]
    for s, beta, cov, sigma in thinned(have, len(others), 4):
        marginal = norm(x @ beta, np.sqrt(z @ cov @ z + sigma**2))
        assert others[s, 0] == pytest.approx(marginal.logpdf(have.data.y[rows[0]]), abs=1e-8)
    assert have.bayes.loo.n_high_pareto_k == 0


def test_a_sample_of_the_rows_scores_them_all() -> None:
    """Sums are the whole data's, rows a third of them: scores are scaled to the whole, and unbiased."""
    have = sampled("sleepstudy")
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(40):
        rows = np.sort(rng.choice(have.data.n_rows, 60, replace=False))
        y, x, index = have.data.y[rows], have.data.x[rows], have.data.group_index[rows]
        some = replace(have.data, y=y, x=x, group_index=index)
        parts.append(loo(some, have.products, have.varying, have.draws, have.scaling, None, 1))
        np.testing.assert_allclose(parts[-1].pareto_k, have.bayes.loo.pareto_k[rows], atol=1e-8)
    whole = have.bayes.loo
    assert {part.n_rows_used for part in parts} == {60}
    spread = np.std([part.elpd_loo for part in parts], ddof=1)
    assert abs(np.mean([part.elpd_loo for part in parts]) - whole.elpd_loo) < 3 * spread / np.sqrt(40) + 0.5
    # Two rows far out make the standard errors uneven; their mean square is what it should be.
    assert np.mean([part.se**2 for part in parts]) == pytest.approx(3 * whole.se**2, rel=0.4)
