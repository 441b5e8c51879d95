"""Secrets in receivers' addresses stay where they are written."""

from __future__ import annotations

import tomllib

import pytest

from tasks.opening.studies import read_study, study_from_flags
from tasks.study.errors import StudyError
from tasks.study.model import Study
from tasks.study.receivers import MissingVariable, filled, masked, masked_addresses, masked_study, scrubbed

STUDY = 'title = "t"\noutcome = "y"\ngroup = "g"\n'


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("mailto://bob:hunter2@mail.example.org:587?to=ops@example.org", "mailto://***"),
        ("mailtos://bob:hunter2@mail.example.org/ops", "mailtos://***@mail.example.org/***"),
        ("json://127.0.0.1:8080/", "json://127.0.0.1:8080"),
        ("json://hooks.example.org/s3cret?token=s3cret", "json://hooks.example.org/***"),
        ("https://hooks.slack.com/services/T0/B0/s3cret", "https://hooks.slack.com/***"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/s3cret/#general", "slack://***"),
        ("tgram://123:s3cret/chat", "tgram://***"),
        ("json://bob:pa/ss@example.org", "json://***"),
        ("json://bob:pa?ss@example.org", "json://***"),
        ("json://example.org/x@s3cret", "json://***"),
        ("s3cret", "***"),
        ("s3 cret://x", "***"),
        ("${HOOK}", "${HOOK}"),
        ("slack://${A}/${B}/${C}", "slack://${A}/${B}/${C}"),
        ("slack://${A}/s3cret/${C}", "slack://***"),
        ("mailto://${USER}:${PASSWORD}@mail.example.org", "mailto://***@mail.example.org"),
    ],
)
def test_a_masked_address_names_the_service_and_keeps_the_secret(address: str, shown: str) -> None:
    assert masked(address) == shown
    assert masked(shown) == shown


def test_an_address_in_a_comment_is_masked_wherever_it_begins() -> None:
    text = STUDY + "# 1slack://s3cret-a and x-9+json://example.org/s3cret-b (tgram://s3cret-c)\n"
    shown = masked_study(text)
    assert "s3cret" not in shown
    assert tomllib.loads(shown) == tomllib.loads(text)


def test_variables_are_filled_in_and_a_missing_one_is_named() -> None:
    assert filled("json://${HOST}:${PORT}/", {"HOST": "h", "PORT": "80"}) == "json://h:80/"
    assert filled("json://h/$HOST", {}) == "json://h/$HOST"
    for environment in ({}, {"TOKEN": ""}):
        with pytest.raises(MissingVariable, match="TOKEN is not set"):
            filled("slack://${TOKEN}", environment)


@pytest.mark.parametrize("name", ["PREFECT_API_AUTH_STRING", "PREFECT_API_KEY", "POOLWISE_CATALOGUE_PASSWORD"])
def test_the_keys_of_what_runs_are_not_sent_anywhere(name: str) -> None:
    with pytest.raises(MissingVariable, match=f"{name} is a key"):
        filled(f"json://example.org/${{{name}}}", {name: "s3cret"})


@pytest.mark.parametrize(
    "table",
    [
        '[notify]\nto = ["slack://s3cret/s3cret/s3cret/#x", "mailto://bob:s3cret@example.org"] # or "tgram://s3cret/1"\n',
        '# to = ["json://u:s3cret@h/s3cret"]\n[notify]\nto = [\n  "slack://s3cret/x/y",\n  # "slack://s3cret/old",\n]\n',
        "[notify]\nto = ['json://u:s3cret@127.0.0.1/a']\n\n[thresholds]\nfew_groups = 3 # kept\n",
        'notify = { to = ["slack://s3cret"], on = ["worse"] }\n',
        'notify.to = ["s3cret", "slack://s3cret/it\'s"]\n',
        '[notify]\nto = ["slack:\\u002f\\u002fs3cret/\\"x"]\n',
        '[notify]\nto = ["""slack://s3cret"""]\nmax_age_days = 2\n',
    ],
)
def test_a_published_study_holds_no_secret_and_is_the_same_study_otherwise(table: str) -> None:
    shown = masked_study(STUDY + table)
    assert "s3cret" not in shown
    before, after = tomllib.loads(STUDY + table), tomllib.loads(shown)
    assert len(after["notify"]["to"]) == len(before["notify"]["to"])
    for values in (before, after):
        values["notify"].pop("to")
        Study.model_validate({"name": "n", **values})
    assert before == after


def test_a_study_without_receivers_is_published_letter_by_letter() -> None:
    text = STUDY + "# see https://example.org/docs\n[rules]\nmin_rows = 3 # few\n"
    assert masked_study(text) == text.replace("https://example.org/docs", "https://example.org/***")
    assert masked_study(STUDY) == STUDY


def test_comments_outside_addresses_are_kept() -> None:
    shown = masked_study(STUDY + '[notify] # whom to tell\nto = ["slack://s3cret/a/b"] # the team\n')
    assert "# whom to tell" in shown
    assert "# the team" in shown


def test_an_opened_study_shows_no_secret_but_can_use_it(tmp_path) -> None:
    (tmp_path / "study.toml").write_text(STUDY + '[notify]\nto = ["slack://s3cret/a/b"]\n')
    opened = read_study(tmp_path)
    assert opened.study.notify.to[0].get_secret_value() == "slack://s3cret/a/b"
    for shown in (opened.text, repr(opened), str(opened.study), opened.study.model_dump_json()):
        assert "s3cret" not in shown


def test_a_study_from_flags_shows_no_secret(tmp_path) -> None:
    (tmp_path / "d.csv").write_text("y,g\n")
    opened = study_from_flags(tmp_path / "d.csv", "y", "g", notify={"to": ["slack://s3cret/a/b"]})
    assert "s3cret" not in opened.text


@pytest.mark.parametrize(
    "notify", ['to = "slack://s3cret/a"', 'to = ["slack://s3cret/a" "x"]', 'to = ["slack://s3cret/a']
)
def test_a_problem_with_a_receiver_is_told_without_it(tmp_path, notify: str) -> None:
    (tmp_path / "study.toml").write_text(f"{STUDY}[notify]\n{notify}\n")
    with pytest.raises(StudyError) as problem:
        read_study(tmp_path)
    assert "s3cret" not in str(problem.value)


def test_another_programs_message_is_scrubbed() -> None:
    address = "json://bob:hunter2@127.0.0.1:80/to%6ben?key=abcdef"
    said = scrubbed("POST /token?key=abcdef to 127.0.0.1 as bob with hunter2 failed", address)
    assert said == "POST /***?***=*** to 127.0.0.1 as *** with *** failed"


def test_addresses_are_found_in_any_text() -> None:
    assert masked_addresses("a slack://x/y/z, b") == "a slack://*** b"
