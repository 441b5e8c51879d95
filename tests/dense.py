"""The mixed model the slow and plain way: N x N matrices, nothing profiled, nothing summed by group.

The oracle for what `tasks.stats` computes from cross-products. All formulas are textbook ones:
V = sigma^2 R + Z G Z', R = I unless rows follow one another,
C = (X' V^-1 X)^-1, P = V^-1 - V^-1 X C X' V^-1 (Searle, Casella & McCulloch 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.records import Floats, GroupedData, Scaling


@dataclass(frozen=True)
class Dense:
    x: Floats  # (N, p)
    z: Floats  # (N, J q), group by group
    y: Floats  # (N,) about the outcome's mean
    group_cov: Floats  # (J q, J q)
    sigma: float
    row_cov: Floats | None = None  # (N, N) of rows given their group, in units of sigma^2; None: independent

    @cached_property
    def v(self) -> Floats:
        rows = np.eye(self.y.size) if self.row_cov is None else self.row_cov
        return self.sigma**2 * rows + self.z @ self.group_cov @ self.z.T

    @cached_property
    def beta_cov(self) -> Floats:
        return np.asarray(np.linalg.inv(self.x.T @ np.linalg.solve(self.v, self.x)))

    @cached_property
    def beta(self) -> Floats:
        return self.beta_cov @ self.x.T @ np.linalg.solve(self.v, self.y)

    @cached_property
    def p(self) -> Floats:
        v_inverse = np.linalg.inv(self.v)
        return v_inverse - v_inverse @ self.x @ self.beta_cov @ self.x.T @ v_inverse

    @cached_property
    def modes(self) -> Floats:
        """(J q,) best linear unbiased predictions of the group effects."""
        return self.group_cov @ self.z.T @ self.p @ self.y

    def deviance(self, criterion: str) -> float:
        """-2 log of the (restricted) likelihood, every constant included."""
        residual = self.y - self.x @ self.beta
        n, fixed = self.x.shape
        value = np.linalg.slogdet(self.v)[1] + residual @ np.linalg.solve(self.v, residual)
        if criterion == "ml":
            return float(value + n * np.log(2 * np.pi))
        return float(value - np.linalg.slogdet(self.beta_cov)[1] + (n - fixed) * np.log(2 * np.pi))

    def prediction_cov(self) -> Floats:
        """(p + J q, p + J q) covariance of (beta_hat - beta, b_hat - b): the mixed-model equations' inverse."""
        cross = -self.beta_cov @ self.x.T @ np.linalg.solve(self.v, self.z @ self.group_cov)
        effects = self.group_cov - self.group_cov @ self.z.T @ self.p @ self.z @ self.group_cov
        return np.block([[self.beta_cov, cross], [cross.T, effects]])

    def conditional_cov(self) -> Floats:
        """(J q, J q) covariance of the group effects given y and every parameter."""
        zg = self.z @ self.group_cov
        return self.group_cov - zg.T @ np.linalg.solve(self.v, zg)


def dense(
    data: GroupedData,
    scaling: Scaling,
    varying: tuple[int, ...],
    cov: Floats,
    sigma: float,
    row_cov: Floats | None = None,
) -> Dense:
    x = design_matrix(data, scaling)
    q, j = len(varying), data.n_groups
    z = np.zeros((data.n_rows, j, q))
    z[np.arange(data.n_rows), data.group_index] = x[:, list(varying)]
    y, group_cov = data.y - scaling.outcome_center, np.kron(np.eye(j), cov)
    return Dense(x, z.reshape(data.n_rows, -1), y, group_cov, sigma, row_cov)


def autoregressive(data: GroupedData, correlation: float) -> Floats:
    """(N, N) `Dense.row_cov` of rows that follow one another, as they stand, with innovations of SD 1."""
    same = data.group_index[:, None] == data.group_index
    at = np.array([(data.group_index[:i] == j).sum() for i, j in enumerate(data.group_index)])
    return same * correlation ** np.abs(at[:, None] - at) / (1.0 - correlation**2)


def profiled_deviance(
    data: GroupedData,
    scaling: Scaling,
    varying: tuple[int, ...],
    relative_cov: Floats,
    criterion: str,
    row_cov: Floats | None = None,
) -> float:
    """The deviance at a relative covariance, with sigma at its best."""
    unit = dense(data, scaling, varying, relative_cov, 1.0, row_cov)
    residual = unit.y - unit.x @ unit.beta
    df = unit.y.size - (unit.x.shape[1] if criterion == "reml" else 0)
    sigma2 = residual @ np.linalg.solve(unit.v, residual) / df
    return dense(data, scaling, varying, relative_cov * sigma2, float(np.sqrt(sigma2)), row_cov).deviance(criterion)
