"""How groups compare on the outcome's own scale, by the draws or by the estimates of one model.

A group's rate is directly standardised: its own model on everybody's case mix (`standardised_rates`), so that groups
can be set beside one another whatever their own cases are. Predicted by expected is about its own cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.observed_expected import Beyond, beyond, predicted_expected
from tasks.stats.counted.standardised_rates import CaseMix, standardised_rates
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.records import Floats

MOST_CASES = 400  # of the case mix: more are a sample of it
MOST_MEANS = 200_000_000  # means computed for rates; draws are thinned evenly to that
MOST_PREDICTIONS = 40_000_000  # cells x draws for predicted by expected
FEWEST_DRAWS = 200
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Comparison:
    """J groups by the draws of one model; rates are probabilities per trial, or counts per unit of exposure."""

    rate: WithInterval  # (J,) directly standardised: median and central 95 %
    average: WithInterval  # () of the groups' rates, each group counted once
    above: Floats  # (J,) probability of a rate above that average
    predicted: WithInterval | None  # (J,) predicted by expected events; None where nothing can be expected
    beyond: Beyond | None  # probabilities that predicted by expected lies beyond the margin
    target: Floats  # (J,) NaN where the study names none
    above_target: Floats  # (J,) probability of a rate above the target; NaN without one
    n_draws: int  # that the rates come from


def compare_groups(
    cells: Cells,
    design: Floats,
    mix: CaseMix,
    group_coef: Floats,
    expected: Floats | None,
    margin: float,
    target: Floats,
) -> Comparison:
    """Of draws `group_coef` (S, J, p) on the study's own terms, whose `design` is (C, p).

    `expected` (J,) are events under complete pooling, `margin` is the ratio of predicted to expected that matters (at
    least 1), `target` (J,) rates, NaN where there is none.
    """
    kept = _thinned(group_coef, cells.n_groups * len(mix.share), MOST_MEANS)
    rates = standardised_rates(cells.family, mix, kept)
    mean = rates.mean(axis=1)
    ratios = None
    if expected is not None:
        few = _thinned(group_coef, cells.events.size, MOST_PREDICTIONS)
        ratios = predicted_expected(cells, design, few, expected)
    with np.errstate(invalid="ignore"):
        above_target = np.where(np.isnan(target), np.nan, (rates > target).mean(axis=0))
    return Comparison(
        _central(rates),
        _central(mean),
        (rates > mean[:, None]).mean(axis=0),
        None if ratios is None else _central(ratios),
        None if ratios is None else beyond(ratios, margin),
        target,
        above_target,
        len(rates),
    )


def carried_rates(family: Family, mix: CaseMix, coef: Floats, level_se: Floats) -> WithInterval:
    """(J,) standardised rates of estimates `coef` (J, p), with the 95 % interval of the level (J,) carried onto them.

    Where levels alone vary, the rate rises with the level, and the interval's ends are those of the level; where slopes
    vary too, their uncertainty about the level's is left out.
    """
    ends = [coef + side * Z_95 * level_se[:, None] * np.eye(coef.shape[1])[0] for side in (0.0, -1.0, 1.0)]
    return WithInterval(*(standardised_rates(family, mix, each) for each in ends))


def _thinned(draws: Floats, each: int, most: int) -> Floats:
    """Evenly spread draws, so many that they and `each` make no more than `most`; never fewer than FEWEST_DRAWS."""
    n = min(len(draws), max(most // max(each, 1), FEWEST_DRAWS))
    return draws[np.linspace(0, len(draws) - 1, n).round().astype(int)]


def _central(draws: Floats) -> WithInterval:
    median, lower, upper = np.quantile(draws, (0.5, *TAILS), axis=0)
    return WithInterval(np.asarray(median), np.asarray(lower), np.asarray(upper))
