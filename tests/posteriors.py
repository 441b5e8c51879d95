"""Posteriors shared by tests: each data set is sampled once a test run, by the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample import sample_posterior
from tasks.stats.findings import Findings, LeastSquaresFits, Posterior, find
from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.records import BayesFit, Flavour, GroupedData, PartialPooling, PosteriorDraws, SamplingAttempt, Scaling
from tasks.stats.rows.data_findings import data_findings
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
    products, scaling = model_of(data)
    draws, attempts = sample_posterior(EmbeddedEngine(), study, products, scaling, SEED, lambda _: None)
    partial = {
        flavour: partial_pooling(products, scaling, flavour, columns)
        for flavour, columns in flavours(study.varying_columns).items()
    }
    fits = LeastSquaresFits(complete_pooling(products), no_pooling(products), partial)
    posterior = Posterior(draws, attempts, "embedded")
    findings = find(
        study, run_record(study, data), data_findings(products, scaling), data, products, scaling, fits, posterior
    )
    return Sampled(data, study, products, scaling, draws, attempts, findings)
