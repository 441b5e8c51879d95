"""Which place each group takes among all, and how certain that is.

In every posterior draw the groups are ranked; rank 1 is the highest value, whether or not high is good.
The spread of a group's rank over draws is its uncertainty (Goldstein & Spiegelhalter 1996, *JRSS A* 159;
Laird & Louis 1989 for expected ranks). Ties have probability 0 and go by position.

Rankability is the share of the differences between estimates that is not chance,
rho = tau^2 / (tau^2 + median_j s_j^2), with s_j^2 the sampling variance of group j's own estimate
(van Houwelingen, Brand & Louis 1999; Lingsma et al. 2010, *QJM* 103; van Dishoeck et al. 2011, *BMJ Qual. Saf.* 20,
who call less than 0.5 poor and 0.5 to 0.75 moderate; more is high, as in Hofstede et al. 2019, same journal, 28).
Here s_j^2 comes from the group's rows with its other varying effects partially pooled; where only levels
vary it is sigma^2 / n_j.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.posterior import estimate
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.small_matrices import cholesky, inverse_and_log_det
from tasks.stats.records import Floats, Integers, MedianEstimate, PosteriorDraws

VALUES_LIMIT = 20_000_000  # draws x groups that are ranked, per term
BLOCK_VALUES = 1_000_000
RANKABILITY_DRAWS = 400
# A league table is defensible only if at least this share of the groups is surely in one half of it.
PLACED_SHARE = 0.5


@dataclass(frozen=True)
class RankedTerm:
    """Ranks from 1, the highest value, to J, of one varying term's group estimates; arrays are (J,)."""

    term: str
    expected: Floats  # posterior mean of the rank
    lower: Integers  # 95 % interval of the rank, both ends included
    upper: Integers
    top: Floats  # P(among the first `n_extreme`)
    bottom: Floats  # P(among the last `n_extreme`)
    above: Floats  # P(above the mean of these groups)
    half: Integers  # 1, -1: the whole interval lies in the upper, the lower half of the table; 0: in neither
    rankability: MedianEstimate  # () 0 to 1
    is_defensible: bool  # whether a league table is defensible

    @property
    def n_placed(self) -> int:
        """The number of groups whose whole interval lies in one half of the table."""
        return int(np.count_nonzero(self.half))

    @property
    def typical_places(self) -> float:
        """Median over groups of the number of places that the interval spans, both ends counted."""
        return float(np.median(self.upper - self.lower + 1))


@dataclass(frozen=True)
class Ranks:
    n_draws: int  # ranked
    n_extreme: int  # groups in the top, or bottom, decile: J / 10, rounded up
    terms: tuple[RankedTerm, ...]  # one per varying term


