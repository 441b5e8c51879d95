"""The pipeline as a flow of Prefect's: what is deployed, scheduled and triggered.

The pipeline itself is imported by a run: whoever deploys and starts runs, for weeks, does without its statistics.
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.outcome import Outcome
from flows.steps.binding import of_this_run
from flows.steps.stopping import listening
from tasks.engines.engines import EngineName
from tasks.opening.origin import under_its_name
from tasks.opening.reports_folder import folder_of_reports
from tasks.opening.studies import OpenedStudy, read_study
from tasks.opening.studies_elsewhere import found


def name_of_this_run() -> str:
    """The study's name; its folder's name if it has not been opened yet."""
    study = flow_run.get_parameters()["study"]
    return study.study.name if isinstance(study, OpenedStudy) else Path(study).name


@flow(name="pooling-report", flow_run_name=name_of_this_run)
def pooling_report(
    study: OpenedStudy | Path,
    reports: Path | str = "reports",
    engine: EngineName = "auto",
    force: bool = False,
    standalone: bool = False,
    dask: str | None = None,
) -> Outcome:
    """Read, fit, check and publish one study, given opened or by its folder, when no other run of it goes on.

    `reports` is a folder, or an object store's address such as `s3://bucket/reports`.
    `standalone` adds the report as one file that can be mailed. `dask` is the address of a cluster that reads new
    files. Raises DataRejected, SamplingFailed or
    another PoolwiseError; then nothing is published.
    """
    from flows.pipeline import report

    with listening(), of_this_run() as log:
        log.began_running()
        folder = folder_of_reports(reports)
        opened = under_its_name(study if isinstance(study, OpenedStudy) else read_study(found(study)), folder)
        return report(opened, folder, engine, force, standalone, dask)
