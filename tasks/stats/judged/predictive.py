"""Posterior predictive checks: could the model have produced data like these?

The statistics are the median, skewness, minimum and maximum of all rows, and each group's median. Mean and SD
are not used, because the model fits them by construction and they cannot fail. A tail probability is
P(T(y_rep) >= T(y)), ties counted half (Gelman, Meng & Stern 1996).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy.special import bdtr

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    Floats,
    GroupedData,
    Integers,
    PosteriorDraws,
    PredictiveCheck,
    PredictiveStatistic,
    Scaling,
)

MOST_REPLICATES, FEWEST_REPLICATES = 1000, 100
VALUES_LIMIT = 20_000_000  # replicated rows in all
BLOCK_VALUES = 100_000  # replicated rows at once
# If more than this share of the groups' medians is off, the model misses the groups themselves.
MISSED_GROUPS_SHARE = 0.25


def skewness(y: Floats) -> Floats:
    """(...) of outcomes (..., N); 0 where they are all equal."""
    deviation = y - y.mean(axis=-1, keepdims=True)
    squared = deviation * deviation
    spread, third = np.sqrt(squared.mean(axis=-1)), (squared * deviation).mean(axis=-1)  # ** 3 takes 20 times as long
    return np.divide(third, spread**3, out=np.zeros_like(third), where=spread > 0)


STATISTICS: dict[str, Callable[[Floats], Floats]] = {
    "median": lambda y: np.median(y, axis=-1),
    "skewness": skewness,
    "minimum": lambda y: y.min(axis=-1),
    "maximum": lambda y: y.max(axis=-1),
}


def predictive_check(
    data: GroupedData, draws: PosteriorDraws, scaling: Scaling, tail: float, seed: int
) -> PredictiveCheck:
    """Replicate the rows of the known groups from up to MOST_REPLICATES draws, and compare.

    The rows may be a sample: a group without any has NaN, and is not counted.
    `tail` is the probability left in each tail before a group's median counts as outside.
    """
    by_group = rows_at(data, np.argsort(data.group_index, kind="stable"))
    sizes = np.bincount(data.group_index, minlength=data.n_groups)
    replicated, medians = _compared(by_group, sizes, draws, scaling, seed)
    observed_medians = group_medians(by_group.y, sizes)
    p_values = np.where(sizes > 0, _tail_probability(medians, observed_medians), np.nan)
    outside = int(((p_values < tail) | (p_values > 1.0 - tail)).sum())
    lower, upper = np.quantile(medians, [0.025, 0.975], axis=0)
    return PredictiveCheck(
        overall=tuple(
            PredictiveStatistic(name, observed, column, float(_tail_probability(column, observed)))
            for name, observed, column in zip(
                STATISTICS, map(float, _statistics(by_group.y)), replicated.T, strict=True
            )
        ),
        group_median_observed=observed_medians,
        group_median_lower=lower,
        group_median_upper=upper,
        group_p_value=p_values,
        n_groups_outside=outside,
        n_groups_outside_by_chance=2.0 * tail * int((sizes > 0).sum()),
        n_groups_outside_limit=_surprising_count(int((sizes > 0).sum()), 2.0 * tail),
        n_replicates=len(replicated),
    )


def rows_at(data: GroupedData, rows: Integers) -> GroupedData:
    """The rows at these positions, in this order."""
    return replace(data, y=data.y[rows], x=data.x[rows], group_index=data.group_index[rows])


def group_medians(sorted_by_group: Floats, sizes: np.ndarray) -> Floats:
    """(..., J) medians of rows (..., N) that stand group by group; NaN for an empty group."""
    starts, last = np.cumsum(sizes) - sizes, sorted_by_group.shape[-1] - 1
    spread = np.ptp(sorted_by_group) + 1.0
    lowest = sorted_by_group.min()
    shift = np.repeat(np.arange(sizes.size) * spread, sizes)
    values = np.sort(sorted_by_group - lowest + shift, axis=-1) - shift + lowest
    middle = values[..., np.minimum(starts + (sizes - 1).clip(0) // 2, last)]
    next_to = values[..., np.minimum(starts + sizes // 2, last)]
    return np.where(sizes > 0, (middle + next_to) / 2.0, np.nan)


def replicates(
    data: GroupedData, draws: PosteriorDraws, scaling: Scaling, most: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Replicated outcomes of the rows, from at most `most` draws evenly spaced: blocks (r, N) of a memory's size."""
    coef = draws.group_coef.reshape(-1, *draws.group_coef.shape[2:])
    sigma, nu = _scatter(draws)
    chosen = np.unique(np.linspace(0, len(coef) - 1, most).astype(int))
    x, groups = design_matrix(data, scaling), data.group_index
    for some in np.array_split(chosen, -(-chosen.size * data.n_rows // BLOCK_VALUES)):
        shape = (some.size, data.n_rows)
        y_rep = rng.standard_normal(shape) if nu is None else rng.standard_t(nu[some, None], shape)
        y_rep *= sigma[some, None] if sigma.ndim == 1 else sigma[some][:, groups]
        for k in range(x.shape[1]):
            y_rep += x[:, k] * coef[some, :, k][:, groups]
        yield y_rep


def _compared(
    data: GroupedData, sizes: np.ndarray, draws: PosteriorDraws, scaling: Scaling, seed: int
) -> tuple[Floats, Floats]:
    """Overall statistics (R, 4) and group medians (R, J) of replicates of rows that stand group by group."""
    most = int(np.clip(VALUES_LIMIT // data.n_rows, FEWEST_REPLICATES, MOST_REPLICATES))
    blocks = replicates(data, draws, scaling, most, np.random.default_rng(seed))
    parts = [(_statistics(y_rep), group_medians(y_rep, sizes)) for y_rep in blocks]
    return np.concatenate([overall for overall, _ in parts]), np.concatenate([medians for _, medians in parts])


def _statistics(y: Floats) -> Floats:
    """(..., 4) of outcomes (..., N), in the order of STATISTICS."""
    return np.stack([of(y) for of in STATISTICS.values()], axis=-1)


def _scatter(draws: PosteriorDraws) -> tuple[Floats, Floats | None]:
    """Residual scales (S,), or (S, J) where groups differ, and degrees of freedom (S,) if rows are Student-t."""
    kept = slice(None, None, draws.group_thin)
    sigma = draws.sigma if draws.group_sigma is None else draws.group_sigma
    flat = sigma[:, kept].reshape(-1, *sigma.shape[2:])
    return flat, None if draws.nu is None else draws.nu[:, kept].reshape(-1)


def _tail_probability(replicated: Floats, observed: float | Floats) -> Floats:
    return (replicated > observed).mean(axis=0) + 0.5 * (replicated == observed).mean(axis=0)


def _surprising_count(n_groups: int, share: float) -> int:
    """The number of groups outside that chance alone does not exceed in 99.9 % of studies (binomial)."""
    counts = np.arange(n_groups + 1)
    return int(counts[bdtr(counts, n_groups, share) >= 0.999][0])


def statistics_off(found: PredictiveCheck, tail: float) -> tuple[PredictiveStatistic, ...]:
    """The statistics that the model does not reproduce, each tested at an equal part of `tail` (Bonferroni)."""
    return tuple(one for one in found.overall if one.extremeness < tail / len(found.overall))


def judge_predictive(found: PredictiveCheck, tail: float) -> tuple[Judgement, Judgement]:
    """Two judgements: of the statistics of all rows, and of the groups' medians."""
    return _judge_statistics(found, tail), _judge_groups(found)


def _judge_statistics(found: PredictiveCheck, tail: float) -> Judgement:
    value, limit = min(one.extremeness for one in found.overall), tail / len(found.overall)
    if statistics_off(found, tail):
        return Judgement("posterior_predictive", "review", "off", value=value, limit=limit)
    return Judgement("posterior_predictive", "pass", "alike", value=value, limit=limit)


def _judge_groups(found: PredictiveCheck) -> Judgement:
    kind, outside, limit = "predictive_groups", found.n_groups_outside, found.n_groups_outside_limit
    if outside <= limit:
        return Judgement(kind, "pass", "alike", value=outside, limit=limit)
    if outside > MISSED_GROUPS_SHARE * found.n_groups_compared:
        return Judgement(kind, "fail", "missed", value=outside, limit=limit, against="every model")
    return Judgement(kind, "review", "missed", value=outside, limit=limit)
