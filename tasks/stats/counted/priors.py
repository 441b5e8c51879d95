"""Priors of counted outcomes on the link's scale, unless the study overrides them.

With centre-scaled predictors: intercept about the link of the overall rate with an SD of 1.5, slopes about 0 with an SD
of 1 per SD of their predictor, group SDs half-normal with scale 1, correlations LKJ(2). One on the log-odds scale is a
factor of 2.7 in the odds, so that they leave room for all but the strangest data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from tasks.stats.bayes import lkj
from tasks.stats.counted.model import CountedModel
from tasks.stats.fits.cells import Cells
from tasks.stats.records import Floats
from tasks.study.settings import NormalPrior, Priors

INTERCEPT_SD, SLOPE_SD, GROUP_SD = 1.5, 1.0, 1.0
HALF = 0.5  # an event more, so that a rate of none or of all has a link
LEAST_SPREAD = 1e-6  # SD of an added column that is nearly constant


@dataclass(frozen=True)
class CountedPriors:
    """Of all terms, added ones last."""

    beta_mean: Floats  # (p,)
    beta_sd: Floats  # (p,)
    sigma_group_sd: Floats  # (q,) half-normal scales
    lkj: float


def default_priors(model: CountedModel) -> CountedPriors:
    """The priors where a study gives none."""
    return resolve_counted_priors(Priors(), model)


def resolve_counted_priors(priors: Priors, model: CountedModel) -> CountedPriors:
    """The study's own priors, on the link's scale, and the defaults for all others.

    As of the normal family, the intercept is the average group's level where every predictor is at its mean, slopes are
    per SD of their predictor. A counted outcome has no residual SD: a prior of it has no effect. Added terms have the
    default per SD of their column.
    """
    own, varying = model.cells.terms[: model.n_own], [model.cells.terms[k] for k in model.varying]
    intercept = priors.intercept or NormalPrior(mean=overall_link(model.cells), sd=INTERCEPT_SD)
    betas = [intercept, *(priors.slopes.get(name) or NormalPrior(sd=SLOPE_SD) for name in own[1:])]
    added_sd = SLOPE_SD / np.maximum(_row_sd(model), LEAST_SPREAD)
    return CountedPriors(
        beta_mean=np.append([each.mean for each in betas], np.zeros(added_sd.size)),
        beta_sd=np.append([each.sd for each in betas], added_sd),
        sigma_group_sd=np.array([priors.sigma_group_sd.get(name, GROUP_SD) for name in varying]),
        lkj=priors.correlation_lkj,
    )


def overall_link(cells: Cells) -> float:
    """The link of the rate over all cells; finite where there are no events, or nothing else."""
    events, size = float(cells.events.sum()), float(cells.size.sum())
    if cells.family == "binomial":
        return float(logit((events + HALF) / (size + 2.0 * HALF)))
    return float(np.log((events + HALF) / size))


def _row_sd(model: CountedModel) -> Floats:
    """(added,) SDs over rows of the added columns."""
    columns, rows = model.design[:, model.n_own :], model.cells.n_rows.astype(float)
    center = rows @ columns / rows.sum()
    return np.sqrt(rows @ (columns - center) ** 2 / rows.sum())


def log_prior_of(beta: Floats, sigma_group: Floats, correlation: Floats, priors: CountedPriors) -> Floats:
    """(...) up to a constant, of parameters (..., p), (..., q) and (..., q, q), as stated: without Jacobians."""
    return np.asarray(
        -0.5 * (((beta - priors.beta_mean) / priors.beta_sd) ** 2).sum(axis=-1)
        - 0.5 * ((sigma_group / priors.sigma_group_sd) ** 2).sum(axis=-1)
        + lkj.log_density(correlation, priors.lkj)
    )
