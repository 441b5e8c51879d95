"""Earlier reports are read back from their run folders, whatever state those are in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.reports.earlier_runs import read_history, read_past_run, read_previous
from tasks.reports.run_folders import UnreadableRun
from tasks.view.verdict_words import verdict_of
from tests.factories import (
    Case,
    hostile_case,
    intercept_only_case,
    many_groups_case,
    regular_case,
    singular_case,
    two_predictors_case,
)
from tests.past_runs import with_verdict, write_run

CASES = [singular_case, regular_case, intercept_only_case, two_predictors_case, hostile_case]


def at(day: int) -> tuple[str, str]:
    return f"202611{day:02d}T080000.000000Z-abcdef", f"2026-11-{day:02d}T08:00:00+00:00"


@pytest.mark.parametrize("make", CASES)
def test_a_run_is_read_back_as_it_was_written(make: Callable[[], Case], tmp_path: Path) -> None:
    case = make()
    run = read_past_run(write_run(tmp_path, case, *at(1)))
    findings = case.findings
    assert run.labels == findings.labels
    assert run.question.predictors == case.study.predictors
    assert run.center.tolist() == findings.scaling.center.tolist()
    assert run.status == findings.verdict.status
    for part in ("mean", "sd", "lower", "upper"):
        assert getattr(run.groups, part).tolist() == getattr(findings.bayes.groups, part).tolist()
        assert getattr(run.fixef, part).tolist() == getattr(findings.bayes.fixef, part).tolist()


def test_only_what_is_needed_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise AssertionError("the whole summary was read")

    monkeypatch.setattr("tasks.reports.earlier_runs.read_summary", refuse)
    for make in CASES:
        read_past_run(write_run(tmp_path / make.__name__, make(), *at(1)))


def test_a_summary_laid_out_otherwise_is_read_whole(tmp_path: Path) -> None:
    case = singular_case()
    folder = write_run(tmp_path, case, *at(1))
    quick = read_past_run(folder)
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2, sort_keys=True))
    slow = read_past_run(folder)
    assert slow.labels == tuple(sorted(quick.labels))
    assert slow.groups.mean.tolist() == quick.groups.mean.tolist()


def test_a_group_named_like_the_key_does_not_mislead(tmp_path: Path) -> None:
    case = singular_case(('bayes": {"engine": ', "bayes", "c", "d", "e", "f", "g", '"bayes"'))
    run = read_past_run(write_run(tmp_path, case, *at(1)))
    assert run.labels == case.findings.labels
    assert run.groups.mean.tolist() == case.findings.bayes.groups.mean.tolist()


def test_the_previous_report_is_the_newest_that_can_be_read(tmp_path: Path) -> None:
    case = singular_case()
    assert read_previous(tmp_path, case.study.name) is None
    write_run(tmp_path, with_verdict(case, status="none"), *at(1))
    write_run(tmp_path, case, *at(2))
    (write_run(tmp_path, case, *at(3)) / "summary.json").write_text("{")
    previous = read_previous(tmp_path, case.study.name)
    assert previous is not None
    assert previous.run.id == at(2)[0]
    assert previous.verdict == verdict_of(case.context)
    assert previous.group_sizes.tolist() == case.findings.group_sizes.tolist()
    assert previous.n_rejected == 3
    assert previous.checks == {(one.kind, one.term): one.status for one in case.findings.judgements}


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told["fits"]["bayes"]["groups"]["kent"].pop("mean"),
        lambda told: told["fits"]["bayes"]["groups"]["kent"].update(mean=[1.0]),
        lambda told: told["fits"]["bayes"]["groups"].update(kent=None),
        lambda told: told["fits"].pop("bayes"),
        lambda told: told["scaling"].clear(),
        lambda told: told["verdict"].update(status="splendid"),
        lambda told: told["study"].update(predictors=["dose"]),
        lambda told: told.update(run=[]),
        lambda told: told.update(schema_version=3),
    ],
)
def test_a_damaged_run_is_named_and_the_others_are_shown(damage: Callable[[dict], object], tmp_path: Path) -> None:
    case = singular_case()
    write_run(tmp_path, case, *at(1))
    folder = write_run(tmp_path, case, *at(2))
    told = json.loads((folder / "summary.json").read_text())
    damage(told)
    (folder / "summary.json").write_text(json.dumps(told))
    with pytest.raises(UnreadableRun):
        read_past_run(folder)
    history = read_history(tmp_path, case.study, case.findings)
    assert [run.id for run in history.runs] == [at(1)[0], case.findings.run.id]
    (reason,) = history.unreadable
    assert reason.startswith(f"{folder.name}: summary.json ")


def test_an_empty_or_missing_summary_is_damage_too(tmp_path: Path) -> None:
    case = singular_case()
    (write_run(tmp_path, case, *at(1)) / "summary.json").write_text("")
    (write_run(tmp_path, case, *at(2)) / "summary.json").unlink()
    history = read_history(tmp_path, case.study, case.findings)
    assert len(history.runs) == 1
    assert len(history.unreadable) == 2


def test_only_the_newest_runs_are_shown_but_all_verdicts(tmp_path: Path) -> None:
    case = singular_case()
    for day in range(1, 8):
        write_run(tmp_path, with_verdict(case, status="trust" if day < 3 else "use"), *at(day))
    history = read_history(tmp_path, case.study, case.findings, limit=4)
    assert [run.id for run in history.runs] == [at(5)[0], at(6)[0], at(7)[0], case.findings.run.id]
    assert history.verdicts == ("trust", "trust", *["use"] * 6)
    assert history.groups.mean.shape == (4, 8, 2)


def test_missing_numbers_are_gaps(tmp_path: Path) -> None:
    case = singular_case()
    folder = write_run(tmp_path, case, *at(1))
    told = json.loads((folder / "summary.json").read_text())
    told["fits"]["bayes"]["groups"]["kent"]["sd"] = [None, None]
    (folder / "summary.json").write_text(json.dumps(told))
    run = read_past_run(folder)
    assert np.isnan(run.groups.sd[run.labels.index("kent")]).all()


@pytest.mark.bench
def test_thirty_runs_of_ten_thousand_groups_are_read_in_a_few_seconds(tmp_path: Path) -> None:
    case = many_groups_case(10_000)
    folder = write_run(tmp_path, case, *at(1))
    for day in range(2, 30):
        other = folder.parent / at(day)[0]
        other.mkdir()
        (other / "summary.json").hardlink_to(folder / "summary.json")
    start = time.perf_counter()
    history = read_history(tmp_path, case.study, case.findings)
    assert len(history.runs) == 30
    assert time.perf_counter() - start < 6
