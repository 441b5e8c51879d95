"""Categories: each level beside its reference, and whether the levels differ at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.joint_test import JointTest
from tasks.stats.rows.categories import Category, Level
from tasks.view.context import Context
from tasks.view.records import Block, Cell, Column, Table
from tasks.view.summary.categories import CategorySummary, categories_of
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.model_words import p_value
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval, with_unit

GUIDE = (
    "A category is compared level by level with one of them, its reference: a difference of 0 means that a level does "
    "not differ from it. Two other levels are compared by subtraction; their intervals do not say whether that "
    "difference is clear. The joint test asks first whether the levels differ at all: look for single differences only "
    "where it finds any, as among many levels one differs by chance."
)
MOST_NAMED = 3
MOST_OPEN = 3  # tables


def _pairs(context: Context) -> Iterator[tuple[Category, JointTest]]:
    return zip(context.rows.categories, context.findings.joint_tests, strict=True)


def _blocks(context: Context) -> tuple[Block, ...]:
    tables = (_table(context, number, *pair) for number, pair in enumerate(_pairs(context), 1))
    return (*tables, how_to_read(GUIDE))


def _table(context: Context, number: int, category: Category, test: JointTest) -> Table:
    name, reference = text.readable(category.column), text.label(category.reference.name)
    columns = (
        Column("Level", is_number=False),
        Column("Rows"),
        Column("Groups"),
        Column(f"Difference from {reference}", context.difference_unit, detail="95 % interval"),
    )
    rows = (
        _row(category.reference, Cell("–", "reference")),
        *(_row(level, _difference(context, term)) for term, level in _terms(context, category)),
    )
    return Table(f"table-category-{number}", text.sentence_case(name), columns, rows, _note(context, category, test))


def _row(level: Level, difference: Cell) -> tuple[Cell, ...]:
    return Cell(text.label(level.name)), Cell(f"{level.n_rows:,}"), Cell(f"{level.n_groups:,}"), difference


def _terms(context: Context, category: Category) -> Iterator[tuple[int, Level]]:
    """The position of each level's term, and the level."""
    return zip(map(context.position, category.terms), category.others, strict=True)


def _estimate(context: Context, term: int) -> tuple[float, float, float, int]:
    """The average group's difference by the recommended model, its interval, and the decimal places of all three."""
    average = context.quoted.average
    value, lower, upper = (float(part[term]) for part in (average.estimate, average.lower, average.upper))
    return value, lower, upper, numbers.decimals_for((upper - lower) / (2.0 * Z_95))


def _difference(context: Context, term: int) -> Cell:
    value, lower, upper, places = _estimate(context, term)
    return Cell(fixed(value, places), interval(lower, upper, places))


def _note(context: Context, category: Category, test: JointTest) -> str:
    parts = [
        f"Differences in the average group, by {context.quoted_model}.",
        f"All levels together: F({test.df}, {test.df_residual:,}) {fixed(test.f, 2)}, p {p_value(test.p_value)}; a "
        "Wald test by the REML fit, its degrees of freedom as in nlme (Pinheiro and Bates 2000).",
    ]
    if category.has_one_level_per_group(context.n_groups):
        parts.append("Each group has one level only: the differences are between groups.")
    if context.findings.fullest.is_singular:
        parts.append("That fit is singular, so its p may be too small.")
    return " ".join(parts)


def _finding(context: Context) -> str:
    pairs = sorted(_pairs(context), key=lambda pair: not pair[1].is_clear)
    return " ".join(_sentence(context, *pair) for pair in pairs)


def _sentence(context: Context, category: Category, test: JointTest) -> str:
    name, p = text.readable(category.column), f"joint p {p_value(test.p_value)}"
    if not np.isfinite(test.p_value):
        return f"Groups are too few to test whether the levels of {name} differ."
    if not test.is_clear:
        return f"The levels of {name} do not clearly differ ({p})."
    largest = sorted(category.terms, key=lambda term: -abs(_estimate(context, context.position(term))[0]))
    told = numbers.listed((_beside(context, context.position(term)) for term in largest[:MOST_NAMED]), MOST_NAMED)
    return f"The levels of {name} differ ({p}). Beside {text.label(category.reference.name)}, {told}."


def _beside(context: Context, term: int) -> str:
    """`app has 7.1 s less`"""
    value, _, _, places = _estimate(context, term)
    level = context.levels[term]
    assert level is not None
    size = with_unit(fixed(abs(value), places), context.difference_unit)
    return f"{level.name} has {size} {'more' if value > 0 else 'less'}"


TOPIC = Topic(
    id="categories",
    title="Categories: level by level",
    finding=_finding,
    blocks=_blocks,
    sources=("categories", "recommended"),
    guide=(GUIDE,),
    n_open=lambda context: min(len(context.rows.categories), MOST_OPEN),
    is_shown=lambda context: bool(context.rows.categories),
    summary=(
        Entry(
            "categories",
            list[CategorySummary],
            "Predictors that are categories, in the study's order; empty without one",
            lambda context: categories_of(context.rows.categories, context.findings.joint_tests),
        ),
    ),
)
