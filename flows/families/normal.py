"""A measured outcome: least-squares fits beside a Bayesian one, and a model that answers what is wrong with them."""

from __future__ import annotations

from flows.steps import of_a_normal_outcome as steps
from flows.steps.analysis import Analysis
from flows.steps.of_a_report import link_of_this_run
from tasks.engines.engines import EngineName
from tasks.reports.run_record import with_rows
from tasks.rows.collect import Collected
from tasks.study.model import Study
from tasks.study.run import RunRecord
from tasks.view.context import context_of


def analyse(engine: EngineName, study: Study, rows: Collected, run: RunRecord, age_days: float | None) -> Analysis:
    """`age_days` is the age of the newest file. Raises SamplingFailed."""
    products, scaling = steps.scale(rows.products)

    fits = steps.begin_fits(study, products, scaling)
    posterior = steps.sample(engine, study, products, scaling, run.seed)

    fitted = fits.wait()
    screening = steps.screen(study, rows, products, scaling, fitted, run.seed)
    answer = steps.answer(engine, study, rows, scaling, screening, run.seed)

    run = with_rows(run, rows, posterior.engine, link_of_this_run())
    findings = steps.check(study, run, rows, age_days, products, scaling, fitted, posterior, screening, answer)
    return Analysis(findings, posterior.draws, answer.own_draws if answer else None, context_of)
