"""Predictors that go together, and those with one value per group; both are known before any fit."""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.intervals import Z_95
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
    return (
        f"{_names(context)} go together so closely that their effects cannot be told apart{how}. {_joint(context)} "
        f"{_alone(context)}"
    )


def _wide(context: RowContext, judged: Judgement) -> str:
    found = _found(context)
    how = f" (correlation {found.correlation:.5g})" if np.isfinite(found.correlation) else ""
    return (
        f"{_names(context)} go together closely: the interval of an effect is up to {found.vif**0.5:.1f} times as wide "
        f"as it would be alone{how}. {_joint(context)} {_alone(context)}"
    )


def _joint(context: RowContext) -> str:
    """`When a and b rise together, by one SD each, the outcome changes by 3.1 s (95 % interval 2.2 to 4.0).`"""
    found = _found(context)
    if any(map(context.is_level, found.columns)):
        return ""
    up = [context.terms[k] for k, sign in zip(found.columns, found.joint_signs, strict=True) if sign > 0]
    down = [context.terms[k] for k, sign in zip(found.columns, found.joint_signs, strict=True) if sign < 0]
    how = f"{numbers.listed(up)} {'rises' if len(up) == 1 else 'rise'}"
    how += f" and {numbers.listed(down)} {'falls' if len(down) == 1 else 'fall'}" if down else ""
    places = numbers.decimals_for(found.joint_se)
    half = Z_95 * found.joint_se
    size = numbers.with_unit(numbers.fixed(found.joint, places), context.difference_unit)
    return (
        f"When {how} together, by one SD each, the outcome changes by {size} (95 % interval "
        f"{numbers.interval(found.joint - half, found.joint + half, places)})."
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
        f"Do not read the effects of {_names(context)} one by one, but the one of all together; or leave {some} of "
        "them out of the predictors, or put one combination in their place."
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
                    f"{text.readable(judged.term)} has one value per group, so its effect cannot differ by group. It "
                    "is one for all of them, estimated from the differences between groups alone."
                )
            )
        },
    ),
)
