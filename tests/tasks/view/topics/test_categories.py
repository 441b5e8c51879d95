"""Levels are told beside their reference: in the table, on the first screen, in files and in what changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tasks.reports.run_folders import question_in
from tasks.stats.judged.joint_test import JointTest
from tasks.stats.past.earlier import differences, question_of
from tasks.view import answers
from tasks.view.context import Context
from tasks.view.document import summary_of
from tasks.view.estimates import estimate_columns
from tasks.view.topics import categories, groups, models, simpson
from tasks.view.topics.change_words import in_words
from tasks.view.topics.in_r import brms_code, formula, lme4_code
from tests import factories
from tests.said import block, by_name, changed, section

EMERGENCY = "way in: emergency"


@pytest.fixture
def context() -> Context:
    return factories.categories_case().context


def with_p_values(context: Context, *p_values: float) -> tuple[JointTest, ...]:
    pairs = zip(context.findings.joint_tests, p_values, strict=True)
    return tuple(replace(test, p_value=p_value) for test, p_value in pairs)


def test_a_table_has_each_level_beside_the_reference(context: Context) -> None:
    made = section(categories.TOPIC, context)
    table = block(made, "table-category-1")
    assert [row[0].text for row in table.rows] == ["referred", "Emergency", "emergency", "transfer"]
    assert table.columns[3].title == "Difference from referred"
    assert table.columns[3].unit == "days"
    assert (table.rows[0][3].text, table.rows[0][3].detail) == ("–", "reference")
    (category, _) = context.rows.categories
    assert [row[1].text for row in table.rows] == [f"{level.n_rows:,}" for level in category.levels]
    term = context.position(EMERGENCY)
    value = float(context.quoted.average.estimate[term])
    assert float(table.rows[2][3].text.replace("−", "-")) == pytest.approx(value, abs=0.01)
    test = context.findings.joint_tests[0]
    assert f"F({test.df}, {test.df_residual})" in table.note
    assert "REML" in table.note


def test_the_finding_says_whether_levels_differ(context: Context) -> None:
    case = factories.categories_case()
    clear = categories.TOPIC.finding(changed(case, joint_tests=with_p_values(context, 0.0004, 0.3)))
    assert clear.startswith("The levels of way in differ (joint p below 0.001). Beside referred, emergency has ")
    assert clear.endswith("The levels of private do not clearly differ (joint p 0.300).")
    unknown = categories.TOPIC.finding(changed(case, joint_tests=with_p_values(context, float("nan"), 0.01)))
    assert "Groups are too few to test whether the levels of way in differ." in unknown


def test_the_first_screen_says_rather_than(context: Context) -> None:
    case = factories.categories_case()
    asked = changed(case, joint_tests=with_p_values(context, 0.0004, 0.02))
    sentence = answers.one_sentence(asked)
    assert "way in “emergency” rather than “referred” goes with " in sentence
    assert "the largest difference among its 4 levels" in sentence
    assert "per SD" not in sentence
    quiet = answers.one_sentence(changed(case, joint_tests=with_p_values(context, 0.2, 0.3)))
    assert "the levels of way in do not clearly differ (joint p 0.200)" in quiet
    assert answers.asked(context).startswith("How does stay (days) go with age, severity, way in and private")


def test_a_level_has_one_unit_and_no_slope(context: Context) -> None:
    term = context.position(EMERGENCY)
    assert context.term_title(term) == "Way in: emergency rather than referred"
    assert context.term_unit(term) == context.raw_unit(term) == "days"
    assert context.raw_scale(term) == 1.0
    assert context.slope_name(term) == "difference of way in: emergency rather than referred"
    fixed = block(section(models.TOPIC, context), "table-fixed")
    assert sum(row[0].text == context.term_title(term) for row in fixed.rows) == 1
    assert context.level_note.endswith("way in and private as mixed in all rows).")


def test_no_figure_draws_a_line_through_levels(context: Context) -> None:
    ids = [getattr(one, "id", "") for one in section(simpson.TOPIC, context).blocks]
    assert [one for one in ids if one.startswith("figure")] == ["figure-simpson-1", "figure-simpson-2"]
    assert not [one for one in by_name(context) if one.startswith("curve_") and ":" in one]
    tables = [one.id for one in groups.TOPIC.blocks(context) if getattr(one, "id", "").startswith("table-estimates")]
    assert not [one for one in tables if one.endswith(f"-{context.position(EMERGENCY)}-raw")]


def test_summary_and_estimates_have_the_levels(context: Context) -> None:
    told = summary_of(context)
    assert told["study"]["predictors"] == ["age", "severity", "way in", "private"]
    assert told["study"]["levels"]["way in"] == ["referred", "Emergency", "emergency", "transfer"]
    assert told["terms"][3:] == ["way in: Emergency", EMERGENCY, "way in: transfer", "private: true"]
    assert told["scaling"][EMERGENCY]["scale"] == 1.0
    (way, private) = told["categories"]
    assert [level["term"] for level in way["levels"]] == [None, "way in: Emergency", EMERGENCY, "way in: transfer"]
    assert way["joint_test"]["df"] == 3
    assert private["levels"][0]["level"] == "false"
    rows = pd.DataFrame(estimate_columns(context.study, context.findings))
    of_level = rows[rows["term"] == EMERGENCY]
    assert set(of_level["unit"]) == set(of_level["unit_raw"]) == {"days"}
    np.testing.assert_array_equal(of_level["estimate"], of_level["estimate_raw"])


def test_a_summary_read_again_is_the_same_question_and_another_reference_is_told(context: Context) -> None:
    now = question_of(context.study, context.rows.categories)
    then = question_in(summary_of(context)["study"])
    assert (then.predictors, then.references, differences(then, now)) == (now.predictors, now.references, ())
    (other,) = differences(replace(then, references={**then.references, "way in": "walk"}), now)
    assert in_words(other) == "levels of way in were compared with walk, not referred"
    assert differences(replace(then, predictors=then.predictors[:-1]), now)[0].what == "predictors"


def test_r_has_factors_with_the_reference_first(context: Context) -> None:
    code = lme4_code(context)
    assert 'rows$`way in` <- relevel(factor(rows$`way in`), ref = "referred")' in code
    assert 'rows$private <- relevel(factor(tolower(rows$private)), ref = "false")' in code
    fit = context.findings.partial["varying_intercept"]
    assert formula(context, fit) == "stay ~ scale(age) + scale(severity) + `way in` + private + (1 | clinic)"
    assert 'x4 = as.vector(scale(rows$`way in` == "emergency", scale = FALSE))' in brms_code(context)


def test_rare_levels_and_those_that_look_alike_are_told(context: Context) -> None:
    checks = by_name(context)
    assert "Few rows have way in 'Emergency' (6 rows)" in checks["rare_levels"].message
    assert checks["rare_levels"].status == checks["alike_levels"].status == "review"
    assert "'Emergency' and 'emergency' of way in" in checks["alike_levels"].message
    assert 'distinct = ["Emergency", "emergency"] under [labels]' in checks["alike_levels"].advice
