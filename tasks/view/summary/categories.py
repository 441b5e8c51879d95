"""Categories among the predictors: their levels, and the test of all levels together."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.judged.joint_test import JointTest
from tasks.stats.rows.categories import Category
from tasks.view.summary.record import Count, Number, Record


class LevelSummary(Record):
    """One level of a category."""

    level: str = Field(description="as the data spell it")
    term: str | None = Field(description="its term in every list of coefficients; null for the reference")
    n_rows: Count = Field(description="rows used that have it")
    n_groups: Count = Field(description="groups that have such rows")


class JointTestSummary(Record):
    """Wald F test of all levels together, by the fullest REML fit; degrees of freedom as in nlme."""

    f: Number = Field(description="the statistic")
    df: Count = Field(description="levels less the reference")
    df_residual: int = Field(description="degrees of freedom of the denominator")
    p_value: Number = Field(description="of no difference between any two levels; null without degrees of freedom")


class CategorySummary(Record):
    """One predictor that is a category."""

    predictor: str = Field(description="its column")
    levels: list[LevelSummary] = Field(description="the reference first, then in the order of their terms")
    joint_test: JointTestSummary = Field(description="whether the levels differ at all")


def categories_of(categories: Sequence[Category], tests: Sequence[JointTest]) -> list[CategorySummary]:
    return [
        CategorySummary(predictor=each.column, levels=_levels(each), joint_test=JointTestSummary.of(test))
        for each, test in zip(categories, tests, strict=True)
    ]


def _levels(category: Category) -> list[LevelSummary]:
    terms = (None, *category.terms)
    return [
        LevelSummary(level=level.name, term=term, n_rows=level.n_rows, n_groups=level.n_groups)
        for term, level in zip(terms, category.levels, strict=True)
    ]
