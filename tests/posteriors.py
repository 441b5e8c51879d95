"""Posteriors shared by tests: each data set is sampled once a test run, by the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import answered_by, sample_posterior
from tasks.stats.findings import Findings, find
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.judged.recommended import Recommended
from tasks.stats.judged.screening import Screening, screen
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    BayesFit,
    Flavour,
    GroupedData,
    PartialPooling,
    PosteriorDraws,
    SamplingAttempt,
    Scaling,
    Verdict,
)
from tasks.stats.rows.data_findings import data_findings
from tasks.stats.weighed import Answered, LeastSquaresFits, Posterior, conclude, judge_fits, judge_model, weigh
from tasks.study.model import Study
from tests import datasets
from tests.datasets import model_of
from tests.factories import run_record

SEED = 20240601


def study_of(data: GroupedData, **fields: object) -> Study:
    """A study of `data` in which everything is as it is by default."""
    values = {"name": "test", "title": "Test", "outcome": "y", "group": "g", "predictors": data.terms[1:], **fields}
    return Study.model_validate(values)


@dataclass(frozen=True)
class Sampled:
    data: GroupedData
    study: Study
    products: ModelCrossProducts
    scaling: Scaling
    draws: PosteriorDraws
    attempts: tuple[SamplingAttempt, ...]
    findings: Findings

    @property
    def varying(self) -> tuple[int, ...]:
        return (0, *self.study.varying_columns)

    @property
    def bayes(self) -> BayesFit:
        return self.findings.bayes

    @property
    def partial(self) -> dict[Flavour, PartialPooling]:
        return self.findings.partial

    @property
    def fullest(self) -> PartialPooling:
        return self.findings.fullest


@cache
def sampled(name: str) -> Sampled:
    """`name` is a function of `tests.datasets`."""
    data: GroupedData = getattr(datasets, name)()
    return sampled_of(data, study_of(data))


def sampled_of(data: GroupedData, study: Study) -> Sampled:
    """Everything that a run finds out about `data`."""
    run, begun = run_record(study, data), _begun(data, study)
    rows = data_findings(begun.products, begun.scaling)
    findings = find(
        study,
        run,
        rows,
        data,
        begun.products,
        begun.scaling,
        begun.fits,
        begun.posterior,
        begun.screening,
        begun.answered,
    )
    draws, attempts = begun.posterior.draws, begun.posterior.attempts
    return Sampled(data, study, begun.products, begun.scaling, draws, attempts, findings)


def decided(data: GroupedData, study: Study) -> tuple[tuple[Judgement, ...], Verdict, Recommended | None]:
    """What a run concludes about `data`: the judgements that bear on the verdict, the verdict, and the numbers."""
    begun, limits = _begun(data, study), study.thresholds
    weighed = weigh(
        limits, data, begun.products, begun.scaling, begun.fits, begun.posterior, begun.screening, begun.answered, SEED
    )
    judgements = (*judge_fits(weighed, limits), *judge_model(weighed, limits))
    return judgements, *conclude(weighed, judgements)


@dataclass(frozen=True)
class _Begun:
    """A run before its findings."""

    products: ModelCrossProducts
    scaling: Scaling
    fits: LeastSquaresFits
    posterior: Posterior
    screening: Screening
    answered: Answered | None


def _begun(data: GroupedData, study: Study) -> _Begun:
    products, scaling = model_of(data)
    engine = EmbeddedEngine()
    draws, attempts = sample_posterior(engine, study, products, scaling, SEED, lambda _: None)
    partial = {
        flavour: partial_pooling(products, scaling, flavour, columns)
        for flavour, columns in flavours(study.varying_columns).items()
    }
    fits = LeastSquaresFits(complete_pooling(products), no_pooling(products), partial)
    screening = screen(data, products, scaling, fits.fullest, study.thresholds, SEED)
    answered = answered_by(engine, study, screening, data, scaling, SEED, lambda _: None)
    return _Begun(products, scaling, fits, Posterior(draws, attempts, "embedded"), screening, answered)
