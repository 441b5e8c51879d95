"""How much evidence there is, over all reports so far, that a group has moved; with few false alarms in a year.

Each report with new rows of a group gives one z, standard normal if the group did not move: the new rows beside what
the earlier ones foretold (`tasks.stats.past.increments`). For an effect of k standard errors, exp(k z - k^2 / 2) is its
likelihood ratio, and its expectation, given all earlier reports, is 1. For skewed or heavy-tailed rows it is divided by
what its expectation then is, to the fourth cumulant of z; of counted outcomes by its exact expectation, given how many
events there are before and now together (`tasks.stats.past.count_scores`). Such e-values are
gathered as in the e-detector of Shin, Ramdas & Rinaldo (2022), arXiv:2203.03532, of Shiryaev and Roberts' kind, one for
each effect in EFFECTS, up and down:

    evidence now = e-value x (evidence then + weight)

The alarm rings where a group's evidence, summed over the effects, reaches 1; it then begins again at 0. A report's
weights sum to the years since the report before, so that the evidence of all groups plus the number of alarms grows,
while nothing moves, by no more than that in expectation. Hence, for any number of groups and of reports,

    expected false alarms <= years that the reports span, but at least a day for each report.

That is exact if z is normal and independent over reports, as it is for normal rows with one spread in all groups and no
predictor; elsewhere it is so nearly, the more so the more rows there are (`make weekly` measures it). It does not hold
for ups and downs that the rows of a report share: `change_margin` is there for these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from tasks.stats.records import Floats

SIZES = (0.75, 1.75, 4.0)
EFFECTS: Floats = np.array([*SIZES, *(-size for size in SIZES)])  # in standard errors of a report's increment
LEAST_YEARS = 1.0 / 365.25
FULL = 1.0
SMALLEST_P = 1e-300


@dataclass(frozen=True)
class GroupEvidence:
    """What the next report has to know of a group."""

    values: tuple[float, ...]  # by EFFECTS
    since: str = ""  # id of the run in which its alarm rang last: only rows that came later foretell anything


@dataclass(frozen=True)
class Gathered:
    """The evidence of some groups after a report."""

    values: Floats  # (K, len(EFFECTS)); 0 after an alarm
    total: Floats  # (K,) before it was set to 0
    rings: NDArray[np.bool_]  # (K,)


@dataclass(frozen=True)
class Scores:
    """Of K groups. Standard normal, or smaller, while nothing moves by more than the margin."""

    up: Floats  # (K,) of a move upwards by more than the margin
    down: Floats  # (K,) of one downwards
    log_expected: Floats  # (K, len(EFFECTS)) of the likelihood ratios while nothing moves; 0 for a standard normal


def gathered(before: Floats, scores: Scores, years: float) -> Gathered:
    """The evidence after one more report, `years` after the last one. `before` is (K, len(EFFECTS))."""
    weight = max(years, LEAST_YEARS) / max(len(scores.up), 1) / EFFECTS.size
    values = np.exp(_log_e_values(scores)) * (before + weight)
    total = values.sum(axis=1)
    rings = total >= FULL
    return Gathered(np.where(rings[:, None], 0.0, values), total, rings)


def _log_e_values(scores: Scores) -> Floats:
    """(K, len(EFFECTS)): the logarithm of the likelihood ratio less that of its expectation."""
    towards = np.where(EFFECTS > 0, scores.up[:, None], scores.down[:, None])
    return log_ratio(towards) - scores.log_expected


def log_ratio(towards: Floats) -> Floats:
    """(..., len(EFFECTS)) of scores towards each effect, in that shape or in (..., 1)."""
    return np.asarray(np.abs(EFFECTS) * towards - 0.5 * EFFECTS**2)


def log_expected_by_cumulants(skewness: Floats, kurtosis: Floats) -> Floats:
    """(K, len(EFFECTS)) of scores with these (K,) cumulants; what would lower it is left out."""
    skewed = np.maximum(skewness[:, None] * EFFECTS**3, 0.0) / 6.0
    return np.asarray(skewed + np.maximum(kurtosis, 0.0)[:, None] * EFFECTS**4 / 24.0)


def normal_score(t: Floats, df: Floats) -> Floats:
    """The standard normal value as far out as `t` is in Student's distribution; at most 37 either way."""
    tail = np.maximum(stdtr(df, -np.abs(t)), SMALLEST_P)
    return np.asarray(-np.sign(t) * ndtri(tail))
