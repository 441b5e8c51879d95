"""The Bayesian fit as it is reported: posterior summaries of the marginal program's draws."""

from __future__ import annotations

import numpy as np

from tasks.stats.bayes.posterior import estimate
from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.records import (
    BayesFit,
    LooResult,
    MedianEstimate,
    PartialPooling,
    PlainBayes,
    PosteriorDraws,
    SamplingAttempt,
    VarianceComponents,
)


def bayes_fit(
    plain: PlainBayes,
    draws: PosteriorDraws,
    products: ModelCrossProducts,
    attempts: tuple[SamplingAttempt, ...],
    loo: LooResult,
    engine: str,
) -> BayesFit:
    """`plain` with what is told of it besides."""
    centred = plain.groups.mean - np.eye(products.p)[0] * products.outcome_center
    rss = residual_sum_of_squares(products, centred).sum()
    return BayesFit(
        engine=engine,
        attempts=attempts,
        fixef=plain.average,
        sigma_group=plain.sigma_group,
        correlation=estimate(draws.correlation),
        sigma=plain.sigma,
        icc=plain.icc,
        groups=plain.groups,
        rmse=float(np.sqrt(rss / products.n_rows)),
        loo=loo,
    )


def variance_components(fit: PartialPooling, bayes: BayesFit, terms: tuple[str, ...]) -> VarianceComponents:
    """Group SDs, then the residual SD: REML's point value beside the posterior. ICC at the predictors' means."""

    def joined(field: str) -> np.ndarray:
        return np.append(getattr(bayes.sigma_group, field), getattr(bayes.sigma, field))

    between, within = fit.cov[0, 0], fit.sigma**2
    return VarianceComponents(
        names=(*(terms[k] for k in fit.varying), "residual"),
        reml_sd=np.append(fit.sigma_group, fit.sigma),
        bayes_sd=MedianEstimate(*map(joined, ("mean", "sd", "lower", "upper", "median"))),
        icc_reml=float(between / (between + within)),
        icc_bayes=bayes.icc,
    )
