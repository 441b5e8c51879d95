"""Findings about the rows before anything is fitted, and their judgements."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.fits.cross_products import CrossProducts, ModelCrossProducts, centre_scaled, scaling_of
from tasks.stats.judgement import Judgement
from tasks.stats.labels import LabelNotes, judge_labels
from tasks.stats.records import Scaling
from tasks.stats.rows.categories import Category, judge_categories
from tasks.stats.rows.collinearity import Collinearity, collinearity, judge_collinearity
from tasks.stats.rows.copies import Copies, judge_copies
from tasks.stats.rows.reading_notes import ReadingNotes, judge_reading
from tasks.stats.rows.usable_varying import group_level_terms, judge_group_level, with_spread
from tasks.study.model import Study


@dataclass(frozen=True)
class DataNotes:
    """What was noticed while the files were read; None for what was not looked at."""

    labels: LabelNotes | None = None
    copies: Copies | None = None
    reading: ReadingNotes | None = None
    categories: tuple[Category, ...] = ()

    @property
    def hint(self) -> str:
        """What rejected values look like, and which settings would read them; empty if nothing is known."""
        return self.reading.hint if self.reading else ""


NOTHING_NOTED = DataNotes()


@dataclass(frozen=True)
class DataFindings:
    n_rows: int  # in use
    n_rejected: int
    n_set_aside: int = 0  # files of which nothing could be used
    age_days: float | None = None  # of the newest file; None if the study sets no limit
    notes: DataNotes = NOTHING_NOTED
    scaling: Scaling | None = None  # None where the rows cannot carry the model: predictors were not looked at
    collinearity: Collinearity | None = None  # None where the predictors can be told apart
    group_level: tuple[str, ...] = ()  # predictors of one value per group, whose effect cannot vary by group

    @property
    def categories(self) -> tuple[Category, ...]:
        return self.notes.categories

    @property
    def level_terms(self) -> tuple[str, ...]:
        """The terms that compare levels of a category."""
        return tuple(term for each in self.categories for term in each.terms)

    @property
    def n_read(self) -> int:
        return self.n_rows + self.n_rejected


def data_findings(
    products: ModelCrossProducts,
    scaling: Scaling,
    n_rejected: int = 0,
    *,
    notes: DataNotes = NOTHING_NOTED,
    n_set_aside: int = 0,
    age_days: float | None = None,
) -> DataFindings:
    return DataFindings(
        n_rows=products.n_rows,
        n_rejected=n_rejected,
        n_set_aside=n_set_aside,
        age_days=age_days,
        notes=notes,
        scaling=scaling,
        collinearity=collinearity(products),
        group_level=group_level_terms(products),
    )


def findings_of_rows(products: CrossProducts, n_rejected: int, notes: DataNotes) -> DataFindings:
    """As `data_findings`, from raw sums. The rows have to carry the model (`tasks.rows.structure`)."""
    scaling = with_spread(scaling_of(products))
    return data_findings(centre_scaled(products, scaling), scaling, n_rejected, notes=notes)


def judge_data(found: DataFindings, study: Study) -> tuple[Judgement, ...]:
    return (
        judge_rejected(found, study.rules.max_rejected_share),
        *judge_rows(found, study),
        *judge_freshness(found.age_days, study.notify.max_age_days),
    )


def judge_rows(found: DataFindings, study: Study) -> tuple[Judgement, ...]:
    """The judgements of labels, copies, reading notes and predictors. None of them needs a fit."""
    return (
        *judge_labels(found.notes.labels),
        *judge_copies(found.notes.copies, study.rules.copies, found.n_rows),
        *judge_reading(found.notes.reading),
        *judge_categories(found.notes.categories, study),
        *judge_collinearity(found.collinearity, found.scaling),
        *judge_group_level(found.group_level, found.level_terms),
    )


def judge_rejected(found: DataFindings, limit: float) -> Judgement:
    share = found.n_rejected / found.n_read
    if found.n_rejected or found.n_set_aside:
        return Judgement("rejected_rows", "review", "some", value=share, limit=limit)
    return Judgement("rejected_rows", "pass", "none", value=share, limit=limit)


def judge_freshness(age_days: float | None, limit: float | None) -> tuple[Judgement, ...]:
    """One judgement if the study sets a limit, else none.

    It depends on the clock: the same data can pass one day and not the next.
    """
    if age_days is None or limit is None:
        return ()
    value = round(age_days, 1)
    if age_days <= limit:
        return (Judgement("freshness", "pass", "fresh", value=value, limit=limit),)
    return (Judgement("freshness", "review", "stale", value=value, limit=limit),)