def ranks(
    draws: PosteriorDraws, products: ModelCrossProducts, varying: tuple[int, ...], least_rankability: float
) -> Ranks:
    """One ranking per varying term. Draws are thinned evenly, so that draws x J stay within VALUES_LIMIT."""
    coef = draws.group_coef.reshape(-1, *draws.group_coef.shape[2:])
    kept = evenly(len(coef), VALUES_LIMIT // coef.shape[1])
    share = estimate(rankability(draws, products, varying)[None])
    terms = []
    for i, k in enumerate(varying):
        of_term = MedianEstimate(share.mean[i], share.sd[i], share.lower[i], share.upper[i], share.median[i])
        terms.append(ranked(products.terms[k], coef[kept, :, k], of_term, least_rankability))
    return Ranks(len(kept), n_extreme(coef.shape[1]), tuple(terms))


def n_extreme(n_groups: int) -> int:
    return math.ceil(n_groups / 10)


def evenly(n: int, limit: int) -> np.ndarray:
    """At most `limit` of n positions, evenly spread."""
    return np.linspace(0, n - 1, min(n, max(limit, 1))).round().astype(int)


def ranked(term: str, values: Floats, share: MedianEstimate, least_rankability: float) -> RankedTerm:
    """The ranking of one term; `values` (S, J) are the groups' coefficients."""
    rank = rank_in_each_draw(values)
    lower, upper = central_interval(rank)
    n, extreme = values.shape[1], n_extreme(values.shape[1])
    half = (upper <= n // 2).astype(np.int64) - (lower > (n + 1) // 2)
    return RankedTerm(
        term=term,
        expected=rank.mean(axis=0),
        lower=lower,
        upper=upper,
        top=(rank <= extreme).mean(axis=0),
        bottom=(rank > n - extreme).mean(axis=0),
        above=(values > values.mean(axis=1, keepdims=True)).mean(axis=0),
        half=half,
        rankability=share,
        is_defensible=bool(share.median >= least_rankability and np.count_nonzero(half) >= PLACED_SHARE * n),
    )


def rank_in_each_draw(values: Floats) -> np.ndarray:
    """(S, J) ranks of `values` (S, J) within each row, 1 for the highest."""
    rank = np.empty(values.shape, dtype=np.int32)
    places = np.arange(1, values.shape[1] + 1, dtype=np.int32)[None]
    block = max(1, BLOCK_VALUES // values.shape[1])
    for start in range(0, len(values), block):
        rows = slice(start, start + block)
        np.put_along_axis(rank[rows], np.argsort(-values[rows], axis=1), places, axis=1)
    return rank


def central_interval(rank: np.ndarray) -> tuple[Integers, Integers]:
    """The smallest ranks (J,) that 2.5 %, and 97.5 %, of the draws (S, J) do not exceed."""
    at = [math.ceil(share * len(rank)) - 1 for share in (0.025, 0.975)]
    lower, upper = np.partition(rank, at, axis=0)[at].astype(np.int64)
    return lower, upper


def rankability(draws: PosteriorDraws, products: ModelCrossProducts, varying: tuple[int, ...]) -> Floats:
    """(R, q) rankability of each varying term, for R evenly spread draws."""
    sigma, q = draws.sigma.ravel(), len(varying)
    kept = evenly(sigma.size, min(RANKABILITY_DRAWS, VALUES_LIMIT // (len(products.labels) * q**2)))
    tau = draws.sigma_group.reshape(-1, q)[kept]
    correlation = draws.correlation.reshape(-1, q, q)[kept]
    ztz = products.gram[:, varying][:, :, varying]
    rho = np.empty(tau.shape)
    for i in range(q):
        others = [o for o in range(q) if o != i]
        root = tau[:, others, None] * cholesky(correlation[:, others][:, :, others]) if others else None
        error = np.median(sampling_variance(ztz, i, others, root, sigma[kept]), axis=1)
        rho[:, i] = tau[:, i] ** 2 / (tau[:, i] ** 2 + error)
    return rho


def sampling_variance(ztz: Floats, i: int, others: list[int], root: Floats | None, sigma: Floats) -> Floats:
    """(R, J) sampling variance of effect i from the group's own rows.

    It is 1 / (z_i' W^-1 z_i) with W = sigma^2 I + Z_o T T' Z_o', infinite if z_i is 0 throughout. `root` T
    (R, q - 1, q - 1) is the root of the covariance of the other effects.
    """
    information = np.broadcast_to(ztz[:, i, i], (sigma.size, len(ztz)))
    if root is not None:
        t = root[:, None]
        across = np.swapaxes(t, -1, -2) @ ztz[:, others, i][..., None]
        inner = np.swapaxes(t, -1, -2) @ ztz[:, others][:, :, others] @ t
        inverse, _ = inverse_and_log_det(inner + (sigma**2)[:, None, None, None] * np.eye(len(others)))
        information = information - (np.swapaxes(across, -1, -2) @ inverse @ across)[..., 0, 0]
    with np.errstate(divide="ignore"):
        return (sigma**2)[:, None] / np.maximum(information, 0.0)
