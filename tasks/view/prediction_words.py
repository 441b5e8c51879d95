"""Sentences about predictions of what a model has not seen: new rows, new groups, the average without a group."""

from __future__ import annotations

import numpy as np

from tasks.stats.cross_validation import CrossValidation, ModelError
from tasks.stats.influence import Influence, beyond, influential
from tasks.stats.pit import Shape
from tasks.view import numbers, text, wording
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.numbers import fixed, listed, plural, with_unit

# A difference counts as clear beyond so many of its standard errors.
CLEAR = 2.0
SAME = 1e-6  # relative: rounding
LITTLE = 0.05  # relative: a clear difference that hardly matters

PIT_WORDS: dict[Shape, str] = {
    "calibrated": "The curve stays within the band: rows lie as far from their predictions as the model expects.",
    "too_narrow": (
        "The curve leaves the band, high on the left and low on the right: rows are more spread out than the model "
        "expects, and its intervals for single rows are too narrow."
    ),
    "too_wide": (
        "The curve leaves the band, low on the left and high on the right: most rows are closer to their predictions "
        "than the model expects, and its intervals for single rows are too wide for most; often a few rows far out "
        "have widened them."
    ),
    "too_high": "The curve leaves the band upwards: outcomes are below their predictions too often.",
    "too_low": "The curve leaves the band downwards: outcomes are above their predictions too often.",
    "other": (
        "The curve leaves the band in a way that is neither a shift nor a wrong width: rows are skewed around their "
        "predictions, or a few lie far out."
    ),
}


def models_finding(context: Context) -> str:
    """Which model predicts new rows best: the error on rows held out decides, with its paired standard error."""
    found = context.findings.cross_validation
    if found is None:
        return wording.models_finding(context)
    tied, unclear, worse = standings(found)
    slightly = [error for error in worse if error.difference < LITTLE * found.of(found.best).rmse]
    worse = [error for error in worse if error not in slightly]
    best = with_unit(fixed(found.of(found.best).rmse, error_places(context, found)), context.unit)
    return " ".join(
        filter(
            None,
            [
                _best_sentence(found, tied, best),
                f"Worse: {_each(context, found, worse)}." if worse else "",
                f"Worse by little, but measurably: {_each(context, found, slightly)}." if slightly else "",
                f"Worse, but not clearly so: {_each(context, found, unclear)}." if unclear else "",
            ],
        )
    )


def _best_sentence(found: CrossValidation, tied: list[ModelError], best: str) -> str:
    if not tied:
        return f"{text.sentence_case(MODEL_NAMES[found.best])} predicts new rows best, typically off by {best}."
    names = listed([MODEL_NAMES[found.best], *(MODEL_NAMES[error.model] for error in tied)], limit=6)
    return (
        f"New rows are predicted about equally well by {names}: typically off by {best}, with no clear difference "
        "between them."
    )


def standings(found: CrossValidation) -> tuple[list[ModelError], list[ModelError], list[ModelError]]:
    """The models other than the best: no clear difference, a larger but uncertain one, clearly worse."""
    best = found.of(found.best).rmse
    others = sorted((e for e in found.models if e.model != found.best), key=lambda error: error.rmse)
    worse = [error for error in others if error.difference > max(CLEAR * error.difference_se, SAME * best)]
    rest = [error for error in others if error not in worse]
    # A mean that a few rows decide is uncertain however large it is.
    unclear = [error for error in rest if error.difference > 0.1 * best]
    return [error for error in rest if error not in unclear], unclear, worse


def _each(context: Context, found: CrossValidation, errors: list[ModelError]) -> str:
    places = error_places(context, found)
    return listed(
        (f"{MODEL_NAMES[e.model]} ({with_unit(fixed(e.rmse, places), context.unit)})" for e in errors), limit=6
    )


def error_places(context: Context, found: CrossValidation) -> int:
    """As of the RMSE in-sample: two significant digits of its standard error."""
    return numbers.decimals_for(found.of(found.best).rmse / np.sqrt(2 * found.n_rows))


def held_out_finding(context: Context) -> str:
    return " ".join(filter(None, [_errors(context), influence_sentence(context)])) or (
        "There are too few groups to leave one out."
    )


def _errors(context: Context) -> str:
    rows, groups = context.findings.cross_validation, context.findings.leave_one_group_out
    if groups is None:
        return ""
    places = numbers.decimals_for(groups.rmse / np.sqrt(2 * context.n_groups))
    new_group = with_unit(fixed(groups.rmse, places), context.unit)
    if rows is None:
        return f"For a group that it has never seen, the Bayesian model is typically off by {new_group}."
    new_row = with_unit(fixed(rows.of("bayes").rmse, error_places(context, rows)), context.unit)
    return (
        f"The Bayesian model is typically off by {new_row} for a new row of a known group, and by {new_group} for the "
        "rows of a group that it has never seen."
    )


def influence_sentence(context: Context) -> str:
    found, limit = context.findings.influence, context.study.thresholds.influence
    if found is None:
        return ""
    groups = beyond(found, limit)
    far = "its standard error" if limit == 1 else f"{numbers.plain(limit)} standard errors"
    if not groups.size:
        return f"Leaving any one group out moves no estimate for the average group by more than {far}."
    names = listed((context.named(j) for j in groups), limit=3)
    odd = influential(found, limit)
    by_chance = (
        " Among so few groups that is no more than chance explains."
        if not odd.size
        else f" Chance does not explain it of {listed((context.named(j) for j in odd), limit=3)}."
        if odd.size < groups.size
        else ""
    )
    return (
        f"{plural(groups.size, 'group')} ({names}), left out, would move an estimate for the average group by more "
        f"than {far}.{by_chance}"
    )


def influence_note(context: Context, found: Influence) -> str:
    """How a group was left out."""
    how = (
        "the whole partial-pooling model was fitted again without each group"
        if found.is_refitted
        else "with so many groups, the spread of the groups is kept and only the averages are computed again"
    )
    missing = (
        f" Without {plural(found.n_not_estimable, 'group')} some average cannot be estimated at all."
        if found.n_not_estimable
        else ""
    )
    return f"To leave a group out, {how}.{missing}"
