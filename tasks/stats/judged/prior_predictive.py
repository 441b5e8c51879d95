"""What the priors say before they see the data: outcomes, levels and slopes simulated from them alone.

Gabry, Simpson, Vehtari, Betancourt & Gelman (2019), J. R. Stat. Soc. A 182(2): priors need not look like
the data, but should not rule them out, nor put most of their weight on data that nobody would believe. The check
whether the data lie in a tail of what the priors expect: Box (1980), J. R. Stat. Soc. A 143(4); Evans & Moshonov
(2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes import lkj
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers, Scaling

N_DRAWS = 2000
ROWS_LIMIT = 400  # of the study's rows are simulated: evenly spaced, in the order of their groups
WILD_SPREADS = 10.0  # an outcome farther from the data's mean than so many of their SDs is wild
CURVE_POINTS = 101
QUANTILES = np.array([0.025, 0.25, 0.5, 0.75, 0.975])


@dataclass(frozen=True)
class PriorDraws:
    """S draws of the parameters from their priors, in the outcome's unit on centre-scaled predictors."""

    beta: Floats  # (S, p)
    sigma_group: Floats  # (S, q)
    factor: Floats  # (S, q, q) Cholesky factor of the correlation
    sigma: Floats  # (S,)


@dataclass(frozen=True)
class Expected:
    """One quantity as the priors alone expect it."""

    name: str  # outcome, level, icc, or slope of a term
    term: str  # of a slope; else empty
    quantiles: Floats  # (5,) at QUANTILES; slopes in raw units


@dataclass(frozen=True)
class PriorStatistic:
    """A statistic of the study's rows beside its prior predictive distribution."""

    name: str  # median, SD, or slope of a term over all rows
    term: str
    observed: float
    lower: float  # central 95 % of the simulated data sets
    upper: float
    tail_probability: float  # share of simulated data sets at least as far out (one-sided)
    is_excluded: bool


@dataclass(frozen=True)
class PriorPredictive:
    expected: tuple[Expected, ...]
    statistics: tuple[PriorStatistic, ...]
    share_wild: float  # of the simulated outcomes
    outcome_grid: Floats  # (CURVE_POINTS,) in the outcome's unit
    share_below: Floats  # (5, CURVE_POINTS) of a data set's rows, at QUANTILES over data sets
    share_below_observed: Floats  # (CURVE_POINTS,) of the data's rows
    n_draws: int
    n_rows_used: int
    tail: float

    @property
    def excluded(self) -> tuple[PriorStatistic, ...]:
        return tuple(one for one in self.statistics if one.is_excluded)


def prior_draws(priors: ResolvedPriors, n: int, rng: np.random.Generator) -> PriorDraws:
    q = priors.sigma_group_sd.size
    return PriorDraws(
        beta=priors.beta_mean + priors.beta_sd * rng.standard_normal((n, priors.beta_mean.size)),
        sigma_group=np.abs(priors.sigma_group_sd * rng.standard_normal((n, q))),
        factor=lkj.cholesky_factors(priors.lkj, q, n, rng),
        sigma=priors.sigma_mean * rng.standard_exponential(n),
    )


def prior_predictive(
    data: GroupedData, varying: tuple[int, ...], priors: ResolvedPriors, scaling: Scaling, tail: float, seed: int
) -> PriorPredictive:
    """Simulate N_DRAWS data sets of the study's own design from the priors, and compare them with the data.

    `tail` is the tail probability below which the priors count as ruling the data out.
    """
    rng = np.random.default_rng([seed, 2])
    draws, rows = prior_draws(priors, N_DRAWS, rng), rows_used(data)
    x, (groups, index) = design_matrix(data, scaling)[rows], np.unique(data.group_index[rows], return_inverse=True)
    coef = _group_coef(draws, groups.size, varying, rng)
    y_rep = np.einsum("np,snp->sn", x, coef[:, index]) + draws.sigma[:, None] * rng.standard_normal((N_DRAWS, len(x)))
    y = data.y[rows]
    grid = _grid(y, y_rep, scaling)
    below = np.array([np.searchsorted(np.sort(one), grid, side="right") for one in y_rep]) / y.size
    return PriorPredictive(
        expected=_expected(draws, coef, y_rep, data.terms, scaling),
        statistics=_statistics(y, y_rep, x, data.terms, scaling, tail),
        share_wild=float((np.abs(y_rep - scaling.outcome_center) > WILD_SPREADS * scaling.outcome_scale).mean()),
        outcome_grid=grid,
        share_below=np.quantile(below, QUANTILES, axis=0),
        share_below_observed=np.searchsorted(np.sort(y), grid, side="right") / y.size,
        n_draws=N_DRAWS,
        n_rows_used=y.size,
        tail=tail,
    )


