"""Every case of the corpus gets its exit code and its words, in one plain paragraph, and nothing unexpected."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from flows.cli.__main__ import command
from tests.corpus.all_cases import CASES
from tests.corpus.cases import Case

MOST_LETTERS = 2500
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_there_are_at_least_150_cases_each_under_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_input_gets_its_answer(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.write(tmp_path / "case")
    monkeypatch.chdir(tmp_path / "case")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setitem(os.environ, "COLUMNS", "200")
    exit_code = command(list(case.command))
    said = capsys.readouterr()
    words = " ".join((said.out + said.err).split())
    assert exit_code == case.exit_code, words
    for part in case.says:
        assert part.lower() in words.lower()
    for part in (*case.never, "unexpected", "Traceback"):
        assert part.lower() not in words.lower()
    assert not CONTROL.search(said.out + said.err)
    assert len(said.out + said.err) <= MOST_LETTERS
