"""Are ranks uniform? Their ECDF against a band that holds all of it at once with 95 %.

At each of the possible ranks the number of simulations below is binomial, and each count is held to the same local
level, which is found by simulation: Säilynoja, Bürkner & Vehtari (2022), Stat. Comput. 32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import binom

from tasks.stats.records import Floats, Integers

LEVEL = 0.05
SIMULATED = 10_000


@dataclass(frozen=True)
class Uniformity:
    """Of ranks among `n_draws` draws; the ECDF less the uniform one at 1 / (n_draws + 1), 2 / (n_draws + 1), ..."""

    ranks: Integers
    n_draws: int

    @property
    def at(self) -> Floats:
        return np.arange(1, self.n_draws + 1) / (self.n_draws + 1)

    @property
    def difference(self) -> Floats:
        return _below(self.ranks[None], self.n_draws)[0] / self.ranks.size - self.at

    @property
    def band(self) -> tuple[Floats, Floats]:
        """The lowest and the highest difference within the band."""
        n, local = self.ranks.size, float(np.quantile(_least_tails(self.ranks.size, self.n_draws), LEVEL))
        low, high = binom.ppf(local, n, self.at), binom.isf(local, n, self.at)
        return low / n - self.at, high / n - self.at

    @property
    def p_value(self) -> float:
        """Of uniform ranks: how often their ECDF comes as far out anywhere."""
        mine = least_tail(_below(self.ranks[None], self.n_draws), self.ranks.size, self.at)[0]
        return float((1 + (_least_tails(self.ranks.size, self.n_draws) <= mine).sum()) / (1 + SIMULATED))

    @property
    def mean(self) -> float:
        """1 / 2 if uniform; lower: the draws lie too high."""
        return float(self.ranks.mean() / self.n_draws)

    @property
    def spread(self) -> float:
        """SD of the ranks, in that of uniform ones. Above 1: the posterior is too narrow, below: too wide."""
        return float(self.ranks.std() / np.sqrt(((self.n_draws + 1) ** 2 - 1) / 12))


def least_tail(below: Integers, n: int, at: Floats) -> Floats:
    """The smaller tail probability of counts (S, K) where they are farthest out."""
    return np.minimum(binom.cdf(below, n, at), binom.sf(below - 1, n, at)).min(axis=1)


def _below(ranks: Integers, n_draws: int) -> Integers:
    """(S, n_draws) how many of ranks (S, n) are below 1, 2, ..., n_draws."""
    return np.array([np.bincount(row, minlength=n_draws + 1)[:n_draws].cumsum() for row in ranks])


@cache
def _least_tails(n: int, n_draws: int) -> Floats:
    rng, at = np.random.default_rng(1), np.arange(1, n_draws + 1) / (n_draws + 1)
    return np.concatenate(
        [least_tail(_below(rng.integers(0, n_draws + 1, (500, n)), n_draws), n, at) for _ in range(SIMULATED // 500)]
    )
