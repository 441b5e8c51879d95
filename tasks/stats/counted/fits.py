"""The fits of a counted outcome side by side, and what is quoted of a posterior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.bayes.posterior import estimate
from tasks.stats.counted.draws import CountedDraws, CountedPosterior
from tasks.stats.counted.glm import CompleteRates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.own_rates import OwnFits, OwnRates
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.fits.mean_structure import Added
from tasks.stats.records import Flavour, Floats, MedianEstimate, SamplerDiagnostics, SamplingAttempt


@dataclass(frozen=True)
class CountedFits:
    """The fits that need no sampler."""

    complete: CompleteRates
    rates: OwnRates  # no pooling: what each group had
    own: OwnFits  # no pooling: a regression per group
    partial: Mapping[Flavour, CountedPartialPooling]

    @property
    def fullest(self) -> CountedPartialPooling:
        """The partial-pooling fit with all of the study's varying terms."""
        return self.partial.get("varying_intercept_slope") or self.partial["varying_intercept"]


@dataclass(frozen=True)
class CountedBayes:
    """The plain Bayesian fit, on the link's scale."""

    engine: str
    attempts: tuple[SamplingAttempt, ...]  # the last one is reported
    fixef: MedianEstimate  # (p,)
    sigma_group: MedianEstimate  # (q,)
    correlation: MedianEstimate  # (q, q)
    groups: MedianEstimate  # (J, p)

    @property
    def diagnostics(self) -> SamplerDiagnostics:
        return self.attempts[-1].diagnostics


@dataclass(frozen=True)
class CountedAnswered:
    """The model that answers what was found, and its posterior: None if it could not be sampled well enough."""

    model: CountedModel
    posterior: CountedPosterior | None

    @property
    def own_draws(self) -> CountedDraws | None:
        """The draws of the study's own terms."""
        if self.posterior is None:
            return None
        draws = self.posterior.draws
        return replace(draws, beta=draws.beta[..., : self.model.n_own])


@dataclass(frozen=True)
class CountedAnswerFit:
    """The posterior of an answer; groups are described by the study's own terms, as of `CountedDraws`."""

    added: tuple[Added, ...]
    is_overdispersed: bool
    terms: tuple[str, ...]  # of `fixef`
    fixef: MedianEstimate  # (p + added,)
    groups: MedianEstimate  # (J, p)
    sigma_group: MedianEstimate  # (q,)
    spread_of_groups: MedianEstimate  # (q,) the same, the first with what size and context account for between groups
    dispersion: MedianEstimate | None  # ()

    @property
    def average(self) -> MedianEstimate:
        """(p,) of the average group: of average size, with the predictors' means in the group as over all rows."""
        p = self.groups.mean.shape[1]
        return MedianEstimate(*(getattr(self.fixef, part)[:p] for part in ("mean", "sd", "lower", "upper", "median")))


def counted_bayes(posterior: CountedPosterior) -> CountedBayes:
    draws = posterior.draws
    return CountedBayes(
        posterior.engine,
        posterior.attempts,
        estimate(draws.beta),
        estimate(draws.sigma_group),
        estimate(draws.correlation),
        estimate(draws.group_coef),
    )


def counted_answer_fit(model: CountedModel, draws: CountedDraws) -> CountedAnswerFit:
    return CountedAnswerFit(
        model.added,
        model.is_overdispersed,
        model.cells.terms,
        estimate(draws.beta),
        estimate(draws.group_coef),
        estimate(draws.sigma_group),
        estimate(spread_of_groups(model, draws)),
        None if draws.dispersion is None else estimate(draws.dispersion),
    )


def spread_of_groups(model: CountedModel, draws: CountedDraws) -> Floats:
    """(C, D, q) how far groups lie apart: in their level, whether a group-level term accounts for it or not."""
    apart = draws.sigma_group.copy()
    if model.added and model.varying[0] == 0:
        explained = draws.beta[..., model.n_own :] @ model.group_values.T
        apart[..., 0] = np.sqrt(apart[..., 0] ** 2 + explained.var(axis=-1))
    return apart


def all_draws(draws: CountedDraws) -> Floats:
    """(S, J, p) the groups' coefficients, chain after chain."""
    return flat(draws.group_coef)


def flat(draws: Floats) -> Floats:
    """(S, ...) of draws (C, D, ...)."""
    return draws.reshape(-1, *draws.shape[2:])
