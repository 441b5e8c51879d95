"""Samples the posterior of a counted outcome, or resamples it by importance where groups or cells are many."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from tasks.engines.engines import COUNTED, EngineName, Progress, StanEngine
from tasks.engines.sample import Names, sampled
from tasks.engines.sampler_process import SamplerProcess
from tasks.stats.bayes.diagnostics import diagnose_resampled
from tasks.stats.counted.answer import answer_model
from tasks.stats.counted.draws import CountedDraws, CountedPosterior
from tasks.stats.counted.fits import CountedAnswered
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.posterior import counted_draws
from tasks.stats.counted.priors import resolve_counted_priors
from tasks.stats.counted.resampling import is_large, resampled_posterior
from tasks.stats.counted.sampling_units import sampling_units
from tasks.stats.counted.screening import CountedScreening
from tasks.stats.counted.stan_data import counted_data
from tasks.stats.records import Floats, GroupedData, SamplingAttempt
from tasks.study.errors import SamplingFailed
from tasks.study.model import Study
from tasks.view.words.sampler_words import missed_in_words

log = logging.getLogger("poolwise")


def draw_counted_posterior(
    engine: EngineName, study: Study, model: CountedModel, seed: int, progress: Progress
) -> CountedPosterior:
    """Where groups or cells are many and no engine is named, by importance resampling.

    If its weights are too uneven, and in all other cases, by a Stan engine in a process of its own. Raises
    SamplingFailed.
    """
    if engine == "auto" and is_large(model):
        resampled = resampled_counted_posterior(study, model, seed, progress)
        if resampled is not None:
            return resampled
    chosen = SamplerProcess(engine, 60.0 * study.sampler.max_minutes)
    return sample_counted_posterior(chosen, study, model, seed, progress)


def resampled_counted_posterior(
    study: Study, model: CountedModel, seed: int, progress: Progress
) -> CountedPosterior | None:
    """As many draws as the study asks of a sampler, by importance resampling; None if a threshold is missed."""
    settings, priors = study.sampler, resolve_counted_priors(study.priors, model)
    try:
        made = resampled_posterior(model, priors, settings.chains, settings.draws, seed, progress)
    except np.linalg.LinAlgError as error:
        log.info("The posterior was not resampled: %s. A Stan engine samples it.", error)
        return None
    worth = diagnose_resampled(made.found, made.draws, model.cells.terms, study.thresholds)
    if worth.failures:
        missed = ", ".join(missed_in_words(worth, study.thresholds, settings.chains))
        log.info("The posterior was not resampled: %s. A Stan engine samples it.", missed)
        return None
    log.info("Quadrature with %d points per effect: log density within %.3f.", made.points, made.rule_error)
    attempt = SamplingAttempt(settings.chains, 0, settings.draws, float("nan"), seed, worth, made.found.n_proposed)
    return CountedPosterior(made.draws, (attempt,), f"importance resampling (numpy {np.__version__})")


def sample_counted_posterior(
    engine: StanEngine, study: Study, model: CountedModel, seed: int, progress: Progress
) -> CountedPosterior:
    """By a Stan engine. Raises SamplingFailed when even the most careful attempt misses a threshold."""
    priors = resolve_counted_priors(study.priors, model)
    data = counted_data(model, priors, sampling_units(model, priors))

    def drawn(variables: Mapping[str, Floats], _: int) -> CountedDraws:
        return counted_draws(variables, model)

    names = Names(model.cells.labels, model.cells.terms)
    draws, attempts = sampled(engine, COUNTED, data, drawn, names, study, seed, progress)
    return CountedPosterior(draws, attempts, engine.name)


def answered_by(
    engine: EngineName,
    study: Study,
    screening: CountedScreening,
    data: GroupedData,
    seed: int,
    progress: Progress,
) -> CountedAnswered | None:
    """The model that answers what was found, sampled; None if nothing has to be answered, or no model here can."""
    if screening.is_hopeless or not screening.answer.is_needed:
        return None
    model = answer_model(screening, data, seed)
    try:
        return CountedAnswered(model, draw_counted_posterior(engine, study, model, seed, progress))
    except SamplingFailed as failed:
        log.warning("%s", failed)
        return CountedAnswered(model, None)
