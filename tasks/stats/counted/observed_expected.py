"""Observed events of each group against those expected of its cells: O/E, predicted/expected, how surely beyond 1.

Expected are the events that complete pooling predicts for a group's own cells: indirect standardisation. It compares
each group with what the average group would have had with the same cells, not groups with each other, whose cells
differ (George et al. 2017, arXiv:1510.00842); `tasks.stats.counted.standardised_rates` does that. Expected numbers are
taken as known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.exact_intervals import exact_interval
from tasks.stats.counted.links import mean_of
from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats


@dataclass(frozen=True)
class ObservedExpected:
    """NaN where nothing is expected.

    Intervals are exact ones (95 %). Of counts, Garwood's of the observed count, by the expected one: what Byar's
    formula approximates (Breslow & Day 1987, *Statistical Methods in Cancer Research* II, p. 69). Of trials, Clopper &
    Pearson's of the events in the group's trials, by the expected share, so that no more events than trials are
    thought possible. A group's trials differ in their probabilities, which makes their sum vary less than trials
    with the same mean (Hoeffding 1956, *Ann. Math. Stat.* 27): the interval is then wider than need be.
    """

    observed: Floats  # (J,)
    expected: Floats  # (J,)
    ratio: Floats  # (J,)
    lower: Floats  # (J,)
    upper: Floats  # (J,)


@dataclass(frozen=True)
class Beyond:
    """Posterior probabilities (J,) that a group's ratio is above a margin, or below one by it."""

    above: Floats
    below: Floats


def observed_expected(cells: Cells, mean: Floats) -> ObservedExpected:
    """`mean` (C,): probability or rate of each cell under complete pooling."""
    observed, size = cells.of_groups(cells.events), cells.of_groups(cells.size)
    expected = cells.of_groups(cells.size * mean)
    lower, upper = exact_interval(cells.family, observed, size)
    per = size / np.where(expected > 0, expected, np.nan)
    ratio = observed / np.where(expected > 0, expected, np.nan)
    return ObservedExpected(observed, expected, ratio, lower * per, upper * per)


def predicted_expected(cells: Cells, design: Floats, group_coef: Floats, expected: Floats) -> Floats:
    """(..., J) events that a group's own model predicts for its cells, by those expected.

    `design` (C, p) are the centre-scaled predictors, `group_coef` (..., J, p) estimates or draws of the groups'
    coefficients (shrunken, as a rule), `expected` (J,).
    """
    shape = group_coef.shape[:-1]
    draws = group_coef.reshape(-1, *group_coef.shape[-2:])
    per = np.where(expected > 0, expected, np.nan)
    found = np.empty((len(draws), cells.n_groups))
    for place, coef in enumerate(draws):  # a draw at a time: all at once would need draws x cells
        eta = np.einsum("ck,ck->c", design, coef[cells.group_index])
        found[place] = cells.of_groups(cells.size * mean_of(cells.family, eta)) / per
    return found.reshape(shape)


def beyond(ratios: Floats, margin: float = 1.0) -> Beyond:
    """Shares of the draws `ratios` (S, J) above `margin`, and below 1 / `margin`; `margin` >= 1."""
    return Beyond((ratios > margin).mean(axis=0), (ratios < 1.0 / margin).mean(axis=0))
