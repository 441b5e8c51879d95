"""A run folder appears whole or not at all, once, whoever else is writing."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import tasks.reports.publish
from tasks.reports.publish import (
    GRACE_SECONDS,
    is_published,
    keep_rejections,
    plotly_version,
    publish,
    share_plotly,
    sweep,
)
from tasks.reports.run_folders import run_folders
from tasks.study.errors import PoolwiseError
from tasks.view.document import summary_json, summary_of
from tests.factories import singular_case

CASE = singular_case()
SUMMARY = summary_json(summary_of(CASE.context))


@pytest.fixture(autouse=True)
def small_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real script's 5 MB are copied in one test only."""
    monkeypatch.setattr(tasks.reports.publish, "plotly_version", lambda: "0")


def summary(fingerprint: str = "f" * 64) -> str:
    return SUMMARY.replace("f" * 64, fingerprint)


def visible(reports: Path) -> set[str]:
    """Everything under the study's folder, hidden or not."""
    study = reports / "study"
    return {path.relative_to(study).as_posix() for path in study.rglob("*")} if study.exists() else set()


def test_run_folder_holds_every_file(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_bytes(b"\x89HDF")

    files = {"report.html": "<p>é</p>", "summary.json": summary(), "raw": b"\x00", "posterior.nc": write}
    folder = publish(tmp_path, "study", "r1", files)
    assert folder == tmp_path / "study" / "r1"
    assert {path.name for path in folder.iterdir()} == set(files)
    assert (folder / "report.html").read_text("utf-8") == "<p>é</p>"
    assert (folder / "raw").read_bytes() == b"\x00"
    assert (folder / "posterior.nc").read_bytes() == b"\x89HDF"
    assert (tmp_path / "plotly-0.min.js").exists()


def test_a_lone_surrogate_does_not_stop_a_report(tmp_path: Path) -> None:
    folder = publish(tmp_path, "study", "r1", {"report.html": "a\udc80b"})
    assert (folder / "report.html").read_bytes() == b"a\\udc80b"


@pytest.mark.parametrize("exception", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_in_the_middle_leaves_nothing(tmp_path: Path, exception: type[BaseException]) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise exception

    with pytest.raises(exception):
        publish(tmp_path, "study", "r1", {"report.html": "whole", "summary.json": fail})
    assert visible(tmp_path) == set()


def test_nothing_is_visible_before_everything_is_written(tmp_path: Path) -> None:
    seen: list[set[str]] = []

    def look(path: Path) -> None:
        seen.append({name for name in visible(tmp_path) if not name.startswith(".")})
        path.write_text("")

    publish(tmp_path, "study", "r1", {"report.html": "", "last": look})
    assert seen == [set()]


def test_full_disk_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(PoolwiseError, match="the disk is full") as caught:
        publish(tmp_path, "study", "r1", {"report.html": "", "posterior.nc": full})
    assert str(tmp_path / "study") in str(caught.value)
    assert visible(tmp_path) == set()


def test_disk_that_fills_up_at_the_flush_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share_plotly(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PoolwiseError, match="the disk is full"):
        publish(tmp_path, "study", "r1", {"report.html": "x"})
    assert visible(tmp_path) == set()


def test_file_in_the_way_is_explained(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("not a folder")
    with pytest.raises(PoolwiseError, match="is in the way"):
        publish(tmp_path, "study", "r1", {})


def test_folder_that_may_not_be_written_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PoolwiseError, match=r"not allowed.*--out"):
        publish(tmp_path, "study", "r1", {})


def test_published_folder_is_never_changed(tmp_path: Path) -> None:
    folder = publish(tmp_path, "study", "r1", {"report.html": "first"})
    with pytest.raises(PoolwiseError, match="published already"):
        publish(tmp_path, "study", "r1", {"report.html": "second", "more": ""})
    assert (folder / "report.html").read_text() == "first"
    assert visible(tmp_path) == {"r1", "r1/report.html", "latest"}


def test_concurrent_runs_of_a_study_all_appear_whole(tmp_path: Path) -> None:
    def slowly(path: Path) -> None:
        time.sleep(0.01)
        path.write_text(summary())

    def run(number: int) -> None:
        publish(tmp_path, "study", f"r{number:02d}", {"report.html": str(number), "summary.json": slowly})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(24)))
    folders = run_folders(tmp_path / "study")
    assert [folder.name for folder in folders] == [f"r{number:02d}" for number in reversed(range(24))]
    assert all({path.name for path in f.iterdir()} == {"report.html", "summary.json"} for f in folders)
    assert os.readlink(tmp_path / "study" / "latest") == "r23"
    assert not list((tmp_path / "study").glob(".*"))


def test_same_run_id_at_once_publishes_one(tmp_path: Path) -> None:
    def run(number: int) -> str:
        try:
            publish(tmp_path, "study", "r1", {"report.html": str(number), "slow": lambda p: p.touch()})
        except PoolwiseError:
            return "refused"
        return str(number)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, range(4)))
    winners = [outcome for outcome in outcomes if outcome != "refused"]
    assert winners == [(tmp_path / "study" / "r1" / "report.html").read_text()]


