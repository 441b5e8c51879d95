"""Whole runs after the first: what changed is in the report, history grows, and those who asked are told."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tasks.view
from flows.outcome import Outcome
from flows.report import pooling_report
from flows.steps.binding import RunLog, Silence, logged
from tasks.opening.studies import read_study
from tasks.study.errors import DataRejected
from tests.sinks import Mailbox, Webhook, mailbox, webhook

SCHEMA = json.loads((Path(tasks.view.__file__).parent / "summary.schema.json").read_text("utf-8"))
SECRETS = ("s3cret", "tok3n", "hunter2")


@dataclass
class Runs:
    """A study that was run, grew, and was run again."""

    folder: Path
    reports: Path
    hook: Webhook
    box: Mailbox
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, **options: Any) -> Outcome:
        self.outcomes.append(pooling_report(read_study(self.folder), self.reports, **options))
        return self.outcomes[-1]

    def append(self, lines: list[str]) -> None:
        with (self.folder / "sleepstudy.csv").open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def summary(self, run: int) -> dict[str, Any]:
        return json.loads((self.outcomes[run].folder / "summary.json").read_text("utf-8"))

    def report(self, run: int) -> str:
        return (self.outcomes[run].folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def runs(prefect_server: None, sleepstudy: Path, tmp_path_factory: pytest.TempPathFactory):
    """The first report; one after a subject and rows were added; one after rows that cannot be right."""
    base = tmp_path_factory.mktemp("growing")
    shutil.copytree(sleepstudy, base / "sleepstudy")
    study = base / "sleepstudy" / "study.toml"
    with webhook() as hook, mailbox() as box:
        settings = study.read_text().replace("max_rejected_share = 0.0", "max_rejected_share = 0.2")
        settings = settings.replace("unique =", "# unique =")
        to = [
            f"json://u:s3cret@127.0.0.1:{hook.port}/tok3n",
            f"mailto://127.0.0.1:{box.port}?from=p@x.org&to=ops@x.org",
        ]
        to += ["slack://hunter2/hunter2/hunter2hunter2", "json://${NOT_SET_ANYWHERE}"]
        study.write_text(f"{settings}\n[notify] # the team\nto = {json.dumps(to[:2] + to[3:])}\nrejected_share = 0.1\n")
        found = Runs(base / "sleepstudy", base / "reports", hook, box)
        found.run()
        header = (found.folder / "sleepstudy.csv").read_text().splitlines()[0].split(",")
        row = dict.fromkeys(header, "")
        found.append([_row(header, row, "999", day, 300 + 12 * day) for day in range(10)])
        found.append([_row(header, row, "308", day, 400 + 20 * day) for day in range(10)])
        found.run()
        found.append([_row(header, row, "308", day, "broken") for day in range(30)])
        found.run()
        yield found


def _row(header: list[str], row: dict[str, str], subject: str, day: int, reaction: object) -> str:
    return ",".join({**row, "Subject": subject, "Days": str(day), "Reaction": str(reaction)}[name] for name in header)


def test_the_first_report_has_nothing_to_compare_with(runs: Runs) -> None:
    assert runs.summary(0)["changes"] is None
    assert 'id="changes"' not in runs.report(0)


def test_the_second_report_opens_with_what_changed(runs: Runs) -> None:
    first, second = runs.summary(0), runs.summary(1)
    jsonschema.validate(second, SCHEMA)
    changes = second["changes"]
    assert changes["previous"]["id"] == first["run"]["id"]
    assert changes["rows"] == {"then": 180, "now": 200}
    assert changes["groups_added"] == ["999"]
    assert changes["causes"] == ["data"]
    report = runs.report(1)
    assert report.index('id="health"') < report.index('id="changes"') < report.index('id="data"')
    assert "20 more than then; 1 group new (999)" in report


def test_rows_appended_to_the_file_are_set_against_earlier_rows_of_their_groups(runs: Runs) -> None:
    second, third = runs.summary(1)["changes"]["increments"], runs.summary(2)["changes"]["increments"]
    assert (second["is_comparable"], second["n_new_rows"]) == (True, 20)
    assert second["groups"].keys() == {"308"}
    assert (second["groups"]["308"]["n_before"], second["groups"]["308"]["n_new"]) == (10, 10)
    assert second["evidence"].keys() == {"308"}
    assert (third["is_comparable"], third["n_new_rows"], third["groups"]) == (True, 0, {})
    assert third["evidence"] == second["evidence"]
    assert "No row is new, so no group can have moved." in runs.report(2)


def test_estimates_then_are_the_first_reports_on_todays_scale(runs: Runs) -> None:
    """A line through Subject 309, whose rows stayed: the same in both summaries, whatever the scaling."""
    first, second = runs.summary(0), runs.summary(1)
    then = second["changes"]["estimates"]["groups"]["309"]["then"]["mean"]
    told = first["fits"]["bayes"]["groups"]["309"]["mean"]
    before, now = first["scaling"]["Days"], second["scaling"]["Days"]
    for days in (0, 4.5, 9):
        expected = told[0] + told[1] * (days - before["center"]) / before["scale"]
        assert then[0] + then[1] * (days - now["center"]) / now["scale"] == pytest.approx(expected, rel=1e-10)
    n = second["changes"]["estimates"]["groups"]["308"]["n"]
    assert n == {"then": 10, "now": 20}


def test_the_third_report_has_a_history(runs: Runs) -> None:
    report = runs.report(2)
    assert report.index('id="changes"') < report.index('id="history"') < report.index('id="data"')
    assert "all 3 reports so far" in report


def test_rejected_rows_were_told_by_webhook_and_mail(runs: Runs) -> None:
    (told,) = [each for each in runs.hook.received if "rows were rejected" in each["title"]]
    assert "30 of 230 rows (13.0%) were rejected" in told["message"]
    assert runs.outcomes[2].folder.joinpath("report.html").as_uri() in told["message"]
    assert runs.outcomes[2].verdict.headline in told["message"]
    position = [str(mail["Subject"]) for mail in runs.box.received].index(told["title"])
    assert "30 of 230 rows" in runs.box.text(position)
    assert runs.box.recipients[position] == "ops@x.org"


def test_nothing_published_holds_a_secret(runs: Runs) -> None:
    for path in runs.reports.rglob("*"):
        if path.is_file() and path.suffix != ".js":
            content = path.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in content], path
    text = (runs.outcomes[0].folder / "study.toml").read_text()
    assert "[notify] # the team" in text
    assert "json://${NOT_SET_ANYWHERE}" in text


def test_a_run_that_fails_is_told_and_still_fails(runs: Runs) -> None:
    file = runs.folder / "sleepstudy.csv"
    whole, before = file.read_text(), len(runs.hook.received)
    file.write_text(whole.replace("Reaction", "Reaktion", 1))
    with pytest.raises(DataRejected):
        runs.run()
    file.write_text(whole)
    (told,) = runs.hook.received[before:]
    assert told["type"] == "failure"
    assert "Reaction" in told["message"]
    assert runs.outcomes[-1].folder.joinpath("report.html").as_uri() in told["message"]


def test_unchanged_old_data_are_told_once_and_a_dead_receiver_is_said(runs: Runs) -> None:
    study = runs.folder / "study.toml"
    study.write_text(study.read_text() + "max_age_days = 3\n")
    moment = time.time() - 5 * 86_400
    os.utime(runs.folder / "sleepstudy.csv", (moment, moment))
    before, heard = len(runs.hook.received), _Listener()
    with logged(RunLog(heard)):
        assert not runs.run().is_new
    assert not runs.run().is_new
    (told,) = runs.hook.received[before:]
    assert "5.0 days old; the study allows 3" in told["message"]
    ((_, found),) = [each for each in heard.said if each[0] == "notify"]
    assert (
        found
        == "2 notices sent, 1 not: json://${NOT_SET_ANYWHERE} (the environment variable NOT_SET_ANYWHERE is not set)"
    )


def test_a_report_on_old_data_says_so_among_its_checks(runs: Runs) -> None:
    runs.run(force=True)
    check = next(check for check in runs.summary(-1)["checks"] if check["name"] == "freshness")
    assert (check["status"], check["threshold"]) == ("review", 3)
    assert check["value"] == pytest.approx(5, abs=0.1)
    freshness = {"name": "freshness", "kind": "freshness", "term": "", "then": None, "now": "review"}
    assert freshness in runs.summary(-1)["changes"]["checks"]


class _Listener(Silence):
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def ended(self, step: str, seconds: float, found: str) -> None:
        self.said.append((step, found))
