"""Where anything configures Prefect, Prefect is asked; where nothing does, a server is started at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.server.prefect_settings import is_prefect_configured
from flows.server.quiet import DEFAULTS

ROOT = Path(__file__).parents[3]


def is_configured(folder: Path, **variables: str) -> bool:
    return is_prefect_configured({"PREFECT_HOME": str(folder / "home"), **variables}, folder)


def test_nothing_at_all(tmp_path: Path) -> None:
    assert not is_configured(tmp_path)


def test_what_poolwise_sets_itself_is_nothing(tmp_path: Path) -> None:
    assert not is_configured(tmp_path, **DEFAULTS)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("PREFECT_API_URL", "http://127.0.0.1:4200/api", True), ("prefect_api_url", "http://x/api", True)),
        *(("PREFECT_SERVER_EPHEMERAL_ENABLED", "false", True), ("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "0", True)),
        *(("PREFECT_PROFILE", "team", True), ("PREFECT_PROFILES_PATH", "/etc/profiles.toml", True)),
        *(("PREFECT_API_URL", "", False), ("API_URL", "http://x/api", False)),
    ],
)
def test_variables(tmp_path: Path, name: str, value: str, expected: bool) -> None:
    assert is_configured(tmp_path, **{name: value}) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("prefect.toml", '[api]\nurl = "http://x/api"\n', True),
        ("pyproject.toml", '[tool.prefect.api]\nurl = "http://x/api"\n', True),
        ("pyproject.toml", "[tool.prefect.server.ephemeral]\nenabled = false\n", True),
        ("pyproject.toml", "[tool.prefect\n", True),
        ("pyproject.toml", '[tool.other]\napi_url = "http://x"\n# allow_ephemeral, [tool.prefect]\n', False),
        ("pyproject.toml", '[project]\ndependencies = ["prefect"]\n', False),
        (".env", "A=1\nexport PREFECT_API_URL=http://x/api\n", True),
        (".env", "MY_API_URL=http://x\n# PREFECT_API_URL=http://x/api\n", False),
        ("home/profiles.toml", 'active = "team"\n', True),
        ("profiles.toml", 'active = "team"\n', False),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / name).write_text(text)
    assert is_configured(tmp_path) is expected


# In a process of its own: whether a server is named, and whether Prefect was imported.
ASK = """
import sys
from flows.server.prefect_settings import names_a_server
print(names_a_server(), "prefect" in sys.modules)
"""
RUN = """
import sys
from flows.cli.__main__ import command
code = command(["run", sys.argv[1], "--out", sys.argv[2]])
print(code, "prefect" in sys.modules)
"""


def told(tmp_path: Path, script: str, *arguments: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state"), **variables}
    command = [sys.executable, "-c", script, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "False False"),
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, "True True"),
        ({"PREFECT_LOGGING_LEVEL": "INFO"}, "False True"),
    ],
)
def test_a_run_is_a_flow_run_where_a_server_is_named(tmp_path: Path, variables: dict[str, str], expected: str) -> None:
    assert told(tmp_path, ASK, **variables) == expected


def test_a_run_by_hand_never_imports_prefect(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    (study / "rows.csv").write_text((ROOT / "data" / "sleepstudy" / "sleepstudy.csv").read_text())
    asked = 'title = "T"\noutcome = "Reaction"\ngroup = "Subject"\npredictors = ["Days"]\n'
    (study / "study.toml").write_text(f"{asked}[sampler]\nwarmup = 300\ndraws = 300\n")
    assert told(tmp_path, RUN, str(study), str(tmp_path / "reports")) == "0 False"
