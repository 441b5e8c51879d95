"""Levels of categories that call for a look, in words; both are known before any fit."""

from __future__ import annotations

from tasks.stats.judgement import Judgement
from tasks.stats.rows.categories import Category, Level, alike_levels, rare_levels
from tasks.study.plain_text import shown
from tasks.study.toml_text import toml_value
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec
from tasks.view.words import numbers, text

MOST_NAMED = 3


def _rare(context: RowContext) -> tuple[tuple[Category, Level], ...]:
    return rare_levels(context.rows.categories, context.study.categories.few_rows)


def _few(context: RowContext, judged: Judgement) -> str:
    found = _rare(context)
    named = numbers.listed(
        (f"{_level(category, level.name)} ({numbers.plural(level.n_rows, 'row')})" for category, level in found),
        MOST_NAMED,
    )
    return f"Few rows have {named}, so that little can be said of {'it' if len(found) == 1 else 'them'}."


def _few_advice(context: RowContext, judged: Judgement) -> str:
    is_reference = any(level is category.reference for category, level in _rare(context))
    reference = " All levels are compared with one of these: name another reference." if is_reference else ""
    return f"See whether it is a slip of the pen, or put it together with another level in the data.{reference}"


def _alike(context: RowContext, judged: Judgement) -> str:
    found = alike_levels(context.rows.categories, context.study)
    named = numbers.listed(
        (f"{numbers.listed(map(_quoted, names))} of {text.readable(category.column)}" for category, names in found),
        MOST_NAMED,
    )
    return f"Levels that a person may read as one are kept apart: {named}."


def _alike_advice(context: RowContext, judged: Judgement) -> str:
    first = alike_levels(context.rows.categories, context.study)[0][1]
    confirmed = toml_value([*dict.fromkeys((*context.study.labels.distinct, *first))])
    settled = context.study.setting(f"labels.distinct = {confirmed}")
    return f"If they are one level, write them alike in the data; if not, {settled}."


def _level(category: Category, name: str) -> str:
    return f"{text.readable(category.column)} {_quoted(name)}"


def _quoted(name: str) -> str:
    """Spaces and letters that look like others are seen in it, as it is compared with another."""
    return text.clean(shown(name, 40))


LEVELS: tuple[CheckSpec[RowContext], ...] = (
    CheckSpec(
        kind="rare_levels",
        title="Rows of each level",
        measure="rows of the rarest level: {value}, at least {limit}",
        cases={
            "enough": Case(
                lambda context, judged: (
                    "Every level of a category has at least "
                    f"{numbers.plural(context.study.categories.few_rows, 'row')}."
                )
            ),
            "rare": Case(_few, _few_advice),
        },
    ),
    CheckSpec(
        kind="alike_levels",
        title="Levels that look alike",
        measure="sets of such levels: {value}",
        cases={
            "distinct": Case("The levels of each category are written so that each is another."),
            "alike": Case(_alike, _alike_advice),
        },
    ),
)
