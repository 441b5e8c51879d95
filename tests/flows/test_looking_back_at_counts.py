"""Whole runs of a counted study after the first: what changed is told in rates, and only what can be compared is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import xarray as xr

from flows.outcome import Outcome
from flows.report import pooling_report
from tasks.opening.studies import read_study
from tasks.view.document import schema
from tests.sinks import Webhook, webhook

SCHEMA = schema(counted=True)
WARDS = [f"ward {letter}" for letter in "ABCDEFGHIJ"]
STUDY = """title = "Falls by ward"
source = "*.csv"
family = "binomial"
outcome = "falls"
trials = "stays"
group = "ward"
predictors = ["age"]
varying = []

[rates]
of = "stays"

[sampler]
draws = 250

[notify]
to = ["json://127.0.0.1:{port}/told"]
"""


@dataclass
class Runs:
    folder: Path
    reports: Path
    hook: Webhook
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self) -> None:
        self.outcomes.append(pooling_report(read_study(self.folder), self.reports))

    def write(self, name: str, seed: int, weeks: int, moved: str = "", stays: str = "stays") -> None:
        """Weekly falls of 40 stays in each ward; in one that moved they are three times as frequent."""
        rng = np.random.default_rng(seed)
        lines = [f"ward,age,falls,{stays}"]
        for ward, level in zip(WARDS, np.linspace(-3.2, -2.2, len(WARDS)), strict=True):
            for age in np.round(rng.normal(70, 8, weeks)):
                odds = np.exp(level + 0.03 * (age - 70)) * (3.0 if ward == moved else 1.0)
                lines.append(f"{ward},{age:.0f},{rng.binomial(40, odds / (1 + odds))},40")
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def change(self, before: str, after: str) -> None:
        study = self.folder / "study.toml"
        study.write_text(study.read_text("utf-8").replace(before, after), encoding="utf-8")

    def summary(self, run: int) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.outcomes[run].folder / "summary.json").read_text("utf-8"))
        return told

    def page(self, run: int) -> str:
        return (self.outcomes[run].folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def runs(prefect_server: None, tmp_path_factory: pytest.TempPathFactory):
    """The first report; one after a ward moved; one after a file was removed; one of other trials; one of counts."""
    base = tmp_path_factory.mktemp("counted")
    (base / "falls").mkdir()
    with webhook() as hook:
        (base / "falls" / "study.toml").write_text(STUDY.replace("{port}", str(hook.port)), encoding="utf-8")
        found = Runs(base / "falls", base / "reports", hook)
        found.write("a.csv", 1, 20)
        found.run()
        found.write("b.csv", 2, 10, moved="ward C")
        found.run()
        (found.folder / "a.csv").unlink()
        found.run()
        found.change('trials = "stays"', 'trials = "nights"')
        found.write("b.csv", 2, 10, stays="nights")
        found.run()
        found.change('family = "binomial"\n', 'family = "poisson"\n')
        found.change('trials = "nights"\n', 'exposure = "nights"\n')
        found.run()
        yield found


def test_what_changed_is_told_in_rates(runs: Runs) -> None:
    second, page = runs.summary(1), runs.page(1)
    jsonschema.validate(second, SCHEMA)
    assert second["changes"]["rows"] == {"then": 200, "now": 300}
    assert second["changes"]["not_comparable"] == []
    section = page.split('id="changes"')[1].split("</section>")[0]
    assert "percentage points" in section
    assert "log odds" not in section
    then = second["changes"]["estimates"]["groups"]["ward B"]["then"]["mean"]
    assert then[0] == pytest.approx(runs.summary(0)["fits"]["bayes"]["groups"]["ward B"]["mean"][0], abs=0.1)


def test_a_ward_whose_falls_became_three_times_as_frequent_moved_and_no_other(runs: Runs) -> None:
    found = runs.summary(1)["changes"]["increments"]
    assert (found["is_comparable"], found["n_new_rows"]) == (True, 100)
    assert found["groups"].keys() == {*WARDS}
    assert [ward for ward, told in found["groups"].items() if told["moved"]] == ["ward C"]
    moved = found["groups"]["ward C"]
    assert (moved["n_before"], moved["n_new"], moved["df"]) == (200 // 10, 10, None)
    assert 0.03 < moved["lower"] < moved["shift"] < moved["upper"] < 0.3
    assert 0.001 < found["margin"] < 0.05
    assert found["evidence"]["ward C"]["since"] == runs.summary(1)["run"]["id"]
    assert "1 of 10 groups with new rows moved by more than" in runs.page(1)


def test_those_who_asked_are_told_of_the_move_in_percentage_points(runs: Runs) -> None:
    (told,) = [each for each in runs.hook.received if "a group has moved" in each["title"]]
    shift = 100 * runs.summary(1)["changes"]["increments"]["groups"]["ward C"]["shift"]
    assert "ward C, whose 10 new rows lie " in told["message"]
    said = float(told["message"].split("new rows lie ")[1].split()[0])
    assert said == pytest.approx(shift, abs=0.6)
    assert "percentage points" in told["message"]


def test_where_a_file_is_gone_a_move_cannot_be_told_and_evidence_stays(runs: Runs) -> None:
    third = runs.summary(2)
    jsonschema.validate(third, SCHEMA)
    found = third["changes"]["increments"]
    assert (found["is_comparable"], found["lost"], found["groups"]) == (False, ["a.csv"], {})
    assert found["evidence"] == runs.summary(1)["changes"]["increments"]["evidence"]
    assert "because what was in a.csv is gone or was changed" in runs.page(2)


def test_the_third_report_has_a_history_of_rates(runs: Runs) -> None:
    history = runs.page(2).split('id="history"')[1].split("</section>")[0]
    assert "all 3 reports so far" in history
    assert " went farthest: between " in history
    assert "%" in history.split(" went farthest: between ")[1][:40]


def test_counts_out_of_something_else_are_another_question(runs: Runs) -> None:
    fourth, fifth = runs.summary(3)["changes"], runs.summary(4)["changes"]
    assert fourth["not_comparable"] == ["the outcome was counted out of stays, not nights"]
    assert fourth["estimates"] is None
    assert any("family was binomial, not poisson" in reason for reason in fifth["not_comparable"])
    for run in (3, 4):
        jsonschema.validate(runs.summary(run), SCHEMA)
        assert "Estimates are not compared, because the question was another one" in runs.page(run)


def test_the_posterior_file_holds_events_and_the_trials_or_the_exposure_that_they_were_counted_of(runs: Runs) -> None:
    for run, size, column in ((1, "trials", "stays"), (4, "exposure", "nights")):
        told = runs.summary(run)
        with xr.open_datatree(runs.outcomes[run].folder / "posterior.nc", engine="h5netcdf") as tree:
            found = tree.load()
        rows, groups = found["observed_data"], told["rates"]["groups"]
        assert set(rows.data_vars) == {"y", size}
        assert (rows["y"].attrs["column"], rows[size].attrs["column"]) == ("falls", column)
        labels = found["posterior"]["group"].to_numpy()[found["constant_data"]["group_index"].to_numpy()]
        for ward in WARDS:
            assert rows["y"].to_numpy()[labels == ward].sum() == groups[ward]["events"]
            assert rows[size].to_numpy()[labels == ward].sum() == groups[ward]["size"]
        assert found.attrs["family"] == told["study"]["family"]
        assert found.attrs["units"].endswith("as log odds" if size == "trials" else "as log rate")
        means = found["posterior"]["group_estimate"].mean(("chain", "draw")).sel(group="ward C", term="intercept")
        assert float(means) == pytest.approx(told["fits"]["bayes"]["groups"]["ward C"]["mean"][0], abs=1e-6)
        assert "sigma_residual" not in found["posterior"]
