"""`poolwise serve` for real: its own server, real files, real kills; over loopback."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flows.serve.serve import catalogue_for_readers
from tasks.notify.notify import BASE_ADDRESS
from tasks.reports.ledger import Ledger
from tasks.reports.run_lock import only_run
from tasks.site.server import serve_catalogue
from tests.serving import ROWS_PER_FILE, Serving
from tests.waiting import PATIENCE_SECONDS, until

CHANCE = random.Random(7)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path).start()
    yield serving
    if serving.process and serving.process.poll() is None:
        serving.stop()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One for tests that leave it serving, with every file counted; starting one takes seconds."""
    serving = Serving(tmp_path_factory.mktemp("lasting")).start()
    yield serving
    if serving.process and serving.process.poll() is None:
        serving.stop()


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
        return str(answer.read().decode())


def flow_runs(serving: Serving) -> list[dict[str, Any]]:
    return list(serving.ask("/flow_runs/filter", {}))


def emit_request(serving: Serving) -> None:
    """As a webhook or `prefect event emit` would."""
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "poolwise.run.requested",
        "resource": {"prefect.resource.id": "poolwise.study.study"},
        "payload": {},
    }
    serving.ask("/events", [event])


def test_a_life_of_serving(serving: Serving) -> None:
    """One server for all of it: starting one takes seconds."""
    serving.drop(0, CHANCE, slowly=True)
    until(lambda: serving.n_counted() == 1)
    (first,) = serving.summaries()
    assert first["run"]["n_rows"] == ROWS_PER_FILE

    catalogue = serving.addresses()["Catalogue"]
    assert "Small" in read(f"{catalogue}/")
    assert "Small" in read(f"{catalogue}/study/latest/")
    until(lambda: any(run["state_type"] == "COMPLETED" for run in flow_runs(serving)))
    assert any(run["id"] in first["run"]["link"] for run in flow_runs(serving))
    artifacts = serving.ask("/artifacts/filter", {})
    assert any(f"{catalogue}/study/{first['run']['id']}/report.html" in str(each["data"]) for each in artifacts)
    (table,) = (json.loads(each["data"]) for each in artifacts if each["type"] == "table")
    assert table == first["overview"]["estimates"]

    def events() -> set[str]:
        found = serving.ask("/events/filter", {"filter": {"event": {"prefix": ["poolwise."]}}})
        return {each["event"] for each in found["events"]}

    until(lambda: events() >= {"poolwise.data.arrived", "poolwise.report.published"})

    with only_run(serving.reports, serving.study.name):  # while a run goes on, as far as others can see
        for number in range(1, 101):
            serving.drop(number, CHANCE)
    until(lambda: serving.n_counted() == 101)
    _, second = serving.summaries()
    assert second["run"]["n_rows"] == 101 * ROWS_PER_FILE, "a hundred files while a run goes on make one more"

    (serving.incoming / "copy.csv").write_bytes((serving.incoming / "0005.csv").read_bytes())
    (serving.incoming / "0006.csv").rename(serving.incoming / "renamed.csv")
    serving.drop(101, CHANCE)
    until(lambda: serving.n_counted() == 102)
    *_, last = serving.summaries()
    assert last["run"]["n_rows"] == 102 * ROWS_PER_FILE, "renamed and repeated contents are no news"

    before = len([run for run in flow_runs(serving) if run["start_time"]])
    emit_request(serving)
    until(lambda: len([run for run in flow_runs(serving) if run["start_time"]]) > before)

    other = [sys.executable, "-m", "flows.cli", "serve", str(serving.study), "--out", str(serving.reports)]
    other_server = subprocess.run(other, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert other_server.returncode == 1
    assert "being served already" in other_server.stderr

    assert_nothing_stays_behind(serving)


def assert_nothing_stays_behind(serving: Serving) -> None:
    """Stopped in order: no process, and the key in no file but its own and in no command line."""
    secret = serving.key.partition(":")[2]
    seen = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert secret not in seen, "command lines are seen by every user"
    assert serving.stop() == 0
    holders = [path for path in serving.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert [path.name for path in holders] == ["prefect.key"], "no report, log or database holds the key"
    left = subprocess.run(["pgrep", "-f", str(serving.folder)], capture_output=True, text=True)
    assert left.stdout == "", "no process may stay behind"


BROKEN = 'title = "t"\noutcome = "y"\ngroup = "g"\n[schedule]\ncron = "61 6 * * *"\n'


def said(serving: Serving) -> str:
    return " ".join(serving.log.read_text().split())


def test_one_broken_study_stops_no_other(tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    broken = serving.also("broken", BROKEN) / "study.toml"
    serving.start()
    try:
        serving.drop(0, CHANCE)
        until(lambda: serving.n_counted() == 1)
        until(lambda: "broken: " in said(serving))
        assert 'schedule.cron is "61 6 * * *"' in said(serving)
        page = read(f"{serving.addresses()['Catalogue']}/")
        assert "What keeps studies from running" in page
        assert "<strong>broken</strong>: study.toml: schedule.cron is" in page

        broken.write_text(BROKEN.replace("61", "1"))
        until(lambda: "over: broken is in order" in said(serving))
        names = {"study", "broken"}
        until(lambda: {each["name"] for each in serving.ask("/deployments/filter", {})} == names)
        assert "What keeps" not in read(f"{serving.addresses()['Catalogue']}/")

        (serving.study / "study.toml").rename(tmp_path / "away.toml")
        until(lambda: "has no study.toml" in said(serving))
        assert said(serving).count("study.toml. Draft") == 1, "it is said once"
        (broken.parent / "new.csv").write_text("g,y\n" + "".join(f"{g},{k % 7}\n" for k in range(12) for g in "abc"))
        until(lambda: serving.n_counted() == 2)
    finally:
        serving.stop()


def test_nothing_but_broken_studies_is_said_at_once(tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    (serving.study / "study.toml").write_text(BROKEN)
    assert serving.start().process.wait(PATIENCE_SECONDS) == 2  # type: ignore[union-attr]
    assert "schedule.cron" in said(serving)


def test_killed_between_arrival_and_run_the_file_is_counted_after_restart(lasting: Serving) -> None:
    before = lasting.n_counted()
    lasting.drop(before, CHANCE)
    until(lambda: len(Ledger(lasting.reports).rows()) > before)
    lasting.kill()
    lasting.drop(before + 1, CHANCE)
    lasting.start()
    until(lambda: lasting.n_counted() == before + 2)
    assert lasting.summaries()[-1]["run"]["n_rows"] == (before + 2) * ROWS_PER_FILE


def test_killed_run_heals(lasting: Serving) -> None:
    before, runs, n_published = lasting.n_counted(), flow_runs(lasting), len(lasting.summaries())
    lasting.drop(before, CHANCE)
    until(lasting.kill_a_run)
    until(lambda: lasting.n_counted() == before + 1)
    until(lambda: states_since(lasting, runs) == {"COMPLETED", "CRASHED"})
    (summary,) = lasting.summaries()[n_published:]
    assert summary["run"]["n_rows"] == (before + 1) * ROWS_PER_FILE


def states_since(serving: Serving, runs: list[dict[str, Any]]) -> set[str]:
    """Of the runs that have begun and are none of these."""
    known = {run["id"] for run in runs}
    return {run["state_type"] for run in flow_runs(serving) if run["start_time"] and run["id"] not in known}


def test_server_killed_is_started_again_and_files_are_counted(lasting: Serving) -> None:
    before = lasting.n_counted()
    lasting.drop(before, CHANCE)
    until(lambda: lasting.n_counted() == before + 1)
    (server,) = lasting.children("flows.server.guarded_server")
    os.kill(server, signal.SIGKILL)
    lasting.drop(before + 1, CHANCE)
    until(lambda: lasting.n_counted() == before + 2)
    assert "Prefect's server ended (killed by signal 9)" in " ".join(lasting.log.read_text().split())


def test_schedule_fires(tmp_path: Path) -> None:
    serving = Serving(tmp_path, "\n[schedule]\ninterval_minutes = 0.1\n").start()
    try:
        until(lambda: any(run["auto_scheduled"] and run["start_time"] for run in flow_runs(serving)))
    finally:
        serving.stop()


@pytest.mark.parametrize(("host", "status"), [("reports.example.org", 200), ("127.0.0.1", 200), ("evil.example", 400)])
def test_catalogue_answers_to_the_name_that_readers_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, status: int
) -> None:
    monkeypatch.setenv(BASE_ADDRESS, "https://reports.example.org")
    with serve_catalogue(catalogue_for_readers(tmp_path)) as address:
        request = urllib.request.Request(f"{address}health", headers={"Host": host})
        try:
            found = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).status
        except urllib.error.HTTPError as error:
            found = error.code
    assert found == status
