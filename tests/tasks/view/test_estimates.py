"""`estimates.csv`: one row per group, model and term, in both units, readable again."""

from __future__ import annotations

import io
import time

import numpy as np
import pandas as pd
import pytest

from tasks.view.estimates import estimate_columns, estimates_csv
from tests.factories import (
    Case,
    hostile_case,
    intercept_only_case,
    many_groups_case,
    singular_case,
    two_predictors_case,
)


def table(case: Case) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(estimates_csv(case.study, case.findings)), keep_default_na=False, na_values=[""])


def test_one_row_per_group_model_and_term() -> None:
    rows = table(singular_case())
    assert len(rows) == 8 * 6 * 2
    assert not rows.duplicated(["group", "model", "term"]).any()
    assert list(rows.model.unique()) == [
        "complete_pooling",
        "no_pooling",
        "varying_intercept",
        "varying_slope",
        "varying_intercept_slope",
        "bayes",
    ]


def test_rows_carry_the_findings() -> None:
    case = singular_case()
    rows = table(case).set_index(["model", "term", "group"])
    kent = case.findings.labels.index("kent")
    row = rows.loc[("varying_intercept_slope", "age", "kent")]
    fit = case.findings.fullest
    assert (row.estimate, row.se) == (fit.coef[kent, 1], fit.coef_se[kent, 1])
    assert (row.lower, row.upper) == (fit.lower[kent, 1], fit.upper[kent, 1])
    assert row.conditional_sd == fit.conditional_sd[kent, 1]
    assert row.n == case.findings.group_sizes[kent]
    assert rows.loc[("bayes", "age", "kent")].se == case.findings.bayes.groups.sd[kent, 1]


def test_complete_pooling_is_the_same_for_every_group() -> None:
    rows = table(singular_case()).query("model == 'complete_pooling'")
    assert (rows.groupby("term").estimate.nunique() == 1).all()
    assert rows.conditional_sd.isna().all()


def test_raw_slopes_are_per_unit_and_raw_intercepts_have_no_spread() -> None:
    case = singular_case()
    rows = table(case).query("model == 'bayes'").set_index("term")
    scale = case.findings.scaling.scale[0]
    slopes, intercepts = rows.loc["age"], rows.loc["intercept"]
    for name in ("estimate", "se", "lower", "upper"):
        np.testing.assert_allclose(slopes[f"{name}_raw"], slopes[name] / scale, rtol=1e-12)
    expected = intercepts.estimate.to_numpy() - slopes.estimate.to_numpy() * (case.findings.scaling.center[0] / scale)
    np.testing.assert_allclose(intercepts.estimate_raw, expected, rtol=1e-12)
    assert intercepts[["se_raw", "lower_raw", "upper_raw"]].isna().all(axis=None)
    assert set(slopes.unit) == {"s per SD of age"}
    assert set(slopes.unit_raw) == {"s per year"}


def test_without_predictors_raw_and_scaled_agree() -> None:
    rows = table(intercept_only_case())
    assert set(rows.model) == {"complete_pooling", "no_pooling", "varying_intercept", "bayes"}
    np.testing.assert_array_equal(rows[["estimate", "se"]], rows[["estimate_raw", "se_raw"]])
    assert set(rows.unit) == {"yield"}


def test_gap_is_empty_and_says_why() -> None:
    rows = table(two_predictors_case()).query("model == 'no_pooling' and group == 'clinic A'")
    assert rows.estimate.isna().all()
    assert set(rows.note) == {"2 rows cannot carry 3 coefficients"}


def test_any_label_comes_back() -> None:
    case = hostile_case()
    assert tuple(table(case).group.unique()) == case.findings.labels


def test_columns_have_one_length() -> None:
    case = two_predictors_case()
    columns = estimate_columns(case.study, case.findings)
    n_models = len(set(columns["model"]))
    assert ("bayes_extended" in columns["model"]) is (case.findings.answer is not None)
    assert n_models == 6 + (case.findings.answer is not None)
    assert {len(column) for column in columns.values()} == {12 * n_models * 3}


@pytest.mark.bench
def test_ten_thousand_groups_take_under_two_seconds() -> None:
    case = many_groups_case(10_000)
    start = time.perf_counter()
    text = estimates_csv(case.study, case.findings)
    assert time.perf_counter() - start < 2
    assert text.count("\n") == 1 + 10_000 * 6 * 2
