"""The alarm keeps its promise: in expectation no more false alarms than years."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from tasks.stats.past.evidence import EFFECTS, LEAST_YEARS, Scores, gathered, log_expected_by_cumulants, normal_score

WEEK = 1 / 52


def scores(z: np.ndarray, skewness: float = 0.0, kurtosis: float = 0.0) -> Scores:
    return Scores(z, -z, log_expected_by_cumulants(np.full(z.size, skewness), np.full(z.size, kurtosis)))


def test_evidence_grows_in_expectation_by_the_years_over_all_groups() -> None:
    """By quadrature over z. Below the margin, where z is smaller, it grows by less."""
    z = np.linspace(-15, 15, 20_001)
    before = np.tile(np.linspace(0.01, 0.06, EFFECTS.size), (z.size, 1))
    weight = norm.pdf(z) * (z[1] - z[0])
    one = gathered(before, scores(z), WEEK)
    assert weight @ one.total == pytest.approx(before[0].sum() + WEEK / z.size, rel=1e-9)
    within = replace(scores(z), up=z - 1.0, down=-z - 1.0)
    assert weight @ gathered(before, within, WEEK).total < before[0].sum()


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 2.0))
def test_evidence_and_alarms_together_are_what_they_were_before_the_alarm(seed: int, years: float) -> None:
    rng = np.random.default_rng(seed)
    found = gathered(rng.uniform(0, 0.3, (40, EFFECTS.size)), scores(2.0 * rng.normal(size=40)), years)
    assert (found.values.sum(axis=1) + found.rings <= found.total + 1e-12).all()
    assert ((found.values == 0).all(axis=1) == found.rings).all()
    assert (found.rings == (found.total >= 1)).all()


def test_false_alarms_of_a_hundred_years_of_fifty_groups_are_no_more_than_a_hundred() -> None:
    rng, rang = np.random.default_rng(3), 0
    evidence = np.zeros((50, EFFECTS.size))
    for _ in range(5200):
        found = gathered(evidence, scores(rng.normal(size=50)), WEEK)
        evidence, rang = found.values, rang + int(found.rings.sum())
    assert 0 < rang <= 100


@pytest.mark.parametrize(("effect", "at_most"), [(1.0, 40), (2.0, 9), (5.0, 1), (-2.0, 9)])
def test_a_move_rings_the_sooner_the_larger_it_is(effect: float, at_most: int) -> None:
    evidence, rang = np.zeros((50, EFFECTS.size)), np.zeros(50, dtype=bool)
    for _ in range(at_most):
        found = gathered(evidence, scores(np.where(np.arange(50) == 7, effect, 0.0)), WEEK)
        evidence, rang = found.values, rang | found.rings
    assert np.flatnonzero(rang).tolist() == [7]


def test_more_reports_than_one_a_day_count_as_a_day_each() -> None:
    nothing = np.zeros((2, EFFECTS.size))
    seldom, often = (gathered(nothing, scores(np.zeros(2)), years).total for years in (LEAST_YEARS, 1e-9))
    assert often == pytest.approx(seldom)


def test_skewed_and_heavy_tailed_rows_give_less_evidence_in_the_direction_of_their_tail() -> None:
    nothing, z = np.zeros((1, EFFECTS.size)), np.array([4.0])
    plain = gathered(nothing, scores(z), WEEK).total
    assert gathered(nothing, scores(z, skewness=0.5), WEEK).total < plain
    assert gathered(nothing, scores(z, kurtosis=0.5), WEEK).total < plain
    assert gathered(nothing, scores(-z, skewness=0.5), WEEK).total == pytest.approx(plain, rel=1e-3)
    assert gathered(nothing, scores(z, kurtosis=-1.0), WEEK).total == pytest.approx(plain)


def test_no_group_is_no_trouble() -> None:
    assert gathered(np.zeros((0, EFFECTS.size)), scores(np.zeros(0)), WEEK).rings.size == 0


@given(st.floats(-30, 30), st.floats(1.5, 200))
def test_normal_scores_are_as_far_out_as_student_was(value: float, df: float) -> None:
    z = float(normal_score(np.array([value]), np.array([df]))[0])
    assert norm.sf(abs(z)) == pytest.approx(t.sf(abs(value), df), rel=1e-6)
    assert np.sign(z) == np.sign(value) or abs(z) < 1e-9


def test_scores_far_out_are_finite() -> None:
    far = normal_score(np.array([1e9, -1e9, 0.0]), np.full(3, 1e6))
    assert far.tolist() == pytest.approx([37.0, -37.0, 0.0], abs=0.1)
