"""The posterior's density with group effects integrated out by quadrature, in parameters without constraints.

In order: coefficients in units, log group SDs in units, partial correlations (tanh^-1, row by row). The units are about
the maximum of the likelihood and its curvature there, so that the mode lies near 0. Up to a constant, the density is
that of partial_pooling_counted.stan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.stats.bayes.parameter_units import with_prior
from tasks.stats.bayes.unconstrained import correlation_factor
from tasks.stats.counted.batches import batches
from tasks.stats.counted.design import Basis, Design, basis_of, design_of
from tasks.stats.counted.likelihood_search import Search
from tasks.stats.counted.marginal_likelihood import by_group
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.newton import climbed
from tasks.stats.counted.priors import CountedPriors, log_prior_of
from tasks.stats.counted.quadrature import ROUGH_POINTS, Rule, rule
from tasks.stats.counted.starts import race
from tasks.stats.records import Floats

LEAST_SD = 0.05  # of groups, on the link's scale, to begin with
NEAR_ENOUGH = 0.1  # standard errors from the maximum: where racing groups were some of all, they left it farther away
LEAST_CURVATURE = 1e-8  # of the likelihood in SDs of the predictors; the priors say more than less


@dataclass(frozen=True)
class CountedParameters:
    beta: Floats  # (S, p)
    sigma_group: Floats  # (S, q)
    correlation_factor: Floats  # (S, q, q) lower
    log_jacobian: Floats  # (S,) of the constraints, in the correlations and not in their factor

    @property
    def factor(self) -> Floats:
        """(S, q, q) lower, of the group effects' covariance."""
        return self.sigma_group[:, :, None] * self.correlation_factor

    @property
    def correlation(self) -> Floats:
        """(S, q, q)"""
        return self.correlation_factor @ np.swapaxes(self.correlation_factor, 1, 2)

    @property
    def quantities(self) -> Floats:
        """(S, d) fixed effects, group SDs, correlations (lower triangle, row by row)."""
        rows, columns = np.tril_indices(self.correlation_factor.shape[1], -1)
        return np.column_stack([self.beta, self.sigma_group, self.correlation[:, rows, columns]])

    def every(self, step: int) -> CountedParameters:
        """Of every `step`-th draw."""
        kept = slice(None, None, step)
        of = (self.beta, self.sigma_group, self.correlation_factor, self.log_jacobian)
        return CountedParameters(*(each[kept] for each in of))

    def variables(self, chains: int) -> Mapping[str, Floats]:
        """Dealt into chains (C, D, ...), named as a Stan engine's."""
        flat = {"beta": self.beta, "sigma_group": self.sigma_group, "L_group": self.correlation_factor}
        return {name: values.reshape(chains, -1, *values.shape[1:]) for name, values in flat.items()}


@dataclass(frozen=True)
class CountedMarginal:
    """Modes of the group effects are searched from those at the centre of the units."""

    design: Design  # its basis are the model's own columns (C, p)
    rule: Rule
    modes: Floats  # (q, J) of the groups that have cells
    priors: CountedPriors
    beta_center: Floats  # (p,)
    beta_factor: Floats  # (p, p)
    sigma_group: Floats  # (q,)

    @property
    def guessed_scale(self) -> Floats:
        """(d,) about the SD of each parameter."""
        q, j = self.design.q, self.design.n_groups
        n_correlations = q * (q - 1) // 2
        return np.concatenate(
            [np.ones(self.beta_center.size), np.full(q, (2.0 * j) ** -0.5), np.full(n_correlations, j**-0.5)]
        )

    def constrained(self, free: Floats) -> CountedParameters:
        """`free` is (S, d)."""
        p, q = self.beta_center.size, self.design.q
        log_sd = free[:, p : p + q]
        factor, log_jacobian = correlation_factor(free[:, p + q :], q)
        beta = self.beta_center + free[:, :p] @ self.beta_factor.T
        return CountedParameters(beta, self.sigma_group * np.exp(log_sd), factor, log_jacobian + log_sd.sum(axis=1))

    def log_density(self, free: Floats) -> Floats:
        """(S,) up to a constant."""
        at = self.constrained(free)
        prior = log_prior_of(at.beta, at.sigma_group, at.correlation, self.priors) + at.log_jacobian
        log_lik = np.zeros(len(free))
        for batch in batches(self.design, at.beta, at.factor, self.modes):
            of_groups = by_group(batch.design, self.rule, batch.linear, batch.start)
            log_lik[batch.draws] += of_groups.reshape(batch.shape).sum(axis=1)
        return prior + log_lik


def full_design(model: CountedModel) -> Design:
    """The model's cells, with all columns of its own design as fixed effects."""
    x = model.design
    whole = Basis(x, np.eye(x.shape[1]), np.zeros(x.shape[1], dtype=bool))
    return design_of(model.cells, whole, _varying_columns(model))


def counted_marginal(model: CountedModel, priors: CountedPriors) -> CountedMarginal:
    """With units from the likelihood by a rough rule, and from the priors where these say more."""
    basis = basis_of(model.design, model.cells.n_rows)
    raced = race(design_of(model.cells, basis, _varying_columns(model)))
    near = climbed(raced.rough, raced.ranked[0], raced.information, NEAR_ENOUGH)
    sd = np.sqrt((raced.rough.factor(near) ** 2).sum(axis=1))
    center, factor = _coefficient_units(basis, raced.rough, near, raced.information, priors)
    raced.rough.at(near)
    return CountedMarginal(
        design=full_design(model),
        rule=rule(len(model.varying), ROUGH_POINTS.get(len(model.varying), 1)),
        modes=raced.rough.modes.copy(),
        priors=priors,
        beta_center=center,
        beta_factor=factor,
        sigma_group=np.minimum(np.maximum(sd, LEAST_SD), priors.sigma_group_sd),
    )


def _varying_columns(model: CountedModel) -> Floats:
    return np.ascontiguousarray(model.design[:, list(model.varying)].T)


def _coefficient_units(
    basis: Basis, search: Search, near: Floats, information: Floats, priors: CountedPriors
) -> tuple[Floats, Floats]:
    """Center (p,) and factor (p, p). Aliased terms begin with what their priors say."""
    values, vectors = np.linalg.eigh(information)
    covariance = (vectors / np.maximum(values, LEAST_CURVATURE)) @ vectors.T
    fixed, cov = near[: search.m], covariance[: search.m, : search.m]
    mean, se = basis.to_scaled @ fixed, basis.to_scaled @ cov @ basis.to_scaled.T
    aliased = basis.is_aliased
    mean[aliased] = priors.beta_mean[aliased]
    se[aliased], se[:, aliased] = 0.0, 0.0
    se[aliased, aliased] = priors.beta_sd[aliased] ** 2
    return with_prior(mean, se, priors.beta_mean, priors.beta_sd)
