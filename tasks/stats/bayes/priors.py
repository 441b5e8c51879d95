"""Priors on the data's scale, unless the study overrides them.

With s the outcome's standard deviation and centre-scaled predictors: intercept normal(mean(y), 2.5 s),
slopes normal(0, 2.5 s), each group SD half-normal(0, s), correlations LKJ(2), residual SD
exponential(1 / s). Weakly informative in the sense of Gelman, Jakulin, Pittau & Su (2008) and of
rstanarm's defaults: they rule out the absurd and leave the rest to the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.stats.records import Floats, Scaling
from tasks.study.model import Study
from tasks.study.settings import NormalPrior


@dataclass(frozen=True)
class ResolvedPriors:
    """Every prior as a number, in the outcome's unit."""

    beta_mean: Floats  # (p,)
    beta_sd: Floats  # (p,)
    sigma_group_sd: Floats  # (q,) half-normal scales
    sigma_mean: float  # mean of the exponential prior of the residual SD
    lkj: float


def resolve_priors(study: Study, scaling: Scaling) -> ResolvedPriors:
    """The study's own priors, and the defaults on the data's scale for all others."""
    s = scaling.outcome_scale
    intercept = study.priors.intercept or NormalPrior(mean=scaling.outcome_center, sd=2.5 * s)
    slopes = [study.priors.slopes.get(name) or NormalPrior(sd=2.5 * s) for name in study.predictors]
    betas = [intercept, *slopes]
    varying = [study.terms[k] for k in (0, *study.varying_columns)]
    return ResolvedPriors(
        beta_mean=np.array([b.mean for b in betas]),
        beta_sd=np.array([b.sd for b in betas]),
        sigma_group_sd=np.array([study.priors.sigma_group_sd.get(name, s) for name in varying]),
        sigma_mean=study.priors.sigma_residual_mean or s,
        lkj=study.priors.correlation_lkj,
    )
