"""Posteriors shared by tests: each data set is sampled once a test run, by the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tasks.engines import EmbeddedEngine
from tasks.sample import sample_posterior
from tasks.stats.bayes import bayes_fit
from tasks.stats.cross_products import ModelCrossProducts
from tasks.stats.loo import loo
from tasks.stats.partial_pooling import flavours, partial_pooling
from tasks.stats.records import (
    BayesFit,
    Flavour,
    GroupedData,
    PartialPooling,
    PosteriorDraws,
    SamplingAttempt,
    Scaling,
)
from tasks.stats.study import Study
from tests import datasets
from tests.datasets import model_of

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
    bayes: BayesFit
    partial: dict[Flavour, PartialPooling]

    @property
    def varying(self) -> tuple[int, ...]:
        return (0, *self.study.varying_columns)

    @property
    def fullest(self) -> PartialPooling:
        return list(self.partial.values())[-1]


@cache
def sampled(name: str) -> Sampled:
    """`name` is a function of `tests.datasets`."""
    data: GroupedData = getattr(datasets, name)()
    study = study_of(data)
    products, scaling = model_of(data)
    draws, attempts = sample_posterior(EmbeddedEngine(), study, products, scaling, SEED, lambda _: None)
    varying = (0, *study.varying_columns)
    scores = loo(data, products, varying, draws, scaling, None, SEED)
    bayes = bayes_fit(draws, products, attempts, scores, "embedded")
    partial = {
        flavour: partial_pooling(products, scaling, flavour, columns)
        for flavour, columns in flavours(study.varying_columns).items()
    }
    return Sampled(data, study, products, scaling, draws, attempts, bayes, partial)
