"""What the README, the team page, the units and prefect.yaml tell people to type exists and parses; nothing is run."""

from __future__ import annotations

import configparser
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import prefect.settings
import pytest
import typer
import yaml
from prefect import Flow
from prefect.cli._app import _app as prefect_app

from flows.commands import app
from flows.deployments import run_on_request
from tasks.notify import BASE_ADDRESS
from tasks.site.app import PASSWORD_VARIABLE
from tasks.studies import read_study

ROOT = Path(__file__).parent.parent
TEAM, README = ROOT / "docs" / "team.md", ROOT / "README.md"
UNITS = sorted((ROOT / "docs").glob("*.service"))
STUDIES = sorted(file.parent for file in (ROOT / "data").glob("*/study.toml"))
PREFECT_YAML: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
INSTALLED = "/srv/poolwise/app/.venv/bin/"

POOLWISE = typer.main.get_command(app)


def blocks(page: Path, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def told_commands(program: str) -> set[str]:
    """Typed lines of blocks, what stands between backticks, and what units start."""
    texts = [page.read_text("utf-8") for page in (README, TEAM)]
    lines = [
        *(line for text in texts for line in re.findall(rf"^ *(?:\S*/)?{program} .*$", text, re.MULTILINE)),
        *(quoted for text in texts for quoted in re.findall(rf"`({program} [^`]*)`", text)),
        *(unit(path)["Service"]["ExecStart"].removeprefix(INSTALLED) for path in UNITS),
    ]
    cleaned = (" ".join(shlex.split(line.strip(), comments=True)) for line in lines)
    return {line.removeprefix(".venv/bin/") for line in cleaned if re.match(rf"(\.venv/bin/)?{program} [a-z-]", line)}


def unit(path: Path) -> configparser.SectionProxy | Any:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


@pytest.mark.parametrize("line", sorted(told_commands("poolwise")))
def test_poolwise_command_parses(line: str) -> None:
    name, *arguments = line.split()[1:]
    with POOLWISE.make_context("poolwise", [name, *arguments]) as context:
        subcommand = POOLWISE.get_command(context, name)
        assert subcommand is not None, f"there is no `poolwise {name}`"
        subcommand.make_context(name, arguments, parent=context)


@pytest.mark.parametrize("line", sorted(told_commands("prefect")))
def test_prefect_command_parses(line: str) -> None:
    arguments = [each for each in line.split()[1:] if each != "--no-prompt"]  # for the program itself
    prefect_app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_made_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    told = {
        target
        for page in (README, TEAM)
        for target in re.findall(r"(?:^ *|`|')make (?:-C app )?([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert told
    assert told <= targets


def test_blocks_are_valid_shell() -> None:
    assert len(blocks(TEAM)) > 5
    for block in blocks(TEAM):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


def test_settings_exist() -> None:
    text = TEAM.read_text("utf-8") + "".join(path.read_text("utf-8") for path in UNITS)
    for name in set(re.findall(r"PREFECT_[A-Z_]+", text)):
        assert getattr(prefect.settings, name, None) is not None, name
    assert set(re.findall(r"POOLWISE_[A-Z_]+", text)) == {BASE_ADDRESS, PASSWORD_VARIABLE}


def test_linked_files_exist() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", TEAM.read_text("utf-8"))
    assert links
    assert all((TEAM.parent / link).exists() for link in links)


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_prefect_yaml_deploys_the_study_as_poolwise_deploy_does(folder: Path) -> None:
    study = read_study(folder).study
    (deployment,) = (each for each in PREFECT_YAML["deployments"] if each["name"] == study.name)
    assert deployment["description"] == study.title
    assert deployment["tags"] == ["poolwise", study.name]
    assert deployment["parameters"] == {"study": str(folder.relative_to(ROOT)), "reports": "reports"}
    assert deployment["work_pool"] == {"name": "poolwise"}
    assert bool(deployment["schedules"]) == bool(study.schedule)

    (trigger,) = deployment["triggers"]
    ours = run_on_request(study.name)
    assert trigger["name"] == ours.name
    assert set(trigger["expect"]) == ours.expect
    assert trigger["match"] == ours.match.model_dump()


def test_prefect_yaml_names_a_flow_and_nothing_but_the_bundled_studies() -> None:
    assert len(PREFECT_YAML["deployments"]) == len(STUDIES)
    (entrypoint,) = {each["entrypoint"] for each in PREFECT_YAML["deployments"]}
    module, _, name = entrypoint.rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    assert isinstance(flow, Flow)
    for each in PREFECT_YAML["deployments"]:
        flow.validate_parameters(each["parameters"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_unit_is_restarted_stops_cleanly_and_is_hardened(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["ExecStart"].startswith(INSTALLED)
    expected = {
        "User": "poolwise",
        "Restart": "always",
        "KillMode": "mixed",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ReadWritePaths": "/srv/poolwise",
    }
    assert {key: service[key] for key in expected} == expected
    assert int(service["TimeoutStopSec"]) >= 30


def test_units_are_hardened_alike() -> None:
    texts = [path.read_text("utf-8") for path in UNITS]
    assert len({text[text.index("UMask=") : text.index("[Install]")] for text in texts}) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    here = f"{Path(sys.executable).parent}/"
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace(INSTALLED, here))
    units = [str(tmp_path / path.name) for path in UNITS]
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
