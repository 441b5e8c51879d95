"""What the priors of a counted outcome say before they see the data, on the scale of probabilities or rates.

As `judged.prior_predictive`, whose record it fills: its outcome is the rate of a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes import lkj
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors, overall_link
from tasks.stats.fits.cells import Family
from tasks.stats.judged.prior_predictive import (
    CURVE_POINTS,
    N_DRAWS,
    QUANTILES,
    ROWS_LIMIT,
    Expected,
    PriorPredictive,
    PriorStatistic,
    statistic_of,
)
from tasks.stats.records import Floats, Integers

WILD_RATIO = 1000.0  # odds or rates so many times as large, or as small, as the data's are wild
LARGEST_COUNT = 1e12  # expected: no study counts more


@dataclass(frozen=True)
class _Replicated:
    """S simulated data sets of G groups, from some of the study's cells."""

    level: Floats  # (S, G) links of the groups' rates where predictors have the means of all rows
    slopes: Floats  # (S, p - 1) of the average group, per SD of the predictor
    rate: Floats  # (S, G) events by size
    overall: Floats  # (S,) of all groups together


def counted_prior_predictive(model: CountedModel, priors: CountedPriors, tail: float, seed: int) -> PriorPredictive:
    """N_DRAWS data sets of the study's own design, simulated from the priors, beside the data.

    What is expected: `rate` of a group where predictors have the means of all rows, and `ratio` of odds or rates per
    raw unit of a predictor. Statistics: the `rate` of all events, and the `spread` of the groups' rates, an SD.
    `n_rows_used` are cells. The dispersion of an overdispersed model is not simulated.
    """
    cells, used = model.cells, _cells_used(model)
    groups, index = np.unique(cells.group_index[used], return_inverse=True)
    made = _replicated(model, priors, used, groups, index, np.random.default_rng([seed, 2]))
    first = np.searchsorted(index, np.arange(groups.size))
    events, size = (np.add.reduceat(values[used], first) for values in (cells.events, cells.size))
    grid = _grid(events / size, made.rate)
    below = np.array([np.searchsorted(np.sort(one), grid, side="right") for one in made.rate]) / groups.size
    distance = np.abs(made.level - overall_link(cells))
    return PriorPredictive(
        expected=_expected(model, made),
        statistics=_statistics(events, size, made, tail),
        share_wild=float((distance > np.log(WILD_RATIO)).mean()),
        outcome_grid=grid,
        share_below=np.quantile(below, QUANTILES, axis=0),
        share_below_observed=np.searchsorted(np.sort(events / size), grid, side="right") / groups.size,
        n_draws=N_DRAWS,
        n_rows_used=used.size,
        tail=tail,
    )


def _cells_used(model: CountedModel) -> Integers:
    """Positions of at most ROWS_LIMIT cells: all, or evenly spaced in the order of their groups."""
    n = model.cells.events.size
    return np.linspace(0, n - 1, min(ROWS_LIMIT, n)).round().astype(np.int64)


def _replicated(
    model: CountedModel,
    priors: CountedPriors,
    used: Integers,
    groups: Integers,
    index: Integers,
    rng: np.random.Generator,
) -> _Replicated:
    q, own = len(model.varying), model.n_own
    beta = priors.beta_mean + priors.beta_sd * rng.standard_normal((N_DRAWS, priors.beta_mean.size))
    sd = np.abs(priors.sigma_group_sd * rng.standard_normal((N_DRAWS, q)))
    root = sd[:, :, None] * lkj.cholesky_factors(priors.lkj, q, N_DRAWS, rng)
    effects = rng.standard_normal((N_DRAWS, groups.size, q)) @ np.swapaxes(root, 1, 2)
    x, size = model.design[used], model.cells.size[used]
    eta = beta @ x.T + np.einsum("scq,cq->sc", effects[:, index], x[:, list(model.varying)])
    events = _simulated(model.cells.family, size, eta, rng)
    first = np.searchsorted(index, np.arange(groups.size))
    level = beta[:, :1] + beta[:, own:] @ model.group_values[groups].T
    if 0 in model.varying:
        level = level + effects[..., model.varying.index(0)]
    rate = np.add.reduceat(events, first, axis=1) / np.add.reduceat(size, first)
    return _Replicated(level, beta[:, 1:own], rate, events.sum(axis=1) / size.sum())


def _simulated(family: Family, size: Floats, eta: Floats, rng: np.random.Generator) -> Floats:
    """(S, cells) events."""
    mean = mean_of(family, eta)
    if family == "binomial":
        return rng.binomial(np.rint(size).astype(np.int64), mean).astype(float)
    return rng.poisson(np.minimum(size * mean, LARGEST_COUNT)).astype(float)


def _grid(observed: Floats, replicated: Floats) -> Floats:
    """(CURVE_POINTS,) rates that span the 2.5 % to 97.5 % quantiles of all simulated ones, and the data's range."""
    low, high = np.quantile(replicated, QUANTILES[[0, -1]])
    return np.linspace(min(low, observed.min()), max(high, observed.max()), CURVE_POINTS)


def _expected(model: CountedModel, made: _Replicated) -> tuple[Expected, ...]:
    rates = mean_of(model.cells.family, np.quantile(made.level, QUANTILES))
    slopes = np.quantile(made.slopes / model.scaling.scale[: model.n_own - 1], QUANTILES, axis=0).T
    named = zip(model.cells.terms[1:], np.exp(slopes), strict=False)
    return Expected("rate", "", rates), *(Expected("ratio", term, values) for term, values in named)


def _statistics(events: Floats, size: Floats, made: _Replicated, tail: float) -> tuple[PriorStatistic, ...]:
    """Priors that allow a far larger spread than the data's are vague, not wrong."""
    return (
        statistic_of("rate", "", float(events.sum() / size.sum()), made.overall, tail),
        statistic_of("spread", "", float((events / size).std()), made.rate.std(axis=1), tail, only_above=True),
    )
