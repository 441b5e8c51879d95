"""The main job, told in one place: from a study's files to a published report.

files ──load──▶ rows ──validate──▶ data ──reduce──▶ cross-products
                          └▶ rejections          ├▶ complete, no and partial pooling, side by side
                                                 └▶ posterior, by a Stan engine
fits + posterior ──check──▶ findings ──write──▶ page, summary, estimates ──publish──▶ a run folder
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prefect import flow

from flows import steps_of_a_report as steps
from tasks.engines import EngineName
from tasks.publish import is_published
from tasks.run_folders import read_verdict
from tasks.run_record import open_run, with_rows
from tasks.stats.partial_pooling import flavours
from tasks.stats.records import Verdict
from tasks.studies import OpenedStudy


@dataclass(frozen=True)
class Outcome:
    """Where the report is and what it says; `is_new` is false when data and study had not changed."""

    folder: Path
    verdict: Verdict
    is_new: bool


@flow(name="pooling-report", flow_run_name="{opened.study.name}")
def pooling_report(
    opened: OpenedStudy,
    reports: Path = Path("reports"),
    engine: EngineName = "auto",
    force: bool = False,
    standalone: bool = False,
) -> Outcome:
    """Read, fit, check and publish one study; `standalone` adds the report as one file that can be mailed.

    Raises DataRejected, SamplingFailed or another PoolwiseError; then nothing is published.
    """
    steps.begin()
    study = opened.study
    files = steps.identify_files(opened)
    run = open_run(study, files)
    if not force and (published := is_published(reports, study.name, run.fingerprint)):
        return Outcome(published, read_verdict(published), is_new=False)

    rows = steps.validate(steps.load(opened), study, files, reports, run.id)
    products, scaling = steps.reduce(rows.data)

    complete = steps.fit_complete_pooling.submit(products)
    separate = steps.fit_no_pooling.submit(products)
    partial = {
        flavour: steps.fit_partial_pooling.submit(
            products, scaling, flavour, varying, singular_tolerance=study.thresholds.singular_tolerance
        )
        for flavour, varying in flavours(study.varying_columns).items()
    }
    posterior = steps.sample(engine, study, products, scaling, run.seed)

    run = with_rows(run, rows, posterior.engine, steps.link_of_this_run())
    fits = steps.gather(complete, separate, partial)
    findings = steps.check(study, run, rows.data, products, scaling, fits, posterior)
    files_of_run = steps.write(opened, findings, rows, posterior.draws, standalone)
    folder = steps.publish(reports, study, run.id, files_of_run)
    steps.leave_link(study, findings.verdict, folder)
    return Outcome(folder, findings.verdict, is_new=True)
