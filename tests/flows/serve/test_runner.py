"""The runner registers studies one by one: what Prefect or the reader refuses is told, and stops no other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prefect.deployments.runner import RunnerDeployment

from flows.serve.runner import Registrar
from flows.serve.troubles import told

STUDY = 'title = "t"\noutcome = "y"\ngroup = "g"\n'
BROKEN = STUDY + '[schedule]\ncron = "61 * * * *"\n'


class Runner:
    """Stands in for Prefect's; refuses the names in `refused`."""

    def __init__(self) -> None:
        self.registered: list[str] = []
        self.refused: dict[str, Exception] = {}

    async def aadd_deployment(self, deployment: RunnerDeployment) -> object:
        if deployment.name in self.refused:
            raise self.refused[deployment.name]
        self.registered.append(deployment.name)
        return uuid4()


@pytest.fixture
def runner() -> Runner:
    return Runner()


def study(folder: Path, text: str = STUDY) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text)
    return folder


def registrar(runner: Runner, tmp_path: Path, *folders: Path) -> Registrar:
    (tmp_path / "reports").mkdir(exist_ok=True)
    return Registrar(runner, folders, tmp_path / "reports", "embedded")  # type: ignore[arg-type]


def test_a_broken_study_is_told_and_the_others_are_registered(tmp_path: Path, runner: Runner) -> None:
    bad, good = study(tmp_path / "bad", BROKEN), study(tmp_path / "good")
    asyncio.run(registrar(runner, tmp_path, bad, good).look())
    assert runner.registered == ["good"]
    assert list(told(tmp_path / "reports")) == [str(bad)]
    assert "61 * * * *" in told(tmp_path / "reports")[str(bad)]


def test_what_prefect_refuses_is_told(tmp_path: Path, runner: Runner) -> None:
    first, second = study(tmp_path / "first"), study(tmp_path / "second")
    runner.refused["first"] = ValueError("no such\nschedule")
    asyncio.run(registrar(runner, tmp_path, first, second).look())
    assert runner.registered == ["second"]
    assert told(tmp_path / "reports") == {str(first): "Prefect does not take it: ValueError: no such schedule"}


def test_a_study_that_is_mended_is_registered(tmp_path: Path, runner: Runner) -> None:
    folder = study(tmp_path / "visits", BROKEN)
    looking = registrar(runner, tmp_path, folder)
    asyncio.run(looking.look())
    study(folder)
    asyncio.run(looking.look())
    assert runner.registered == ["visits"]
    assert told(tmp_path / "reports") == {}


def test_registered_again_only_when_the_study_file_changes(tmp_path: Path, runner: Runner) -> None:
    folder = study(tmp_path / "visits")
    looking = registrar(runner, tmp_path, folder)
    for _ in range(3):
        asyncio.run(looking.look())
    assert runner.registered == ["visits"]
    study(folder, STUDY + '[schedule]\ncron = "0 6 * * 1"\n')
    asyncio.run(looking.look())
    assert runner.registered == ["visits", "visits"]


def test_a_study_that_goes_and_comes_back(tmp_path: Path, runner: Runner) -> None:
    folder = study(tmp_path / "visits")
    looking = registrar(runner, tmp_path, folder)
    asyncio.run(looking.look())
    (folder / "study.toml").rename(folder / "away")
    asyncio.run(looking.look())
    assert "has no study.toml" in told(tmp_path / "reports")[str(folder)]
    (folder / "away").rename(folder / "study.toml")
    asyncio.run(looking.look())
    assert told(tmp_path / "reports") == {}


def test_a_server_that_is_away_says_nothing_about_studies(tmp_path: Path, runner: Runner) -> None:
    folder = study(tmp_path / "visits")
    looking = registrar(runner, tmp_path, folder)
    runner.refused["visits"] = httpx.ConnectError("away")
    asyncio.run(looking.look())
    assert told(tmp_path / "reports") == {}
    runner.refused.clear()
    asyncio.run(looking.look())
    assert runner.registered == ["visits"]
