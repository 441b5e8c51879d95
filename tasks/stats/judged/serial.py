"""Do rows of a group resemble the row before? Then a group has fewer rows to speak of than it seems.

The test is of the products of each residual with the next one of its group, in the order that the study names or else
as rows stand in their file, from sums of products of neighbouring rows. If rows are independent given their group,
residuals of a mixed model are not quite: with M_j as in `fits.reml`, cov(r_i, r_k) = -sigma^2 z_i'M_j z_k, so that much
is taken off. The correlation itself is the one of highest restricted likelihood, for rows that follow one another by
a first-order autoregression: that takes the mean of a group for what it is, as the test's own ratio does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.mean_structure import Fitted, mean_structure, model_of
from tasks.stats.fits.reml import fit_near
from tasks.stats.judgement import Judgement

CHANCE = 0.01
HINT = 0.05
NOTICEABLE = 0.1
TOO_STRONG = 0.3
MOST = 0.95
FEWEST_PAIRS = 20
SORTED = 0.98  # share of steps in one direction that no order in time would show


@dataclass(frozen=True)
class Serial:
    correlation: float
    p_value: float  # of independent rows, one-sided
    n_pairs: int
    is_named: bool  # the order is the study's, not the file's
    is_sorted: bool  # within groups the file is sorted by the outcome: its order says nothing

    @property
    def effective_share(self) -> float:
        """Independent rows worth one row, for a group's mean: (1 - r) / (1 + r)."""
        return (1.0 - self.correlation) / (1.0 + self.correlation)

    @property
    def strength(self) -> Literal["none", "some", "strong", "unknown"]:
        if self.is_sorted or self.n_pairs < FEWEST_PAIRS:
            return "unknown"
        if self.p_value >= CHANCE or self.correlation <= NOTICEABLE:
            return "none"
        return "strong" if self.correlation > TOO_STRONG else "some"


def serial(products: ModelCrossProducts, fit: Fitted, *, is_named: bool) -> Serial:
    """Of the residuals of `fit`, a fit of the study's `products` with or without added terms."""
    wide, w, sigma = fit.structure.products.wide, fit.residual_weights, fit.at.sigma
    pairs, columns = wide.n_pairs, list(fit.varying)
    n_pairs = float(pairs.sum())
    share_rising = float(wide.rises.sum() / n_pairs) if n_pairs else 0.5
    is_sorted = not is_named and n_pairs > 0 and not 1.0 - SORTED < share_rising < SORTED
    if n_pairs < FEWEST_PAIRS:
        return Serial(0.0, 1.0, round(n_pairs), is_named, is_sorted)
    observed = np.einsum("ji,jik,jk->j", w, wide.lag, w, optimize=True)
    expected = -(sigma**2) * np.einsum("jkl,jlk->j", fit.at.m, wide.lag[:, columns][:, :, columns])
    square = np.einsum("ji,jik,jk->j", w, wide.gram, w, optimize=True)
    variance = np.maximum(square / np.maximum(fit.structure.n, 1.0), 1e-12 * sigma**2)
    excess = float((observed - expected).sum())
    z = excess / float(np.sqrt((pairs * variance**2).sum()))
    correlation = most_likely(products, fit) if ndtr(-z) < CHANCE else excess / float((pairs * variance).sum())
    return Serial(correlation, float(ndtr(-z)), round(n_pairs), is_named, is_sorted)


def most_likely(products: ModelCrossProducts, fit: Fitted) -> float:
    """The serial correlation of highest restricted likelihood, for the terms and varying effects of `fit`.

    Taking correlation r from the rows multiplies the density by sqrt(1 - r^2) for every first row, so the criterion
    is that of the whitened rows less log(1 - r^2) for each of them.
    """
    n_first = float(products.n.sum() - products.wide.n_pairs.sum())

    def criterion(r: float) -> float:
        structure = mean_structure(products, fit.structure.added, r)
        return fit_near(model_of(structure, fit.varying), fit.theta)[1].value - n_first * float(np.log(1.0 - r**2))

    return float(minimize_scalar(criterion, bounds=(0.0, MOST), method="bounded", options={"xatol": 0.005}).x)


def judge_serial(found: Serial) -> tuple[Judgement, ...]:
    kind, strength = "serial", found.strength
    if strength == "unknown":
        return (Judgement(kind, "pass", "sorted" if found.is_sorted else "few pairs", limit=NOTICEABLE),)
    if strength == "none":
        is_hinted = found.p_value < HINT and found.correlation > NOTICEABLE
        case = "hinted" if is_hinted else "none"
        return (Judgement(kind, "pass", case, value=found.correlation, limit=NOTICEABLE),)
    if strength == "some":
        return (
            Judgement(kind, "review", "some", value=found.correlation, limit=NOTICEABLE, against="partial_pooling"),
        )
    return (Judgement(kind, "fail", "strong", value=found.correlation, limit=TOO_STRONG, against="every model"),)
