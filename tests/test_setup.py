"""The set-up keeps its promises: any machine with a Python, the pins that matter, imports one way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
EVERY_DAY = {"help", "report", "test", "lint", "docs", "cmdstan", "extra", "clean"}
MEASURED = {"image", "bench", "scale", "reading", "coverage", "weekly", "worlds", "sbc", "chaos"}
TARGETS = EVERY_DAY | MEASURED


def test_help_names_every_target() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in told.splitlines() if line.startswith("make ")} == TARGETS


def test_uv_brings_the_build_backend_along() -> None:
    uv = re.search(r"^UV_VERSION := (\d+)\.(\d+)\.\d+$", MAKEFILE, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert uv is not None
    major, minor = map(int, uv.groups())
    (backend,) = project["build-system"]["requires"]
    assert backend.endswith(f",<{major}.{minor + 1}")


@pytest.mark.parametrize(("package", "below"), [("fastapi", (0, 151)), ("sqlalchemy", (2, 1))])
def test_lock_holds_what_the_orchestrator_breaks_on(package: str, below: tuple[int, int]) -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    versions = [entry["version"] for entry in locked if entry["name"] == package]
    assert versions
    assert all(tuple(map(int, version.split(".")[:2])) < below for version in versions)


def test_continuous_integration_runs_the_commands_of_every_day() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for words in ("run: make report", "run: sudo .ci/browser", "run: sudo .ci/postgres", "run: .ci/run"):
        assert words in workflow
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for part in ("browser", "postgres", "compiler"):
        assert script.index(f"\n.ci/{part}\n") < script.index("make test")


def test_the_same_pythons_are_promised_everywhere() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in workflow
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.15"
    for name in ("README.md", "Makefile", ".ci/make_venv"):
        assert "Python 3.11 to 3.14" in (ROOT / name).read_text("utf-8"), name


def fake_python(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def make_venv(tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    for tool in ("sh", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    return subprocess.run(
        ["sh", ROOT / ".ci" / "make_venv", tmp_path / "venv"],
        env={"PATH": str(tmp_path), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_that_exists_but_fails_is_passed_over(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", "exit 127")
    fake_python(tmp_path, "python3.13", "exit 1")
    fake_python(tmp_path, "python3.12", 'echo "made by 3.12: $*"')
    made = make_venv(tmp_path)
    assert made.returncode == 0
    assert made.stdout.splitlines()[-1] == f"made by 3.12: -m venv --clear {tmp_path}/venv"


def test_a_named_python_comes_first(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", 'echo "python3"')
    fake_python(tmp_path, "mine", 'echo "mine"')
    assert make_venv(tmp_path, PYTHON="mine").stdout.splitlines()[-1] == "mine"


def test_without_a_python_there_is_advice(tmp_path: Path) -> None:
    failed = make_venv(tmp_path)
    assert failed.returncode == 1
    assert "needs Python 3.11" in failed.stderr
    assert "apt install python3-venv" in failed.stderr


def browser(tmp_path: Path, **tools: str) -> subprocess.CompletedProcess[str]:
    """`.ci/browser` on a machine that has these tools only; `asked` holds how they were called."""
    for tool, script in tools.items():
        fake_python(tmp_path, tool.replace("_", "-"), script)
    shell = shutil.which("sh") or "/bin/sh"
    return subprocess.run(
        [shell, ROOT / ".ci" / "browser"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )


def test_a_browser_that_is_there_is_taken(tmp_path: Path) -> None:
    there = browser(tmp_path, google_chrome="", apt_get=f"echo called > {tmp_path}/asked")
    assert (there.returncode, there.stdout, there.stderr) == (0, "", "")
    assert not (tmp_path / "asked").exists()


def test_a_database_server_is_looked_for_where_debian_has_it() -> None:
    """That nothing fails without one is `.ci/install`'s, as for the browser."""
    script = (ROOT / ".ci" / "postgres").read_text("utf-8")
    assert "/usr/lib/postgresql/*/bin/postgres" in script
    assert 'exec "${0%/*}/install" postgresql' in script


def test_root_gets_the_browser_of_debian(tmp_path: Path) -> None:
    root = browser(tmp_path, id="echo 0", apt_get=f'echo "$*" >> {tmp_path}/asked')
    assert (root.returncode, root.stderr) == (0, "")
    assert (tmp_path / "asked").read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends chromium",
    ]


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ({}, "no apt-get"),
        ({"id": "echo 1000", "apt_get": ""}, "only root may install it"),
        ({"id": "echo 0", "apt_get": "exit 100"}, "apt-get update failed"),
        ({"id": "echo 0", "apt_get": 'test "$1" = update'}, "could not install it"),
    ],
)
def test_without_a_browser_nothing_fails_and_it_is_said(tmp_path: Path, tools: dict[str, str], why: str) -> None:
    without = browser(tmp_path, **tools)
    assert without.returncode == 0
    assert why in without.stderr
    assert "will be skipped" in without.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("tasks/site/bad.py", "import flows"),
        ("tasks/reports/bad.py", "from tasks.site import app"),
        ("tasks/rows/bad.py", "from tasks.engines import engines"),
        ("tasks/view/figures/bad.py", "from tasks.disk import atomic"),
        ("tasks/stats/fits/bad.py", "import tasks.view"),
        ("tasks/stats/bad.py", "from pathlib import Path"),
        ("tasks/view/bad.py", "import prefect"),
        ("tasks/study/bad.py", "from tasks.stats import findings"),
    ],
)
def test_import_against_the_direction_is_caught(tmp_path: Path, module: str, line: str) -> None:
    empty_house(tmp_path)
    (tmp_path / module).write_text(line + "\n")
    assert not imports_are_kept(tmp_path)


def test_a_circle_is_caught(tmp_path: Path) -> None:
    empty_house(tmp_path)
    assert imports_are_kept(tmp_path)
    (tmp_path / "tasks/view/topics/one.py").write_text("from tasks.view.words import other\n")
    assert imports_are_kept(tmp_path)
    (tmp_path / "tasks/view/words/other.py").write_text("from tasks.view.topics import data\n")
    assert not imports_are_kept(tmp_path)


def empty_house(folder: Path) -> None:
    """Every module of the project, with nothing in it, and its rules."""
    for room in ("flows", "tasks"):
        for file in (ROOT / room).rglob("*.py"):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    shutil.copy(ROOT / "pyproject.toml", folder)


def imports_are_kept(folder: Path) -> bool:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    return done.returncode == 0


def test_matrices_are_worked_on_by_one_thread_as_in_a_run() -> None:
    """Set where the first of our packages is imported, before numpy is."""
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
