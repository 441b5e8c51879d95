"""Are the predictions of single rows calibrated: LOO-PIT values, and their ECDF within a simultaneous band.

A row's PIT value is the probability, given all other rows, of an outcome below its own. Calibrated
predictions make the values uniform; how their ECDF leaves the diagonal tells what is wrong. The band
holds all of the curve at once with probability 95 % (Säilynoja, Bürkner & Vehtari 2022, Stat. Comput. 32,
arXiv:2103.10522). It takes the values as independent, which for LOO-PIT is nearly so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, ndtri

from tasks.stats.judgement import Judgement, Status
from tasks.stats.records import Floats

# How rows lie in their predictions; "other" is neither a shift nor a scale: skewed, or with long tails.
Shape = Literal["calibrated", "too_narrow", "too_wide", "too_high", "too_low", "other"]

BAND_PROBABILITY = 0.95
LEVELS = (0.5, 0.95)  # of the central intervals for single rows whose coverage is told
CLEAR = 2.0  # binomial standard errors
POINTS_LIMIT = 100
N_SIMULATIONS = 2000
FEWEST_ROWS = 10
# A shift and a scale together must explain this share of the curve; otherwise its shape is "other".
EXPLAINED_SHARE = 2 / 3


@dataclass(frozen=True)
class Held:
    """The share of the rows that lie in their central interval of some level."""

    level: float
    share: float
    width: Literal["too narrow", "about right", "too wide"]  # the others beyond CLEAR standard errors from the level


@dataclass(frozen=True)
class LooPit:
    """The ECDF of the LOO-PIT values less the uniform one, at `at`, and its band."""

    n_values: int
    at: Floats  # (K,) between 0 and 1
    difference: Floats  # (K,)
    lower: Floats  # (K,)
    upper: Floats  # (K,)
    band_probability: float
    share_outside: float  # of the K points
    shape: Shape
    held: tuple[Held, ...]  # by level, LEVELS
    share_above: float  # of the rows, above the middle of their prediction


def loo_pit(pit: Floats | None, seed: int) -> LooPit | None:
    """The ECDF and band of the PIT values (n,) of `LooResult`; None if there are fewer than FEWEST_ROWS."""
    from arviz_stats import ecdf_utils

    if pit is None or pit.size < FEWEST_ROWS:
        return None
    n, points = pit.size, min(pit.size, POINTS_LIMIT)
    at = np.arange(1, points) / points
    rng = np.random.default_rng(seed)
    pointwise = pointwise_probability(n, at, rng)
    lower, upper = (edge - at for edge in ecdf_utils.get_pointwise_confidence_band(pointwise, n, at))
    difference = ecdf_utils.compute_ecdf(pit, at) - at
    # A count on the band's edge is within it.
    outside = (difference < lower - 0.5 / n) | (difference > upper + 0.5 / n)
    return LooPit(
        n_values=n,
        at=at,
        difference=difference,
        lower=lower,
        upper=upper,
        band_probability=BAND_PROBABILITY,
        share_outside=float(outside.mean()),
        shape=shape_of(at, difference) if outside.any() else "calibrated",
        held=tuple(_held(pit, level) for level in LEVELS),
        share_above=float((pit > 0.5).mean()),
    )


def pointwise_probability(n: int, at: Floats, rng: np.random.Generator) -> float:
    """The probability of the pointwise bands at `at` that together hold the whole ECDF of n uniform values.

    Simulated as in Säilynoja et al.'s algorithm 1. Only how many values lie below each point counts, and its tail
    probabilities are tabulated: ten times as fast as ArviZ, which draws the values.
    """
    counts = rng.multinomial(n, np.diff(at, prepend=0.0, append=1.0), N_SIMULATIONS)[:, :-1].cumsum(axis=1)
    at_most = bdtr(np.arange(n + 1)[:, None], n, at)
    at_least = 1.0 - np.vstack([np.zeros(at.size), at_most[:-1]])
    tail = np.minimum(at_most, at_least)[counts, np.arange(at.size)].min(axis=1)
    return float(np.quantile(1.0 - 2.0 * tail, BAND_PROBABILITY))


def _held(pit: Floats, level: float) -> Held:
    share = float((np.abs(pit - 0.5) <= level / 2).mean())
    beyond = (share - level) / np.sqrt(level * (1 - level) / pit.size)
    return Held(level, share, "too narrow" if beyond < -CLEAR else "too wide" if beyond > CLEAR else "about right")


def shape_of(at: Floats, difference: Floats) -> Shape:
    """The shape that a difference ECDF shows.

    If the rows' standardised residuals were normal with mean m and SD 1 + s, the difference would be about
    -m phi(x) - s x phi(x) at the quantiles x of `at`. m and s are fitted, and the larger part decides the shape.
    Residuals are 0 on average in any model with a level, so a shift comes of skewed rows. A scale that is right for
    the curve as a whole need not be so at every level: see `Held`.
    """
    x = ndtri(at)
    density = np.exp(-0.5 * x**2)
    shift, scale = -density, -x * density
    parts = [float(part @ difference / (part @ part)) * part for part in (shift, scale)]
    sizes = [float(part @ part) for part in parts]
    if sum(sizes) < EXPLAINED_SHARE * float(difference @ difference):
        return "other"
    if sizes[0] >= sizes[1]:
        return "too_low" if parts[0] @ shift > 0 else "too_high"
    return "too_narrow" if parts[1] @ scale > 0 else "too_wide"


def judge_loo_pit(found: LooPit | None) -> tuple[Judgement, ...]:
    """Review if the ECDF leaves its band. The case is its shape.

    By chance alone it leaves the band in at most one study of twenty. PIT values within a group repel each other, which
    makes this rarer: of 64 simulated studies from the model, none did.
    """
    if found is None:
        return ()
    status: Status = "pass" if found.shape == "calibrated" else "review"
    return (Judgement("loo_pit", status, found.shape, value=found.share_outside, limit=0.0),)
