"""Of which data, when, with what."""

from __future__ import annotations

from pydantic import Field

from tasks.study.run import RunRecord
from tasks.view.summary.record import Count, Record


class FileSummary(Record):
    """One file read."""

    name: str = Field(description="relative to the study's folder")
    sha256: str = Field(description="hash of the file's bytes")
    n_rows: Count = Field(description="data rows in the file")
    n_rejected: Count = Field(description="of these, rejected")
    n_copies: Count = Field(description="of these, dropped as copies of earlier rows")
    n_bytes: Count = Field(description="the file's size; 0 if it is not known")
    set_aside: str = Field(description="why the file could not be used; empty when it was read")


class RunSummary(Record):
    """Of which data, when, with what."""

    id: str = Field(description="name of the run's folder; sorts by time")
    started_at: str = Field(json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC")
    fingerprint: str = Field(description="hash of data, study and program: equal means nothing new to publish")
    data_sha256: str = Field(description="hash of the rows' files")
    study_sha256: str = Field(description="hash of the study file")
    n_rows: Count = Field(description="rows used, after rejection")
    n_groups: Count = Field(description="groups in the rows used")
    n_rejected: Count = Field(description="rows rejected")
    n_copies: Count = Field(description="rows dropped as copies of earlier ones; neither used nor among the rejected")
    seed: Count = Field(description="from which every random number of the run follows")
    engine: str = Field(description="what drew from the posterior: a Stan engine, or importance resampling")
    versions: dict[str, str] = Field(description="version by program")
    files: list[FileSummary] = Field(description="the files read")
    rejected_by_rule: dict[str, Count] = Field(description="number of reasons by rule; a row can break several")
    link: str = Field(description="address of the run in the orchestrator's pages; empty without a server")
    look_sha256: str = Field(
        description="hash of the look of the study's own that the report has; empty for Poolwise's"
    )


def run_of(run: RunRecord) -> RunSummary:
    return RunSummary.of(run)
