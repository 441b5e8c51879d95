"""The variance of rows within each group, each group's own moderated by all others'.

Variances of groups scatter about a common one like a scaled inverse chi-squared with `prior_df` degrees of freedom,
estimated from the spread of the logarithms (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1), section 6.2). Where groups
do not differ more than by chance, all share one variance; else a group's own rows count the more, the more they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

from tasks.stats.records import Floats

FEWEST = 2  # groups from which a spread of variances can be seen
ALIKE = 1e-6  # a variance of log variances below it is none


@dataclass(frozen=True)
class RowSpread:
    variance: Floats  # (J,) NaN if no group has any degree of freedom
    df: Floats  # (J,)


def row_spread(squares: Floats, df: Floats, kurtosis: float = 0.0) -> RowSpread:
    """From each group's residual sum of squares (J,) and its degrees of freedom (J,), which may be 0.

    With an excess `kurtosis` of rows a variance is as uncertain as with fewer degrees of freedom, and so it is taken.
    """
    fewer = 1.0 + max(kurtosis, 0.0) / 2.0
    squares, df = squares / fewer, np.maximum(df, 0.0) / fewer
    if df.sum() < 1:
        return RowSpread(np.full(len(df), np.nan), np.zeros(len(df)))
    centre, prior_df = _prior(squares, df)
    if not np.isfinite(prior_df):
        return RowSpread(np.full(len(df), centre), np.full(len(df), df.sum()))
    return RowSpread((prior_df * centre + squares) / (prior_df + df), np.minimum(prior_df + df, df.sum()))


def _prior(squares: Floats, df: Floats) -> tuple[float, float]:
    """The common variance, and how many degrees of freedom it is worth to a group; infinite if groups are alike."""
    pooled = float(squares.sum() / df.sum())
    seen = (df >= 1) & (squares > 0)
    if seen.sum() < FEWEST:
        return pooled, np.inf
    half = df[seen] / 2.0
    logs = np.log(squares[seen] / df[seen]) - digamma(half) + np.log(half)
    excess = float(logs.var(ddof=1) - polygamma(1, half).mean())
    if excess < ALIKE:
        return pooled, np.inf
    half_prior = float(brentq(lambda x: polygamma(1, x) - excess, 1e-8, 1.0 / ALIKE + 1.0))
    return float(np.exp(logs.mean() + digamma(half_prior) - np.log(half_prior))), 2.0 * half_prior
