"""How far each row is from what the model expects of it, by all that rows can be put in order by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tasks.stats.judged.assumptions import fitted_and_residual, residual_bins
from tasks.stats.records import Floats
from tasks.view.context import Context
from tasks.view.figures import residuals
from tasks.view.records import Figure
from tasks.view.selection import CLOUD_ROWS_LIMIT, thin
from tasks.view.words import numbers, text

MOST_PREDICTORS = 3
HEIGHT = 300  # CSS pixels


@dataclass(frozen=True)
class By:
    """What rows are put in order by, and how it is called."""

    id: str
    values: Floats  # (N,)
    name: str  # in a sentence
    caption: str
    hover: str  # in front of a row's value
    x_title: str
    note: str = ""


def residual_figures(context: Context) -> Iterator[Figure]:
    """By the expected outcome, by predictors that are numbers, and by the rows' order where that may mean something."""
    fitted, residual = fitted_and_residual(context.data, context.findings.screening.fit, context.findings.scaling)
    yield _figure(context, residual, _by_expected(context, fitted))
    for term in context.numeric_terms[:MOST_PREDICTORS]:
        yield _figure(context, residual, _by_predictor(context, term))
    if context.findings.screening.serial.strength != "unknown":
        yield _figure(context, residual, _by_order(context))


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _by_expected(context: Context, fitted: Floats) -> By:
    name = f"expected {context.outcome}"
    caption = (
        "How far each row is from what the model expects of it; lines: the median of each tenth of the rows, and one "
        "SD to either side."
    )
    return By("residuals", fitted, name, caption, "expected", _titled(name, context.unit))


def _by_predictor(context: Context, term: int) -> By:
    name, n_others = context.terms[term], len(context.numeric_terms) - MOST_PREDICTORS
    note = f"{numbers.plural(n_others, 'more predictor')} {numbers.be(n_others)} not shown." if n_others > 0 else ""
    title = _titled(name, context.given_unit(term))
    is_last = term == context.numeric_terms[:MOST_PREDICTORS][-1]
    return By(
        f"residuals-{term}", context.data.x[:, term - 1], name, f"The same by {name}.", name, title, note * is_last
    )


def _by_order(context: Context) -> By:
    """As rows stand in their files: what else a study orders them by is not kept of single rows."""
    order, places = context.study.order, np.arange(1.0, context.data.n_rows + 1)
    note = f"Whether rows resemble the row before was looked at by {text.readable(order)} instead." if order else ""
    title, caption = "place of the row in the files", "The same in the order in which rows stand in the files."
    return By("residuals-order", places, title, caption, "place", title, note)


def _figure(context: Context, residual: Floats, by: By) -> Figure:
    rows, trend = np.sort(thin(by.values, CLOUD_ROWS_LIMIT)), residual_bins(by.values, residual)
    groups, n_rows = context.data.group_index[rows], residual.size
    thinned = f"Shown are {rows.size:,} of {n_rows:,} rows, evenly spaced in that order." if rows.size < n_rows else ""
    ends = [numbers.fixed(float(end), _places(context)) for end in (trend.sd.min(), trend.sd.max())]
    notes = " ".join(filter(None, [by.caption, thinned, by.note, context.sample_note]))
    return Figure(
        id=f"figure-{by.id}",
        caption=notes,
        alternative=(
            f"By {by.name}, the SD of the residuals runs from {ends[0]} to {numbers.with_unit(ends[1], context.unit)}."
        ),
        spec=residuals.against(
            by.values[rows],
            residual[rows],
            [context.labels[j] for j in groups],
            groups,
            trend=trend,
            what=by.hover,
            x_title=by.x_title,
            y_title=_titled("residual", context.unit),
        ),
        height=HEIGHT,
    )


def _places(context: Context) -> int:
    return numbers.decimals_for(context.findings.assumptions.sigma / 10)
