"""Finds rows in which nothing is left to estimate, before anything is fitted: exact relations.

Also finds values so large or small, and groups so far apart, that sums in double precision lose what matters.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Floats, GroupedData, Scaling
from tasks.stats.rows.collinearity import Relation, hopeless_relation
from tasks.stats.rows.left_over import LeftOver, left_over, quantum
from tasks.study.model import Study
from tasks.study.plain_text import shown

SMALLEST = 1e-50
# SD of the error of rounding to whole steps, with a margin.
ROUNDING_SD = 0.35
# A residual SD that rounding could explain is put down to rounding only up to this share of the outcome's SD.
MOST_ROUNDING = 1e-3
# A residual SD below this share of the outcome's SD is lost in the rounding of sums; the share grows with the rows.
LEAST_LEFT = 1e-6
FEWEST_DF = 5  # degrees of freedom needed to compare a residual SD with rounding


def out_of_range(sample: GroupedData, study: Study) -> str:
    """Names a column whose values are too close together to be squared; empty if there is none."""
    columns = {study.outcome: sample.y, **dict(zip(study.predictors, sample.x.T, strict=True))}
    for name, values in columns.items():
        low, high = values.min(), values.max()
        if 0 < high - low < SMALLEST:
            return (
                f"{shown(name)} lies between {low:.6g} and {high:.6g}: too close together to be squared. Give it in a "
                "smaller unit, so that its values are larger."
            )
    return ""


def same_predictors(products: ModelCrossProducts, scaling: Scaling, study: Study) -> str:
    """Names predictors of which one follows from the others; empty if there are none."""
    found = hopeless_relation(products, scaling)
    if found is None:
        return ""
    names = " and ".join(map(shown, (*found.others, found.term)))
    return (
        f"The predictors {names} say the same: {_formula(found)}{_but_for(found)}. Their effects cannot be told apart. "
        f"Leave one of them out of {study.named('predictors')}."
    )


def _formula(found: Relation) -> str:
    """The relation in words, such as `z is 1.8 times x plus 32`."""
    parts = [f"{slope:.4g} times {name}" for name, slope in zip(found.others, found.slopes, strict=True)]
    sign = "plus" if found.constant >= 0 else "minus"
    negligible = abs(found.constant) < 1e-6 * np.abs(found.slopes).max()
    return f"{found.term} is {' plus '.join(parts)}{'' if negligible else f' {sign} {abs(found.constant):.4g}'}"


def _but_for(found: Relation) -> str:
    return "" if found.is_exact else f", but for differences of about {found.residual:.1g}, as rounding makes them"


def nothing_left(products: ModelCrossProducts, scaling: Scaling, sample: GroupedData, study: Study) -> str:
    """Why there is no residual SD to estimate; empty if there is one."""
    left = left_over(products)
    limit = max(LEAST_LEFT, np.sqrt(4.0 * np.finfo(float).eps * products.n_rows)) * scaling.outcome_scale
    rounding = _rounding(products, scaling, sample)
    by_rows = _left_in_rows(sample)

    def is_gone(sd: float, df: int = FEWEST_DF) -> bool:
        is_rounding = df >= FEWEST_DF and sd <= min(rounding, MOST_ROUNDING * scaling.outcome_scale)
        return bool(sd <= limit or is_rounding)

    for name, sd in by_rows.items():
        if not is_gone(getattr(left, name), left.lines_df if name == "by_lines" else FEWEST_DF):
            continue
        if sd > max(rounding, 1e-12 * np.abs(sample.y).max()):
            return _too_fine(name, sd, limit, scaling, study)
        return f"{_exactly(name, left, study)}{_but_for_rounding(sd, scaling)}. {_CAUSE[name].format(y=study.outcome)}"
    return ""


_COMPUTED = "Nothing is left to estimate. Usually {y} was computed from "
_CAUSE = {
    "by_predictors": f"{_COMPUTED}a predictor: choose another outcome, or leave that predictor out.",
    "by_groups": "Nothing is left to estimate within groups. Usually a value of the group as a whole was joined to "
    "each of its rows: choose an outcome that was measured row by row.",
    "by_both": f"{_COMPUTED}the other columns: choose another outcome, or leave out what it was computed from.",
    "by_lines": f"{_COMPUTED}the other columns, group by group, or each group has hardly more rows than its line has "
    "coefficients: choose another outcome, or add rows.",
}


def _exactly(name: str, left: LeftOver, study: Study) -> str:
    predictors = " and ".join(map(repr, study.predictors))
    ways = {
        "by_predictors": f"The outcome {study.outcome!r} follows exactly from {predictors} in every row",
        "by_groups": f"The outcome {study.outcome!r} is the same in all rows of a {study.group}, in every one of them",
        "by_both": f"The outcome {study.outcome!r} follows exactly from {study.group} and {predictors} in every row",
        "by_lines": f"The outcome {study.outcome!r} follows exactly from {predictors} in every {study.group}, by a "
        "line of its own",
    }
    return ways[name]


def _but_for_rounding(sd: float, scaling: Scaling) -> str:
    return f" but for rounding (about {sd:.1g})" if sd > 1e-9 * scaling.outcome_scale else ""


def _too_fine(name: str, sd: float, limit: float, scaling: Scaling, study: Study) -> str:
    names = " and ".join(study.predictors)
    once = {
        "by_predictors": f"once {names} {'is' if len(study.predictors) == 1 else 'are'} accounted for",
        "by_groups": f"within a {study.group}",
    }.get(name, f"once {study.group} and {names} are accounted for")
    return (
        f"The outcome {study.outcome!r} varies by about {sd:.2g} {once}, and by {scaling.outcome_scale:.2g} over all "
        f"rows. That is farther apart than sums of so many rows can hold in double precision (here about 1 in "
        f"{scaling.outcome_scale / limit:.1g}). Usually values of different units, or a code such as 999999, stand in "
        "one column: bring them to one unit, or make the code missing."
    )


def _rounding(products: ModelCrossProducts, scaling: Scaling, sample: GroupedData) -> float:
    """The SD that rounding of the outcome, and of the predictors as far as they move it, can explain."""
    xtx, xty = products.xtx.sum(axis=0)[1:, 1:], products.xty.sum(axis=0)[1:]
    slopes = np.linalg.lstsq(xtx, xty, rcond=None)[0] / scaling.scale
    steps = [quantum(sample.y), *(abs(b) * quantum(x) for b, x in zip(slopes, sample.x.T, strict=True))]
    return ROUNDING_SD * float(np.hypot.reduce(steps)) if steps[0] else 0.0


def _left_in_rows(sample: GroupedData) -> dict[str, float]:
    """Residual SDs by name, in the order in which to look at them; from rows, which lose nothing to large sums."""
    scale = np.where((sd := sample.x.std(axis=0)) > 0, sd, 1.0)
    x = (sample.x - sample.x.mean(axis=0)) / scale
    y = sample.y - sample.y.mean()
    own_x, own_y = (_about_group_means(values, sample) for values in (x, y[:, None]))
    by_both = _residual_sd(own_x, own_y[:, 0])
    found = {
        "by_groups": float(own_y.std()),
        "by_both": by_both,
        "by_lines": min(by_both, _lines_sd(own_x, own_y, sample)),
    }
    return {"by_predictors": _residual_sd(x, y), **found} if x.shape[1] else {"by_groups": found["by_groups"]}


def _about_group_means(values: Floats, sample: GroupedData) -> Floats:
    """(n, k) values minus their group's mean."""
    n = np.maximum(np.bincount(sample.group_index, minlength=sample.n_groups), 1)
    means = np.column_stack([np.bincount(sample.group_index, v, sample.n_groups) / n for v in values.T] or [n[:0]])
    return values - means[sample.group_index] if values.size else values


def _residual_sd(x: Floats, y: Floats) -> float:
    """The SD of y after regression on x, both centred."""
    return float((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]).std()) if x.shape[1] else float(y.std())


def _lines_sd(x: Floats, y: Floats, sample: GroupedData) -> float:
    """The SD of y after a regression on x in each group; both are centred by group."""
    order = np.argsort(sample.group_index, kind="stable")
    cuts = np.flatnonzero(np.diff(sample.group_index[order])) + 1
    parts = zip(np.split(x[order], cuts), np.split(y[order, 0], cuts), strict=True)
    squares = sum(part_y.size * _residual_sd(part_x, part_y) ** 2 for part_x, part_y in parts)
    return float(np.sqrt(squares / len(y)))
