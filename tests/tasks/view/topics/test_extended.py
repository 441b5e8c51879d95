"""The model that answers what was found: its numbers are the posterior's, its sentences what these numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.bayes.answer import AnswerFit
from tasks.stats.judged.answer_scores import AnswerScores
from tasks.view.topics import extended, models
from tests.factories import Case, two_predictors_case
from tests.said import block, changed, section


def answer_of(case: Case) -> AnswerFit:
    assert case.findings.answer is not None
    return case.findings.answer


def scores_of(case: Case) -> AnswerScores:
    assert case.findings.answer_scores is not None
    return case.findings.answer_scores


def foretold(difference: float, se: float) -> str:
    case = two_predictors_case()
    context = changed(case, answer_scores=replace(scores_of(case), difference=difference, difference_se=se))
    return next(each.text for each in section(extended.TOPIC, context).blocks if hasattr(each, "text"))


@pytest.mark.parametrize(
    ("difference", "se", "said"),
    [
        (4.1, 2.0, "The extended model foretells new rows better: its log predictive density, summed over all rows, "),
        (-41.0, 2.0, "The plain model foretells new rows better: "),
        (3.9, 2.0, "New rows are foretold about equally well by both: "),
        (-3.9, 2.0, "New rows are foretold about equally well by both: "),
    ],
)
def test_one_model_foretells_better_only_beyond_two_standard_errors(difference: float, se: float, said: str) -> None:
    told = foretold(difference, se)
    assert told.startswith(said)
    assert f"by {abs(difference):.1f} (standard error 2.0)" in told


def test_rows_that_follow_one_another_are_not_compared() -> None:
    case = two_predictors_case()
    context = changed(case, answer_scores=replace(scores_of(case), loo=None))
    told = [each.text for each in section(extended.TOPIC, context).blocks if hasattr(each, "text")]
    assert (
        "Rows that follow one another cannot be left out one by one, so the two are not compared by new rows." in told
    )


def test_terms_are_in_units_of_the_data_and_the_added_one_has_no_plain_number() -> None:
    case = two_predictors_case()
    fit, plain = answer_of(case), case.findings.bayes.fixef
    table = block(section(extended.TOPIC, case.context), "table-extended-terms")
    shown = [[cell.text for cell in row] for row in table.rows]
    assert [row[0] for row in shown] == ["Level", "Effect of age", "Effect of severity", "severity, group mean"]
    assert shown[3][1] == "–"
    scale = np.array([1.0, *case.data.x.std(axis=0, ddof=1), 1.0])  # slopes are sampled per SD of the predictor
    for k, (_, before, now, ends) in enumerate(shown):
        printed = 10.0 ** -len(now.partition(".")[2])
        low, high = map(float, ends.split(" to "))
        draws = np.array([fit.fixef.mean[k], fit.fixef.lower[k], fit.fixef.upper[k]]) / scale[k]
        if k:  # the level is told where the predictors have their means
            assert [float(now), low, high] == pytest.approx(draws, abs=0.51 * printed)
        if 0 < k < 3:
            assert float(before) == pytest.approx(plain.mean[k] / scale[k], abs=0.51 * printed)


def test_groups_stand_in_the_order_in_which_they_move() -> None:
    case = two_predictors_case()
    table = block(section(extended.TOPIC, case.context), "table-extended-groups")
    plain, now = (np.array([float(row[k].text) for row in table.rows]) for k in (2, 3))
    moved = np.abs(now - plain)
    assert (np.diff(moved) <= 0.0101).all()
    assert moved[0] > 1.0
    names = [row[0].text for row in table.rows]
    assert sorted(names) == sorted(case.data.labels)
    sizes = dict(zip(case.data.labels, np.bincount(case.data.group_index), strict=True))
    assert [int(row[1].text) for row in table.rows] == [sizes[name] for name in names]


def with_levels(*moved: int) -> Case:
    """The plain model's levels of these groups lie just outside the extended one's intervals, all others inside."""
    case = two_predictors_case()
    plain, groups = case.findings.bayes, answer_of(case).groups
    level = groups.mean[:, 0].copy()
    level[list(moved)] = groups.upper[list(moved), 0] + 0.01
    mean = np.column_stack([level, plain.groups.mean[:, 1:]])
    return replace(case, findings=replace(case.findings, bayes=replace(plain, groups=replace(plain.groups, mean=mean))))


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ((), "Of 12 groups, none has a level that the plain model puts outside the extended one’s 95 % interval."),
        (
            (3,),
            "1 has a level that the plain model puts outside the extended one’s 95 % interval (clinic D).",
        ),
        (
            (3, 0),
            "2 have a level that the plain model puts outside the extended one’s 95 % interval (clinic A and clinic D)",
        ),
    ],
)
def test_groups_whose_level_the_extension_changes_are_counted_and_named(moved: tuple[int, ...], said: str) -> None:
    assert said in extended.TOPIC.finding(with_levels(*moved).context)


def test_groups_whose_slope_differs_from_zero_by_one_model_only_are_named() -> None:
    case = two_predictors_case()
    answer = answer_of(case)
    lower, upper = answer.groups.lower.copy(), answer.groups.upper.copy()
    plain = case.findings.bayes.groups
    term = case.context.varying[1]
    lower[:, term], upper[:, term] = plain.lower[:, term], plain.upper[:, term]
    excludes = np.sign(plain.lower[:, term]) == np.sign(plain.upper[:, term])
    turned = [int(np.flatnonzero(excludes)[0]), int(np.flatnonzero(~excludes)[0])] if not excludes.all() else [0]
    lower[turned, term], upper[turned, term] = np.where(excludes[turned], -1.0, 1.0), 2.0
    context = changed(case, answer=replace(answer, groups=replace(answer.groups, lower=lower, upper=upper)))
    names = " and ".join(case.data.labels[group] for group in sorted(turned))
    said = extended.TOPIC.finding(context)
    assert f"Whether the effect of severity differs from 0 changes in {names}." in said
    same = replace(answer.groups, lower=plain.lower, upper=plain.upper)
    assert "differs from 0" not in extended.TOPIC.finding(changed(case, answer=replace(answer, groups=same)))


def test_it_stands_among_the_models() -> None:
    case = two_predictors_case()
    table = block(section(models.TOPIC, case.context), "table-rmse")
    (row,) = [each for each in table.rows if each[0].text == "Extended Bayesian model"]
    assert float(row[1].text) == pytest.approx(scores_of(case).rmse, abs=0.005)
    assert row[2].text != "–"
    held_out = case.findings.cross_validation
    assert held_out is not None
    fewer = replace(held_out, models=tuple(each for each in held_out.models if each.model != "bayes_extended"))
    table = block(section(models.TOPIC, changed(case, cross_validation=fewer)), "table-rmse")
    (row,) = [each for each in table.rows if each[0].text == "Extended Bayesian model"]
    assert [cell.text for cell in row[2:]] == ["–", "–"]
    assert "sums cannot cross-validate it; its section compares the two row by row" in table.note
