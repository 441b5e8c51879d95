"""Do rows of a group resemble the row before? The twin of `tasks.stats.judged.serial` for counted outcomes.

Of quantile residuals, which are standard normal whatever was counted. Those of a fit are not independent: what the
group's effects have followed in one row is missing in the next, -w z'C z with the rows' weights w and the effects'
conditional covariance C in Pearson residuals, of which a quantile residual has its regression on them.
No model of a counted outcome here has rows that follow one another, so that any correlation that is noticeable speaks
against every model: with 0.1 a group's rows are worth 82 % of their number, and 95 % intervals cover 92 %.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from tasks.stats.counted.left_out import linear_predictor
from tasks.stats.counted.links import mean_of, variance_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.predicted import quantile_residuals
from tasks.stats.judged.serial import FEWEST_PAIRS, SORTED, Serial, judge_serial
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats

FEWEST_CHANGES = 8  # of the outcome, from one row to the next, that tell whether a file is sorted by it


def row_serial(rows: CountedModel, fit: CountedPartialPooling, seed: int, *, is_named: bool) -> Serial:
    """`rows` is the fit's model on all rows, those of a group in their order."""
    cells = rows.cells
    rate = mean_of(cells.family, linear_predictor(rows, fit))
    residual = quantile_residuals(cells, rate, seed)
    weight = cells.size * variance_of(cells.family, rate)
    pearson = (cells.events - cells.size * rate) / np.sqrt(np.maximum(weight, 1e-12))
    first = np.flatnonzero(cells.group_index[1:] == cells.group_index[:-1])
    is_sorted = not is_named and _is_sorted(np.diff(cells.events / cells.size)[first])
    if first.size < FEWEST_PAIRS:
        return Serial(0.0, 1.0, int(first.size), is_named, is_sorted)
    slope = float(residual @ pearson / (pearson @ pearson))
    z = np.sqrt(weight)[:, None] * rows.design[:, list(rows.varying)]
    shared = np.einsum("ck,ckl,cl->c", z[first], fit.conditional_cov[cells.group_index[first]], z[first + 1])
    excess = residual[first] * residual[first + 1] + slope**2 * shared
    p_value = float(ndtr(-excess.sum() / np.sqrt((excess**2).sum())))
    correlation = float(excess.sum() / (residual[first] ** 2 + residual[first + 1] ** 2).sum() * 2.0)
    return Serial(correlation, p_value, int(first.size), is_named, is_sorted)


def _is_sorted(steps: Floats) -> bool:
    changes = steps[steps != 0]
    rising = float((changes > 0).mean()) if changes.size else 0.5
    return changes.size >= FEWEST_CHANGES and not 1.0 - SORTED < rising < SORTED


def judge_row_serial(found: Serial | None) -> tuple[Judgement, ...]:
    """None, of a sample of rows: which row came before cannot be told."""
    if found is None:
        return (Judgement("serial", "pass", "sample"),)
    return tuple(
        replace(each, against="every model") if each.status != "pass" else each for each in judge_serial(found)
    )
