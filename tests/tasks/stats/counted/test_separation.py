"""Separation is found exactly where it is: by hand, by a rule for one predictor, and by the program's dual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import expit

from tasks.stats.counted.separation import is_finite_by_score, separated_groups, separated_terms, sides_of


def design(*columns: list[float]) -> np.ndarray:
    return np.column_stack([np.ones(len(columns[0])), *columns])


def proves(x: np.ndarray, sides: np.ndarray, residual: np.ndarray) -> bool:
    """In the second of three groups; the first is proved, the third is not."""
    fine, split = np.array([0.3, -0.3]), np.array([1e-9, -1e-9])
    every = np.concatenate([np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]), x, design([0.0, 1.0])])
    group = np.repeat([0, 1, 2], [4, len(x), 2])
    found = is_finite_by_score(
        every,
        np.concatenate([[1, -1, 1, -1], sides, [1, -1]]),
        np.concatenate([fine, fine, residual, split]),
        group,
        3,
    )
    assert (found[0], found[2]) == (True, False)
    return bool(found[1])


@pytest.mark.parametrize(
    ("x", "sides", "wanted"),
    [
        ([1, 2, 3, 4], [-1, -1, 1, 1], (0, 1)),  # complete: a threshold at 2.5
        ([1, 2, 2, 3], [-1, -1, 1, 1], (0, 1)),  # quasi-complete: both at 2
        ([1, 2, 3, 4], [-1, 1, -1, 1], ()),
        ([1, 2, 3, 4], [1, 1, 1, 1], (0, 1)),  # nothing but events
        ([0, 0, 1, 1], [-1, 1, 1, 1], (1,)),  # a category with events only: its own coefficient alone
        ([0, 0, 1, 1], [0, 0, 1, 0], ()),
        ([0, 0, 1, 1], [0, 0, 1, 1], (1,)),
    ],
)
def test_separation_by_hand(x, sides, wanted) -> None:
    assert separated_terms(design(x), np.array(sides)) == wanted


def test_only_terms_without_a_finite_estimate_are_named() -> None:
    rng = np.random.default_rng(1)
    rare, x = np.repeat([0.0, 1.0], [40, 5]), rng.standard_normal(45)
    sides = np.where(rare == 1.0, 1, rng.choice([-1, 1], 45))
    assert separated_terms(design(x.tolist(), rare.tolist()), sides) == (2,)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=12))
def test_of_one_predictor_a_threshold_separates(rows) -> None:
    x = np.array([float(at) for at, _ in rows])
    happened = np.array([event for _, event in rows])
    if np.ptp(x) == 0:
        return
    separated = happened.all() or not happened.any()
    if not separated:
        low, high = x[~happened], x[happened]
        separated = low.max() <= high.min() or high.max() <= low.min()
    assert bool(separated_terms(design(x.tolist()), np.where(happened, 1, -1))) == separated


@settings(max_examples=100)
@given(st.integers(4, 14), st.integers(0, 10_000), st.sampled_from([(-1, 1), (-1, 0, 1), (-1, 0)]))
def test_either_a_direction_separates_or_positive_weights_balance_the_rows(n: int, seed: int, kinds) -> None:
    """Stiemke's alternative, as a program of its own: weights of at least 1 on all one-sided rows, with X'w = 0."""
    rng = np.random.default_rng(seed)
    x = design(*rng.integers(-2, 3, (2, n)).astype(float).tolist())
    sides = rng.choice(kinds, n)
    if np.linalg.matrix_rank(x) < 3:
        return
    signed = np.where((sides == 0)[:, None], x, x * sides[:, None])
    bounds = [(None, None) if side == 0 else (1, None) for side in sides]
    balanced = linprog(np.zeros(n), A_eq=signed.T, b_eq=np.zeros(3), bounds=bounds).status == 0
    assert bool(separated_terms(x, sides)) != balanced


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_groups_share_a_program_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(6), 5)
    x, sides = design(rng.standard_normal(30).tolist()), rng.choice([-1, 1], 30)
    alone = [bool(separated_terms(x[group == j], sides[group == j])) for j in range(6)]
    assert separated_groups(x, sides, group, 6).tolist() == alone


def test_a_fit_proves_that_it_is_finite_and_never_a_separated_one() -> None:
    rng = np.random.default_rng(3)
    x = design(rng.standard_normal(60).tolist())
    events = (rng.uniform(size=60) < expit(x @ [0.2, 1.0])).astype(float)
    sides = sides_of("binomial", events, np.ones(60))
    beta = np.zeros(2)
    assert not proves(x, sides, events - expit(x @ [3.0, -2.0]))
    for _ in range(20):
        mean = expit(x @ beta)
        beta += np.linalg.solve(x.T @ (x * (mean * (1 - mean))[:, None]), x.T @ (events - mean))
    assert proves(x, sides, events - expit(x @ beta))
    split = (x[:, 1] > 0).astype(float)
    for slope in (1.0, 10.0, 100.0, 1000.0, 1e5):
        residual = split - expit(slope * x[:, 1])
        assert not proves(x, sides_of("binomial", split, np.ones(60)), residual)


def test_rounding_proves_nothing() -> None:
    """Two categories, one with both outcomes and one with none: residuals cancel but for the last, too small to see."""
    x, sides = design([0.0, 0.0, 1.0]), np.array([0, 0, -1])
    assert not proves(x, sides, np.array([0.5, -0.5, -1e-17]))
    assert not proves(design([1.0, 2.0, 1.0]), np.array([0, -1, 0]), np.array([0.5, -1e-18, -0.5]))
    assert proves(x, np.zeros(3, dtype=np.int64), np.array([0.5, -0.5, 0.0]))
    assert not proves(design([0.0, 1.0]), np.array([0, -1]), np.array([1e-12, -1e-12]))


def test_a_count_above_0_lies_on_neither_side() -> None:
    events, size = np.array([0.0, 2.0, 3.0]), np.array([3.0, 3.0, 3.0])
    assert sides_of("poisson", events, size).tolist() == [-1, 0, 0]
    assert sides_of("binomial", events, size).tolist() == [-1, 0, 1]
