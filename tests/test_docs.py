"""What README, docs/ and the units tell people to type exists and parses; nothing is run."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import prefect.settings
import pytest
import typer
from prefect.cli._app import _app as prefect_app

from flows.cli.commands import app
from flows.steps import events
from tasks.disk.secret_blocks import STORE_BLOCK
from tasks.look.colours import FIGURE_COLOURS, page_defaults, read_colours
from tasks.notify.notify import BASE_ADDRESS
from tasks.opening.studies import read_study
from tasks.opening.studies_elsewhere import VARIABLE as STUDIES_VARIABLE
from tasks.reports.database import VARIABLE as DATABASE_VARIABLE
from tasks.site.app import PASSWORD_VARIABLE
from tasks.stats.records import VerdictStatus
from tasks.study import errors
from tasks.study.errors import Rejection
from tasks.study.toml_text import toml_text
from tasks.view.counted.estimates import estimate_columns as estimate_columns_counted
from tasks.view.estimates import estimate_columns
from tests.counted_reports import counts_case
from tests.factories import singular_case

ROOT = Path(__file__).parent.parent
README, TEAM, READ, LOOK, TRIGGER = (
    ROOT / name for name in ("README.md", "docs/team.md", "docs/read.md", "docs/look.md", "docs/trigger.md")
)
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
UNITS = sorted((ROOT / "docs").glob("*.service"))
INSTALLED = "/srv/poolwise/app/.venv/bin/"

POOLWISE = typer.main.get_command(app)


def blocks(page: Path, language: str = "sh") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def told_commands(program: str) -> set[str]:
    """Typed lines of blocks, what stands between backticks, and what units start."""
    texts = [page.read_text("utf-8") for page in PAGES]
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
        for page in PAGES
        for target in re.findall(r"(?:^ *|`|')make (?:-C app )?([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert told
    assert told <= targets


def test_blocks_are_valid_shell() -> None:
    assert len(blocks(TEAM)) > 5
    for block in (block for page in PAGES for block in blocks(page)):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


def settings() -> list[tuple[str, str]]:
    """Page and text of each block of a study file; a look's colours are no study's."""
    told = [(page.name, block) for page in PAGES for block in blocks(page, "toml")]
    return [(page, block) for page, block in told if not {"light", "dark", "figures"} & tomllib.loads(block).keys()]


@pytest.mark.parametrize(("page", "block"), settings())
def test_settings_told_make_a_study(page: str, block: str, tmp_path: Path) -> None:
    told = tomllib.loads(block)
    needed = {"title": "t", "outcome": "bounce_time", "group": "county", "predictors": ["age"]}
    file = tmp_path / "study.toml"
    file.write_text(toml_text({**needed, **told}), "utf-8")
    assert read_study(file).study.model_fields_set >= told.keys(), page


def test_colours_told_are_colours_of_a_look() -> None:
    defaults = page_defaults((ROOT / "templates" / "report.css").read_text("utf-8"))
    told = [block for block in blocks(LOOK, "toml") if "[light]" in block]
    assert told
    for block in told:
        read_colours(block, "docs/look.md", defaults)


def test_every_colour_of_a_look_is_told() -> None:
    page_row, figures_row = re.findall(r"^\| `\[(?:light|figures)\]`.*?\| (`.*`) \|$", LOOK.read_text("utf-8"), re.M)
    defaults = page_defaults((ROOT / "templates" / "report.css").read_text("utf-8"))
    assert sorted(re.findall("`(.*?)`", page_row)) == sorted(defaults["light"])
    assert sorted(re.findall("`(.*?)`", figures_row)) == sorted(FIGURE_COLOURS)


def first_cells(page: Path, heading: str) -> list[str]:
    """What stands between backticks, or by itself, in the first column of the table below a heading."""
    _, found, rest = page.read_text("utf-8").partition(f"\n{heading}\n")
    assert found, heading
    rows = re.findall(r"^\| (.*?) \|", re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE)
    return [cell for row in rows[1:] for cell in (re.findall(r"`(.*?)`", row) or [row])]


def test_events_told_are_those_sent() -> None:
    ours = {value for value in vars(events).values() if isinstance(value, str) and value.startswith("poolwise.")}
    assert set(first_cells(TRIGGER, "## On request")) == ours


def test_options_of_a_run_exist() -> None:
    with POOLWISE.make_context("poolwise", ["run", "STUDY"]) as context:
        run = POOLWISE.get_command(context, "run")
    assert run is not None
    known = {option for parameter in run.params for option in parameter.opts}
    assert {cell.split()[0] for cell in first_cells(TRIGGER, "## By hand")} <= known


def test_every_exit_code_is_told() -> None:
    codes = {
        error.exit_code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "exit_code")
    }
    assert {int(cell) for cell in first_cells(READ, "### Exit codes")} == {0, *codes}


def test_every_verdict_is_told() -> None:
    assert first_cells(READ, "## What the verdict means") == list(get_args(VerdictStatus))


def test_columns_of_estimates_are_told() -> None:
    case = singular_case()
    assert first_cells(READ, "### estimates.csv") == list(estimate_columns(case.study, case.findings))


def test_columns_of_estimates_of_counted_outcomes_are_told() -> None:
    assert first_cells(READ, "### estimates.csv of counted outcomes") == list(
        estimate_columns_counted(counts_case().context)
    )


def test_columns_of_rejected_rows_are_told() -> None:
    _, _, rest = READ.read_text("utf-8").partition("### rejected.csv\n")
    assert re.findall(r"`(\w+)`", rest.split("\n##")[0]) == [field.name for field in fields(Rejection)]


def test_keys_of_the_summary_are_told_as_they_are() -> None:
    schema = json.loads((ROOT / "tasks" / "view" / "summary.schema.json").read_text("utf-8"))
    for path in first_cells(READ, "### summary.json"):
        at = schema
        for key in path.split("."):
            at = _resolved(at, schema)["properties"][key]


def _resolved(at: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference, alone or beside null, leads to."""
    refs = [each["$ref"] for each in (at, *at.get("anyOf", ()), *at.get("allOf", ())) if "$ref" in each]
    return schema["$defs"][refs[0].rpartition("/")[2]] if refs else at


def test_settings_exist() -> None:
    text = "".join(path.read_text("utf-8") for path in (*PAGES, *UNITS))
    for name in set(
        re.findall(r"PREFECT_(?!INTEGRATIONS)[A-Z_]+", text)
    ):  # those are of packages for workers elsewhere
        assert getattr(prefect.settings, name, None) is not None, name
    assert set(re.findall(r"POOLWISE_[A-Z_]+", text)) == {
        BASE_ADDRESS,
        PASSWORD_VARIABLE,
        DATABASE_VARIABLE,
        STUDIES_VARIABLE,
        STORE_BLOCK,
    }


def anchors(page: Path) -> set[str]:
    """How GitHub calls the headings of a page: lower case, without punctuation, hyphens for spaces."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^):]+)\)", page.read_text("utf-8"))
    assert links
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+\.md)", README.read_text("utf-8")))
    assert {f"docs/{page.name}" for page in PAGES[1:]} == linked


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
