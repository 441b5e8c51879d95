"""Estimates of groups by a fit of partial pooling, with standard errors that count the parameters' uncertainty.

A group is described by the study's own terms: its linear predictor at the means of all rows, with what size and context
contribute, and its slopes there. The variance of the error is, to first order, the conditional covariance of the group
effects given the parameters, and what the parameters' own covariance does to the estimate (Kass & Steffey 1989, *JASA*
84): unlike the joint intervals of a mixed model of normal rows, also that of the variance parameters. Where the fit is
singular, directions without variance contribute nothing, and the standard errors are too small.
"""

from __future__ import annotations

import numpy as np

from tasks.stats.counted.design import Design, basis_of, design_of
from tasks.stats.counted.group_modes import linear_of, modes_of
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.fits.reml import relative_factor
from tasks.stats.records import Floats

DIFFERENCE = 1e-4  # of parameters, relative to max(1, |parameter|)


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
    """(p + added + k, J, p) of the estimates in the fixed effects and in theta, by central differences of the modes."""
    x, q, n_fixed = model.design, len(fit.varying), fit.fixef.size
    design = design_of(
        model.cells, basis_of(x[:, :1], model.cells.n_rows), np.ascontiguousarray(x[:, list(fit.varying)].T)
    )
    at = np.append(np.nan_to_num(fit.fixef), fit.theta)
    has_cells, has_variance = np.unique(model.cells.group_index), np.diag(fit.parameter_cov) > 0
    start = np.zeros((q, has_cells.size))
    moved = np.zeros((at.size, *(model.cells.n_groups, model.n_own)))
    for k in np.flatnonzero(has_variance):
        step = np.eye(at.size)[k] * DIFFERENCE * max(1.0, abs(at[k]))
        ends = []
        for there in (at + step, at - step):
            effects = np.zeros((model.cells.n_groups, q))
            effects[has_cells] = _modes(design, x @ there[:n_fixed], relative_factor(there[n_fixed:], q), start)
            ends.append(_coefficients(model, there[:n_fixed], effects))
        moved[k] = (ends[0] - ends[1]) / (2.0 * step[k])
    return moved


def _modes(design: Design, base: Floats, factor: Floats, start: Floats) -> Floats:
    """(J, q) group effects at their modes, and `start` (q, J) is moved there."""
    of_base = Design(design.family, base[:, None], design.z, design.events, design.size, design.group, design.first)
    found = modes_of(of_base, linear_of(of_base, np.ones(1), factor), start)
    start[:] = found.u
    return np.asarray(found.u.T @ factor.T)
