"""The categories among a study's predictors, as all of its rows show them: levels, the reference, and what looks wrong.

A category is compared level by level with its reference (treatment contrasts). The reference is the level that the
study names, else the one with most rows; of levels with as many, the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.fits.cross_products import CrossProducts
from tasks.stats.judgement import Judgement
from tasks.stats.labels import alike
from tasks.stats.rows.coding import Coding, term_of
from tasks.stats.rows.usable_varying import with_usable_varying
from tasks.study.model import Study


@dataclass(frozen=True)
class Level:
    name: str
    n_rows: int
    n_groups: int  # that have such rows


@dataclass(frozen=True)
class Category:
    """A predictor whose levels are compared with `reference`; `others` have a term each, in the order of the terms."""

    column: str
    reference: Level
    others: tuple[Level, ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        """The reference first."""
        return (self.reference, *self.others)

    @property
    def terms(self) -> tuple[str, ...]:
        return tuple(term_of(self.column, level.name) for level in self.others)

    def has_one_level_per_group(self, n_groups: int) -> bool:
        """Whether no group has rows of two levels, so that only differences between groups tell them apart."""
        return sum(level.n_groups for level in self.levels) == n_groups


def categories_in(products: CrossProducts, coding: Coding, reference: Mapping[str, str]) -> tuple[Category, ...]:
    """The categories of sums that have a column for every level; `reference` are those that the study names."""
    return tuple(
        _category(name, levels, products.gram[:, 0, list(at)], reference.get(name))
        for (name, levels), at in zip(coding.levels.items(), coding.categories, strict=True)
    )


def _category(name: str, levels: Sequence[str], rows: np.ndarray, reference: str | None) -> Category:
    """`rows` (J, k) are the rows by group and level."""
    n_rows, n_groups = np.rint(rows.sum(axis=0)).astype(int), (rows > 0.5).sum(axis=0)
    found = [Level(*each) for each in zip(levels, n_rows.tolist(), n_groups.tolist(), strict=True)]
    first = levels.index(reference) if reference is not None else int(n_rows.argmax())
    return Category(name, found[first], tuple(level for at, level in enumerate(found) if at != first))


def contrasts(coding: Coding, categories: Sequence[Category]) -> Coding:
    """The coding without the columns of the references."""
    return Coding(coding.predictors, {each.column: tuple(one.name for one in each.others) for each in categories})


def resolved(study: Study, products: CrossProducts, categories: Sequence[Category]) -> Study:
    """The study whose predictors are the terms that were found, and whose `varying` are those that can vary.

    What it says of a category holds for each of its levels. Categories vary only where `varying` names them.
    """
    terms = {name: (name,) for name in study.predictors} | {each.column: each.terms for each in categories}
    is_set = "varying" in study.model_fields_set
    names = [name for name in study.varying if is_set or name not in {each.column for each in categories}]
    priors = study.priors
    found = study.model_copy(
        update={
            "predictors": tuple(term for name in study.predictors for term in terms[name]),
            "varying": tuple(term for name in names for term in terms[name]),
            "priors": priors.model_copy(
                update={
                    "slopes": {term: prior for name, prior in priors.slopes.items() for term in terms[name]},
                    "sigma_group_sd": {
                        term: sd for name, sd in priors.sigma_group_sd.items() for term in terms.get(name, (name,))
                    },
                }
            ),
        }
    )
    return with_usable_varying(found, products)


def rare_levels(categories: Sequence[Category], few_rows: int) -> tuple[tuple[Category, Level], ...]:
    """Levels with fewer rows, fewest first."""
    found = [(each, level) for each in categories for level in each.levels if level.n_rows < few_rows]
    return tuple(sorted(found, key=lambda one: one[1].n_rows))


def alike_levels(categories: Sequence[Category], study: Study) -> tuple[tuple[Category, tuple[str, ...]], ...]:
    """Levels of one category that a person would read as one, as labels of groups are compared."""
    return tuple(
        (each, names) for each in categories for names, _ in alike([level.name for level in each.levels], study)
    )


def judge_categories(categories: Sequence[Category], study: Study) -> tuple[Judgement, ...]:
    """One judgement of rare levels and one of levels that look alike; none without a category."""
    if not categories:
        return ()
    return _judge_rare(categories, study.categories.few_rows), _judge_alike(categories, study)


def _judge_rare(categories: Sequence[Category], few_rows: int) -> Judgement:
    fewest = min(level.n_rows for each in categories for level in each.levels)
    if fewest < few_rows:
        return Judgement("rare_levels", "review", "rare", value=fewest, limit=few_rows)
    return Judgement("rare_levels", "pass", "enough", value=fewest, limit=few_rows)


def _judge_alike(categories: Sequence[Category], study: Study) -> Judgement:
    if n_alike := len(alike_levels(categories, study)):
        return Judgement("alike_levels", "review", "alike", value=n_alike, limit=0)
    return Judgement("alike_levels", "pass", "distinct", value=0, limit=0)
