"""How much the priors matter: power-scaling sensitivity, without sampling again.

Prior or likelihood are raised to a power just below and just above 1 by importance weights; sensitivity is how fast
each quantity's posterior then moves (the gradient of the cumulative Jensen-Shannon distance). Kallioinen, Paananen,
Buerkner & Vehtari (2024), Stat. Comput. 34:57, doi:10.1007/s11222-023-10366-5; computed by ArviZ.

In a hierarchical model only the priors of the top level are scaled: group effects belong to the
model, and are integrated out. For the estimate of one group j, the likelihood that is scaled is
p(y_j | u_j, ...) p(y_others | ...): the group's own rows given the estimate, all other groups' rows with their effects
integrated out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.stats.bayes.group_likelihood import group_log_lik, marginal_log_lik, parameter_draws
from tasks.stats.bayes.log_density import conditional_log_lik, log_prior
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.draws import Draws
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, PosteriorDraws

ALPHAS = (0.99, 1.01)
VALUES_LIMIT = 20_000_000  # draws times groups: draws are thinned beyond it
GROUPS_LIMIT = 24  # groups whose estimates are looked at: evenly spread over all
# With few groups, any prior on their spread matters: of 24 simulated studies of 6 to 10 groups from the model itself,
# 19 had a spread (or the ICC) at 0.05 or above, one at 0.1. At 0.1, doubling the prior's weight moves the quantity by
# half its uncertainty.
SPREAD_ALLOWANCE = 2.0

Kind = Literal["fixef", "sigma_group", "correlation", "sigma", "icc", "group"]
Diagnosis = Literal["", "conflict", "strong prior"]


@dataclass(frozen=True)
class Sensitivity:
    """The sensitivity of one reported quantity; 0 = unmoved. `terms` and `group` (a position) say which quantity."""

    kind: Kind
    terms: tuple[str, ...]
    group: int  # -1: of no group
    prior: float
    likelihood: float
    diagnosis: Diagnosis  # empty if `prior` is below the threshold
    limit: float  # `prior` at or above it asks for review; infinite for a correlation, on which little depends

    @property
    def asks_review(self) -> bool:
        return bool(self.prior >= self.limit)


@dataclass(frozen=True)
class PriorSensitivity:
    """Parameters first, in the report's order, then `n_groups_used` groups' estimates."""

    quantities: tuple[Sensitivity, ...]
    n_groups_used: int
    n_draws_used: int
    threshold: float

    @property
    def flagged(self) -> tuple[Sensitivity, ...]:
        """The quantities that the prior moves noticeably."""
        return tuple(one for one in self.quantities if one.diagnosis)

    @property
    def to_review(self) -> tuple[Sensitivity, ...]:
        """The flagged quantities that the prior moves so much that they need review."""
        return tuple(one for one in self.flagged if one.asks_review)


@dataclass(frozen=True)
class Quantity:
    """A reported quantity; `group` is a position, -1 of none."""

    kind: Kind
    terms: tuple[str, ...]
    values: Floats  # (C, D)
    group: int = -1


@dataclass(frozen=True)
class PowerWeights:
    lower: Floats  # (C, D), for ALPHAS[0]
    upper: Floats  # (C, D), for ALPHAS[1]


def prior_sensitivity(
    products: ModelCrossProducts,
    varying: tuple[int, ...],
    draws: PosteriorDraws,
    priors: ResolvedPriors,
    threshold: float,
) -> PriorSensitivity:
    """The sensitivity of every reported parameter, and of up to GROUPS_LIMIT groups' estimates."""
    kept = _thinned(draws, len(products.labels))
    shape = kept.sigma.shape
    at = parameter_draws(kept, products.outcome_center, kept.sigma.size)
    total = marginal_log_lik(products.gram, varying, at)
    by_prior, by_likelihood = power_weights(log_prior(kept, priors)), power_weights(total.reshape(shape))
    found = [
        sensitivity(one, by_prior, by_likelihood, threshold)
        for one in (
            *parameters(kept, products.terms, varying),
            Quantity("sigma", (), kept.sigma),
            Quantity("icc", (), kept.icc),
        )
    ]
    chosen = list(_groups(kept, len(products.labels)))
    for j, coef in chosen:
        gram = products.gram[j]
        centred = coef.reshape(-1, products.p) - np.eye(products.p)[0] * products.outcome_center
        own = conditional_log_lik(gram, centred, at.sigma) - group_log_lik(gram[None], varying, at)[:, 0]
        weights = power_weights((total + own).reshape(shape))
        for k, term in enumerate(products.terms):
            one = Quantity("group", (term,), coef[..., k], j)
            found.append(sensitivity(one, by_prior, weights, threshold))
    return PriorSensitivity(tuple(found), len(chosen), total.size, threshold)


