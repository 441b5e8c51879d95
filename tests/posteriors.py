"""Posteriors shared by tests: each data set is sampled once a test run, by the embedded engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import answered_by, sample_posterior
from tasks.stats.findings import Findings, find
from tasks.stats.fits.cross_products import CrossProducts, ModelCrossProducts, centre_scaled, scaling_of
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.judged.recommended import Recommended
from tasks.stats.judged.screening import Screening, screen
from tasks.stats.judgement import Judgement
from tasks.stats.records import (
    BayesFit,
    Flavour,
    Floats,
    GroupedData,
    PartialPooling,
    PosteriorDraws,
    SamplingAttempt,
    Scaling,
    Verdict,
)
from tasks.stats.rows.data_findings import NOTHING_NOTED, DataNotes, data_findings
from tasks.stats.weighed import Answered, LeastSquaresFits, Posterior, conclude, judge_fits, judge_model, weigh
from tasks.study.model import Study
from tasks.study.run import RunRecord, SourceFile
from tests import datasets
from tests.datasets import model_of

SEED = 20240601

MakePosterior = Callable[[Study, ModelCrossProducts, Scaling, LeastSquaresFits, int], Posterior]


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


def by_stan(
    study: Study, products: ModelCrossProducts, scaling: Scaling, fits: LeastSquaresFits, seed: int
) -> Posterior:
    """As a run's, in this process. The fits have no part in it."""
    engine = EmbeddedEngine()
    draws, attempts = sample_posterior(engine, study, products, scaling, seed, lambda _: None)
    return Posterior(draws, attempts, engine.name)


@cache
def sampled(name: str) -> Sampled:
    """`name` is a function of `tests.datasets`."""
    data: GroupedData = getattr(datasets, name)()
    return sampled_of(data, study_of(data))


def sampled_of(
    data: GroupedData,
    study: Study,
    posterior: MakePosterior = by_stan,
    products: CrossProducts | None = None,
    notes: DataNotes = NOTHING_NOTED,
    **of_run: Any,
) -> Sampled:
    """Everything that a run finds out about `data`; `of_run` is what its record says of it besides.

    `products` are the sums of `data` where these have categories.
    """
    run, begun = run_record(study, data, **of_run), _begun(data, study, posterior, products)
    rows = data_findings(begun.products, begun.scaling, run.n_rejected, notes=notes)
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
    made = begun.posterior
    return Sampled(data, study, begun.products, begun.scaling, made.draws, made.attempts, findings)


def decided(data: GroupedData, study: Study) -> tuple[tuple[Judgement, ...], Verdict, Recommended | None]:
    """What a run concludes about `data`: the judgements that bear on the verdict, the verdict, and the numbers."""
    begun, limits = _begun(data, study, by_stan), study.thresholds
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
    answered: Answered | None  # None as well where `posterior` is no sampler's


def _begun(data: GroupedData, study: Study, posterior: MakePosterior, sums: CrossProducts | None = None) -> _Begun:
    products, scaling = model_of(data) if sums is None else scaled(sums)
    fits = fits_of(study, products, scaling)
    made = posterior(study, products, scaling, fits, SEED)
    screening = screen(data, products, scaling, fits.fullest, study.thresholds, SEED)
    answered = None
    if posterior is by_stan:
        answered = answered_by(EmbeddedEngine(), study, screening, data, scaling, SEED, lambda _: None)
    return _Begun(products, scaling, fits, made, screening, answered)


def scaled(sums: CrossProducts) -> tuple[ModelCrossProducts, Scaling]:
    scaling = scaling_of(sums)
    return centre_scaled(sums, scaling), scaling


def fits_of(study: Study, products: ModelCrossProducts, scaling: Scaling) -> LeastSquaresFits:
    """The fits that need no sampler, one after the other."""
    partial = {
        flavour: partial_pooling(products, scaling, flavour, columns)
        for flavour, columns in flavours(study.varying_columns).items()
    }
    return LeastSquaresFits(complete_pooling(products), no_pooling(products), partial)


def run_record(study: Study, data: GroupedData, **changed: Any) -> RunRecord:
    record = RunRecord(
        id="20261122T101500Z-1a2b3c4d",
        started_at="2026-11-22T10:15:00Z",
        fingerprint="f" * 64,
        data_sha256="d" * 64,
        study_sha256="5" * 64,
        n_rows=data.n_rows,
        n_groups=data.n_groups,
        n_rejected=0,
        seed=1234,
        engine="embedded",
        versions={"poolwise": "0.1.0", "python": "3.11.7", "stanli": "0.24"},
        files=(SourceFile(f"{study.name}.csv", "a" * 64, data.n_rows, 0),),
    )
    return replace(record, **changed)


def known(coef: Floats, sigma: float, draws: int = 200) -> PosteriorDraws:
    """A posterior that knows the truth: every draw the same `coef` (J, p) and `sigma`."""
    shape = (2, draws // 2)
    sampler = np.zeros(shape)
    return PosteriorDraws(
        beta=np.broadcast_to(coef.mean(axis=0), (*shape, coef.shape[1])),
        sigma_group=np.ones((*shape, coef.shape[1])),
        correlation=np.broadcast_to(np.eye(coef.shape[1]), (*shape, *coef.shape[1:], *coef.shape[1:])),
        sigma=np.full(shape, sigma),
        group_coef=np.broadcast_to(coef, (*shape, *coef.shape)),
        divergent=sampler,
        energy=sampler,
        treedepth=sampler,
        acceptance=sampler,
        n_leapfrog=sampler,
    )
