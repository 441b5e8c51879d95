"""Troubles: each is said once, whoever finds it, and so is its end; readers see what lasts."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.serve.troubles import LONGEST_REASON, Troubles, forget_told, tell, told
from tasks.disk.layout import troubles_file
from tasks.view.catalogue.search import Trouble

STUDY = Path("/srv/data/visits")
REASON = f"{STUDY}/study.toml: schedule.cron is wrong."


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def troubles(said: list[str]) -> Troubles:
    return Troubles(said.append)


def test_said_once_however_often_and_by_whomever_it_is_found(troubles: Troubles, said: list[str]) -> None:
    for finder in ("intake", "runner", "intake", "runner"):
        troubles.found(finder, STUDY, REASON)
    assert said == [f"visits: {REASON}"]


def test_the_end_is_said_once_nobody_finds_it_any_more(troubles: Troubles, said: list[str]) -> None:
    troubles.found("intake", STUDY, REASON)
    troubles.found("runner", STUDY, REASON)
    troubles.found("intake", STUDY, "")
    assert len(said) == 1
    troubles.found("runner", STUDY, "")
    troubles.found("runner", STUDY, "")
    assert said[1:] == ["is over: visits is in order again."]
    assert troubles.now() == ()


def test_no_trouble_is_no_news(troubles: Troubles, said: list[str]) -> None:
    troubles.found("intake", STUDY, "")
    assert said == []


def test_another_reason_is_said_anew(troubles: Troubles, said: list[str]) -> None:
    troubles.found("intake", STUDY, REASON)
    troubles.found("intake", STUDY, "another")
    assert said[1:] == ["visits: another"]
    assert troubles.now() == (Trouble("visits", "another"),)


def test_readers_do_not_see_where_folders_lie(troubles: Troubles) -> None:
    troubles.found("intake", STUDY, REASON)
    assert troubles.now() == (Trouble("visits", "study.toml: schedule.cron is wrong."),)


def test_a_reason_is_one_short_line(troubles: Troubles, said: list[str]) -> None:
    troubles.found("runner", Path("/srv/\x1b[31mred\nTrouble"), "a\x1b]0;owned\x07\nb\r\n" + "c" * 10_000)
    assert said[0].isprintable()
    assert len(said[0]) <= LONGEST_REASON + 30


def test_what_the_runner_tells_arrives_and_goes(tmp_path: Path, troubles: Troubles, said: list[str]) -> None:
    tell(tmp_path, {str(STUDY): REASON, "/srv/data/other": "why"})
    troubles.found_all("runner", told(tmp_path))
    assert {trouble.study for trouble in troubles.now()} == {"visits", "other"}
    tell(tmp_path, {"/srv/data/other": "why"})
    troubles.found_all("runner", told(tmp_path))
    assert [trouble.study for trouble in troubles.now()] == ["other"]
    assert len(said) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_what_cannot_be_read_tells_nothing(tmp_path: Path, text: str) -> None:
    troubles_file(tmp_path).write_text(text)
    assert told(tmp_path) == {}
    forget_told(tmp_path)
    forget_told(tmp_path)
    assert told(tmp_path) == {}
