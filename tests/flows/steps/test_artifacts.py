"""What a run leaves on its page in Prefect: a link to the report, and a table of what it quotes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

from flows.report import pooling_report
from flows.steps.binding import RunLog, logged
from tasks.disk.layout import SUMMARY
from tasks.opening.studies import read_study
from tests.stopping import write_rows

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n[sampler]\nwarmup = 300\ndraws = 300\n'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "visits_2026-q1"
    folder.mkdir()
    write_rows(folder / "rows.csv", 240)
    (folder / "study.toml").write_text(STUDY)
    return folder


def left_by_a_run(study: Path, **options: Any) -> tuple[Path, dict[str, Any]]:
    """The run's folder, and its artifacts by their keys."""
    runs: list[UUID] = []
    with logged(RunLog()):
        noting = pooling_report.with_options(on_running=[lambda flow, run, state: runs.append(run.id)])
        outcome = noting(read_study(study), study.parent / "reports", **options)
    with get_client(sync_client=True) as client:
        of_the_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=runs))
        return outcome.folder, {each.key: each for each in client.read_artifacts(artifact_filter=of_the_run)}


def test_each_run_leaves_a_link_and_a_table(prefect_server: None, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWISE_REPORTS_URL", "https://reports.example.org")
    for options in ({}, {"force": True}):
        folder, artifacts = left_by_a_run(study, **options)
        assert set(artifacts) == {"report-visits-2026-q1", "estimates-visits-2026-q1"}
        summary = json.loads((folder / SUMMARY).read_text("utf-8"))
        link, table = artifacts["report-visits-2026-q1"], artifacts["estimates-visits-2026-q1"]
        assert f"(https://reports.example.org/{study.name}/{folder.name}/report.html)" in link.data
        assert link.data.startswith("[")
        assert link.description
        assert table.type == "table"
        assert json.loads(table.data) == summary["overview"]["estimates"]
        assert {row["term"] for row in json.loads(table.data)} >= {"intercept", "x"}


def test_where_no_catalogue_is_served_the_path_stands_in_place_of_the_link(
    prefect_server: None, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's pages strip addresses of files."""
    monkeypatch.delenv("POOLWISE_REPORTS_URL", raising=False)
    folder, artifacts = left_by_a_run(study)
    assert artifacts["report-visits-2026-q1"].type == "markdown"
    assert folder.name in artifacts["report-visits-2026-q1"].data.replace("\\", "")
    assert artifacts["estimates-visits-2026-q1"].type == "table"
