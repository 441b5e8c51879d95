"""Uncertainty of a group's estimates, and whether the usual intervals have collapsed.

Three 95 % intervals for the group estimate beta_k + b_jk of a partial-pooling fit:

- conditional: from the SD of b_jk given all parameters, as most plots show it. It leaves out that beta
  and the variances were estimated too, and shrinks to nothing on a singular fit.
- joint: from the covariance of fixed and group effects together, the inverse of the mixed-model
  equations (Henderson 1975). It still takes the variances as known.
- calibrated: from the marginal posterior, which accounts for the uncertainty of all parameters.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from tasks.stats.judgement import Judgement
from tasks.stats.records import Estimate, Floats, Integers, IntervalComparison, PartialPooling

Z_95 = 1.959963984540054
# Intervals at least this wide, relative to calibrated ones, have a coverage of at least 92 %, against 95 %.
ABOUT_AS_WIDE = 0.9


def conditional_sd(sigma: float, m: Floats, varying: tuple[int, ...], p: int) -> Floats:
    """(J, p) SD of each group effect given the parameters; 0 for terms that do not vary. `m` (J, q, q)."""
    sd = np.zeros((len(m), p))
    sd[:, list(varying)] = sigma * np.sqrt(np.maximum(np.diagonal(m, axis1=1, axis2=2), 0.0))
    return sd


def joint_se(sigma: float, m: Floats, ztx: Floats, unscaled_cov: Floats, varying: tuple[int, ...]) -> Floats:
    """(J, p) standard errors of the group estimates, fixed effects' uncertainty included.

    With E the q columns of the identity that vary and H_j = M_j Z_j'X_j, the covariance of
    (beta_hat + E b_hat_j) - (beta + E b_j) is sigma^2 [(I - E H_j) C^-1 (I - E H_j)' + E M_j E'].
    `ztx` is (J, q, p), `unscaled_cov` C^-1 (p, p).
    """
    p = unscaled_cov.shape[0]
    e = np.eye(p)[:, list(varying)]
    keep = np.eye(p) - e @ (m @ ztx)
    variance = np.einsum("jab,bc,jac->ja", keep, unscaled_cov, keep, optimize=True)
    variance += np.einsum("ak,jkl,al->ja", e, m, e, optimize=True)
    return sigma * np.sqrt(np.maximum(variance, 0.0))


def root_or_nan(variances: Floats) -> Floats:
    """SDs; NaN for a variance that rounding has left below 0, as happens if the fit has not converged."""
    return np.sqrt(np.where(variances >= 0, variances, np.nan))


def compare_intervals(
    fit: PartialPooling, bayes: Estimate, terms: tuple[str, ...], collapsed_ratio: float
) -> tuple[IntervalComparison, ...]:
    """One comparison per varying term of `fit`, by the median over groups; `bayes` (J, p) is of the posterior."""
    return tuple(_compare(fit, bayes, k, terms[k], collapsed_ratio) for k in fit.varying)


def _compare(fit: PartialPooling, bayes: Estimate, k: int, term: str, collapsed_ratio: float) -> IntervalComparison:
    widths = (2 * Z_95 * fit.conditional_sd, fit.upper - fit.lower, bayes.upper - bayes.lower)
    conditional, joint, calibrated = (width[:, k] for width in widths)
    return interval_comparison(term, conditional, joint, calibrated, collapsed_ratio)


def interval_comparison(
    term: str, conditional: Floats, joint: Floats, calibrated: Floats, collapsed_ratio: float
) -> IntervalComparison:
    """Of the widths (J,) of the three intervals of a term."""
    ratio = float(np.median(conditional / calibrated))
    return IntervalComparison(
        term=term,
        conditional=float(np.median(conditional)),
        joint=float(np.median(joint)),
        calibrated=float(np.median(calibrated)),
        ratio=ratio,
        implied_coverage=float(2.0 * ndtr(Z_95 * ratio) - 1.0),
        is_collapsed=ratio < collapsed_ratio,
    )


def excludes_zero(lower: Floats, upper: Floats) -> Integers:
    """1 where an interval lies above 0, -1 where it lies below, else 0."""
    return (np.asarray(lower) > 0).astype(np.int64) - (np.asarray(upper) < 0)


def judge_intervals(found: tuple[IntervalComparison, ...], collapsed_ratio: float) -> tuple[Judgement, ...]:
    """One judgement per varying term: are its conditional intervals as wide as they should be?"""
    return tuple(_judgement(one, collapsed_ratio) for one in found)


def _judgement(one: IntervalComparison, limit: float) -> Judgement:
    if one.is_collapsed:
        return Judgement("intervals", "fail", "collapsed", one.term, one.ratio, limit, against="partial_pooling")
    case = "as wide" if one.ratio >= ABOUT_AS_WIDE else "narrow"
    return Judgement("intervals", "pass", case, one.term, one.ratio, limit)
