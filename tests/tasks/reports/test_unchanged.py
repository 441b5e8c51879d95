"""Nothing new to report: told from files and study alone, and settled as a run would settle it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.opening.studies import OpenedStudy
from tasks.reports.ledger import Ledger
from tasks.reports.run_lock import only_run
from tasks.reports.unchanged import report_of_the_same
from tasks.rows.store import identify
from tests.reports import publish_run, write_study

RNG = np.random.default_rng(6)
ROWS = pd.DataFrame({"g": np.repeat(list("abcd"), 6), "y": RNG.normal(size=24) + np.repeat([0, 2, 4, 6], 6)})
KEYS = {"title": "T", "outcome": "y", "group": "g"}


@pytest.fixture
def opened(tmp_path: Path) -> OpenedStudy:
    return write_study(tmp_path / "study", {"a.csv": ROWS}, **KEYS)


@pytest.fixture
def reports(tmp_path: Path, opened: OpenedStudy) -> Path:
    publish_run(opened, tmp_path / "reports", stan=False)
    return tmp_path / "reports"


def test_the_same_again_is_the_report_there_is(opened: OpenedStudy, reports: Path) -> None:
    found = report_of_the_same(opened, reports)
    assert found is not None
    assert (found / "report.html").is_file()
    assert {row.state for row in Ledger(reports).rows()} == {"counted"}


def test_a_renamed_file_is_no_news_and_counts(opened: OpenedStudy, reports: Path) -> None:
    (opened.folder / "a.csv").rename(opened.folder / "b.csv")
    Ledger(reports).arrivals("study", identify(opened, reports))  # as intake does when a file appears
    assert {row.state for row in Ledger(reports).rows()} == {"waiting"}
    assert report_of_the_same(opened, reports) is not None
    assert {row.state for row in Ledger(reports).rows()} == {"counted"}


@pytest.mark.parametrize("change", ["another row", "another study", "no report"])
def test_anything_new_is_for_a_run(tmp_path: Path, opened: OpenedStudy, reports: Path, change: str) -> None:
    if change == "another row":
        with (opened.folder / "a.csv").open("a") as file:
            file.write("a,0.5\n")
    elif change == "another study":
        opened = write_study(opened.folder, {}, **KEYS, sampler={"seed": 7})
    else:
        reports = tmp_path / "elsewhere"
    assert report_of_the_same(opened, reports) is None


def test_a_run_that_goes_on_or_died_is_for_a_run_to_see_to(opened: OpenedStudy, reports: Path) -> None:
    with only_run(reports, "study") as hold:
        hold.note("some-run", "")
        assert report_of_the_same(opened, reports) is None
    assert report_of_the_same(opened, reports) is not None


def test_no_orchestrator_is_asked(opened: OpenedStudy, reports: Path) -> None:
    script = textwrap.dedent(f"""
        import sys
        from flows.cli.__main__ import command
        assert command(["run", {str(opened.folder)!r}, "--out", {str(reports)!r}]) == 0
        assert "prefect" not in sys.modules
    """)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "Nothing has changed since this report was published" in ended.stdout


@pytest.mark.bench
def test_how_long_it_takes(opened: OpenedStudy, reports: Path) -> None:
    """Median seconds of `poolwise run` on unchanged data, whole process."""
    command = [sys.executable, "-m", "flows.cli", "run", str(opened.folder), "--out", str(reports)]
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, env=os.environ)
        seconds.append(time.perf_counter() - started)
    print(f"unchanged data, median of 5: {np.median(seconds):.2f} s")
    assert np.median(seconds) < 1.5
