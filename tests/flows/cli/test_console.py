"""Nothing that others wrote moves a cursor, forges a line or becomes a picture: on the terminal, in the log."""

from __future__ import annotations

import logging
from io import StringIO
from pathlib import Path

import pytest

from flows.cli import console
from flows.cli.__main__ import command
from flows.server.quiet import keep_log
from tasks.stats.past.earlier import ReportedVerdict
from tasks.view.catalogue.catalogue import RunEntry

EVIL = "a\x1b[31mred\x07\n2026-11-26 INFO poolwise: forged :x: [bold]b[/] \u202e\udce9"
SPELLED = r"a\x1b[31mred\x07\n2026-11-26 INFO poolwise: forged :x: [bold]b[/] \u202e\xe9"


@pytest.fixture(params=[False, True], ids=["piped", "terminal"])
def said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """What both consoles write, without a terminal's own colours."""
    heard = StringIO()
    for name in ("out", "err"):
        terminal = console.Terminal(
            file=heard, force_terminal=request.param, no_color=True, color_system=None, width=2000, _environ={}
        )
        monkeypatch.setattr(console, name, terminal)
    return heard


def entry() -> RunEntry:
    return RunEntry(
        study=EVIL,
        title=EVIL,
        run_id="r",
        started_at="2026-11-26T00:00:00+00:00",
        status="trust",
        headline=EVIL,
        recommended_model="bayes",
        n_rows=1,
        n_groups=1,
        n_rejected=0,
        engine=EVIL,
        folder="a/r",
    )


def test_everything_shown_goes_through_one_place(said: StringIO) -> None:
    console.show_problem(EVIL)
    console.show_verdict(ReportedVerdict("use", EVIL, EVIL, EVIL))
    console.show_report(Path(EVIL.replace("/", "")), standalone=True)
    console.show_runs([entry()], Path("reports"))
    console.show_runs([], Path(EVIL))
    with console.narrated(EVIL) as narrator:
        narrator.began("read")
        narrator.ended("read", 0.1, EVIL)
    shown = said.getvalue()
    assert shown.count(SPELLED) >= 8
    for effect in ("\x07", "\x1b[31m", "\u202e", "\udce9", "❌"):
        assert effect not in shown
    assert not any(line.startswith("2026-11-26 INFO") for line in shown.splitlines())


def test_the_verdict_is_said_once(said: StringIO) -> None:
    headline = "Use the Bayesian fit: partial pooling by REML cannot be trusted here."
    console.show_verdict(ReportedVerdict("use", headline, "Why.", "bayes"))
    assert said.getvalue().split("\n")[1] == headline
    assert "USE" not in said.getvalue()


def test_a_problem_is_never_longer_than_a_screen(said: StringIO) -> None:
    console.show_problem("x" * 1_000_000)
    assert len(said.getvalue()) < 2100


def test_no_text_can_forge_an_entry_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = [list(logging.getLogger(name).handlers) for name in ("prefect", "poolwise")]
    path = keep_log()
    assert path
    try:
        try:
            raise ValueError(EVIL)
        except ValueError:
            logging.getLogger("poolwise").warning("looking at %s", EVIL, exc_info=True)
        logging.getLogger("prefect.flow_runs").error(EVIL)
    finally:
        for name, handlers in zip(("prefect", "poolwise"), before, strict=True):
            logging.getLogger(name).handlers = handlers
    entries = [line for line in path.read_text(encoding="utf-8").split("\n") if line and not line.startswith("    ")]
    assert [line.split(" ")[2:4] for line in entries] == [["WARNING", "poolwise:"], ["ERROR", "prefect.flow_runs:"]]
    text = path.read_text(encoding="utf-8")
    assert r"\x1b[31mred" in text
    assert "\x1b" not in text
    assert "    Traceback (most recent call last):" in text


def test_what_was_typed_is_shown_without_effects(capfd: pytest.CaptureFixture[str]) -> None:
    for words in ([EVIL], ["run", "x", "--engine", EVIL], ["run", "x", f"--{EVIL}"], ["validate", EVIL], ["new", EVIL]):
        assert command(words) == 2
        shown = capfd.readouterr().err
        assert not {"\x1b", "\x07", "\u202e"} & {*shown}
        assert not any(line.startswith("2026-11-26 INFO") for line in shown.splitlines())


def test_validate_says_what_run_would_set_aside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that was dropped and cannot be used stops neither; one that `source` matches stops both."""
    rows = "g,y\n" + "".join(f"{g},{i * 7 % 5}\n" for g in "abc" for i in range(8))
    (tmp_path / "study.toml").write_text('title = "t"\noutcome = "y"\ngroup = "g"\n')
    (tmp_path / "rows.csv").write_text(rows)
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "bad\n2026-11-26 INFO poolwise: forged.csv").write_text("a,b\n1,2\n")
    assert command(["validate", str(tmp_path)]) == 0
    shown = capfd.readouterr().out.splitlines()
    assert shown[0].startswith(r"incoming/bad\n2026-11-26 INFO poolwise: forged.csv: set aside: ")
    assert shown[1].endswith(": 24 of 24 rows can be used, in 3 groups.")
    (tmp_path / "bad.csv").write_text("a,b\n1,3\n")
    assert command(["validate", str(tmp_path)]) == 3
    assert "bad.csv has no column 'y'" in capfd.readouterr().err
