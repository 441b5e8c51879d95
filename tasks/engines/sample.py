"""Samples the posterior, ever more carefully, until its diagnostics meet their thresholds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TypeVar

import numpy as np

from tasks.engines.engines import MARGINAL, PROGRAMS, EngineName, Progress, StanEngine, TimeIsUp
from tasks.engines.sampler_process import SamplerProcess
from tasks.stats.bayes.answer import AnswerModel, answer_model
from tasks.stats.bayes.diagnostics import diagnose, diagnose_resampled
from tasks.stats.bayes.parameter_units import parameter_units
from tasks.stats.bayes.posterior import posterior_draws
from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.bayes.resampling import FEWEST_GROUPS, resample
from tasks.stats.bayes.stan_data import StanData, marginal_data
from tasks.stats.bayes.unconstrained import MarginalPosterior
from tasks.stats.draws import Draws
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.judged.screening import Screening
from tasks.stats.records import Floats, GroupedData, PosteriorDraws, SamplingAttempt, Scaling
from tasks.stats.weighed import Answered, Posterior
from tasks.study.errors import SamplingFailed
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings
from tasks.view.words.sampler_words import missed_in_words

log = logging.getLogger("poolwise")

D = TypeVar("D", bound=Draws)

# Per attempt: (least adapt_delta, factor on the iterations, increase of the tree depth). These follow Stan's own
# advice for divergences, low ESS and trajectories cut short.
ESCALATION = ((0.0, 1, 0), (0.95, 2, 2), (0.99, 4, 4))


def draw_posterior(
    engine: EngineName, study: Study, products: ModelCrossProducts, scaling: Scaling, seed: int, progress: Progress
) -> Posterior:
    """The posterior with group effects: where groups are many and no engine is named, by importance resampling.

    If its weights are too uneven, and in all other cases, by a Stan engine in a process of its own. Raises
    SamplingFailed.
    """
    if engine == "auto" and len(products.labels) >= FEWEST_GROUPS:
        resampled = resampled_posterior(study, products, scaling, seed, progress)
        if resampled is not None:
            return resampled
    chosen = SamplerProcess(engine, 60.0 * study.sampler.max_minutes)
    draws, attempts = sample_posterior(chosen, study, products, scaling, seed, progress)
    return Posterior(draws, attempts, chosen.name)


def resampled_posterior(
    study: Study, products: ModelCrossProducts, scaling: Scaling, seed: int, progress: Progress
) -> Posterior | None:
    """As many draws as the study asks of a sampler, by importance resampling; None if a threshold is missed."""
    varying, settings, priors = (0, *study.varying_columns), study.sampler, resolve_priors(study, scaling)
    marginal = MarginalPosterior(products, varying, priors, parameter_units(products, varying, priors))
    try:
        found = resample(marginal, settings.chains * settings.draws, seed, progress)
    except np.linalg.LinAlgError as error:
        log.info("The posterior was not resampled: %s. A Stan engine samples it.", error)
        return None
    variables = marginal.variables(found.free, settings.chains, scaling.outcome_scale)
    draws = posterior_draws(variables, products, varying, scaling, seed)
    worth = diagnose_resampled(found, draws, products.terms, study.thresholds)
    if worth.failures:
        missed = ", ".join(missed_in_words(worth, study.thresholds, settings.chains))
        log.info("The posterior was not resampled: %s. A Stan engine samples it.", missed)
        return None
    attempt = SamplingAttempt(settings.chains, 0, settings.draws, float("nan"), seed, worth, found.n_proposed)
    return Posterior(draws, (attempt,), f"importance resampling (numpy {np.__version__})")


def sample_posterior(
    engine: StanEngine,
    study: Study,
    products: ModelCrossProducts,
    scaling: Scaling,
    seed: int,
    progress: Progress,
) -> tuple[PosteriorDraws, tuple[SamplingAttempt, ...]]:
    """Draws of the marginal program, with group effects, and every attempt made.

    Raises SamplingFailed when even the most careful attempt misses a threshold, or the engine's time is over.
    """
    varying = (0, *study.varying_columns)
    data = marginal_data(products, varying, resolve_priors(study, scaling), scaling)

    def drawn(variables: Mapping[str, Floats], seed: int) -> PosteriorDraws:
        return posterior_draws(variables, products, varying, scaling, seed)

    return sampled(engine, MARGINAL, data, drawn, _named(products), study, seed, progress)


def sample_answer(
    engine: StanEngine, study: Study, model: AnswerModel, seed: int, progress: Progress
) -> tuple[PosteriorDraws, tuple[SamplingAttempt, ...]]:
    """As `sample_posterior`, of the model that answers what was found."""
    program = PROGRAMS / f"{model.answer.program}.stan"
    names = _named(model.structure.products)
    return sampled(engine, program, model.inputs, model.draws, names, study, seed, progress)


def answered_by(
    engine: StanEngine,
    study: Study,
    screening: Screening,
    data: GroupedData,
    scaling: Scaling,
    seed: int,
    progress: Progress,
) -> Answered | None:
    """The model that answers what was found, sampled; None if nothing has to be answered, or no model here can."""
    if screening.is_hopeless or not screening.answer.is_needed:
        return None
    model = answer_model(screening.answer, screening.fit, data, resolve_priors(study, scaling), scaling, seed)
    try:
        draws, attempts = sample_answer(engine, study, model, seed, progress)
    except SamplingFailed as failed:
        log.warning("%s", failed)
        return Answered(model, None)
    return Answered(model, Posterior(draws, attempts, engine.name))


@dataclass(frozen=True)
class Names:
    """What the quantities of a posterior are called."""

    groups: tuple[str, ...]
    terms: tuple[str, ...]


def _named(products: ModelCrossProducts) -> Names:
    return Names(products.labels, products.terms)


def sampled(
    engine: StanEngine,
    program: Path,
    data: StanData,
    drawn: Callable[[Mapping[str, Floats], int], D],
    names: Names,
    study: Study,
    seed: int,
    progress: Progress,
) -> tuple[D, tuple[SamplingAttempt, ...]]:
    """Draws of a program, which `drawn` makes from what the engine returns, and every attempt made.

    Raises SamplingFailed.
    """
    attempts: list[SamplingAttempt] = []
    for i, settings in enumerate(escalated(study.sampler)):
        try:
            variables = engine.sample(program, data, settings, seed + i, progress)
        except TimeIsUp as ended:
            raise SamplingFailed(_when_time_was_up(study, attempts, settings, ended.share, engine.name)) from None
        draws = drawn(variables, seed + i)
        found = diagnose(draws, names.groups, names.terms, study.thresholds, settings.max_treedepth)
        attempts.append(
            SamplingAttempt(settings.chains, settings.warmup, settings.draws, settings.adapt_delta, seed + i, found)
        )
        if not found.failures:
            return draws, tuple(attempts)
    raise SamplingFailed(_what_was_tried(study, attempts, engine.name))


def escalated(settings: SamplerSettings) -> list[SamplerSettings]:
    """The settings of each attempt: smaller steps, more iterations, deeper trees."""
    return [
        settings.model_copy(
            update={
                "adapt_delta": max(settings.adapt_delta, least_delta),
                "warmup": settings.warmup * times,
                "draws": settings.draws * times,
                "max_treedepth": settings.max_treedepth + deeper,
            }
        )
        for least_delta, times, deeper in ESCALATION
    ]


def _what_was_tried(study: Study, attempts: list[SamplingAttempt], engine: str) -> str:
    return (
        f"The posterior could not be sampled well enough by the {engine} engine, so no report was published. "
        f"Tried {len(attempts)} times with {attempts[-1].chains} chains: {_tries(study, attempts)}. Such trouble "
        "usually lies in the model or the priors: let fewer slopes vary, give tighter [priors], or raise [sampler] "
        "warmup and draws."
    )


def _tries(study: Study, attempts: list[SamplingAttempt]) -> str:
    return "; ".join(
        f"adapt_delta {a.adapt_delta:g}, {a.warmup} + {a.draws} iterations: {', '.join(missed)}"
        for a in attempts
        for missed in [missed_in_words(a.diagnostics, study.thresholds, a.chains)]
    )


def _when_time_was_up(
    study: Study, attempts: list[SamplingAttempt], settings: SamplerSettings, share: float, engine: str
) -> str:
    before = f" Tried before: {_tries(study, attempts)}." if attempts else ""
    return (
        f"Sampling took longer than the {settings.max_minutes:g} minutes that all attempts together may take "
        f"({study.named('sampler.max_minutes')}), so it was stopped and no report was published. The {engine} engine "
        f"had done {share:.0%} of attempt {len(attempts) + 1} ({settings.chains} chains of {settings.warmup} + "
        f"{settings.draws} iterations, adapt_delta {settings.adapt_delta:g}).{before} "
        f"{_what_to_do(study, share, attempts)}"
    )


def _what_to_do(study: Study, share: float, attempts: list[SamplingAttempt]) -> str:
    """More time, if sampling was well on its way; else a simpler model."""
    minutes = study.sampler.max_minutes
    if share > 0.1 and not attempts:
        more = study.setting(f"sampler.max_minutes = {ceil(1.5 * minutes / share)}")
        return f"It was well on its way: to give it the time that it needs at this pace, {more}."
    more = study.setting(f"sampler.max_minutes = {ceil(4 * minutes)}")
    return (
        "Such trouble usually lies in the model: let fewer slopes vary, leave out predictors that go closely together, "
        f"or give tighter priors; to allow more time, {more}."
    )