def _thinned(draws: PosteriorDraws, n_groups: int) -> PosteriorDraws:
    """All draws, or every k-th if all are too many. `checked_coef` is filled in either case."""
    step = slice(None, None, -(-draws.sigma.size * n_groups // VALUES_LIMIT))
    coef = draws.group_coef[:, :, :: draws.checked_step] if draws.checked_coef is None else draws.checked_coef
    names = ("beta", "sigma_group", "correlation", "sigma")
    return replace(draws, checked_coef=coef[:, step], **{name: getattr(draws, name)[:, step] for name in names})


def parameters(draws: Draws, terms: tuple[str, ...], varying: tuple[int, ...]) -> Iterator[Quantity]:
    """Fixed effects, SDs and correlations of the varying effects."""
    names = [terms[k] for k in varying]
    for k, term in enumerate(terms):
        yield Quantity("fixef", (term,), draws.beta[..., k])
    for k, term in enumerate(names):
        yield Quantity("sigma_group", (term,), draws.sigma_group[..., k])
    for k in range(len(names)):
        for m in range(k):
            yield Quantity("correlation", (names[m], names[k]), draws.correlation[..., k, m])


def _groups(draws: PosteriorDraws, n_groups: int) -> Iterator[tuple[int, Floats]]:
    """Positions of evenly spread groups, each with its coefficients (C, D, p)."""
    coef = draws.checked_coef
    assert coef is not None
    places = np.unique(np.linspace(0, coef.shape[2] - 1, GROUPS_LIMIT).round().astype(int))
    for place in places:
        yield int(place) * draws.checked_step, coef[:, :, place]


def power_weights(log_component: Floats) -> PowerWeights:
    """Pareto-smoothed importance weights which scale a component of the posterior; (C, D), each of sum 1."""
    from arviz_stats.base import array_stats

    lower, upper = (np.exp(array_stats.power_scale_lw(log_component, alpha=alpha, axis=(0, 1))) for alpha in ALPHAS)
    return PowerWeights(lower / lower.sum(), upper / upper.sum())


def sensitivity(one: Quantity, prior: PowerWeights, likelihood: PowerWeights, threshold: float) -> Sensitivity:
    by_prior, by_likelihood = _moved(one.values, prior), _moved(one.values, likelihood)
    return sensitivity_of(one.kind, one.terms, one.group, by_prior, by_likelihood, threshold)


def sensitivity_of(
    kind: Kind, terms: tuple[str, ...], group: int, prior: float, likelihood: float, threshold: float
) -> Sensitivity:
    """The sensitivities with diagnosis and limit.

    The limit is higher for the spread between groups and the ICC, which may depend on their prior a little.
    """
    limit = threshold * (SPREAD_ALLOWANCE if kind in ("sigma_group", "icc") else 1.0)
    if kind == "correlation":
        limit = float("inf")
    return Sensitivity(kind, terms, group, prior, likelihood, diagnosis(prior, likelihood, threshold), limit)


def _moved(values: Floats, weights: PowerWeights) -> float:
    from arviz_stats.base import array_stats

    return float(
        array_stats.power_scale_sense(values, weights.lower, weights.upper, *ALPHAS, chain_axis=0, draw_axis=1)
    )


def diagnosis(prior: float, likelihood: float, threshold: float) -> Diagnosis:
    """The diagnosis of Kallioinen et al. (2024). A quantity that cannot be judged (NaN) is not flagged."""
    if not prior >= threshold:
        return ""
    return "conflict" if likelihood >= threshold else "strong prior"


def judge_prior_sensitivity(found: PriorSensitivity) -> tuple[Judgement, ...]:
    """One judgement. Its value is of the quantity with the largest sensitivity relative to its limit."""
    judged = [one for one in found.quantities if np.isfinite(one.limit) and np.isfinite(one.prior)]
    worst = max(judged, key=lambda one: one.prior / one.limit, default=None)
    value, limit = (None, found.threshold) if worst is None else (worst.prior, worst.limit)
    if found.to_review:
        return (Judgement("prior_sensitivity", "review", "noticeable", value=value, limit=limit),)
    case = "some" if any(one.kind != "correlation" for one in found.flagged) else "hardly"
    return (Judgement("prior_sensitivity", "pass", case, value=value, limit=limit),)
