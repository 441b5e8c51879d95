"""Are groups one normal population, as partial pooling takes them to be? Or do some lie far out, or in two clusters?

Conditional modes of the group effects are standardised by what the fit expects of each, which leaves a standard normal
for every group, however much it is shrunk. Groups far out: generalised extreme Studentised deviates (Rosner 1983,
Technometrics 25). Two clusters: the split that explains most of the variance (Engelman & Hartigan 1969, J. Am. Stat.
Assoc. 64), against normal values split alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from tasks.stats.fits.mean_structure import Fitted
from tasks.stats.fits.reml import relative_factor
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats

FEWEST_GROUPS = 10
CHANCE = 0.01
MOST_OUTLYING = 0.2  # of the groups; more are no outliers
FEWEST_IN_CLUSTER = 3
SMALLEST_CLUSTER = 0.1  # of the groups
REPLICATES = 999
VALUES_LIMIT = 4_000_000


@dataclass(frozen=True)
class EffectShape:
    """Of one varying effect."""

    term: str
    standardised: Floats  # (J,) about standard normal if groups are as the model says
    outlying: tuple[int, ...]  # groups far out, farthest first
    cluster_sizes: tuple[int, int]  # of the best split, lower values first
    explained: float  # share of the variance that the split explains
    cluster_p: float  # of normal values

    @property
    def has_clusters(self) -> bool:
        """Groups far out make a cluster of what is left; they are said first."""
        return self.cluster_p < CHANCE and not self.outlying


def effect_shapes(fit: Fitted, seed: int) -> tuple[EffectShape, ...]:
    """One for each effect that varies by the fit; none below FEWEST_GROUPS groups."""
    scores = _standardised(fit)
    kept = [k for k in range(len(fit.varying)) if np.isfinite(scores[:, k]).all()]
    if len(scores) < FEWEST_GROUPS:
        return ()
    terms, rng = fit.structure.products.terms, np.random.default_rng([seed, 14])
    return tuple(shape_of(terms[fit.varying[k]], scores[:, k], rng) for k in kept)


def _standardised(fit: Fitted) -> Floats:
    """(J, q) modes by their SD under the model, [Sigma - sigma^2 M_j]_kk; NaN where the effect does not vary."""
    moved = fit.at.m @ fit.model.ztw
    modes = moved[..., -1] - moved[..., :-1] @ fit.at.fixef
    factor = relative_factor(fit.theta, len(fit.varying))
    expected = fit.at.sigma**2 * (np.diag(factor @ factor.T) - np.diagonal(fit.at.m, axis1=1, axis2=2))
    varies = expected > 1e-8 * fit.at.sigma**2
    return np.where(varies, modes / np.sqrt(np.where(varies, expected, 1.0)), np.nan)


def shape_of(term: str, scores: Floats, rng: np.random.Generator) -> EffectShape:
    """Of standardised effects (J,), standard normal if groups are as the model says."""
    explained, lower = _best_split(np.sort(scores)[None])
    n_replicates = int(np.clip(VALUES_LIMIT // scores.size, 199, REPLICATES))
    null = _best_split(np.sort(rng.standard_normal((n_replicates, scores.size)), axis=1))[0]
    p_value = (1.0 + (null >= explained[0]).sum()) / (1.0 + n_replicates)
    sizes = int(lower[0]), int(scores.size - lower[0])
    return EffectShape(term, scores, _outlying(scores), sizes, float(explained[0]), float(p_value))


def _outlying(scores: Floats) -> tuple[int, ...]:
    """Groups that are too far out, farthest first; the level of the test is CHANCE for all together."""
    left, removed, n_found = np.arange(scores.size), [], 0
    for n in range(scores.size, scores.size - max(1, int(MOST_OUTLYING * scores.size)), -1):
        away = np.abs(scores[left] - scores[left].mean())
        farthest = int(away.argmax())
        t = stdtrit(n - 2, 1.0 - CHANCE / (2.0 * n))
        limit = (n - 1) * t / np.sqrt((n - 2 + t**2) * n)
        removed.append(int(left[farthest]))
        if away[farthest] > limit * scores[left].std(ddof=1):
            n_found = len(removed)
        left = np.delete(left, farthest)
    return tuple(removed[:n_found])


def _best_split(values: Floats) -> tuple[Floats, Floats]:
    """Share of the variance between the two parts, and the size of the lower one, (R,) each, of sorted (R, J)."""
    n = values.shape[1]
    fewest = max(FEWEST_IN_CLUSTER, int(np.ceil(SMALLEST_CLUSTER * n)))
    sizes = np.arange(fewest, n - fewest + 1)
    centred = values - values.mean(axis=1, keepdims=True)
    below = np.cumsum(centred, axis=1)[:, sizes - 1]
    between = below**2 * n / (sizes * (n - sizes)) / (centred**2).sum(axis=1, keepdims=True)
    best = between.argmax(axis=1)
    return between[np.arange(len(values)), best], sizes[best]


def judge_effect_shapes(found: tuple[EffectShape, ...]) -> tuple[Judgement, ...]:
    """One judgement per effect; what is found does not sink a model, whose intervals have been seen to hold."""
    return tuple(_judgement(one) for one in found)


def _judgement(found: EffectShape) -> Judgement:
    kind, term = "group_effects", found.term
    if found.outlying:
        return Judgement(kind, "review", "outlying", term, float(len(found.outlying)), 0.0)
    if found.has_clusters:
        return Judgement(kind, "review", "clusters", term, found.cluster_p, CHANCE)
    return Judgement(kind, "pass", "normal", term, found.cluster_p, CHANCE)