def publish_and_hang(reports: Path, started: Path) -> None:
    def hang(path: Path) -> None:
        path.write_text("half")
        started.touch()
        multiprocessing.parent_process().join()  # until killed, or until the test has ended

    tasks.reports.publish.plotly_version = lambda: "0"
    publish(reports, "study", "r1", {"report.html": hang})


def age(folder: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(folder, (moment, moment))


def test_living_run_is_left_alone_and_dead_one_swept(tmp_path: Path) -> None:
    started = tmp_path / "started"
    process = multiprocessing.get_context("spawn").Process(target=publish_and_hang, args=(tmp_path, started))
    process.start()
    while not started.exists():
        assert process.is_alive()
        time.sleep(0.01)
    staging = tmp_path / "study" / ".staging-r1"
    age(staging, 2 * GRACE_SECONDS)
    publish(tmp_path, "study", "r2", {"report.html": ""})
    assert (staging / "report.html").exists()

    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    age(staging, 2 * GRACE_SECONDS)
    sweep(tmp_path / "study")
    assert visible(tmp_path) == {"r2", "r2/report.html", "latest"}


def test_staging_folder_that_was_just_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".staging-r1").mkdir()
    sweep(tmp_path)
    assert (tmp_path / ".staging-r1").exists()


def test_where_folders_cannot_be_locked_only_old_staging_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    for name, seconds in ((".staging-old", 25 * 3600), (".staging-young", 3600)):
        (tmp_path / name).mkdir()
        age(tmp_path / name, seconds)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".staging-young"]
    publish(tmp_path, "study", "r1", {"report.html": ""})
    assert (tmp_path / "study" / "r1" / "report.html").exists()


def test_latest_is_a_relative_link_to_the_newest(tmp_path: Path) -> None:
    publish(tmp_path, "study", "r2", {"report.html": "two"})
    publish(tmp_path, "study", "r1", {"report.html": "one, late"})
    assert os.readlink(tmp_path / "study" / "latest") == "r2"
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert (moved / "study" / "latest" / "report.html").read_text() == "two"


def refuse_link(self: Path, *args: object, **options: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_where_links_are_impossible_a_page_leads_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "symlink_to", refuse_link)
    for run_id in ("r1", "r2"):
        publish(tmp_path, "study", run_id, {"report.html": ""})
    page = (tmp_path / "study" / "latest" / "report.html").read_text()
    assert "url=../r2/report.html" in page
    assert [folder.name for folder in run_folders(tmp_path / "study")] == ["r2", "r1"]


def test_leading_page_is_never_written_into_a_published_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(tmp_path, "study", "r1", {"report.html": "one"})
    monkeypatch.setattr(Path, "symlink_to", refuse_link)
    publish(tmp_path, "study", "r2", {"report.html": "two"})
    assert (first / "report.html").read_text() == "one"
    assert "../r2/" in (tmp_path / "study" / "latest" / "report.html").read_text()


def test_only_the_newest_run_makes_a_run_unnecessary(tmp_path: Path) -> None:
    assert is_published(tmp_path, "study", "1" * 64) is None
    first = publish(tmp_path, "study", "r1", {"summary.json": summary("1" * 64)})
    assert is_published(tmp_path, "study", "1" * 64) == first
    second = publish(tmp_path, "study", "r2", {"summary.json": summary("2" * 64)})
    assert is_published(tmp_path, "study", "2" * 64) == second
    assert is_published(tmp_path, "study", "1" * 64) is None


def test_a_run_whose_verdict_cannot_be_read_makes_no_run_unnecessary(tmp_path: Path) -> None:
    told = json.loads(summary("1" * 64))
    told["verdict"] = {"status": "trust", "word": "of another program"}
    publish(tmp_path, "study", "r1", {"summary.json": json.dumps(told)})
    assert is_published(tmp_path, "study", "1" * 64) is None


def test_rejections_are_kept_without_a_run(tmp_path: Path) -> None:
    path = keep_rejections(tmp_path, "study", "r1", "file,row\né.csv,3\n")
    assert path == tmp_path / "study" / "rejected" / "r1.csv"
    assert path.read_text("utf-8") == "file,row\né.csv,3\n"
    assert run_folders(tmp_path / "study") == []


def test_plotly_is_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.reports.publish, "plotly_version", plotly_version)
    path = share_plotly(tmp_path)
    version = path.name.removeprefix("plotly-").removesuffix(".min.js")
    assert f"plotly.js v{version}" in path.read_text("utf-8")[:200]
    made = path.stat().st_mtime_ns
    assert share_plotly(tmp_path).stat().st_mtime_ns == made
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def crash(step: str) -> Callable[..., None]:
    def stop(*arguments: object) -> None:
        raise RuntimeError(step)

    return stop


@pytest.mark.parametrize("step", ["sync", "_appear", "_write"])
def test_crash_at_any_step_before_the_rename_shows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    share_plotly(tmp_path)
    monkeypatch.setattr(tasks.reports.publish, step, crash(step))
    with pytest.raises(RuntimeError, match=step):
        publish(tmp_path, "study", "r1", {"report.html": ""})
    assert visible(tmp_path) == set()
