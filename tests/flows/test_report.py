"""Whole runs of both bundled studies, judged by what they leave behind."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from flows.outcome import Outcome
from flows.report import pooling_report
from flows.steps.binding import RunLog, Silence, logged
from tasks.opening.studies import read_study

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / "tasks" / "view" / "summary.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def bounce(prefect_server: None, reports: Path, bounce_rates: Path) -> Outcome:
    return pooling_report(read_study(bounce_rates), reports)


@pytest.fixture(scope="module")
def sleep(prefect_server: None, reports: Path, sleepstudy: Path) -> Outcome:
    return pooling_report(read_study(sleepstudy), reports)


def summary_of(outcome: Outcome) -> dict[str, Any]:
    return json.loads((outcome.folder / "summary.json").read_text(encoding="utf-8"))


def status_of(summary: dict[str, Any], name: str) -> str:
    return next(check["status"] for check in summary["checks"] if check["name"] == name)


@pytest.mark.parametrize("study", ["bounce", "sleep"])
def test_summary_keeps_to_its_schema(study: str, request: pytest.FixtureRequest) -> None:
    jsonschema.validate(summary_of(request.getfixturevalue(study)), SCHEMA)


def test_bounce_rates_is_singular_collapsed_and_sent_to_bayes(bounce: Outcome) -> None:
    summary = summary_of(bounce)
    full = summary["fits"]["partial_pooling"]["varying_intercept_slope"]
    assert full["is_singular"] is True
    assert full["converged"] is True
    assert status_of(summary, "intervals_age") == "fail"
    assert status_of(summary, "intervals_intercept") == "pass"
    assert status_of(summary, "simpson_age") == "pass"
    assert summary["verdict"]["recommended_model"] == "bayes"
    assert summary["verdict"]["status"] == "use"


def test_bounce_rates_has_a_bayesian_interval_for_every_county(bounce: Outcome) -> None:
    groups = summary_of(bounce)["fits"]["bayes"]["groups"]
    assert len(groups) == 8
    for estimate in groups.values():
        lower, mean, upper = (np.array(estimate[key]) for key in ("lower", "mean", "upper"))
        assert np.all(lower < mean)
        assert np.all(mean < upper)
        assert upper[1] - lower[1] > 1.0  # s per SD of age: where the conditional interval is about 0.1


def test_sleepstudy_agrees_with_lme4(sleep: Outcome) -> None:
    """lme4 1.1: `lmer(Reaction ~ Days + (Days | Subject))`, Bates et al. (2015), table in section 5.1."""
    summary = summary_of(sleep)
    full = summary["fits"]["partial_pooling"]["varying_intercept_slope"]
    assert full["is_singular"] is False
    assert full["criterion_value"] == pytest.approx(1743.6283, abs=1e-4)
    assert full["sigma"] == pytest.approx(25.5918, rel=1e-4)
    days = summary["scaling"]["Days"]
    to_raw = np.array([[1.0, -days["center"] / days["scale"]], [0.0, 1.0 / days["scale"]]])
    cov = to_raw @ np.array(full["cov"]) @ to_raw.T
    sd = np.sqrt(np.diag(cov))
    assert sd == pytest.approx([24.7405, 5.9221], rel=1e-4)
    assert cov[0, 1] / sd.prod() == pytest.approx(0.0656, abs=1e-4)
    assert to_raw @ full["fixef"] == pytest.approx([251.4051, 10.4673], abs=1e-4)
    assert summary["verdict"]["recommended_model"] == "partial_pooling.varying_intercept_slope"


def test_run_folder_holds_what_the_contract_names(bounce: Outcome) -> None:
    names = {path.name for path in bounce.folder.iterdir()}
    assert names == {"report.html", "summary.json", "estimates.csv", "posterior.nc", "study.toml"}


def test_estimates_have_one_row_per_group_model_and_term(bounce: Outcome) -> None:
    estimates = pd.read_csv(bounce.folder / "estimates.csv")
    assert not estimates.duplicated(["group", "model", "term"]).any()
    per_model = estimates[estimates["group"].notna()].groupby("model").size()
    for model in ("no_pooling", "varying_intercept", "varying_slope", "varying_intercept_slope", "bayes"):
        assert per_model[model] == 8 * 2


def test_unchanged_study_publishes_nothing_new(bounce: Outcome, reports: Path, bounce_rates: Path) -> None:
    again = pooling_report(read_study(bounce_rates), reports)
    assert not again.is_new
    assert again.folder == bounce.folder
    assert again.verdict == bounce.verdict


def test_forced_run_publishes_the_same_numbers(bounce: Outcome, reports: Path, bounce_rates: Path) -> None:
    again = pooling_report(read_study(bounce_rates), reports, force=True)
    assert again.folder != bounce.folder
    first, second = summary_of(bounce), summary_of(again)
    for summary in (first, second):
        del (
            summary["timings"],
            summary["changes"],
            summary["run"]["id"],
            summary["run"]["started_at"],
            summary["run"]["link"],
        )
    assert first == second
    assert (again.folder / "estimates.csv").read_bytes() == (bounce.folder / "estimates.csv").read_bytes()


@pytest.mark.parametrize("is_listened_to", [True, False])
def test_timings_name_every_step(prefect_server: None, tmp_path: Path, sleepstudy: Path, is_listened_to: bool) -> None:
    with logged(RunLog()) if is_listened_to else nullcontext():
        outcome = pooling_report(read_study(sleepstudy), tmp_path)
    timings = summary_of(outcome)["timings"]
    steps = {"start", "find files", "read files", "collect", "scale", "complete pooling", "no pooling"}
    steps |= {
        "partial pooling",
        "sample",
        "screen",
        "answer",
        "check",
        "look back",
        "write",
        "store posterior",
        "total",
    }
    assert set(timings) == steps
    assert all(seconds >= 0 for seconds in timings.values())
    assert timings["total"] >= timings["sample"] + timings["check"] + timings["write"]


def test_rejected_rows_are_published_with_the_report(prefect_server: None, tmp_path: Path, sleepstudy: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    text = (sleepstudy / "sleepstudy.csv").read_text().replace("249.56", "n/a", 1)
    (study / "sleepstudy.csv").write_text(text)
    settings = (sleepstudy / "study.toml").read_text().replace("max_rejected_share = 0.0", "max_rejected_share = 0.05")
    (study / "study.toml").write_text(settings)
    outcome = pooling_report(read_study(study), tmp_path / "reports")
    rejected = pd.read_csv(outcome.folder / "rejected.csv", keep_default_na=False)
    assert rejected[["file", "row", "column", "value"]].to_numpy().tolist() == [
        ["sleepstudy.csv", 1, "Reaction", "n/a"]
    ]
    summary = summary_of(outcome)
    assert summary["run"]["n_rejected"] == 1
    assert summary["run"]["n_rows"] == 179
    assert status_of(summary, "rejected_rows") == "review"


class Heard(Silence):
    """What each step found."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def ended(self, step: str, seconds: float, found: str) -> None:
        self.found[step] = found


