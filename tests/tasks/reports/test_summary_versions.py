"""What runs of version 1 said is still read: by the catalogue, by what changed, by the history, by the command line.

`summary_version_1.json` is what a run of data/sleepstudy published in version 1, whole.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.cli import console
from tasks.reports.catalogue import list_runs, read_catalogue
from tasks.reports.earlier_runs import previous_report, read_history, read_past_run, read_previous
from tasks.reports.run_folders import UnreadableRun, read_head, read_summary, read_verdict
from tasks.reports.summary_versions import in_todays_form
from tasks.stats.past.changes import compare
from tasks.stats.past.earlier import question_of
from tasks.view.catalogue.page import page_of
from tests.factories import Case, regular_case
from tests.past_runs import looked_back, with_verdict, write_run
from tests.run_folders import add_run

WHOLE = Path(__file__).parent / "summary_version_1.json"
RUN_ID = "20261126T205507.164402Z-1b09fa"
BAYES = {"status": "use", "recommended_model": "bayes"}


def version_1(**verdict: str) -> dict[str, Any]:
    told = json.loads(WHOLE.read_text("utf-8"))
    return {**told, "verdict": {**told["verdict"], **verdict}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run folder of version 1."""
    run = tmp_path / "sleepstudy" / RUN_ID
    run.mkdir(parents=True)
    (run / "summary.json").write_bytes(WHOLE.read_bytes())
    return run


def sleep_study(case: Case) -> Case:
    """The case, had it asked what the run of version 1 asked; its terms keep their names."""
    return replace(case, study=case.study.model_copy(update={"outcome": "Reaction", "group": "Subject"}))


@pytest.mark.parametrize(
    ("then", "model", "now"),
    [
        ("pass", "partial_pooling.varying_intercept_slope", "trust"),
        ("review", "partial_pooling.varying_intercept", "trust"),
        ("review", "bayes", "use"),
        ("pass", "complete_pooling", "use"),
        ("fail", "bayes", "none"),
        ("fail", "partial_pooling.varying_intercept", "none"),
        ("splendid", "bayes", "splendid"),
    ],
)
def test_status_of_version_1_in_todays_words(then: str, model: str, now: str) -> None:
    told = in_todays_form(version_1(status=then, recommended_model=model))
    assert told is not None
    assert (told["schema_version"], told["verdict"]["status"]) == (2, now)
    assert told["verdict"]["recommended_model"] == model
    assert told["fits"] == version_1()["fits"]


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_other_versions_are_not_known(version: object) -> None:
    assert in_todays_form({**version_1(), "schema_version": version}) is None


@pytest.mark.parametrize("checks", ["simpson_age", [None], [{"status": "pass"}], {"name": "rhat"}, 3, None])
def test_checks_that_are_none_stay_for_their_readers_to_refuse(checks: object) -> None:
    damaged = {**version_1(), "checks": checks}
    told = in_todays_form(damaged)
    assert told is not None
    assert told["checks"] == checks
    with pytest.raises(UnreadableRun):
        previous_report(told)


def test_head_whole_and_verdict_agree(folder: Path) -> None:
    assert read_head(folder)["verdict"] == read_summary(folder)["verdict"]
    assert read_verdict(folder).status == "trust"


def test_catalogue_lists_both_versions(folder: Path) -> None:
    reports = folder.parents[1]
    add_run(reports, "sleepstudy", "20261127T000000.000000Z-000000")
    newest, oldest = list_runs(reports)
    assert (newest.status, oldest.status) == ("use", "trust")
    assert oldest.run_id == RUN_ID
    assert (oldest.n_rows, oldest.n_groups) == (180, 18)
    assert [each.kind for each in oldest.estimates] == ["level", "slope", "group_sd", "group_sd", "icc"]
    assert page_of(read_catalogue(reports)).counted == "1 “Use another model”"
    assert read_catalogue(reports).damaged == ()


def test_reports_are_listed_on_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console.show_runs(list_runs(folder.parents[1]), folder.parents[1])
    assert "\tsleepstudy\ttrust\t180\tPartial pooling can be trusted here" in capsys.readouterr().out


def test_changes_since_a_report_of_version_1(folder: Path) -> None:
    case = sleep_study(with_verdict(regular_case(), **BAYES))
    previous = read_previous(folder.parents[1], "sleepstudy")
    assert previous is not None
    told = {check["name"]: check["status"] for check in version_1()["checks"]}
    assert {f"{kind}_{term}" if term else kind: status for (kind, term), status in previous.checks.items()} == told
    assert {("simpson", "Days"), ("intervals", "intercept"), ("rhat", "")} <= previous.checks.keys()
    asked = replace(previous.run.question, predictors=("days",), predictor_units={"days": "days"})
    assert asked == question_of(case.study)
    found = compare(case.study, replace(previous, run=replace(previous.run, question=asked)), case.findings)
    assert (found.verdict.status.then, found.verdict.status.now, found.verdict.direction) == ("trust", "use", "worse")
    assert found.previous_id == RUN_ID
    assert found.estimates is not None
    assert set(found.estimates.labels) == set(previous.run.labels) & set(case.findings.labels)


def test_history_goes_back_to_version_1(folder: Path) -> None:
    reports, case = folder.parents[1], with_verdict(regular_case(), **BAYES)
    write_run(reports, case, "20261127T000000.000000Z-000000", "2026-11-27T00:00:00+00:00")
    history = read_history(reports, case.study, case.findings)
    assert history.verdicts == ("trust", "use", "use")
    assert history.unreadable == ()
    assert history.n_not_comparable == 1  # its outcome is Reaction, not reaction
    assert read_history(reports, case.study, case.findings, limit=2).verdicts == ("trust", "use", "use")


def test_estimates_of_version_1_are_those_it_told(folder: Path) -> None:
    run, told = read_past_run(folder), version_1()["fits"]["bayes"]
    assert run.status == "trust"
    assert run.groups.mean.tolist() == [group["mean"] for group in told["groups"].values()]
    assert run.fixef.upper.tolist() == told["fixef"]["upper"]
    assert previous_report(read_summary(folder)).run.labels == run.labels


def test_a_report_after_version_1_keeps_to_the_schema(folder: Path) -> None:
    """The previous verdict's words are today's there too."""
    case = regular_case()
    seen = looked_back(case, previous_report(read_summary(folder)))
    assert seen.changes is not None
    assert seen.changes.verdict.status.then == "trust"
    assert seen.changes.estimates is None
