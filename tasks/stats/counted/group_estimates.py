"""Estimates of groups by a fit of partial pooling, with standard errors that count the parameters' uncertainty.

A group is described by the study's own terms: its linear predictor at the means of all rows, with what size and context
contribute, and its slopes there. The variance of the error is, to first order, the conditional covariance of the group
effects given the parameters, and what the parameters' own covariance does to the estimate (Kass & Steffey 1989, *JASA*
84): unlike the joint intervals of a mixed model of normal rows, also that of the variance parameters. Where the fit is
singular, directions without variance contribute nothing, and the standard errors are too small.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.group_modes import linear_of, mode_slopes, modes_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.counted.unconstrained import full_design
from tasks.stats.fits.reml import relative_factor
from tasks.stats.fits.small_matrices import lower_triangle
from tasks.stats.records import Floats


def group_estimates(model: CountedModel, fit: CountedPartialPooling) -> tuple[Floats, Floats]:
    """(J, p) estimates and (J, p) standard errors, on the link scale; NaN for aliased terms."""
    coef = _coefficients(model, fit.fixef, fit.conditional_mode)
    variance = np.zeros_like(coef)
    variance[:, list(fit.varying)] = np.diagonal(fit.conditional_cov, axis1=1, axis2=2)
    moved, cov = _derivatives(model, fit), fit.parameter_cov
    kept = np.append(np.isfinite(fit.fixef), np.ones(fit.theta.size, dtype=bool))
    variance += np.einsum("ajk,ab,bjk->jk", moved[kept], cov[np.ix_(kept, kept)], moved[kept], optimize=True)
    return coef, np.where(np.isfinite(coef), np.sqrt(np.maximum(variance, 0.0)), np.nan)


def _coefficients(model: CountedModel, fixef: Floats, effects: Floats) -> Floats:
    """(J, p) of fixed effects (p + added,) and group effects (J, q)."""
    p = model.n_own
    coef = np.tile(fixef[:p], (model.cells.n_groups, 1))
    coef[:, list(model.varying)] += effects
    coef[:, 0] += model.group_values @ np.nan_to_num(fixef[p:])
    return coef


def _derivatives(model: CountedModel, fit: CountedPartialPooling) -> Floats:
    """(p + added + k, J, p) of the estimates in the fixed effects and in theta."""
    design, factor = full_design(model), relative_factor(fit.theta, len(fit.varying))
    linear = linear_of(design, np.nan_to_num(fit.fixef), factor)
    modes = modes_of(design, linear, np.zeros((design.q, design.n_groups)))
    n_fixed, has_cells, varying = fit.fixef.size, np.unique(model.cells.group_index), np.array(fit.varying)
    effects = np.einsum("ab,bjk->kja", factor, mode_slopes(design, modes, factor))
    moved = np.zeros((n_fixed + fit.theta.size, model.cells.n_groups, model.n_own))
    for k in range(n_fixed):
        moved[k, has_cells[:, None], varying] = effects[k]
        if k < model.n_own:
            moved[k, :, k] += 1.0
        else:
            moved[k, :, 0] += model.group_values[:, k - model.n_own]
    for k, (row, column) in enumerate(zip(*lower_triangle(design.q), strict=True), start=n_fixed):
        moved[k, has_cells[:, None], varying] = effects[n_fixed + row * design.q + column]
        moved[k, has_cells, varying[row]] += modes.u[column]
    return moved
