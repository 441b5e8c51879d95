"""Partial pooling by REML in its three flavours: what varies by group is the intercept, slopes, or both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.fits.intervals import Z_95, conditional_sd, joint_se, root_or_nan
from tasks.stats.fits.reml import Criterion, MixedModel, Profile, fit, mixed_model, relative_factor
from tasks.stats.fits.shrinkage import shrinkage_factor
from tasks.stats.fits.singularity import is_singular
from tasks.stats.judgement import Judgement
from tasks.stats.records import Flavour, Floats, PartialPooling, Scaling


def flavours(varying_columns: tuple[int, ...]) -> dict[Flavour, tuple[int, ...]]:
    """The columns that vary in each flavour; only "varying_intercept" if no slope may vary."""
    if not varying_columns:
        return {"varying_intercept": (0,)}
    return {
        "varying_intercept": (0,),
        "varying_slope": varying_columns,
        "varying_intercept_slope": (0, *varying_columns),
    }


def partial_pooling(
    products: ModelCrossProducts,
    scaling: Scaling,
    flavour: Flavour,
    varying: tuple[int, ...],
    criterion: Criterion = "reml",
    singular_tolerance: float = 1e-4,
) -> PartialPooling:
    """Fit one flavour; `varying` are the q columns whose effect differs by group, correlated."""
    model = mixed_model(products, varying, criterion)
    best = fit(model)
    at = best.profile
    factor = relative_factor(best.theta, model.q)
    coef = group_estimates(at, factor, varying)
    rss = residual_sum_of_squares(products, coef).sum()
    coef[:, 0] += products.outcome_center
    fixef = at.fixef + np.eye(products.p)[0] * products.outcome_center
    fixef_cov = at.sigma**2 * at.unscaled_cov
    cov = at.sigma**2 * factor @ factor.T
    se = joint_se(at.sigma, at.m, model.ztw[..., :-1], at.unscaled_cov, varying)
    return PartialPooling(
        flavour=flavour,
        varying=varying,
        criterion=criterion,
        criterion_value=at.value + _criterion_of_scaling(model, scaling),
        criterion_value_scaled=at.value,
        theta=best.theta,
        fixef=fixef,
        se=root_or_nan(np.diag(fixef_cov)),
        fixef_cov=fixef_cov,
        cov=cov,
        sigma=at.sigma,
        is_singular=is_singular(factor, singular_tolerance),
        converged=best.converged,
        gradient_norm=best.gradient_norm,
        coef=coef,
        conditional_sd=conditional_sd(at.sigma, at.m, varying, products.p),
        coef_se=se,
        lower=coef - Z_95 * se,
        upper=coef + Z_95 * se,
        shrinkage_factor=shrinkage_factor(model.ztz, cov, at.sigma),
        rmse=float(np.sqrt(rss / products.n_rows)),
    )


def group_estimates(at: Profile, factor: Floats, varying: tuple[int, ...]) -> Floats:
    """(J, p) fixed effects plus conditional modes L L' v_j; the intercept about the outcome's mean."""
    coef = np.tile(at.fixef, (len(at.v), 1))
    coef[:, list(varying)] += at.v @ (factor @ factor.T)
    return coef


def _criterion_of_scaling(model: MixedModel, scaling: Scaling) -> float:
    """By how much centre-scaling lowers the REML criterion, since log|X'W^-1 X| depends on the units of X."""
    return 2.0 * float(np.log(scaling.scale).sum()) if model.criterion == "reml" else 0.0


def judge_convergence(partial: Mapping[Flavour, PartialPooling]) -> tuple[Judgement, ...]:
    n_failed = sum(not fit.converged for fit in partial.values())
    if n_failed:
        return (Judgement("convergence", "fail", "not converged", value=n_failed, limit=0, against="partial_pooling"),)
    return (Judgement("convergence", "pass", "converged", value=0, limit=0),)
