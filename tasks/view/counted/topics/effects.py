"""What predictors go with: differences of rates first, then ratios; categories level by level, with a joint test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import Field

from tasks.stats.fits.intervals import Z_95
from tasks.view.counted.compared import effect
from tasks.view.counted.context import CountedContext
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.record import Count, Number, Record
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.model_words import p_value
from tasks.view.topics.predictors import PREDICTORS
from tasks.view.words import numbers, text

GUIDE = (
    "A difference says by how much the rate changes for one unit more of the predictor, averaged over all cases as "
    "they are; of a level of a category, what the rate would be with all cases on that level instead of the one that "
    "it is compared with. A ratio says the same as a factor. One ratio holds for all cases alike, while the difference "
    "is larger for cases at higher risk. An interval that has 0 in it (of a ratio, 1) leaves the direction open."
)


class CategoryTestSummary(Record):
    """Do the levels of a category differ at all?"""

    terms: list[str] = Field(description="the terms that compare levels with the reference")
    chi_squared: Number = Field(description="Wald's, of the posterior mean and covariance")
    df: Count = Field(description="levels less one")
    p_value: Number = Field(description="of all differences together")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    tests = (_tests(context),) if context.findings.joint_tests else ()
    return (_figure(context), _table(context), how_to_read(GUIDE), *tests)


def _figure(context: CountedContext) -> Figure:
    found, scale, style = context.findings.effects, context.rate_scale, MODELS[context.quoted_model]
    parts = (scale * part for part in (found.difference, found.difference_lower, found.difference_upper))
    estimate, lower, upper = parts
    unit = context.difference_unit
    return Figure(
        id="figure-effects",
        caption=(
            f"Difference of the rate of {context.outcome} ({unit}) per unit of each predictor, averaged over all "
            "cases, with 95 % intervals."
        ),
        alternative=_finding(context),
        spec=intervals.interval_plot(
            [_row_name(context, term) for term in range(1, len(context.terms))],
            [intervals.Series(context.quoted_label, style.color, style.symbol, estimate, lower, upper)],
            x_title=text.sentence_case(f"difference of the rate ({unit})"),
            reference=0.0,
            unit=unit,
        ),
        height=intervals.height(len(context.terms) - 1, 1),
    )


def _row_name(context: CountedContext, term: int) -> str:
    level = context.levels[term]
    return f"{level.column}: {level.name}" if level else f"{context.terms[term]}, per {context.predictor_unit(term)}"


def _table(context: CountedContext) -> Table:
    columns = (
        Column("Predictor", is_number=False),
        Column("Difference", context.difference_unit, model=context.quoted_model, detail="95 % interval"),
        Column(text.sentence_case(context.ratio_name), model=context.quoted_model, detail="95 % interval"),
    )
    rows = tuple(_row(context, term) for term in range(1, len(context.terms)))
    note = "Medians of posterior draws. Differences are averaged over all cases; ratios are of the average group."
    return Table("table-effects", "Effects of the predictors per raw unit", columns, rows, note)


def _row(context: CountedContext, term: int) -> tuple[Cell, ...]:
    found, at, scale = context.findings.effects, term - 1, context.rate_scale
    difference = [
        float(part[at]) * scale for part in (found.difference, found.difference_lower, found.difference_upper)
    ]
    ratio = [float(part[at]) for part in (found.ratio, found.ratio_lower, found.ratio_upper)]
    places = [numbers.decimals_for((each[2] - each[1]) / (2.0 * Z_95)) for each in (difference, ratio)]
    return (
        Cell(_compared(context, term)),
        *(
            Cell(numbers.fixed(each[0], place), numbers.interval(each[1], each[2], place))
            for each, place in zip((difference, ratio), places, strict=True)
        ),
    )


def _compared(context: CountedContext, term: int) -> str:
    level = context.levels[term]
    return f"{level.column}: {level.name} rather than {level.reference}" if level else _row_name(context, term)


def _tests(context: CountedContext) -> Table:
    columns = (Column("Category", is_number=False), Column("χ²"), Column("Levels less one"), Column("p"))
    rows = tuple(
        (
            Cell(text.readable(each.column)),
            Cell(numbers.fixed(test.chi_squared, 1)),
            Cell(f"{test.df}"),
            Cell(p_value(test.p_value)),
        )
        for each, test in zip(context.rows.categories, context.findings.joint_tests, strict=True)
    )
    note = "Joint Wald tests of all differences of a category, by the posterior’s mean and covariance."
    return Table("table-joint-tests", "Do the levels of a category differ at all?", columns, rows, note)


def _finding(context: CountedContext) -> str:
    return f"{text.sentence_case('. '.join(map(text.sentence_case, _sentences(context))))}."


def _sentences(context: CountedContext) -> Iterator[str]:
    """The clearest effects first, at most three."""
    found = context.findings.effects
    width = np.maximum(found.difference_upper - found.difference_lower, np.finfo(float).tiny)
    order = np.argsort(-np.abs(found.difference) / width, kind="stable")[:3]
    yield from (effect(context, int(at) + 1) for at in order)


TOPIC: Topic[CountedContext] = Topic(
    id="effects",
    title="What predictors go with",
    finding=_finding,
    blocks=_blocks,
    sources=("effects", "category_tests", "recommended"),
    guide=(GUIDE,),
    checks=PREDICTORS,
    is_shown=lambda context: len(context.terms) > 1,
    summary=(
        Entry(
            "category_tests",
            list[CategoryTestSummary],
            "one per category: do its levels differ at all?",
            lambda context: [
                CategoryTestSummary.given(
                    terms=test.terms, chi_squared=test.chi_squared, df=test.df, p_value=test.p_value
                )
                for test in context.findings.joint_tests
            ],
        ),
    ),
)
