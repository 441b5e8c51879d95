"""A posterior made up around a REML fit, where there are too many groups to sample one in a test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.bayes.diagnostics import diagnose
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.findings import LeastSquaresFits, Posterior
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import Floats, PartialPooling, PosteriorDraws, SamplingAttempt, Scaling
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings

# For studies with such a posterior: so few draws that they are quick, and limits that so few can hold.
FEW_DRAWS = {"draws": 100}
WIDE_LIMITS = {"rhat": 1.2, "ess_per_chain": 10.0}
GROUPS_CHECKED = 20


def around_the_fit(
    study: Study, products: ModelCrossProducts, scaling: Scaling, fits: LeastSquaresFits, seed: int
) -> Posterior:
    """Draws of the parameters independent and about as wide as a posterior's; of the groups, given these, exact."""
    settings, fit = study.sampler, fits.fullest
    variables = _parameters(fit, products.n_rows, scaling, settings, np.random.default_rng(seed))
    draws = posterior_draws(variables, products, fit.varying, scaling, seed)
    labels, depth = products.labels, settings.max_treedepth
    found = diagnose(_seen_by_few_groups(draws), labels, products.terms, study.thresholds, depth)
    last = SamplingAttempt(settings.chains, settings.warmup, settings.draws, settings.adapt_delta, seed, found)
    return Posterior(draws, (last,), "embedded")


def _seen_by_few_groups(draws: PosteriorDraws) -> PosteriorDraws:
    """To be checked: a group's R-hat takes milliseconds."""
    step = max(1, draws.group_coef.shape[2] // GROUPS_CHECKED)
    return replace(draws, checked_coef=draws.group_coef[:, :, ::step], checked_step=step)


def _parameters(
    fit: PartialPooling, n_rows: int, scaling: Scaling, settings: SamplerSettings, rng: np.random.Generator
) -> dict[str, Floats]:
    """What an engine would return: chain and draw first, for the outcome divided by its SD."""
    shape, s, q = (settings.chains, settings.draws), scaling.outcome_scale, len(fit.varying)
    centred = fit.fixef - np.eye(fit.fixef.size)[0] * scaling.outcome_center
    spread = 1 + rng.normal(size=(*shape, q)) / np.sqrt(2 * len(fit.coef))
    return {
        "beta": rng.multivariate_normal(centred, fit.fixef_cov, size=shape) / s,
        "sigma_group": fit.sigma_group / s * spread,
        "L_group": np.broadcast_to(np.linalg.cholesky(_correlations(fit, rng, shape)), (*shape, q, q)),
        "sigma": fit.sigma / s * (1 + rng.normal(size=shape) / np.sqrt(2 * n_rows)),
        **_sampler_columns(rng, shape),
    }


def _correlations(fit: PartialPooling, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """(C, D, q, q), every correlation moved alike."""
    kept = 0.9 + 0.02 * rng.normal(size=(*shape, 1, 1))
    return np.where(np.eye(len(fit.varying), dtype=bool), 1.0, kept * fit.correlation)


def _sampler_columns(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Floats]:
    none = np.zeros(shape)
    return {
        "divergent__": none,
        "energy__": rng.normal(2100, 3, size=shape),
        "treedepth__": none + 3,
        "accept_stat__": none + 0.9,
        "n_leapfrog__": none + 7,
    }
