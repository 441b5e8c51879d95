"""The marginal posterior's density in parameters without constraints, as the marginal Stan program has them.

In order: coefficients in units, log group SDs in units, partial correlations (tanh^-1, row by row), log residual SD
in units (`tasks.stats.bayes.parameter_units`). The density is that of partial_pooling_marginal.stan up to a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.group_likelihood import ParameterDraws, marginal_log_lik
from tasks.stats.bayes.log_density import log_prior_of
from tasks.stats.bayes.parameter_units import ParameterUnits
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Floats

MOST_APART = 15.0  # tanh^-1 of a partial correlation: a larger one is 1 but for rounding


@dataclass(frozen=True)
class Parameters:
    """Constrained draws in the outcome's unit, intercepts about the outcome's mean."""

    beta: Floats  # (S, p)
    sigma_group: Floats  # (S, q)
    correlation_factor: Floats  # (S, q, q) lower
    sigma: Floats  # (S,)
    log_jacobian: Floats  # (S,) of the constraints, in the correlations and not in their factor

    @property
    def quantities(self) -> Floats:
        """(S, d) fixed effects, group SDs, correlations (lower triangle, row by row), residual SD."""
        correlation = self.correlation_factor @ np.swapaxes(self.correlation_factor, 1, 2)
        rows, columns = np.tril_indices(correlation.shape[1], -1)
        return np.column_stack([self.beta, self.sigma_group, correlation[:, rows, columns], self.sigma])


@dataclass(frozen=True)
class MarginalPosterior:
    products: ModelCrossProducts
    varying: tuple[int, ...]
    priors: ResolvedPriors
    units: ParameterUnits

    @property
    def guessed_scale(self) -> Floats:
        """(d,) about the SD of each unconstrained parameter."""
        q, j, n = len(self.varying), len(self.products.labels), self.products.n_rows
        sd = np.full(q, (2.0 * j) ** -0.5)
        return np.concatenate([np.ones(self.products.p), sd, np.full(q * (q - 1) // 2, j**-0.5), [(2.0 * n) ** -0.5]])

    def constrained(self, free: Floats) -> Parameters:
        """`free` is (S, d)."""
        p, q, units = self.products.p, len(self.varying), self.units
        log_sd, log_sigma = free[:, p : p + q], free[:, -1]
        factor, log_jacobian = correlation_factor(free[:, p + q : -1], q)
        return Parameters(
            beta=units.beta_center + free[:, :p] @ units.beta_factor.T,
            sigma_group=units.sigma_group * np.exp(log_sd),
            correlation_factor=factor,
            sigma=units.sigma * np.exp(log_sigma),
            log_jacobian=log_jacobian + log_sd.sum(axis=1) + log_sigma,
        )

    def log_density(self, free: Floats) -> Floats:
        """(S,) up to a constant."""
        at = self.constrained(free)
        factor = at.sigma_group[:, :, None] * at.correlation_factor
        beta = at.beta + np.eye(at.beta.shape[1])[0] * self.products.outcome_center
        correlation = at.correlation_factor @ np.swapaxes(at.correlation_factor, 1, 2)
        log_lik = marginal_log_lik(self.products.gram, self.varying, ParameterDraws(at.beta, factor, at.sigma))
        return log_lik + log_prior_of(beta, at.sigma_group, correlation, at.sigma, self.priors) + at.log_jacobian

    def variables(self, free: Floats, chains: int, outcome_scale: float) -> Mapping[str, Floats]:
        """Draws dealt into chains (C, D, ...), named and scaled as a Stan engine's."""
        at = self.constrained(free)
        flat = {
            "beta": at.beta / outcome_scale,
            "sigma_group": at.sigma_group / outcome_scale,
            "L_group": at.correlation_factor,
            "sigma": at.sigma / outcome_scale,
        }
        return {name: values.reshape(chains, -1, *values.shape[1:]) for name, values in flat.items()}


def correlation_factor(free: Floats, q: int) -> tuple[Floats, Floats]:
    """Factors (S, q, q) from tanh^-1 of partial correlations (S, q (q - 1) / 2), and the log Jacobian (S,).

    The Jacobian is that of the correlations, the scale on which the LKJ prior is stated.
    """
    factor = np.zeros((len(free), q, q))
    log_jacobian, at = np.zeros(len(free)), 0
    for i in range(q):
        left = np.ones(len(free))
        for k in range(i):
            partial = np.tanh(np.clip(free[:, at], -MOST_APART, MOST_APART))
            log_jacobian += np.log1p(-(partial**2)) + 0.5 * np.log(left)
            factor[:, i, k] = partial * np.sqrt(left)
            left = left * (1.0 - partial**2)
            at += 1
        factor[:, i, i] = np.sqrt(left)
        log_jacobian += (q - 1 - i) * 0.5 * np.log(left)
    return factor, log_jacobian
