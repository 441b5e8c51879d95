"""Reports on counted outcomes for tests of what readers see: the twin of `tests.factories`, each made once.

Rows are written to files and go the whole way of a run: read, added up, fitted, sampled, judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from flows.steps import of_a_counted_outcome as steps
from tasks.engines.engines import EmbeddedEngine
from tasks.engines.sample_counted import resampled_counted_posterior, sample_counted_posterior
from tasks.opening.studies import OpenedStudy
from tasks.rows.collect import Collected, collect_afresh
from tasks.stats.counted import group_sd_test
from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.answer import answer_model
from tasks.stats.counted.draws import CountedDraws, CountedPosterior
from tasks.stats.counted.findings import CountedFindings, concluded_counted
from tasks.stats.counted.fits import CountedAnswered, CountedFits
from tasks.stats.counted.glm import complete_rates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.own_rates import own_fits, own_rates
from tasks.stats.counted.partial_pooling import partial_pooling_of
from tasks.stats.counted.simulate import simulate_hospitals
from tasks.stats.fits.partial_pooling import flavours
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import GroupedData
from tasks.stats.rows.usable_varying import with_usable_varying
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.settings import SamplerSettings
from tasks.view.counted.context import CountedContext, counted_context_of
from tests.factories import HOSTILE_LABELS
from tests.posteriors import run_record

SAMPLER = SamplerSettings(draws=500)
BY_STAN = SamplerSettings(chains=4)
SHOPS = ("Aachen", "Bonn", "Celle", "Dresden", "Essen", "Fulda", "Gera", "Hagen", "Ilmenau", "Jena", "Kiel", "Leipzig")
EVERY_HOSPITAL = 5  # of the 300 that the bundled study has


@dataclass(frozen=True)
class CountedCase:
    study: Study
    findings: CountedFindings
    data: GroupedData
    draws: CountedDraws | None
    answer_draws: CountedDraws | None = None
    rejections: tuple[Rejection, ...] = ()

    changes: Changes | None = None
    history: History | None = None

    @property
    def context(self) -> CountedContext:
        return counted_context_of(
            self.study,
            self.findings,
            self.data,
            self.draws,
            self.rejections,
            changes=self.changes,
            history=self.history,
            answer_draws=self.answer_draws,
        )

    def judged(self) -> CountedCase:
        """Judged anew, after something in the findings was changed."""
        return replace(self, findings=concluded_counted(self.study, self.findings))


@cache
def shares_case() -> CountedCase:
    """Returns of parcels in twelve shops, by price, whose effect differs between shops."""
    rng = np.random.default_rng(20_261_127)
    group = np.repeat(np.arange(len(SHOPS)), (6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28))
    price = rng.normal(40.0, 12.0, group.size).round()
    sold = rng.integers(8, 40, group.size)
    level, slope = rng.normal(-1.6, 0.5, len(SHOPS)), rng.normal(0.35, 0.3, len(SHOPS))
    returned = rng.binomial(sold, _logistic(level[group] + slope[group] * (price - 40.0) / 12.0))
    return _case(
        {"shop": np.array(SHOPS)[group], "price": price, "sold": sold, "returned": returned},
        name="returns",
        title="Do dearer parcels come back more often?",
        family="binomial",
        outcome="returned",
        trials="sold",
        group="shop",
        predictors=("price",),
        predictor_units={"price": "€"},
        rates={"of": "parcels", "least_events": 5},
    )


@cache
def zero_one_case() -> CountedCase:
    """Whether pupils passed, 0 or 1 a row, in fourteen schools, by course and hours of lessons; no effect varies."""
    rng = np.random.default_rng(20_261_128)
    group = np.repeat(np.arange(14), (12, 16, 20, 24, 30, 36, 40, 44, 50, 56, 60, 70, 80, 90))
    course = rng.choice(["evening", "day", "online"], group.size, p=[0.3, 0.5, 0.2])
    hours = rng.normal(20.0, 5.0, group.size).round(1)
    eta = rng.normal(0.4, 0.6, 14)[group] + 0.08 * (hours - 20.0) - 0.7 * (course == "online")
    passed = rng.binomial(1, _logistic(eta))
    return _case(
        {"school": [f"school {k + 1}" for k in group], "course": course, "hours": hours, "passed": passed},
        name="exams",
        title="Who passes?",
        family="binomial",
        outcome="passed",
        group="school",
        predictors=("course", "hours"),
        varying=(),
        predictor_units={"hours": "hours"},
        rates={"of": "pupils", "worse": "lower"},
    )


@cache
def counts_case() -> CountedCase:
    """Falls over patient-days in sixteen wards of very different size, each with a target; two wards have too few."""
    rng = np.random.default_rng(20_261_129)
    months, n_wards = 6, 16
    days = np.rint(np.exp(np.linspace(np.log(30.0), np.log(2500.0), n_wards)))
    group = np.repeat(np.arange(n_wards), months)
    exposure = np.rint(days[group] * rng.uniform(0.8, 1.2, group.size))
    rate = 0.006 * np.exp(rng.normal(0.0, 0.45, n_wards))
    falls = rng.poisson(rate[group] * exposure)
    return _case(
        {"ward": group + 1, "patient_days": exposure.astype(int), "falls": falls},
        name="falls",
        sampler=BY_STAN,
        title="On which wards do patients fall too often?",
        family="poisson",
        outcome="falls",
        exposure="patient_days",
        group="ward",
        rates={"per": 1000, "of": "patient-days", "worse": "higher", "least_size": 250},
        targets={"all": 0.006, "groups": {"16": 0.004}},
    )


@cache
def hospitals_case() -> CountedCase:
    """Sixty of the hospitals of `data/hospital_mortality`, by severity alone; small ones are truly worse."""
    made = simulate_hospitals()
    rows = {"hospital": made.hospital, "severity": made.severity, "admissions": made.admissions, "deaths": made.deaths}
    of_some = pd.DataFrame(rows)[np.isin(made.hospital, made.names[::EVERY_HOSPITAL])]
    return _case(
        of_some.groupby(["hospital", "severity"], as_index=False).sum().to_dict("list"),
        name="hospital_mortality",
        title="In which hospitals do more patients die than should?",
        family="binomial",
        outcome="deaths",
        trials="admissions",
        group="hospital",
        predictors=("severity",),
        categories={"reference": {"severity": "moderate"}},
        rates={"of": "admissions", "worse": "higher", "least_size": 25},
    )


@cache
def singular_counts_case() -> CountedCase:
    """Calls in ten offices that do not differ at all, over no exposure, by the load of a day: singular."""
    rng = np.random.default_rng(20_261_139)
    group = np.repeat(np.arange(10), 12)
    load = rng.normal(0.0, 1.0, group.size).round(2)
    calls = rng.poisson(np.exp(1.2 + 0.2 * load))
    return _case(
        {
            "office": [f"office {letter}" for letter in np.array(list("ABCDEFGHIJ"))[group]],
            "load": load,
            "calls": calls,
        },
        name="calls",
        title="Do offices differ in calls?",
        family="poisson",
        outcome="calls",
        group="office",
        predictors=("load",),
    )


@cache
def hostile_counts_case() -> CountedCase:
    """Labels, names and a title that would break a page which trusts them."""
    rng = np.random.default_rng(20_261_201)
    group = np.repeat(np.arange(len(HOSTILE_LABELS)), 10)
    age, trials = rng.normal(40.0, 10.0, group.size).round(1), rng.integers(5, 30, group.size)
    level = rng.normal(-0.5, 0.5, len(HOSTILE_LABELS))
    events = rng.binomial(trials, _logistic(level[group] + 0.02 * (age - 40.0)))
    return _case(
        {"<u>place</u>": np.array(HOSTILE_LABELS)[group], "<i>age</i>": age, "%{n}": trials, "<i>y</i>%{x}": events},
        name="hostile",
        title="</title><script>alert('title')</script>",
        family="binomial",
        outcome="<i>y</i>%{x}",
        trials="%{n}",
        group="<u>place</u>",
        predictors=("<i>age</i>",),
        varying=(),
        predictor_units={"<i>age</i>": "<i>years</i>"},
        rates={"of": "<s>beds</s>"},
    )


CASES: dict[str, Callable[[], CountedCase]] = {
    make.__name__.removesuffix("_case"): make
    for make in (shares_case, zero_one_case, counts_case, hospitals_case, singular_counts_case, hostile_counts_case)
}


def _logistic(eta: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-eta)))


def _case(columns: dict[str, Any], **asked: Any) -> CountedCase:
    study = Study.model_validate({"source": "*.csv", "sampler": SAMPLER, **asked})
    with TemporaryDirectory() as folder:
        pd.DataFrame(columns).to_csv(Path(folder, f"{study.name}.csv"), index=False)
        rows = collect_afresh(OpenedStudy(study, Path(folder), ""))
    study = with_usable_varying(rows.study(study), rows.products)
    return _analysed(study, rows)


def _analysed(study: Study, rows: Collected) -> CountedCase:
    """What a run finds out, by the functions behind its steps, in this process; with fewer simulated data sets."""
    run, counted = run_record(study, rows.sample, files=rows.files), steps.scaled(study, rows)
    fits, posterior = _fits(study, counted), _sampled(study, counted.model, run.seed)
    screening, answered = steps.screened(study, rows, counted, fits, run.seed), None
    if screening.answer.is_needed and not screening.is_hopeless:
        model = answer_model(screening, rows.sample, run.seed)
        answered = CountedAnswered(model, _sampled(study, model, run.seed))
    with patch.object(group_sd_test, "MOST_REPLICATES", group_sd_test.FEWEST_REPLICATES):
        findings = steps.found(study, run, rows, None, counted, fits, posterior, screening, answered)
    own_draws = answered.own_draws if answered else None
    return CountedCase(study, findings, rows.sample, posterior.draws, own_draws, rows.rejections)


def _fits(study: Study, counted: steps.CountedRows) -> CountedFits:
    cells, scaling = counted.cells, counted.scaling
    partial = {
        flavour: partial_pooling_of(counted_model(cells, scaling, varying), flavour)
        for flavour, varying in flavours(study.varying_columns).items()
    }
    return CountedFits(complete_rates(cells, scaling), own_rates(cells), own_fits(cells, scaling), partial)


def _sampled(study: Study, model: CountedModel, seed: int) -> CountedPosterior:
    """By importance resampling, as of large studies, which takes a second; by Stan where a study names chains."""
    if "chains" not in study.sampler.model_fields_set:
        found = resampled_counted_posterior(study, model, seed, lambda _: None)
        if found is not None:
            return found
    return sample_counted_posterior(EmbeddedEngine(), study, model, seed, lambda _: None)