def rows_used(data: GroupedData) -> Integers:
    """Positions of at most ROWS_LIMIT rows: all, or evenly spaced in the order of their groups."""
    order = np.argsort(data.group_index, kind="stable")
    return order[np.linspace(0, order.size - 1, min(ROWS_LIMIT, order.size)).round().astype(int)]


def _group_coef(draws: PriorDraws, n_groups: int, varying: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """(S, G, p) coefficients of G groups drawn from the priors."""
    coef = np.repeat(draws.beta[:, None, :], n_groups, axis=1)
    z = rng.standard_normal((len(draws.beta), n_groups, len(varying)))
    root = draws.sigma_group[:, :, None] * draws.factor
    coef[..., list(varying)] += z @ np.swapaxes(root, 1, 2)
    return coef


def _grid(y: Floats, y_rep: Floats, scaling: Scaling) -> Floats:
    """(CURVE_POINTS,) outcomes that span the 2.5 % to 97.5 % quantiles of all simulated ones, and the data's range."""
    low, high = np.quantile(y_rep, QUANTILES[[0, -1]])
    margin = 0.1 * scaling.outcome_scale
    return np.linspace(min(low, y.min() - margin), max(high, y.max() + margin), CURVE_POINTS)


def _expected(
    draws: PriorDraws, coef: Floats, y_rep: Floats, terms: tuple[str, ...], scaling: Scaling
) -> tuple[Expected, ...]:
    between = draws.sigma_group[:, 0] ** 2
    values = [
        ("outcome", "", y_rep),
        ("level", "", coef[..., 0]),
        *(("slope", terms[k], coef[..., k] / scaling.scale[k - 1]) for k in range(1, len(terms))),
        ("icc", "", between / (between + draws.sigma**2)),
    ]
    return tuple(Expected(name, term, np.quantile(value, QUANTILES)) for name, term, value in values)


def _statistics(
    y: Floats, y_rep: Floats, x: Floats, terms: tuple[str, ...], scaling: Scaling, tail: float
) -> tuple[PriorStatistic, ...]:
    """The data's median, SD and slopes over all rows, beside those of the simulated data sets.

    Priors that allow a far larger SD than the data's are vague, not wrong: only an SD too large for the priors is
    excluded.
    """
    solve = np.linalg.pinv(x)  # least squares over all rows
    slopes, observed = y_rep @ solve.T, solve @ y
    found = [
        statistic_of("median", "", float(np.median(y)), np.median(y_rep, axis=1), tail),
        statistic_of("SD", "", float(y.std()), y_rep.std(axis=1), tail, only_above=True),
    ]
    for k in range(1, len(terms)):
        scale = scaling.scale[k - 1]
        found.append(statistic_of("slope", terms[k], float(observed[k] / scale), slopes[:, k] / scale, tail))
    return tuple(found)


def statistic_of(
    name: str, term: str, observed: float, replicated: Floats, tail: float, *, only_above: bool = False
) -> PriorStatistic:
    """The data's value beside those of the simulated data sets (S,); `only_above`: smaller ones are never excluded."""
    above, below = float((replicated >= observed).mean()), float((replicated <= observed).mean())
    probability = above if only_above else min(above, below)
    lower, upper = np.quantile(replicated, QUANTILES[[0, -1]])
    return PriorStatistic(name, term, observed, float(lower), float(upper), probability, probability < tail)


def judge_prior_predictive(found: PriorPredictive) -> tuple[Judgement, ...]:
    value = min(one.tail_probability for one in found.statistics)
    if found.excluded:
        return (Judgement("prior_predictive", "review", "excluded", value=value, limit=found.tail),)
    return (Judgement("prior_predictive", "pass", "room", value=value, limit=found.tail),)
