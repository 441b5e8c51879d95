"""A portfolio goes on whatever becomes of one study, and from where it was; on processes, and on a Dask cluster."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from starlette.testclient import TestClient

from flows.cli.__main__ import command
from flows.portfolio.member_run import Ended, run_member
from flows.portfolio.portfolio import NobodyWatches, Portfolio, watched, with_runner
from flows.steps.processes import processes
from tasks.portfolio.member import Member, members_in
from tasks.reports.ledger import Ledger
from tasks.reports.run_folders import run_folders
from tasks.site.app import catalogue_app
from tests.parts.dask_cluster import DaskCluster
from tests.waiting import until

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n[sampler]\nwarmup = 300\ndraws = 300\n'


def rows_of(region: str, seed: int, n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group, x = np.arange(n) % 6, rng.normal(size=n).round(3)
    y = (10 + rng.normal(size=6)[group] + 0.5 * x + rng.normal(size=n)).round(3)
    return pd.DataFrame({"region": region, "g": [f"g{each}" for each in group], "x": x, "y": y})


def study_of(folder: Path, **regions: pd.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(STUDY)
    pd.concat(regions.values()).to_csv(folder / "rows.csv", index=False)
    return folder


def run(study: Path, reports: Path, dask: str | None = None) -> Portfolio:
    flow: Any = with_runner(2, dask)
    return flow(study, "region", reports, at_once=2, on_cluster=dask is not None)


def ways(portfolio: Portfolio) -> dict[str, str]:
    return {each.label: each.how for each in portfolio.ended}


def test_one_that_fails_stops_no_other_and_the_next_time_only_what_is_new_is_run(
    prefect_server: None, tmp_path: Path
) -> None:
    regions = {"east": rows_of("east", 1), "north": rows_of("north", 2), "west": rows_of("west", 3, n=4)}
    study, reports = study_of(tmp_path / "visits", **regions), tmp_path / "reports"
    first = run(study, reports)
    assert ways(first) == {"east": "published", "north": "published", "west": "data rejected"}
    assert first.exit_code == 3
    page = first.page.read_text("utf-8")
    for each in first.ended[:2]:
        assert f"{each.name}/{each.run_id}/report.html" in page
        assert (reports / each.name / each.run_id / "report.html").exists()
        assert each.run_id in (reports / "catalogue.json").read_text("utf-8")
    assert 'href="portfolio-visits.html"' in (reports / "index.html").read_text("utf-8")
    site = TestClient(catalogue_app(reports, allowed_hosts=["*"]))
    assert 'href="portfolio-visits.html"' in site.get("/").text
    served = site.get("/portfolio-visits.html")
    assert served.text == page
    assert "style-src 'sha256-" in served.headers["content-security-policy"]
    assert site.get("/portfolio-other.html").status_code == 404
    told = json.loads((reports / "portfolio-visits.json").read_text("utf-8"))
    assert [each["how"] for each in told["studies"]] == ["published", "published", "data rejected"]
    with get_client(sync_client=True) as client:
        mine = ArtifactFilter(key=ArtifactFilterKey(any_=["portfolio-visits"]))
        (artifact,) = client.read_artifacts(artifact_filter=mine)
    assert [row["ended"] for row in json.loads(str(artifact.data))] == ["published", "published", "data rejected"]

    study_of(study, **{**regions, "north": rows_of("north", 4), "west": rows_of("west", 3)})
    second = run(study, reports)
    assert ways(second) == {"east": "unchanged", "north": "published", "west": "published"}
    assert second.exit_code == 0
    assert {row.state for row in Ledger(reports).rows()} == {"counted", "refused"}


def test_a_folder_of_studies_from_the_command_line(
    prefect_server: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study_of(tmp_path / "all" / "one", a=rows_of("a", 1))
    (tmp_path / "all" / "broken").mkdir()
    (tmp_path / "all" / "broken" / "study.toml").write_text("title = 1\n")
    assert command(["portfolio", str(tmp_path / "all"), "--out", str(tmp_path / "reports")]) == 2
    said = capfd.readouterr()
    assert "broken\twrong study\t\t" in said.out
    assert "one\tpublished\t" in said.out
    assert "2 studies: " in said.out
    assert "Traceback" not in said.out + said.err


def test_a_process_that_dies_is_replaced_and_its_study_run_again(tmp_path: Path) -> None:
    study_of(tmp_path / "all" / "one", a=rows_of("a", 1))
    (member,) = members_in(tmp_path / "all")
    with processes(2) as here:
        pids = [each.submit(os.getpid).result() for each in here._all]
        os.kill(pids[0], signal.SIGKILL)
        ended = here.run(run_member, member, str(tmp_path / "reports"), "embedded", False)
        assert here._all[1].submit(os.getpid).result() == pids[1]
    assert (ended.how, ended.exit_code) == ("published", 0), ended.reason


def test_what_nobody_foresaw_is_told_of_the_one_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Member, "open", lambda self: 1 / 0)
    ended = run_member(Member("a", "A", str(tmp_path)), str(tmp_path / "reports"), "auto", False)
    assert (ended.how, ended.exit_code) == ("failed", 1)
    assert ended.reason.startswith("ZeroDivisionError")
    assert "ZeroDivisionError" in caplog.text


def test_on_a_cluster_a_killed_worker_changes_nothing_but_time(
    prefect_server: None, dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    regions = {f"r{seed}": rows_of(f"r{seed}", seed) for seed in range(3)}
    study, reports = study_of(tmp_path / "visits", **regions), tmp_path / "reports"

    class KillsOne(NobodyWatches):
        def ended(self, one: Ended) -> None:
            victim = dask_cluster.processes[0]
            if victim.poll() is None:
                victim.kill()
                dask_cluster.start_worker()

    with watched(KillsOne()):
        portfolio = run(study, reports, dask_cluster.address)
    assert set(ways(portfolio).values()) <= {"published", "unchanged"}
    assert portfolio.exit_code == 0
    for each in portfolio.ended:
        assert len(run_folders(reports / each.name)) == 1
    assert {row.state for row in Ledger(reports).rows()} == {"counted"}
    assert dask_cluster.processes[0].poll() is not None
    until(lambda: dask_cluster.processes[-1].poll() is None)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_named(
    address: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    study = study_of(tmp_path / "visits", a=rows_of("a", 1))
    asked = ["portfolio", str(study), "--by", "region", "--out", str(tmp_path / "r"), "--dask", address]
    assert command(asked) == 1
    said = " ".join(capfd.readouterr().err.split())
    assert f"No Dask scheduler answers at {address}" in said or f"scheduler at {address} has no workers" in said
