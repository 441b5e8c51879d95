"""Posteriors shared by tests: each data set is sampled once a test run, by the embedded engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import sample_posterior
from tasks.stats.findings import Findings, LeastSquaresFits, Posterior, find
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.records import BayesFit, Flavour, GroupedData, PartialPooling, PosteriorDraws, SamplingAttempt, Scaling
from tasks.stats.rows.data_findings import data_findings
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


def sampled_of(data: GroupedData, study: Study, posterior: MakePosterior = by_stan, **of_run: Any) -> Sampled:
    """Everything that a run finds out about `data`; `of_run` is what its record says of it besides."""
    products, scaling = model_of(data)
    fits, run = fits_of(study, products, scaling), run_record(study, data, **of_run)
    made = posterior(study, products, scaling, fits, SEED)
    rows = data_findings(products, scaling, run.n_rejected)
    findings = find(study, run, rows, data, products, scaling, fits, made)
    return Sampled(data, study, products, scaling, made.draws, made.attempts, findings)


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
