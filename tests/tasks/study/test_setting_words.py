"""Settings as people type them: in a study file, or on the command line, which have to mean the same."""

from __future__ import annotations

import shlex
import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.study.model import Study, StudyOfFlags
from tasks.study.setting_words import merged, values_of


@pytest.mark.parametrize(
    ("line", "in_file", "by_option"),
    [
        ('decimal = ","', 'set decimal = "," in the study file', "add `--set decimal=,`"),
        ("rules.min_rows = 3", "set min_rows = 3 under [rules] in the study file", "add `--set rules.min_rows=3`"),
        (
            "rules.max_rejected_share = 0.2",
            "set max_rejected_share = 0.2 under [rules] in the study file",
            "add `--max-rejected-share 0.2`",
        ),
        ('missing = ["-999"]', 'set missing = ["-999"] in the study file', "add `--set 'missing=[\"-999\"]'`"),
        ('thousands = " "', 'set thousands = " " in the study file', "add `--set 'thousands= '`"),
        ('outcome = "y"', 'set outcome = "y" in the study file', "add `--outcome y`"),
        ('encoding = "1252"', 'set encoding = "1252" in the study file', "add `--set 'encoding=\"1252\"'`"),
    ],
)
def test_advice_is_spelled_as_it_would_be_typed(line: str, in_file: str, by_option: str) -> None:
    assert Study.setting(line) == in_file
    assert StudyOfFlags.setting(line) == by_option


@pytest.mark.parametrize(
    "line", ['decimal = ","', 'thousands = " "', "rules.min_rows = 3", 'missing = ["-999", "x y"]']
)
def test_advice_when_followed_means_what_the_line_means(line: str) -> None:
    typed = shlex.split(StudyOfFlags.setting(line).removeprefix("add `").removesuffix("`"))
    assert typed[0] == "--set"
    assert values_of(typed[1]) == tomllib.loads(line)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_can_be_advised(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    _, typed = shlex.split(StudyOfFlags.setting(f"outcome_unit = {quoted}").removeprefix("add `")[:-1])
    assert values_of(typed) == {"outcome_unit": text}


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("decimal=,", {"decimal": ","}),
        ("comment=#", {"comment": "#"}),
        ("rules.min_rows=10", {"rules": {"min_rows": 10}}),
        ("rules.unique=[\"a\", 'b']", {"rules": {"unique": ["a", "b"]}}),
        ("codes.sex={m = 0, f = 1}", {"codes": {"sex": {"m": 0, "f": 1}}}),
        ('rules.ranges."my x".min=1', {"rules": {"ranges": {"my x": {"min": 1}}}}),
        ("outcome_unit=", {"outcome_unit": ""}),
        ("title=one=two\nthree", {"title": "one=two\nthree"}),
    ],
)
def test_key_and_value_become_tables(setting: str, values: dict[str, object]) -> None:
    assert values_of(setting) == values


@given(st.text())
def test_anything_else_is_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(values_of(text), dict)


def test_several_settings_of_one_table_are_put_together() -> None:
    both = merged({"rules": {"min_rows": 1, "unique": ["a"]}}, {"rules": {"min_rows": 2}, "decimal": ","})
    assert both == {"rules": {"min_rows": 2, "unique": ["a"]}, "decimal": ","}
