"""Ranks are those of every draw counted one by one; rankability is the share of variance that is not chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from tasks.stats.judged import ranks as module
from tasks.stats.judged.ranks import Ranks, central_interval, rank_in_each_draw, rankability, ranks, sampling_variance
from tasks.stats.records import Floats, PosteriorDraws
from tests.datasets import grouped, model_of, simulated
from tests.posteriors import sampled


def drawn(values: Floats, average: float = 0.0, tau: float = 1.0, sigma: float = 1.0) -> PosteriorDraws:
    """Draws (S, J) of levels as one chain; the rest plays no part in ranks."""
    n, _ = values.shape
    nothing = np.zeros((1, n))
    return PosteriorDraws(
        beta=np.full((1, n, 1), average),
        sigma_group=np.full((1, n, 1), tau),
        correlation=np.ones((1, n, 1, 1)),
        sigma=np.full((1, n), sigma),
        group_coef=values[None, ..., None],
        **dict.fromkeys(("divergent", "energy", "treedepth", "acceptance", "n_leapfrog"), nothing),
    )


def ranked(values: Floats, sizes: list[int] | None = None, **options: float) -> Ranks:
    sizes = sizes or [5] * values.shape[1]
    index = np.repeat(np.arange(values.shape[1]), sizes)
    products = model_of(grouped(np.arange(index.size, dtype=float), [f"g{j:03d}" for j in index]))[0]
    return ranks(drawn(values, **options), products, (0,), 0.75)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2**31), st.integers(2, 40), st.integers(20, 60))
def test_ranks_are_those_counted_one_by_one(seed: int, n_groups: int, n_draws: int) -> None:
    values = np.random.default_rng(seed).normal(size=(n_draws, n_groups))
    expected = np.array([rankdata(-row) for row in values])
    np.testing.assert_array_equal(rank_in_each_draw(values), expected)
    one, few = ranked(values).terms[0], -(-n_groups // 10)
    np.testing.assert_allclose(one.expected, expected.mean(axis=0))
    np.testing.assert_allclose(one.top, (expected <= few).mean(axis=0))
    np.testing.assert_allclose(one.bottom, (expected > n_groups - few).mean(axis=0))
    np.testing.assert_allclose(one.above, (values > values.mean(axis=1, keepdims=True)).mean(axis=0))
    assert one.top.sum() == pytest.approx(few)
    assert one.bottom.sum() == pytest.approx(few)
    assert one.expected.sum() == pytest.approx(n_groups * (n_groups + 1) / 2)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(57, 13))
    whole = rank_in_each_draw(values)
    monkeypatch.setattr(module, "BLOCK_VALUES", 40)
    np.testing.assert_array_equal(rank_in_each_draw(values), whole)


def test_interval_is_the_shortest_prefix_that_holds_each_tail() -> None:
    rank = np.array([[1]] * 2 + [[2]] * 3 + [[3]] * 90 + [[4]] * 3 + [[5]] * 2)
    lower, upper = central_interval(rank)
    assert (lower[0], upper[0]) == (2, 4)


def test_order_of_draws_does_not_matter() -> None:
    values = np.random.default_rng(2).normal(size=(200, 7)) + np.arange(7)
    a, b = (ranked(v).terms[0] for v in (values, np.random.default_rng(3).permutation(values)))
    for name in ("expected", "lower", "upper", "top", "bottom", "above"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name))


def test_highest_value_has_rank_one_and_turning_the_sign_turns_the_ranks() -> None:
    values = np.random.default_rng(4).normal(size=(300, 6)) + 2.0 * np.arange(6)
    up, down = ranked(values).terms[0], ranked(-values).terms[0]
    assert up.expected.argmin() == 5
    np.testing.assert_allclose(up.expected, 7 - down.expected)
    np.testing.assert_allclose(up.top, down.bottom)


def test_groups_alike_take_every_place_alike_and_none_is_placed() -> None:
    values = np.random.default_rng(5).normal(size=(4000, 8))
    one = ranked(values, tau=0.01).terms[0]
    assert one.expected == pytest.approx(np.full(8, 4.5), abs=0.15)
    assert one.above == pytest.approx(np.full(8, 0.5), abs=0.04)
    assert (one.lower == 1).all()
    assert (one.upper == 8).all()
    assert one.n_placed == 0
    assert not one.is_defensible


@pytest.mark.parametrize("n", [6, 7])
def test_groups_far_apart_are_placed_but_for_the_middle_one(n: int) -> None:
    values = np.random.default_rng(6).normal(size=(500, n)) * 0.01 + np.arange(n)
    one = ranked(values, tau=2.0, sigma=0.01).terms[0]
    assert one.n_placed == n - n % 2
    assert one.half.tolist() == [-1] * (n // 2) + [0] * (n % 2) + [1] * (n // 2)
    assert one.typical_places == 1
    assert one.is_defensible


def test_a_league_table_needs_rankability_and_places() -> None:
    apart = np.random.default_rng(7).normal(size=(500, 6)) * 0.01 + np.arange(6)
    alike = np.random.default_rng(7).normal(size=(500, 6))
    assert ranked(apart, tau=2.0, sigma=0.1).terms[0].is_defensible
    assert not ranked(apart, tau=0.1, sigma=2.0).terms[0].is_defensible
    assert not ranked(alike, tau=2.0, sigma=0.1).terms[0].is_defensible


@pytest.mark.parametrize(("tau", "expected"), [(1e4, 1.0), (1e-4, 0.0), (2.0, 4.0 / (4.0 + 9.0 / 5.0))])
def test_rankability_is_the_share_of_variance_between_groups(tau: float, expected: float) -> None:
    values = np.zeros((50, 5)) + np.arange(5)
    found = ranked(values, sizes=[2, 3, 5, 9, 20], tau=tau, sigma=3.0)
    assert float(found.terms[0].rankability.mean) == pytest.approx(expected, abs=1e-6)


def test_sampling_variance_is_that_of_generalised_least_squares() -> None:
    data = simulated(5, [3, 8, 5, 12], beta=(1.0, 2.0, -1.0), sd=(1.0, 1.0, 1.0))
    products = model_of(data)[0]
    rng = np.random.default_rng(1)
    root, sigma = np.tril(rng.normal(size=(1, 2, 2))), np.array([1.7])
    x = np.column_stack([np.ones(data.n_rows), (data.x - data.x.mean(0)) / data.x.std(0, ddof=1)])
    for i in range(3):
        others = [o for o in range(3) if o != i]
        found = sampling_variance(products.xtx, i, others, root, sigma)[0]
        for j in range(4):
            z = x[data.group_index == j]
            half = z[:, others] @ root[0]
            inverse = np.linalg.inv(sigma[0] ** 2 * np.eye(len(z)) + half @ half.T)
            assert found[j] == pytest.approx(1.0 / (z[:, i] @ inverse @ z[:, i]), rel=1e-8)


def test_a_group_that_says_nothing_of_an_effect_has_no_bound_on_it() -> None:
    data = replace(simulated(2, [1, 6, 7]), x=np.concatenate([[0.0], np.linspace(-1, 1, 13)])[:, None])
    products = model_of(data)[0]
    found = sampling_variance(products.xtx, 1, [0], None, np.array([1.0]))
    assert np.isfinite(found[0, 1:]).all()
    nothing = np.zeros((2, 2))
    assert np.isinf(sampling_variance(nothing[None], 1, [0], None, np.array([1.0]))).all()


def test_draws_are_thinned_evenly_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(8).normal(size=(400, 10))
    monkeypatch.setattr(module, "VALUES_LIMIT", 1000)
    found = ranked(values)
    assert found.n_draws == 100
    assert found.terms[0].expected == pytest.approx(rank_in_each_draw(values).mean(axis=0), abs=1.0)


@pytest.mark.parametrize("name", ["sleepstudy", "dyestuff"])
def test_real_posteriors_are_ranked_for_every_term_that_varies(name: str) -> None:
    case = sampled(name)
    found = case.findings.ranks
    assert found is not None
    assert [one.term for one in found.terms] == [case.products.terms[k] for k in case.varying]
    for one, k in zip(found.terms, case.varying, strict=True):
        order = np.argsort(-case.bayes.groups.mean[:, k])
        assert one.expected.argmin() == order[0]
        assert (one.lower <= one.upper).all()


def test_rankability_of_dyestuff_is_that_of_its_draws() -> None:
    """Five rows a batch: tau^2 / (tau^2 + sigma^2 / 5), draw by draw."""
    case = sampled("dyestuff")
    tau, sigma = case.draws.sigma_group[..., 0].ravel(), case.draws.sigma.ravel()
    found = rankability(case.draws, case.products, (0,))[:, 0]
    assert found.mean() == pytest.approx((tau**2 / (tau**2 + sigma**2 / 5)).mean(), abs=0.03)
