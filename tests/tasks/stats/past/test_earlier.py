"""Estimates of an earlier run mean the same on today's scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.past.earlier import PastRun, Question, aligned, basis, differences, on_basis
from tasks.stats.records import Estimate, Floats, Scaling
from tasks.view.topics.change_words import in_words

QUESTION = Question("time", "s", "county", ("age", "dose"), {"age": "year"})


def past(center: Floats, scale: Floats, groups: Estimate, question: Question = QUESTION) -> PastRun:
    labels = tuple(f"g{j}" for j in range(groups.mean.shape[0]))
    fixef = Estimate(*(part.mean(axis=0) for part in (groups.mean, groups.sd, groups.lower, groups.upper)))
    return PastRun("r", "2026-11-01T08:00:00+00:00", "trust", question, center, scale, labels, groups, fixef)


def scaling(center: Floats, scale: Floats, predictors: tuple[str, ...] = QUESTION.predictors) -> Scaling:
    return Scaling(predictors, center, scale, 0.0, 1.0)


def summarised(draws: Floats) -> Estimate:
    lower, upper = np.quantile(draws, [0.025, 0.975], axis=0)
    return Estimate(draws.mean(axis=0), draws.std(axis=0, ddof=1), lower, upper)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.floats(-100, 100)] * 2),
    st.tuples(*[st.floats(0.01, 100)] * 2),
    st.tuples(*[st.floats(-3, 3)] * 2),
    st.tuples(*[st.floats(0.2, 5)] * 2),
)
def test_conversion_is_that_of_every_draw_and_bounds_the_level(
    seed: int, center: tuple[float, ...], scale: tuple[float, ...], move: tuple[float, ...], stretch: tuple[float, ...]
) -> None:
    """Draws of three groups, correlated at random, put on the new basis one by one are the truth."""
    rng, then_center, then_scale = np.random.default_rng(seed), np.array(center), np.array(scale)
    draws = rng.normal(size=(400, 3, 3)) @ rng.normal(size=(3, 3)) + rng.normal(size=3) * 10
    now = scaling(then_center + np.array(move) * then_scale, then_scale * np.array(stretch))
    raw = draws[..., 1:] / then_scale
    level = draws[..., 0] + (raw * (now.center - then_center)).sum(axis=-1)
    truth = summarised(np.concatenate([level[..., None], raw * now.scale], axis=-1))
    found = on_basis(summarised(draws), basis(past(then_center, then_scale, summarised(draws)), now))

    assert found.mean == pytest.approx(truth.mean, rel=1e-9, abs=1e-8)
    for part in ("sd", "lower", "upper"):
        assert getattr(found, part)[:, 1:] == pytest.approx(getattr(truth, part)[:, 1:], rel=1e-8, abs=1e-8)
    assert (found.sd[:, 0] >= truth.sd[:, 0] * (1 - 1e-9)).all()


def test_expected_outcome_is_the_same_at_every_raw_value() -> None:
    groups = Estimate(*(np.array([[200.0, 5.0, -1.0]]) + k for k in (0, 1, -2, 2)))
    then = past(np.array([40.0, 2.0]), np.array([12.0, 0.5]), groups)
    now = scaling(np.array([47.0, 2.2]), np.array([9.0, 0.8]))
    found = on_basis(groups, basis(then, now)).mean[0]
    for x in ([20.0, 1.0], [47.0, 2.2], [90.0, 5.0]):
        before = groups.mean[0] @ [1, *(np.array(x) - then.center) / then.scale]
        assert found @ [1, *(np.array(x) - now.center) / now.scale] == pytest.approx(before, rel=1e-12)


def test_where_predictors_stayed_limits_are_exact_and_where_they_moved_wider() -> None:
    groups = Estimate(*(np.array([[200.0, 5.0, -1.0]]) + k for k in (0, 1, -2, 2)))
    then = past(np.array([40.0, 2.0]), np.array([12.0, 0.5]), groups)
    stayed = basis(then, scaling(then.center, 2 * then.scale))
    assert stayed.is_exact
    assert on_basis(groups, stayed).lower[0, 0] == groups.lower[0, 0]
    shifted = basis(then, scaling(then.center + np.array([6.0, 0.0]), then.scale))
    assert not shifted.is_exact
    found = on_basis(groups, shifted)
    assert found.mean[0, 0] == pytest.approx(200 + 0.5 * 5)
    assert found.upper[0, 0] - found.mean[0, 0] == pytest.approx(2 + 0.5 * 2)


def test_predictors_may_stand_in_another_order() -> None:
    groups = Estimate(*(np.array([[200.0, 5.0, -1.0]]) + k for k in (0, 1, -2, 2)))
    then = past(np.array([40.0, 2.0]), np.array([12.0, 0.5]), groups)
    found = on_basis(groups, basis(then, scaling(then.center[::-1], then.scale[::-1], ("dose", "age"))))
    assert found.mean.tolist() == [[200.0, -1.0, 5.0]]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"outcome": "clicks"}, "the outcome was clicks, not time"),
        ({"outcome_unit": "ms"}, "the outcome’s unit was ms, not s"),
        ({"family": "poisson"}, "the outcome’s family was poisson, not normal"),
        ({"size": "visits"}, "the outcome was counted out of visits, not none"),
        ({"group": "city"}, "groups were told apart by city, not county"),
        ({"predictors": ("age",)}, "predictors were age, not age, dose"),
        ({"predictors": ()}, "predictors were none, not age, dose"),
        ({"predictor_units": {"age": "month"}}, "the unit of age was month, not year"),
    ],
)
def test_another_question_is_named(changed: dict[str, object], words: str) -> None:
    then = Question(**{**QUESTION.__dict__, **changed})
    (found,) = differences(then, QUESTION)
    assert in_words(found) == words


@pytest.mark.parametrize("changed", [{"predictors": ("dose", "age")}, {"outcome_unit": ""}, {"predictor_units": {}}])
def test_order_and_a_unit_left_out_are_no_other_question(changed: dict[str, object]) -> None:
    assert differences(Question(**{**QUESTION.__dict__, **changed}), QUESTION) == ()


def test_groups_are_matched_by_label() -> None:
    groups = Estimate(*(np.zeros((3, 3)) for _ in range(4)))
    here, there = aligned(past(np.zeros(2), np.ones(2), groups), ("g2", "new", "g0"))
    assert here.tolist() == [0, 2]
    assert there.tolist() == [2, 0]
