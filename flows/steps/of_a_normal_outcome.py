"""The steps of a report on a measured outcome: its fits, its posterior, what is wrong with them, all findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.steps.binding import Result, run_log, step
from flows.steps.step_words import answer_found, findings_found, fit_found, posterior_found, screening_found
from tasks.engines.engines import EngineName
from tasks.engines.sample import answered_by, draw_posterior
from tasks.engines.sampler_process import SamplerProcess
from tasks.rows.collect import Collected
from tasks.stats.findings import Findings, find
from tasks.stats.fits.cross_products import CrossProducts, ModelCrossProducts, centre_scaled, scaling_of
from tasks.stats.fits.partial_pooling import flavours, partial_pooling
from tasks.stats.fits.pooling import complete_pooling, no_pooling
from tasks.stats.judged.screening import Screening
from tasks.stats.judged.screening import screen as screen_rows
from tasks.stats.records import CompletePooling, Flavour, NoPooling, PartialPooling, Scaling
from tasks.stats.rows.data_findings import data_findings
from tasks.stats.weighed import Answered, LeastSquaresFits, Posterior
from tasks.study.model import Study
from tasks.study.run import RunRecord


def scaled(products: CrossProducts) -> tuple[ModelCrossProducts, Scaling]:
    """Sums on the centred and scaled basis that is fitted, and that scaling."""
    scaling = scaling_of(products)
    return centre_scaled(products, scaling), scaling


def sampled(engine: EngineName, study: Study, products: ModelCrossProducts, scaling: Scaling, seed: int) -> Posterior:
    """Draw from the posterior. Raises SamplingFailed."""
    listener = run_log().listener
    return draw_posterior(engine, study, products, scaling, seed, lambda share: listener.advanced("sample", share))


def screened(
    study: Study,
    rows: Collected,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    seed: int,
) -> Screening:
    """What is wrong with the study's plain model, and which model answers it."""
    named, limits = study.order is not None, study.thresholds
    return screen_rows(rows.sample, products, scaling, fits.fullest, limits, seed, order_is_named=named)


def answered(
    engine: EngineName, study: Study, rows: Collected, scaling: Scaling, screening: Screening, seed: int
) -> Answered | None:
    """Sample the model that answers what was found; None if there is nothing to answer, or no model here can."""
    chosen = SamplerProcess(engine, 60.0 * study.sampler.max_minutes)
    listener = run_log().listener
    return answered_by(
        chosen, study, screening, rows.sample, scaling, seed, lambda share: listener.advanced("answer", share)
    )


@dataclass(frozen=True)
class FitsGoingOn:
    """The least-squares fits, each in a thread of its own."""

    complete: Result[CompletePooling]
    separate: Result[NoPooling]
    partial: Mapping[Flavour, Result[PartialPooling]]

    def wait(self) -> LeastSquaresFits:
        """Return when all have ended. Raises what one of them raised."""
        partial = {flavour: fit.result() for flavour, fit in self.partial.items()}
        return LeastSquaresFits(self.complete.result(), self.separate.result(), partial)


def begin_fits(study: Study, products: ModelCrossProducts, scaling: Scaling) -> FitsGoingOn:
    """Begin complete, no and partial pooling, this one in every flavour that the study's varying terms allow."""
    tolerance = study.thresholds.singular_tolerance
    return FitsGoingOn(
        fit_complete_pooling.submit(products),
        fit_no_pooling.submit(products),
        {
            flavour: fit_partial_pooling.submit(products, scaling, flavour, varying, singular_tolerance=tolerance)
            for flavour, varying in flavours(study.varying_columns).items()
        },
    )


def found(
    study: Study,
    run: RunRecord,
    rows: Collected,
    age_days: float | None,
    products: ModelCrossProducts,
    scaling: Scaling,
    fits: LeastSquaresFits,
    posterior: Posterior,
    screening: Screening,
    answered: Answered | None,
) -> Findings:
    """All analyses, judgements and the verdict. `age_days` is the age of the newest file."""
    of_rows = data_findings(
        products,
        scaling,
        run.n_rejected,
        notes=rows.notes,
        n_set_aside=sum(bool(file.set_aside) for file in run.files),
        age_days=age_days,
    )
    return find(study, run, of_rows, rows.sample, products, scaling, fits, posterior, screening, answered)


scale = step(scaled, "scale")
fit_complete_pooling = step(complete_pooling, "complete pooling")
fit_no_pooling = step(no_pooling, "no pooling")
fit_partial_pooling = step(partial_pooling, "partial pooling", fit_found)
sample = step(sampled, "sample", posterior_found)
screen = step(screened, "screen", screening_found)
answer = step(answered, "answer", answer_found)
check = step(found, "check", findings_found)
