"""Predictors that go together, and those with one value per group; both are known before any fit."""

from __future__ import annotations

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.rows.collinearity import Collinearity
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec
from tasks.view.words import numbers, text


def _found(context: RowContext) -> Collinearity:
    assert context.rows.collinearity is not None
    return context.rows.collinearity


def _names(context: RowContext) -> str:
    return numbers.listed(context.terms[k] for k in _found(context).columns)


def _close(context: RowContext, judged: Judgement) -> str:
    found = _found(context)
    how = f" (correlation {found.correlation:.5g})" if np.isfinite(found.correlation) else ""
    return f"{_names(context)} go together so closely that their effects cannot be told apart{how}. {_alone(context)}"


def _wide(context: RowContext, judged: Judgement) -> str:
    found = _found(context)
    how = f" (correlation {found.correlation:.5g})" if np.isfinite(found.correlation) else ""
    return (
        f"{_names(context)} go together closely: the interval of an effect is up to {found.vif**0.5:.1f} times as wide "
        f"as it would be alone{how}. {_alone(context)}"
    )


def _alone(context: RowContext) -> str:
    found = _found(context)
    effects = [
        f"{context.terms[k]} {value / scale:.4g} (standard error {se / scale:.2g})"
        for k, value, se in zip(found.columns, found.alone, found.alone_se, strict=True)
        for scale in [context.raw_scale(k)]
    ]
    unit = f"{context.unit} per unit" if context.unit else "raw units"
    return f"The slope of each on its own, in {unit}: {numbers.listed(effects)}."


def _advice(context: RowContext, judged: Judgement) -> str:
    some = "one" if len(_found(context).columns) == 2 else "some"
    return (
        f"Do not read the effects of {_names(context)} one by one: leave {some} of them out of the predictors, or put "
        "one combination in their place."
    )


PREDICTORS: tuple[CheckSpec[RowContext], ...] = (
    CheckSpec(
        kind="collinearity",
        title="Predictors that go together",
        measure="variance inflation {value}, at most {limit}",
        cases={
            "apart": Case("The predictors can be told apart: none of them follows closely from the others."),
            "wide": Case(_wide, _advice),
            "close": Case(_close, _advice),
        },
    ),
    CheckSpec(
        kind="fixed",
        title="Effect that cannot differ by group",
        cases={
            "one value": Case(
                lambda context, judged: (
                    f"{text.readable(judged.term)} has one value per group, so its effect cannot "
                    "differ by group: it is one for all of them, estimated from the differences between groups alone."
                )
            )
        },
    ),
)
