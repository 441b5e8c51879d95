"""New files of one study read side by side, here or on a cluster: the same report, and the same words of bad files."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows.cli.__main__ import command
from flows.pipeline import report
from flows.steps import reading_ahead
from flows.steps.binding import RunLog, Silence, logged
from tasks.opening.studies import read_study
from tasks.study.errors import DataRejected
from tests.parts.dask_cluster import DaskCluster

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\npredictors = ["x"]\n[sampler]\nwarmup = 300\ndraws = 300\n'
N_FILES = 6


class Heard(Silence):
    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def ended(self, step: str, seconds: float, found: str) -> None:
        self.found[step] = found


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "visits"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    for number in range(N_FILES):
        write_file(folder / f"part{number}.csv", number)
    return folder


def write_file(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    group, x = np.arange(60) % 6, rng.normal(size=60).round(3)
    y = (10 + group + 0.5 * x + rng.normal(size=60)).round(3)
    pd.DataFrame({"g": [f"g{each}" for each in group], "x": x, "y": y}).to_csv(path, index=False)


def reported(study: Path, reports: Path, dask: str | None = None) -> tuple[dict[str, Any], str]:
    """What the summary says of rows and fits, and what was said of the reading."""
    heard = Heard()
    with logged(RunLog(heard, is_flow_run=False)):
        outcome = report(read_study(study), reports, dask=dask)
    summary = json.loads((outcome.folder / "summary.json").read_text("utf-8"))
    kept = {key: summary[key] for key in ("fits", "data", "predictive", "terms") if key in summary}
    return {**kept, "files": summary["run"]["files"]}, heard.found["read files"]


def read_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process may read nothing: what it gets, others have left in the store."""

    def forbidden(*_: object) -> None:
        raise AssertionError("the run read a file by itself")

    monkeypatch.setattr("tasks.rows.read_files.reduce_rows", forbidden)


def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_ahead, "FEWEST_BYTES", 0)
    monkeypatch.setattr(reading_ahead, "cores", lambda: 2)


def test_in_processes(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, _ = reported(study, tmp_path / "alone")
    in_processes(monkeypatch)
    with monkeypatch.context() as patch:
        read_by_others(patch)
        together, said = reported(study, tmp_path / "together")
    assert together == alone
    assert said == f"{N_FILES} files read"
    write_file(study / "part6.csv", 6)
    _, said = reported(study, tmp_path / "together")
    assert said == f"1 file read, {N_FILES} from the store"


def test_a_file_that_cannot_be_used_is_told_as_ever(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (study / "part2.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataRejected) as alone:
        reported(study, tmp_path / "alone")
    in_processes(monkeypatch)
    with pytest.raises(DataRejected) as together:
        reported(study, tmp_path / "together")
    assert str(together.value) == str(alone.value)


def test_where_no_process_lives_the_run_reads_by_itself(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alone, _ = reported(study, tmp_path / "alone")
    in_processes(monkeypatch)
    monkeypatch.setattr(reading_ahead, "keep_part", end_at_once)
    together, said = reported(study, tmp_path / "together")
    assert together == alone
    assert said == f"{N_FILES} files read"
    assert "the run reads it itself" in caplog.text


def end_at_once(*_: object) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def test_on_a_cluster(study: Path, tmp_path: Path, dask_cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, _ = reported(study, tmp_path / "alone")
    read_by_others(monkeypatch)
    together, said = reported(study, tmp_path / "together", dask_cluster.address)
    assert together == alone
    assert said == f"{N_FILES} files read"


def test_where_no_cluster_answers_the_run_says_so(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], dask_cluster: DaskCluster
) -> None:
    asked = ["run", str(study), "--out", str(tmp_path / "reports"), "--dask", "tcp://127.0.0.1:9"]
    assert command(asked) == 1
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in " ".join(capsys.readouterr().err.split())
