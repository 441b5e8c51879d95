"""What is said before anything is fitted, of rows in which nothing is left to estimate."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.rows.exact_relations import nothing_left, out_of_range, same_predictors
from tasks.stats.records import Floats, GroupedData
from tests.datasets import grouped, model_of, simulated
from tests.posteriors import study_of

RNG = np.random.default_rng(3)
N, J = 160, 10
G = np.repeat([f"h{j}" for j in range(J)], N // J)
LEVEL = np.repeat(2.0 * np.arange(J), N // J)
X = np.round(RNG.normal(15, 6, N), 4)
NOISE = RNG.normal(size=N)


def rows(y: Floats, *x: Floats) -> GroupedData:
    return grouped(y, G, np.column_stack(x) if x else np.empty((N, 0)))


def said(data: GroupedData) -> str:
    products, scaling = model_of(data)
    study = study_of(data)
    return same_predictors(products, scaling, study) or nothing_left(products, scaling, data, study)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (rows(3 * X, X), "'y' follows exactly from 'x1' in every row. "),
        (rows(np.round(3.1 * X, 2), X), "'y' follows exactly from 'x1' in every row but for rounding"),
        (rows(np.round(1e6 + 137.0 * X), X), "'y' follows exactly from 'x1' in every row but for rounding"),
        (rows(3 * X + LEVEL, X), "'y' follows exactly from g and 'x1' in every row"),
        (rows(3 * X * (1 + LEVEL), X), "'y' follows exactly from 'x1' in every g, by a line of its own"),
        (rows(LEVEL, X), "'y' is the same in all rows of a g, in every one of them"),
        (rows(LEVEL), "'y' is the same in all rows of a g"),
        (rows(0.1 + 0.2 * LEVEL, X), "'y' is the same in all rows of a g"),
        (rows(1e9 * LEVEL + NOISE, X), "varies by about 0.91 within a g, and by"),
        (rows(1e9 * X + NOISE, X), "once x1 is accounted for"),
    ],
    ids=["line", "rounded", "whole numbers", "levels", "own lines", "constant", "without predictors", "near constant",
         "far apart", "explained"],
)  # fmt: skip
def test_nothing_is_left(data: GroupedData, words: str) -> None:
    assert words in said(data)


@pytest.mark.parametrize(
    "data",
    [
        rows(LEVEL + NOISE, X),
        rows(1e5 * LEVEL + NOISE, X),
        rows(np.round(LEVEL + NOISE), X),
        rows((NOISE > 0).astype(float), X),
        rows(3 * X + 0.01 * NOISE, X),
        rows(np.round(1e4 * LEVEL + 30 * NOISE), X),
        rows(1e-9 * (LEVEL + NOISE), X),
        rows(1e12 + LEVEL + NOISE, X),
        rows(LEVEL + NOISE),
        simulated(2, [2, 1, 2, 30, 2, 1]),
    ],
)
def test_what_can_be_estimated_is_not_refused(data: GroupedData) -> None:
    assert said(data) == ""


@pytest.mark.parametrize(
    ("decimals", "words"),
    [
        (4, "'x1' and 'x2' say the same: x2 is 1.8 times x1 plus 32, but for differences of about"),
        (12, "'x1' and 'x2' say the same: x2 is 1.8 times x1 plus 32. "),
    ],
)
def test_two_names_for_one_thing(decimals: int, words: str) -> None:
    celsius = RNG.normal(15, 6, N)
    data = rows(LEVEL + NOISE, np.round(celsius, decimals), np.round(1.8 * celsius + 32, decimals))
    assert words in said(data)
    assert "Leave one of them out" in said(data)


def test_three_of_which_one_follows_from_the_others() -> None:
    other = RNG.normal(size=N)
    assert "x3 is 1 times x1 plus 2 times x2." in said(rows(LEVEL + NOISE, X, other, X + 2 * other))


def test_coarse_rounding_leaves_two_names_to_the_report() -> None:
    celsius = RNG.normal(15, 6, N)
    assert said(rows(LEVEL + NOISE, np.round(celsius, 1), np.round(1.8 * celsius + 32, 1))) == ""


def test_what_no_double_can_square() -> None:
    data = rows(1e-300 * NOISE, X)
    assert "too close together" in out_of_range(data, study_of(data))
    assert out_of_range(rows(1e45 * NOISE, X), study_of(data)) == ""
