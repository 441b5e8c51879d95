"""How much evidence there is, over all reports so far, that a group has moved; with few false alarms in a year.

Each report with new rows of a group gives one z, standard normal if the group did not move: the new rows beside what
the earlier ones foretold (`tasks.stats.past.increments`). For an effect of k standard errors, exp(k z - k^2 / 2) is its
likelihood ratio, and its expectation, given all earlier reports, is 1. Such e-values are gathered as an e-detector of
Shin, Ramdas & Rinaldo (2022), arXiv:2203.03532, of Shiryaev and Roberts' kind, one for each effect in EFFECTS, up and
down:

    evidence now = e-value x (evidence then + weight)

The alarm rings where a group's evidence, summed over the effects, reaches 1; it then begins again at 0. A report's
weights sum to the years since the report before, so that the evidence of all groups plus the number of alarms grows,
while nothing moves, by no more than that in expectation. Hence, for any number of groups and of reports,

    expected false alarms <= years that the reports span, but at least a day for each report.

That is exact if z is exactly normal and independent over reports, which it is for normal rows about the same level,
with one spread in all groups. Where spreads are estimated for each group or there are slopes it is so in the limit of
many rows. A real move rings the sooner, the more it is in standard errors of its report.
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


def gathered(before: Floats, z_up: Floats, z_down: Floats, years: float) -> Gathered:
    """The evidence after one more report, `years` after the last one.

    `before` is (K, len(EFFECTS)). `z_up` (K,) is that of a move upwards by more than the margin, `z_down` of one
    downwards; both are standard normal, or smaller, while nothing moves by more.
    """
    k = len(z_up)
    weight = max(years, LEAST_YEARS) / max(k, 1) / EFFECTS.size
    towards = np.where(EFFECTS > 0, z_up[:, None], z_down[:, None])
    size = np.abs(EFFECTS)
    values = np.exp(size * towards - 0.5 * size**2) * (before + weight)
    total = values.sum(axis=1)
    rings = total >= FULL
    return Gathered(np.where(rings[:, None], 0.0, values), total, rings)


def normal_score(t: Floats, df: Floats) -> Floats:
    """The standard normal value as far out as `t` is in Student's distribution; at most 37 either way."""
    tail = np.maximum(stdtr(df, -np.abs(t)), SMALLEST_P)
    return np.asarray(-np.sign(t) * ndtri(tail))
