"""Which model predicts best is said only where the errors say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.stats.judged.cross_validation import CrossValidation, ModelError
from tasks.view.records import Table
from tasks.view.topics import models
from tests.factories import singular_case
from tests.said import block, changed, section


def errors(**by_model: tuple[float, float]) -> CrossValidation:
    """RMSE and standard error of the difference to the best, per model."""
    best = min(by_model, key=lambda name: by_model[name][0])
    lowest = by_model[best][0]
    found = tuple(ModelError(name, rmse, rmse - lowest, se) for name, (rmse, se) in by_model.items())
    return CrossValidation(found, best, 10, 400, 0, 0.3, 0.7, 4000, 5)


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
        # 0.011 s of 8 s, two standard errors: clear, and nothing to choose a model by
        (errors(no_pooling=(8.011, 0.005), bayes=(8.0, 0.0)), ["equally well", "of 1 % or more"], ["Worse", "best"]),
        (errors(no_pooling=(8.1, 0.01), bayes=(8.0, 0.0)), ["predicts new rows best", "Worse by little"], ["equally"]),
    ],
)
def test_the_paired_standard_error_decides_which_model_is_best(
    found: CrossValidation, said: list[str], not_said: list[str]
) -> None:
    sentence = models.TOPIC.finding(changed(singular_case(), cross_validation=found)).replace("\u202f", " ")
    assert all(words in sentence for words in said)
    assert not any(words in sentence for words in not_said)


def test_without_cross_validation_the_error_on_old_rows_is_all_there_is() -> None:
    assert "they were fitted to" in models.TOPIC.finding(changed(singular_case(), cross_validation=None))


def test_models_are_compared_on_old_and_new_rows() -> None:
    case = singular_case()
    table = block(section(models.TOPIC, case.context), "table-rmse")
    assert isinstance(table, Table)
    assert [column.title for column in table.columns] == [
        "Model",
        "On its own rows",
        "On new rows",
        "More than the best",
    ]
    assert sum(row[-1].text == "best" for row in table.rows) == 1
    assert "by complete pooling" not in table.note
    few = replace(case.findings.cross_validation, n_fallback_rows=2)  # type: ignore[type-var]
    table = block(section(models.TOPIC, changed(case, cross_validation=few)), "table-rmse")
    assert "2 rows by complete pooling" in table.note
    assert "10-fold cross-validation, repeated 3 times and averaged" in table.note
    bad = replace(case.findings.cross_validation, pareto_k_max=0.9)  # type: ignore[type-var]
    table = block(section(models.TOPIC, changed(case, cross_validation=bad)), "table-rmse")
    assert "The error of Bayes is uncertain" in table.note
    (bayes,) = [row for row in table.rows if row[0].text == "Bayesian partial-pooling model"]
    assert bayes[2].status == "review"
