"""What changed is what differs between two reports, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judgement import Judgement
from tasks.stats.past.changes import CheckChange, ThenNow, compare, direction
from tasks.stats.past.earlier import Difference, ReportedVerdict
from tasks.stats.records import Verdict
from tests.factories import intercept_only_case, many_groups_case, regular_case, singular_case, two_predictors_case
from tests.past_runs import earlier, moved, with_verdict, without_group

CASES = [singular_case, regular_case, intercept_only_case, two_predictors_case]


@pytest.mark.parametrize("make", CASES)
def test_a_report_does_not_differ_from_itself(make) -> None:
    case = make()
    changes = compare(case.study, earlier(case), case.findings)
    assert changes.causes == ()
    assert changes.checks == ()
    assert changes.groups_added == changes.groups_gone == ()
    assert all(counts.is_same for counts in (changes.rows, changes.n_groups, changes.rejected))
    assert changes.verdict.direction == "same"
    estimates = changes.estimates
    assert estimates is not None
    assert estimates.labels == case.findings.labels
    assert np.abs(estimates.shift).max() == 0
    assert estimates.level_is_exact
    assert estimates.level_widening == 0
    assert estimates.groups.then.lower == pytest.approx(estimates.groups.now.lower, rel=1e-14)


def test_estimates_are_put_in_order_by_their_shift_in_sds_and_groups_that_moved_come_first() -> None:
    case = singular_case()
    kent = case.findings.labels.index("kent")
    by = 3.0 * case.findings.bayes.groups.sd[kent, 0]
    found = compare(case.study, earlier(moved(case, "kent", 0, -by)), case.findings).estimates
    assert found is not None
    assert found.labels[found.movers(0, 1)[0]] == "kent"
    assert found.shift[kent, 0] == pytest.approx(3.0 / np.sqrt(2))
    devon = case.findings.labels.index("devon")
    assert [found.labels[k] for k in found.movers(0, 2, np.array([devon]))] == ["devon", "kent"]


def test_shifts_do_not_depend_on_the_scale_of_either_run() -> None:
    """A slope's shift is the same whatever the predictor's SD was then; so is that of the level's mean."""
    case = singular_case()
    then = earlier(moved(case, "kent", 1, 0.5))
    scale = 3.0
    parts = {name: np.column_stack([part[:, 0], part[:, 1] / scale]) for name, part in vars(then.run.groups).items()}
    rescaled = replace(then.run, scale=then.run.scale / scale, groups=replace(then.run.groups, **parts))
    before = compare(case.study, then, case.findings).estimates
    after = compare(case.study, replace(then, run=rescaled), case.findings).estimates
    assert before is not None
    assert after is not None
    assert after.shift == pytest.approx(before.shift, abs=1e-9)


def test_groups_added_and_gone_are_named_and_rows_counted() -> None:
    case = singular_case()
    then = without_group(case, "kent")
    changes = compare(case.study, replace(then, n_rows=500, n_rejected=0), case.findings)
    assert changes.groups_added == ("kent",)
    assert changes.groups_gone == ()
    assert changes.rows == ThenNow(500, case.findings.run.n_rows)
    assert changes.rejected == ThenNow(0, 3)
    assert changes.n_groups == ThenNow(7, 8)
    assert changes.estimates is not None
    assert "kent" not in changes.estimates.labels
    assert changes.estimates.n.now.tolist() == [
        n for n, label in zip(case.findings.group_sizes.tolist(), case.findings.labels, strict=True) if label != "kent"
    ]
    gone = compare(case.study, replace(then, run=replace(then.run, labels=("x", *then.run.labels[1:]))), case.findings)
    assert gone.groups_gone == ("x",)


def test_another_question_is_said_and_only_counts_are_compared() -> None:
    case = two_predictors_case()
    then = earlier(case)
    question = replace(then.run.question, predictors=("age", "income"))
    changes = compare(case.study, replace(then, run=replace(then.run, question=question)), case.findings)
    assert changes.not_comparable == (Difference("predictors", "age, income", "age, severity"),)
    assert changes.estimates is None
    assert changes.rows.is_same


def test_causes_name_what_was_not_the_same() -> None:
    case = singular_case()
    then = earlier(case)
    for changed, cause in (
        ({"data_sha256": "e" * 64}, "data"),
        ({"study_sha256": "e" * 64}, "study"),
        ({"poolwise": "0.0.1"}, "program"),
        ({"engine": "cmdstan"}, "engine"),
    ):
        assert compare(case.study, replace(then, **changed), case.findings).causes == (cause,)


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (("none", "bayes"), ("use", "bayes"), "better"),
        (("use", "bayes"), ("none", "bayes"), "worse"),
        (("trust", "partial_pooling.varying_intercept"), ("use", "bayes"), "worse"),
        (("trust", "partial_pooling.varying_intercept"), ("none", "bayes"), "worse"),
        (("use", "bayes"), ("trust", "partial_pooling.varying_intercept"), "better"),
        (("use", "no_pooling"), ("use", "bayes"), "same"),
        (("trust", "partial_pooling.varying_intercept"), ("trust", "partial_pooling.varying_slope"), "same"),
    ],
)
def test_direction_goes_by_how_far_models_can_be_trusted(then, now, expected) -> None:
    assert direction(ReportedVerdict(then[0], "h", "r", then[1]), Verdict(*now)) == expected


def test_headline_and_recommendation_then_and_now() -> None:
    case = singular_case()
    then = earlier(with_verdict(case, status="trust", recommended_model="no_pooling"))
    then = replace(then, verdict=replace(then.verdict, headline="All well."))
    found = compare(case.study, then, case.findings).verdict
    assert found.direction == "worse"
    assert found.status == ThenNow("trust", "use")
    assert found.headline_then == "All well."
    assert found.recommended_model == ThenNow("no_pooling", "bayes")


def test_checks_that_changed_came_or_went() -> None:
    case = singular_case()
    then = earlier(case)
    judgements = (*case.findings.judgements, Judgement("freshness", "review", "stale", value=9.0, limit=7.0))
    found = compare(
        case.study,
        replace(then, checks={**then.checks, ("rhat", ""): "fail", ("gone", "age"): "pass"}),
        replace(case.findings, judgements=judgements),
    )
    assert found.checks == (
        CheckChange("rhat", "", "fail", "pass"),
        CheckChange("freshness", "", None, "review"),
        CheckChange("gone", "age", "pass", None),
    )


def test_many_groups_are_compared_at_once() -> None:
    case = many_groups_case()
    found = compare(case.study, earlier(moved(case, "school 00123", 1, 40.0)), case.findings).estimates
    assert found is not None
    assert found.labels[found.movers(1, 12)[0]] == "school 00123"
    assert len(found.movers(1, 12)) == 12
