"""A counted outcome: regressions of cells beside a Bayesian fit, and a model that answers what is wrong with them."""

from __future__ import annotations

from flows.steps import of_a_counted_outcome as steps
from flows.steps.analysis import Analysis
from flows.steps.of_a_report import link_of_this_run
from tasks.engines.engines import EngineName
from tasks.reports.run_record import with_rows
from tasks.rows.collect import Collected
from tasks.study.model import Study
from tasks.study.run import RunRecord
from tasks.view.counted.context import counted_context_of


def analyse(engine: EngineName, study: Study, rows: Collected, run: RunRecord, age_days: float | None) -> Analysis:
    """`age_days` is the age of the newest file. Raises SamplingFailed."""
    counted = steps.scale(study, rows)

    fits = steps.begin_fits(study, counted)
    posterior = steps.sample(engine, study, counted, run.seed)

    fitted = fits.wait()
    screening = steps.screen(study, rows, counted, fitted, run.seed)
    answer = steps.answer(engine, study, rows, screening, run.seed)

    run = with_rows(run, rows, posterior.engine, link_of_this_run())
    findings = steps.check(study, run, rows, age_days, counted, fitted, posterior, screening, answer)
    return Analysis(findings, posterior.draws, answer.own_draws if answer else None, counted_context_of)
