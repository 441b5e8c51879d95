"""Partial pooling of counted outcomes by maximum likelihood: a generalised linear mixed model.

Group effects are normal on the link scale. Quadrature has 25 points for one varying effect, 9 by 9 for two. For more,
the likelihood is the Laplace approximation, whose group SDs are off where groups have few events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.design import Basis, basis_of, design_of
from tasks.stats.counted.group_modes import linear_of, modes_of
from tasks.stats.counted.likelihood_search import Search, free
from tasks.stats.counted.maximum_likelihood import Maximum, maximise, maximise_near
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.predictors import scaling_of
from tasks.stats.counted.quadrature import POINTS
from tasks.stats.fits.cells import Cells, Family
from tasks.stats.fits.singularity import is_singular
from tasks.stats.records import Flavour, Floats, Scaling


@dataclass(frozen=True)
class Certificate:
    """What shows that the likelihood has its maximum here; `tasks.stats.counted.maximum_likelihood` has the limits.

    Infinite, the least curvature apart, where the information is not that of a maximum.
    """

    decrement: float  # the score's length in standard errors
    step: float  # Newton's next step: the largest change of a parameter, relative to max(1, |parameter|)
    least_curvature: float  # least eigenvalue of the information of the free parameters


@dataclass(frozen=True)
class CountedPartialPooling:
    """A fit on centre-scaled predictors, on the link scale. `varying` are positions among the p terms."""

    family: Family
    flavour: Flavour
    varying: tuple[int, ...]  # q
    scaling: Scaling
    fixef: Floats  # (p,) NaN for aliased terms: combinations of those before them
    parameter_cov: Floats  # (p + k, p + k) of `fixef` and `theta`, by the observed information; NaN where there is none
    theta: Floats  # (q (q + 1) / 2,) column-major lower factor of `cov`
    cov: Floats  # (q, q) covariance of the varying effects
    log_lik: float
    n_points: int  # of the quadrature, per group
    conditional_mode: Floats  # (J, q) group effects
    conditional_cov: Floats  # (J, q, q) from the curvature at the mode, parameters taken as known
    is_singular: bool
    is_converged: bool
    is_unbounded: bool  # the likelihood does not fall, however far out: separation
    certificate: Certificate

    @property
    def fixef_cov(self) -> Floats:
        """(p, p) with the variance parameters' uncertainty."""
        return self.parameter_cov[: self.fixef.size, : self.fixef.size]

    @property
    def se(self) -> Floats:
        """(p,) of the fixed effects."""
        return np.sqrt(np.diag(self.fixef_cov))

    @property
    def sigma_group(self) -> Floats:
        """(q,) SDs of the varying effects."""
        return np.sqrt(np.diag(self.cov))

    @property
    def n_parameters(self) -> int:
        """Fixed effects that are not aliased, variances and covariances, on the boundary or not."""
        return int(np.isfinite(self.fixef).sum()) + self.theta.size

    @property
    def aic(self) -> float:
        return 2.0 * self.n_parameters - 2.0 * self.log_lik

    @property
    def correlation(self) -> Floats:
        """(q, q) correlations of the varying effects; NaN for an effect with an SD of 0."""
        sd = self.sigma_group
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.cov / np.outer(sd, sd)


def partial_pooling(
    cells: Cells, flavour: Flavour, varying: tuple[int, ...], singular_tolerance: float = 1e-4
) -> CountedPartialPooling:
    """Fit one flavour; `varying` are the q terms whose effect differs by group, correlated.

    Separated outcomes, and predictors that are constant or follow from others, are findings.
    """
    return partial_pooling_of(CountedModel(cells, scaling_of(cells), varying), flavour, singular_tolerance)


def partial_pooling_of(
    model: CountedModel,
    flavour: Flavour,
    singular_tolerance: float = 1e-4,
    start: CountedPartialPooling | None = None,
    points: int | None = None,
) -> CountedPartialPooling:
    """Fit a model of the families' own variance, overdispersed or not, on its own scaling.

    With `start`, a fit with the same varying effects, whose terms are the first of the model's, the maximum is searched
    for near it only. `points` per varying effect are those of the module unless given; a fit by other points, near a
    start, is for tests, and its covariance that of the start.
    """
    basis = basis_of(model.design, model.cells.n_rows)
    design = design_of(model.cells, basis, np.ascontiguousarray(model.design[:, list(model.varying)].T))
    n_points = points or POINTS.get(design.q, 1)
    if start is None:
        maximum, search = maximise(design, n_points)
    else:
        maximum, search = maximise_near(design, _parameters(basis, start), n_points, is_rough=points is not None)
    fixed, theta = np.split(maximum.parameters, [design.m])
    factor = search.factor(maximum.parameters)
    mode, conditional_cov = _group_effects(model.cells, search, maximum)
    return CountedPartialPooling(
        family=model.cells.family,
        flavour=flavour,
        varying=model.varying,
        scaling=model.scaling,
        fixef=basis.to_scaled @ fixed,
        parameter_cov=_parameter_cov(basis, search, maximum),
        theta=theta,
        cov=factor @ factor.T,
        log_lik=maximum.log_lik + model.cells.constant,
        n_points=search.rule.n_points,
        conditional_mode=mode,
        conditional_cov=conditional_cov,
        is_singular=is_singular(factor, singular_tolerance),
        is_converged=maximum.is_converged,
        is_unbounded=maximum.is_unbounded,
        certificate=Certificate(maximum.decrement, maximum.step, maximum.least_curvature),
    )


def _parameters(basis: Basis, fit: CountedPartialPooling) -> Floats:
    """(m + k,) a fit's parameters on a basis whose first columns are of the fit's terms; 0 for the others."""
    kept, own = ~basis.is_aliased, np.zeros(basis.is_aliased.size)
    own[: fit.fixef.size] = np.nan_to_num(fit.fixef)
    return np.append(np.linalg.solve(basis.to_scaled[kept], own[kept]), fit.theta)


def _parameter_cov(basis: Basis, search: Search, maximum: Maximum) -> Floats:
    """Elements of theta that the boundary holds have no variance."""
    p, m, k = len(basis.to_scaled), search.m, maximum.parameters.size - search.m
    if not np.isfinite(maximum.decrement):
        return np.full((p + k, p + k), np.nan)
    is_free = free(search, maximum.parameters)
    cov, to_scaled = np.zeros((m + k, m + k)), np.zeros((p + k, m + k))
    cov[np.ix_(is_free, is_free)] = np.linalg.inv(maximum.information)
    to_scaled[:p, :m], to_scaled[p:, m:] = basis.to_scaled, np.eye(k)
    return np.asarray(to_scaled @ cov @ to_scaled.T)


def _group_effects(cells: Cells, search: Search, maximum: Maximum) -> tuple[Floats, Floats]:
    """Modes (J, q) and conditional covariances (J, q, q); of a group without a cell, 0 and the groups' covariance."""
    factor = search.factor(maximum.parameters)
    linear = linear_of(search.design, maximum.parameters[: search.m], factor)
    at = modes_of(search.design, linear, search.modes)
    has_cells = np.unique(cells.group_index)
    mode = np.zeros((cells.n_groups, search.q))
    covariance = np.tile(factor @ factor.T, (cells.n_groups, 1, 1))
    mode[has_cells] = at.u.T @ factor.T
    covariance[has_cells] = factor @ at.inverse @ factor.T
    return mode, covariance
