"""The main job, told in one place: from a study's files to a published report.

files ──read──▶ digests, one per file, kept ──collect──▶ sums per group, a sample of rows
                   └▶ rejections                            ├▶ complete, no and partial pooling, side by side
                                                            └▶ posterior, by a Stan engine
fits + posterior ──check──▶ findings ──look back──▶ and changes ──write──▶ page, summary, estimates, draws
    ──publish──▶ reports/<study>/<run>/ + catalogue ──tell──▶ whom the study names
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flows.families import analysis_of
from flows.outcome import Outcome
from flows.steps import of_a_report as steps
from flows.steps.binding import run_log
from flows.steps.claims import Claim, claimed
from tasks.engines.engines import EngineName
from tasks.look.trial import look_of
from tasks.notify.notify import age_in_days
from tasks.opening.studies import OpenedStudy
from tasks.reports.catalogue import is_listed, rebuild_catalogue
from tasks.reports.publish import is_published
from tasks.reports.run_folders import newest_run_id, read_verdict
from tasks.reports.run_record import open_run
from tasks.view.verdict_words import verdict_of


def report(
    opened: OpenedStudy,
    reports: Path,
    engine: EngineName = "auto",
    force: bool = False,
    standalone: bool = False,
    dask: str | None = None,
) -> Outcome:
    """Read, fit, check and publish one study, named as it is in `reports`, when no other run of it goes on.

    `dask` is the address of a cluster that reads new files. Raises DataRejected, SamplingFailed or another
    PoolwiseError; then nothing is published. In a flow run of Prefect's
    the steps are its tasks (`flows.report`); what they report to is `run_log()`.
    """
    with claimed(reports, opened.study.name) as claim, steps.failure_told(opened, reports):
        return _report(opened, claim, reports, engine, force, standalone, dask)


def _report(
    opened: OpenedStudy,
    claim: Claim,
    reports: Path,
    engine: EngineName,
    force: bool,
    standalone: bool,
    dask: str | None,
) -> Outcome:
    study = opened.study
    look = look_of(opened)
    files = steps.identify_files(opened, reports)
    run = open_run(study, files, look.sha256 if look else "", newest_run_id(reports / study.name))
    claim.take(run.id, files)
    age = age_in_days(opened)
    if not force and (published := is_published(reports, study.name, run.fingerprint)):
        if not run_log().one_of_many and not is_listed(reports, published):
            rebuild_catalogue(reports)
        steps.tell_stale(opened, reports, age)
        return Outcome(published, read_verdict(published), is_new=False)

    previous = steps.previous_report(reports, study.name)
    rows = steps.collect_rows(steps.read(opened, files, reports, dask), opened, reports, run.id, previous)
    study = rows.study(study)
    analysis = analysis_of(study)(engine, study, rows, run, age)
    context = steps.look_back(reports, replace(opened, study=study), analysis, rows, previous)
    content = steps.write(context, standalone, look)
    folder = steps.publish(reports, study, run.id, content, claim.require)
    steps.leave_on_page(context, folder)
    steps.tell(opened, reports, context, folder, age)
    return Outcome(folder, verdict_of(context), is_new=True)
