"""Sentences about predictions say which model is best only where its errors say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tasks.view.prediction_words import PIT_WORDS, held_out_finding, models_finding

from tasks.stats.cross_validation import CrossValidation, ModelError
from tasks.stats.influence import Influence
from tasks.view.context import Context
from tasks.view.page import build_page
from tasks.view.records import Figure, Table
from tasks.view.summary import summary_of
from tasks.view.topics import held_out, models, predictive
from tests.factories import Case, hostile_case, intercept_only_case, many_groups_case, regular_case, singular_case


def context_of(case: Case, **changes: object) -> Context:
    findings = replace(case.findings, **changes)  # type: ignore[arg-type]
    return Context(case.study, findings, case.data, case.draws, case.rejections)


def errors(**by_model: tuple[float, float]) -> CrossValidation:
    """RMSE and standard error of the difference to the best, per model."""
    best = min(by_model, key=lambda name: by_model[name][0])
    lowest = by_model[best][0]
    found = tuple(ModelError(name, rmse, rmse - lowest, se) for name, (rmse, se) in by_model.items())
    return CrossValidation(found, best, 10, 400, 0, 0.3, 0.7, 4000)


@pytest.mark.parametrize(
    ("found", "said", "not_said"),
    [
        (
            errors(no_pooling=(9.0, 0.3), bayes=(8.0, 0.0)),
            ["Bayesian partial-pooling model predicts new rows best"],
            ["equally"],
        ),
        (
            errors(no_pooling=(8.05, 0.3), bayes=(8.0, 0.0)),
            ["equally well", "no pooling", "no clear difference"],
            ["best"],
        ),
        (errors(no_pooling=(8.5, 0.1), bayes=(8.0, 0.0)), ["Worse: no pooling"], ["equally"]),
        (
            errors(no_pooling=(70.0, 40.0), bayes=(8.0, 0.0)),
            ["Worse, but not clearly so: no pooling"],
            ["equally", "Clearly"],
        ),
        (errors(complete_pooling=(8.0 + 1e-12, 1e-14), bayes=(8.0, 0.0)), ["equally well"], ["Clearly"]),
    ],
)
def test_the_paired_standard_error_decides_which_model_is_best(
    found: CrossValidation, said: list[str], not_said: list[str]
) -> None:
    sentence = models_finding(context_of(singular_case(), cross_validation=found))
    assert all(words in sentence for words in said)
    assert not any(words in sentence for words in not_said)


def test_without_cross_validation_the_error_on_old_rows_is_all_there_is() -> None:
    assert "they were fitted to" in models_finding(context_of(singular_case(), cross_validation=None))


def test_influential_groups_are_named_or_there_are_none() -> None:
    case = regular_case()
    assert "1 group (subject 308)" in held_out_finding(context_of(case))
    none = np.full(18, 0.2)
    quiet = Influence(none[:, None], none, True, none, np.full((18, 1), 1.5))
    assert "moves no estimate" in held_out_finding(context_of(case, influence=quiet))
    far = np.where(np.arange(18) == 3, 1.3, 0.2)
    by_chance = replace(quiet, dfbetas=far[:, None], largest=far)
    assert "no more than chance explains" in held_out_finding(context_of(case, influence=by_chance))
    assert "never seen" in held_out_finding(context_of(case, cross_validation=None))
    nothing = context_of(case, cross_validation=None, leave_one_group_out=None, influence=None)
    assert "too few groups" in held_out_finding(nothing)


@pytest.mark.parametrize("make", [singular_case, regular_case, intercept_only_case, hostile_case, many_groups_case])
def test_the_section_shows_every_group_within_its_limits(make: object) -> None:
    case: Case = make()  # type: ignore[operator]
    section = held_out.section(context_of(case))
    n_groups = case.findings.run.n_groups
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    scores, moves = figures
    assert sum(len(trace["x"]) for trace in scores.spec["data"]) == min(n_groups, held_out.SCORES_LIMIT)
    shown = [group for trace in scores.spec["data"] for group in trace["meta"]["groups"]]
    assert len(set(shown)) == min(n_groups, held_out.SCORES_LIMIT)
    assert all(len(trace["y"]) == min(n_groups, held_out.MOVES_LIMIT) for trace in moves.spec["data"])
    assert moves.spec["data"][0]["meta"]["groups"][0] == 0
    targets, by_group = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in targets.rows] == ["A new row in a known group", "The rows of a new group"]
    assert len(by_group.rows) == len(by_group.groups) == min(n_groups, held_out.TABLE_LIMIT)
    assert "<script" not in str([figure.spec for figure in figures])


def test_models_are_compared_on_old_and_new_rows() -> None:
    case = singular_case()
    section = models.section(context_of(case))
    table = next(block for block in section.blocks if isinstance(block, Table) and block.id == "table-rmse")
    assert [column.title for column in table.columns] == [
        "Model",
        "On its own rows",
        "On new rows",
        "More than the best",
    ]
    assert sum(row[-1].text == "best" for row in table.rows) == 1
    assert "2 rows by complete pooling" in table.note
    bad = replace(case.findings.cross_validation, pareto_k_max=0.9)  # type: ignore[type-var]
    table = next(b for b in models.section(context_of(case, cross_validation=bad)).blocks if isinstance(b, Table))
    assert "The error of Bayes is uncertain" in table.note
    assert table.rows[-1][2].status == "review"


def test_the_calibration_figure_says_what_its_curve_says() -> None:
    case = singular_case()
    blocks = predictive.section(context_of(case)).blocks
    figure = next(block for block in blocks if isinstance(block, Figure) and block.id == "figure-pit")
    assert PIT_WORDS["calibrated"] in str(blocks)
    assert figure.alternative.startswith("0 of 99 points")
    assert "figure-pit" not in str(predictive.section(context_of(case, loo_pit=None)).blocks)


def test_a_report_without_these_analyses_still_stands() -> None:
    case = singular_case()
    without = {"cross_validation": None, "leave_one_group_out": None, "loo_pit": None, "influence": None}
    findings = replace(case.findings, **without)  # type: ignore[arg-type]
    page = build_page(case.study, findings, case.data, case.draws, ())
    assert held_out.ID not in [section.id for section in page.sections]
    summary = summary_of(case.study, findings)
    assert [summary[key] for key in without] == [None] * 4
