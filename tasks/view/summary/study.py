"""What was asked."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.rows.categories import Category
from tasks.study.model import Study
from tasks.study.rates import Family
from tasks.view.summary.record import Record


class StudySummary(Record):
    """What was asked."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="of the folder under reports/")
    title: str = Field(description="the question, in words")
    source: str = Field(description="pattern of the files or objects read, or the query")
    outcome: str = Field(description="column of the outcome")
    outcome_unit: str = Field(description="its unit; may be empty")
    family: Family = Field(description="distribution of the outcome, given its group and the predictors")
    trials: str | None = Field(
        description="column that says of how many trials the outcome counts the events; null where there is none"
    )
    exposure: str | None = Field(
        description="column that says over how much the outcome was counted; null where there is none"
    )
    group: str = Field(description="column of the group")
    predictors: list[str] = Field(description="columns of the predictors")
    levels: dict[str, list[str]] = Field(
        description="by predictor that is a category: its levels, first the reference, then the others in the order of "
        "their terms, each called `<predictor>: <level>`"
    )
    predictor_units: dict[str, str] = Field(description="unit by predictor, where the study names one")
    varying: list[str] = Field(description="terms whose effect may differ by group")


def study_of(study: Study, categories: Sequence[Category]) -> StudySummary:
    """Of a study whose predictors are the terms that were found."""
    source = study.source if isinstance(study.source, str) else study.source.sql
    columns = {term: each.column for each in categories for term in each.terms}
    return StudySummary.of(
        study,
        source=source,
        predictors=list(dict.fromkeys(columns.get(term, term) for term in study.predictors)),
        levels={each.column: [level.name for level in each.levels] for each in categories},
    )
