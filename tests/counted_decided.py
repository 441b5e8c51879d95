"""What a run concludes about a counted outcome, in this process and without a disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample_counted import resampled_counted_posterior, sample_counted_posterior
from tasks.stats.counted.answer import answer_model
from tasks.stats.counted.draws import CountedPosterior
from tasks.stats.counted.fits import CountedAnswered, CountedFits
from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.own_rates import own_fits, own_rates
from tasks.stats.counted.partial_pooling import partial_pooling_of
from tasks.stats.counted.resampling import is_large
from tasks.stats.counted.screening import CountedScreening, screen_counted
from tasks.stats.counted.weighed import (
    CountedRecommended,
    CountedWeighed,
    conclude_counted,
    judge_counted_fits,
    judge_counted_model,
    weigh_counted,
)
from tasks.stats.judgement import Judgement
from tasks.stats.records import Flavour, GroupedData, Verdict
from tasks.study.errors import SamplingFailed
from tasks.study.model import Study

SEED = 20261127


@dataclass(frozen=True)
class CountedDecided:
    """What a run concludes, and from what."""

    judgements: tuple[Judgement, ...]
    verdict: Verdict
    recommended: CountedRecommended | None
    weighed: CountedWeighed


def decided_counted(data: GroupedData, study: Study, model: CountedModel) -> CountedDecided:
    """As a run's, in this process. `model` is the study's plain one."""
    limits, tolerance = study.thresholds, study.thresholds.singular_tolerance
    flavours: dict[Flavour, tuple[int, ...]] = {"varying_intercept": (0,)}
    if len(model.varying) > 1:
        flavours["varying_intercept_slope"] = model.varying
    partial_fits = {
        flavour: partial_pooling_of(CountedModel(model.cells, model.scaling, varying), flavour, tolerance)
        for flavour, varying in flavours.items()
    }
    cells, scaling = model.cells, model.scaling
    fits = CountedFits(complete_rates(cells, scaling), own_rates(cells), own_fits(cells, scaling), partial_fits)
    posterior = posterior_of(study, model)
    screening = screen_counted(model, data, fits.fullest, limits, SEED)
    nothing = np.full(cells.n_groups, np.nan)
    answered = _answered(study, screening, data)
    weighed = weigh_counted(cells, scaling, fits, posterior, screening, answered, limits, 1.0, nothing)
    judgements = (*judge_counted_fits(weighed, limits), *judge_counted_model(weighed))
    return CountedDecided(judgements, *conclude_counted(weighed, judgements), weighed)


def posterior_of(study: Study, model: CountedModel) -> CountedPosterior:
    """By importance resampling where a run's is, else by the embedded engine. Raises SamplingFailed."""
    if is_large(model):
        resampled = resampled_counted_posterior(study, model, SEED, lambda _: None)
        if resampled is not None:
            return resampled
    return sample_counted_posterior(EmbeddedEngine(), study, model, SEED, lambda _: None)


def _answered(study: Study, screening: CountedScreening, data: GroupedData) -> CountedAnswered | None:
    if screening.is_hopeless or not screening.answer.is_needed:
        return None
    model = answer_model(screening, data, SEED)
    try:
        return CountedAnswered(model, posterior_of(study, model))
    except SamplingFailed:
        return CountedAnswered(model, None)
