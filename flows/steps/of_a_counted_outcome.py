"""The steps of a report on a counted outcome: the twins of those of a measured one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flows.steps.binding import Result, run_log, step
from flows.steps.step_words import (
    answer_found,
    counted_fit_found,
    findings_found,
    posterior_found,
    screening_found,
)
from tasks.engines.engines import EngineName
from tasks.engines.sample_counted import answered_by, draw_counted_posterior
from tasks.rows.collect import Collected
from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.draws import CountedPosterior
from tasks.stats.counted.findings import CountedFindings, find_counted
from tasks.stats.counted.fits import CountedAnswered, CountedFits
from tasks.stats.counted.glm import CompleteRates, complete_rates
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.own_rates import OwnFits, OwnRates, own_fits, own_rates
from tasks.stats.counted.partial_pooling import CountedPartialPooling, partial_pooling_of
from tasks.stats.counted.screening import CountedScreening, screen_counted
from tasks.stats.fits.cells import Cells
from tasks.stats.fits.cross_products import centre_scaled, scaling_of
from tasks.stats.fits.partial_pooling import flavours
from tasks.stats.records import Flavour, Scaling
from tasks.stats.rows.data_findings import data_findings
from tasks.study.model import Study
from tasks.study.run import RunRecord


@dataclass(frozen=True)
class CountedRows:
    """What is fitted: cells of the study's own terms, and the scaling of its predictors."""

    cells: Cells
    scaling: Scaling
    varying: tuple[int, ...]

    @property
    def model(self) -> CountedModel:
        """The plain model with all of the study's varying terms."""
        return counted_model(self.cells, self.scaling, self.varying)


def scaled(study: Study, rows: Collected) -> CountedRows:
    """The scaling is of rows, as of every family; a counted outcome has a link and is not scaled."""
    assert rows.cells is not None
    scaling = replace(scaling_of(rows.products), outcome_center=0.0, outcome_scale=1.0)
    return CountedRows(rows.cells, scaling, (0, *study.varying_columns))


def sampled(engine: EngineName, study: Study, counted: CountedRows, seed: int) -> CountedPosterior:
    """Draw from the posterior. Raises SamplingFailed."""
    listener = run_log().listener
    return draw_counted_posterior(engine, study, counted.model, seed, lambda share: listener.advanced("sample", share))


@dataclass(frozen=True)
class CountedFitsGoingOn:
    """The fits by maximum likelihood, each in a thread of its own."""

    complete: Result[CompleteRates]
    rates: Result[OwnRates]
    own: Result[OwnFits]
    partial: Mapping[Flavour, Result[CountedPartialPooling]]

    def wait(self) -> CountedFits:
        """Return when all have ended. Raises what one of them raised."""
        partial = {flavour: fit.result() for flavour, fit in self.partial.items()}
        return CountedFits(self.complete.result(), self.rates.result(), self.own.result(), partial)


def begin_fits(study: Study, counted: CountedRows) -> CountedFitsGoingOn:
    """Begin complete, no and partial pooling, this one in every flavour that the study's varying terms allow."""
    cells, scaling, tolerance = counted.cells, counted.scaling, study.thresholds.singular_tolerance
    return CountedFitsGoingOn(
        fit_complete_pooling.submit(cells, scaling),
        count_rates.submit(cells),
        fit_no_pooling.submit(cells, scaling),
        {
            flavour: fit_partial_pooling.submit(counted_model(cells, scaling, varying), flavour, tolerance)
            for flavour, varying in flavours(study.varying_columns).items()
        },
    )


def screened(study: Study, rows: Collected, counted: CountedRows, fits: CountedFits, seed: int) -> CountedScreening:
    """What is wrong with the study's plain model, and which model answers it."""
    limits, named = study.thresholds, study.order is not None
    return screen_counted(counted.model, rows.sample, fits.fullest, limits, seed, order_is_named=named)


def answered(
    engine: EngineName, study: Study, rows: Collected, screening: CountedScreening, seed: int
) -> CountedAnswered | None:
    """Sample the model that answers what was found; None if there is nothing to answer, or no model here can."""
    listener = run_log().listener
    return answered_by(engine, study, screening, rows.sample, seed, lambda share: listener.advanced("answer", share))


def found(
    study: Study,
    run: RunRecord,
    rows: Collected,
    age_days: float | None,
    counted: CountedRows,
    fits: CountedFits,
    posterior: CountedPosterior,
    screening: CountedScreening,
    answered: CountedAnswered | None,
) -> CountedFindings:
    """All analyses, judgements and the verdict. `age_days` is the age of the newest file."""
    of_rows = data_findings(
        centre_scaled(rows.products, counted.scaling),
        counted.scaling,
        run.n_rejected,
        notes=rows.notes,
        n_set_aside=sum(bool(file.set_aside) for file in run.files),
        age_days=age_days,
    )
    return find_counted(
        study, run, of_rows, rows.sample, counted.cells, counted.scaling, fits, posterior, screening, answered
    )


scale = step(scaled, "scale")
fit_complete_pooling = step(complete_rates, "complete pooling")
count_rates = step(own_rates, "rates by group")
fit_no_pooling = step(own_fits, "no pooling")
fit_partial_pooling = step(partial_pooling_of, "partial pooling", counted_fit_found)
sample = step(sampled, "sample", posterior_found)
screen = step(screened, "screen", screening_found)
answer = step(answered, "answer", answer_found)
check = step(found, "check", findings_found)
