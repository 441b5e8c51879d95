"""A study as a deployment: its schedule, what it will run, and the event that asks for a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate

from flows.cli.__main__ import command
from flows.serve.deployments import deployment_of
from tasks.opening.studies import OpenedStudy, read_study


def study_with(folder: Path, more: str) -> OpenedStudy:
    (folder / "study.toml").write_text(f'title = "Visits"\noutcome = "y"\ngroup = "g"\n{more}')
    return read_study(folder)


@pytest.mark.parametrize(
    ("schedule", "field", "value"),
    [
        ('cron = "0 6 * * 1"\ntimezone = "Europe/London"', "cron", "0 6 * * 1"),
        ('interval_minutes = 90\ntimezone = "Europe/London"', "interval", 5400),
        ('rrule = "FREQ=WEEKLY;BYDAY=MO"\ntimezone = "Europe/London"', "rrule", "FREQ=WEEKLY;BYDAY=MO"),
    ],
)
def test_schedule_reaches_prefect_with_its_time_zone(tmp_path: Path, schedule: str, field: str, value: object) -> None:
    (made,) = deployment_of(study_with(tmp_path, f"[schedule]\n{schedule}\n"), tmp_path / "reports").schedules or []
    found = getattr(made.schedule, field)
    assert (found.total_seconds() if field == "interval" else found.split("\n")[-1]) == value
    assert made.schedule.timezone == "Europe/London"


def test_study_without_a_schedule_has_none(tmp_path: Path) -> None:
    assert not deployment_of(study_with(tmp_path, ""), tmp_path).schedules


def test_deployment_names_folders_absolutely_and_reads_the_study_anew(tmp_path: Path) -> None:
    made = deployment_of(study_with(tmp_path, ""), tmp_path / "reports", "embedded")
    assert made.parameters == {"study": str(tmp_path), "reports": str(tmp_path / "reports"), "engine": "embedded"}
    assert made.entrypoint == "flows.report.pooling_report"


def test_an_event_of_the_study_asks_for_a_run(tmp_path: Path) -> None:
    opened = study_with(tmp_path, "")
    (trigger,) = deployment_of(opened, tmp_path).triggers
    assert trigger.expect == {"poolwise.run.requested"}
    assert trigger.match.root == {"prefect.resource.id": f"poolwise.study.{opened.study.name}"}


@pytest.mark.usefixtures("prefect_server")
def test_deploying_to_a_pool_that_is_not_there_says_how_to_make_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study_with(tmp_path, "")
    assert command(["deploy", str(tmp_path), "--pool", "nowhere", "--out", str(tmp_path / "reports")]) == 1
    assert "prefect work-pool create nowhere --type process" in capsys.readouterr().err


@pytest.mark.usefixtures("prefect_server")
def test_deploying_names_what_is_broken_and_registers_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="here", type="process"))
    for name, cron in (("broken", "61 * * * *"), ("sound", "0 6 * * 1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.toml").write_text(
            f'title = "t"\noutcome = "y"\ngroup = "g"\n[schedule]\ncron = "{cron}"\n'
        )
    folders = [str(tmp_path / "broken"), str(tmp_path / "sound"), str(tmp_path / "missing")]
    assert command(["deploy", *folders, "--pool", "here"]) == 2
    said = capsys.readouterr()
    assert "pooling-report/sound" in said.out
    assert "broken: " in said.err
    assert 'schedule.cron is "61 * * * *"' in " ".join(said.err.split())
    assert "Not deployed: broken, missing" in " ".join(said.err.split())
    assert "answers without a key" in " ".join(said.err.split()), "the tests' own server does"
