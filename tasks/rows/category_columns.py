"""Which predictors of a file are categories, the text of their levels, and what stops a run because of them.

A predictor is a category in a file whose first rows hold text there, or true and false: hardly any number, and nothing
that looks like one, like a date or a time of day. Such values are numbers that a setting may read, and they are
rejected rather than taken for names. A predictor that is a number in any file is one in all
(`tasks.rows.read_files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tasks.rows.looks import MOST_VALUES, is_measured
from tasks.rows.numbers import MISSING, as_arrow, is_missing
from tasks.rows.values import TRUTH, ColumnReading, is_truth, numbers_of
from tasks.stats.rows.categories import Category
from tasks.stats.rows.coding import Coding
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tasks.study.plain_text import listed, shown

MOST_NUMBERS = 0.1  # of the values of a category
# Words for a missing value, as of numbers, but for one that names a level: no treatment is one.
NO_LEVEL = tuple(word for word in MISSING if word != "none")


def category_columns(head: pd.DataFrame, study: Study, readings: Mapping[str, ColumnReading]) -> frozenset[str]:
    """The predictors that are categories in a file of these first rows; `readings` are how they are read as numbers."""
    return frozenset(name for name in study.predictors if _is_category(head[name], name, study, readings[name]))


def _is_category(text: pd.Series, name: str, study: Study, reading: ColumnReading) -> bool:
    if name in study.categories.columns:
        return True
    filled = text[~is_missing(text, reading.missing, reading.style)]
    if study.is_always_number(name) or filled.empty:
        return False
    if is_truth(filled, reading):
        return True
    share_of_numbers = float(np.isfinite(numbers_of(filled, reading)).mean())
    return share_of_numbers <= MOST_NUMBERS and not is_measured(filled.head(MOST_VALUES).tolist(), reading.style)


def level_texts(texts: pd.Series) -> pd.Series:
    """Clean texts as levels: True and TRUE are true; null for words that stand for a missing value."""
    values = as_arrow(texts)
    lower = pc.utf8_lower(values)
    no_level = pc.is_in(lower, pa.array(NO_LEVEL, pa.large_string()))
    is_truth = pc.is_in(values, pa.array(list(TRUTH), pa.large_string()))
    found = pc.if_else(no_level, None, pc.if_else(is_truth, lower, values))
    return pd.Series(pd.array(found, dtype="str"))


def require_few_levels(levels: Mapping[str, Iterable[str]], study: Study, place: str) -> None:
    """Raise DataRejected for a category that has more levels than the study allows; `place` is where they stand."""
    for name, found in levels.items():
        if len(names := sorted(found)) > study.categories.most_levels:
            raise DataRejected(
                f"The predictor {shown(name)} has {len(names):,} different texts in {place} ({listed(names, 3)}), and "
                f"a category may have at most {study.categories.most_levels} levels "
                f"({study.named('categories.most_levels')}). Put levels together in the data, leave the column out of "
                f"{study.named('predictors')}, or raise that number. If it holds numbers, name it in "
                f"{study.named('categories.numbers')}, and the values that are none are listed."
            )


def require_references(coding: Coding, study: Study) -> None:
    """Raise DataRejected for a reference that the study names and no row has, and for levels called like a column."""
    for name, reference in study.categories.reference.items():
        if name not in coding.levels:
            raise DataRejected(
                f"{study.named('categories.reference')} names a level of {shown(name)}, which holds numbers in these "
                f"data. If its numbers are codes for categories, name it in {study.named('categories.columns')}; if "
                "not, leave the reference out."
            )
        if reference not in coding.levels[name]:
            raise DataRejected(
                f"{study.named('categories.reference')} names {shown(reference)} for {shown(name)}, which is none of "
                f"its levels in these data: {listed(coding.levels[name])}. Correct it, or leave it out: then the "
                "level with most rows is the reference."
            )
    if twice := {term for term in coding.terms if coding.terms.count(term) > 1}:
        raise DataRejected(
            f"A level of a category and a predictor are both called {shown(sorted(twice)[0])}, so their effects could "
            "not be told apart. Rename the column."
        )


def one_level(categories: Sequence[Category], n_rows: int) -> str:
    """Names a category of which every row has the same level; empty if there is none."""
    for each in categories:
        if not each.others:
            return (
                f"The predictor {shown(each.column)} is {shown(each.reference.name)} in all {n_rows:,} usable rows, "
                "and a constant explains nothing. Check that it is the right column and the data is complete, or leave "
                "it out of the predictors."
            )
    return ""
