"""A second opinion on the REML fit: from rows, by the algorithm of lme4 and a search without derivatives.

Penalised least squares on the whole design at once (Bates, Maechler, Bolker & Walker 2015, J. Stat. Softw. 67(1),
sections 3 and 4), as against sums per group and a descent along the criterion's gradient in `reml`. The two have no
step in common: neither the sums, nor the criterion, nor the search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import minimize

from tasks.stats.fits.reml import relative_factor
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, PartialPooling, Scaling

MOST_EFFECTS = 200  # groups times varying effects
MOST_ROWS = 20_000
MOST_EVALUATIONS = 400
TOLERANCE = 1e-3  # of the criterion, a deviance: 0.03 of a standard error is 1e-3
MOST_ROUNDING = 0.1  # where rounding may move the criterion by more, the two cannot be compared


@dataclass(frozen=True)
class SecondOpinion:
    """REML criteria on centre-scaled predictors: deviances, the lower the better the fit."""

    ours: float  # of the fit that is reported
    at_ours: float  # of the same estimates, computed anew from rows
    best: float  # the lowest that the second search found, from lme4's start
    tolerance: float = TOLERANCE  # with what rounding may do: more where groups lie millions of residual SDs apart

    @property
    def is_criterion_the_same(self) -> bool:
        return abs(self.at_ours - self.ours) <= self.tolerance

    @property
    def is_none_better(self) -> bool:
        return self.best >= self.at_ours - self.tolerance


def second_opinion(data: GroupedData, scaling: Scaling, fit: PartialPooling) -> SecondOpinion | None:
    """None if the fit is by another criterion or has no optimum, its digits do not suffice, or it would take too long.

    `data` are all rows of the fit.
    """
    n_effects = data.n_groups * len(fit.varying)
    if fit.criterion != "reml" or not fit.converged or n_effects > MOST_EFFECTS or data.n_rows > MOST_ROWS:
        return None
    problem = _Problem.of(data, scaling, fit.varying)
    rounding = problem.rounding(fit.sigma)
    if rounding > MOST_ROUNDING:
        return None
    diagonal = np.flatnonzero(np.equal(*np.triu_indices(len(fit.varying))))
    bounds = [(0.0 if k in diagonal else None, None) for k in range(fit.theta.size)]
    found = minimize(
        problem.criterion,
        np.isin(np.arange(fit.theta.size), diagonal).astype(float),
        method="Nelder-Mead",
        bounds=bounds,
        options={"maxfev": MOST_EVALUATIONS, "xatol": 1e-4, "fatol": 1e-5},
    )
    return SecondOpinion(
        fit.criterion_value_scaled, problem.criterion(fit.theta), float(found.fun), TOLERANCE + rounding
    )


@dataclass(frozen=True)
class _Problem:
    """Products of the whole design: `z` is (N, J q), an indicator of the group times each varying column."""

    ztz: Floats  # (J q, J q)
    ztw: Floats  # (J q, p + 1)
    wtw: Floats  # (p + 1, p + 1)
    q: int
    n: int

    @classmethod
    def of(cls, data: GroupedData, scaling: Scaling, varying: tuple[int, ...]) -> _Problem:
        x = np.column_stack([np.ones(data.n_rows), (data.x - scaling.center) / scaling.scale])
        w = np.column_stack([x, data.y - scaling.outcome_center])
        z = np.zeros((data.n_rows, data.n_groups, len(varying)))
        z[np.arange(data.n_rows), data.group_index] = x[:, list(varying)]
        flat = z.reshape(data.n_rows, -1)
        return cls(flat.T @ flat, flat.T @ w, w.T @ w, len(varying), data.n_rows)

    def rounding(self, sigma: float) -> float:
        """About what rounding in sums of squares does to a criterion in which the residual ones enter by logarithm."""
        total = float(self.wtw[-1, -1])
        return 4.0 * np.finfo(float).eps * total / sigma**2 if sigma > 0 else np.inf

    def criterion(self, theta: Floats) -> float:
        """lme4's profiled REML criterion: its equations 34 and 41."""
        factor, p = relative_factor(theta, self.q), len(self.wtw) - 1
        scaled = _by_group(_by_group(self.ztz, factor).T, factor)
        try:
            lower = cholesky(scaled + np.eye(len(scaled)), lower=True)
            across = solve_triangular(lower, _by_group(self.ztw.T, factor).T, lower=True)
            left = cholesky(self.wtw - across.T @ across, lower=True)
        except LinAlgError:  # a trial far out, where digits are lost
            return np.inf
        df = self.n - p
        log_dets = np.log(np.diag(lower)).sum() + np.log(np.diag(left)[:p]).sum()
        return float(2.0 * log_dets + df * (1.0 + np.log(2.0 * np.pi * left[p, p] ** 2 / df)))


def _by_group(values: Floats, factor: Floats) -> Floats:
    """(m, J q) values times the block-diagonal matrix that has `factor` (q, q) for each group."""
    return (values.reshape(len(values), -1, len(factor)) @ factor).reshape(values.shape)


def judge_second_opinion(found: SecondOpinion | None) -> tuple[Judgement, ...]:
    """One judgement, if there is a second opinion: the deviance by which it differs."""
    if found is None:
        return ()
    kind = "second_opinion"
    if not found.is_criterion_the_same:
        gap = found.at_ours - found.ours
        return (
            Judgement(kind, "fail", "other criterion", value=gap, limit=found.tolerance, against="partial_pooling"),
        )
    gap = found.at_ours - found.best
    if not found.is_none_better:
        return (Judgement(kind, "fail", "better fit", value=gap, limit=found.tolerance, against="partial_pooling"),)
    return (Judgement(kind, "pass", "agrees", value=gap, limit=found.tolerance),)