def test_a_run_after_new_files_reads_these_only_and_sets_aside_what_it_cannot_use(
    prefect_server: None, tmp_path: Path, sleepstudy: Path
) -> None:
    """Seven subjects first, then the others; the numbers are those of a run that reads all at once."""
    study = tmp_path / "sleepstudy"
    (study / "incoming").mkdir(parents=True)
    shutil.copy(sleepstudy / "study.toml", study)
    header, *rows = (sleepstudy / "sleepstudy.csv").read_text().splitlines(keepends=True)
    (study / "sleepstudy.csv").write_text(header + "".join(rows[:70]))
    reports = tmp_path / "reports"
    pooling_report(read_study(study), reports)
    (study / "incoming" / "rest.csv").write_text(header + "".join(rows[70:]))
    (study / "incoming" / "again.csv").write_text(header + "".join(rows[:70]))
    (study / "incoming" / "wrong.csv").write_text("a,b\n1,2\n")
    (study / "incoming" / "half.csv.part").write_text(header)
    listener = Heard()
    with logged(RunLog(listener)):
        second = summary_of(pooling_report(read_study(study), reports))
    assert listener.found["find files"] == "3 files"
    assert listener.found["read files"] == "1 file read, 1 from the store, 1 set aside"
    assert listener.found["collect"] == "180 rows in 18 groups, none rejected"
    assert status_of(second, "rejected_rows") == "review"
    at_once = summary_of(pooling_report(read_study(study), tmp_path / "other reports"))
    for summary in (second, at_once):
        assert summary["run"]["files"][2]["set_aside"].startswith("incoming/wrong.csv has no column")
    assert second["fits"] == at_once["fits"]
    assert second["predictive"] == at_once["predictive"]
    rejected = pd.read_csv(reports / "sleepstudy" / "latest" / "rejected.csv", keep_default_na=False)
    assert rejected[["file", "row", "column"]].to_numpy().tolist() == [["incoming/wrong.csv", 0, ""]]
