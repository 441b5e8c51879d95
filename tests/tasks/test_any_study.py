"""Whatever a study file says, there is a study or a StudyError, a paragraph; never another error, never a wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tasks.opening.studies import read_study
from tasks.study.errors import StudyError
from tasks.study.model import Study
from tasks.study.toml_text import toml_text

ROOT = Path(__file__).parents[2]
BUNDLED = [file.read_text("utf-8") for file in sorted((ROOT / "data").glob("*/study.toml"))]
VALID = """title = "Does age change the time on site?"
source = "*.csv"
outcome = "bounce_time"
outcome_unit = "s"
group = "county"
predictors = ["age", "b"]
predictor_units = { age = "years" }
varying = ["age"]
[rules]
max_rejected_share = 0.05
unique = ["county", "visit"]
[rules.ranges]
bounce_time = { min = 0, max = 1_800.5 }
[priors]
intercept = { mean = 200, sd = 50 }
[sampler]
draws = 500
[thresholds]
rhat = 1.01
[report]
look = "look"
[schedule]
cron = "0 6 * * 1"
timezone = "Europe/London"
[trigger]
watch = "incoming"
[notify]
to = ["mailto://${MAIL_USER}:secret@mail.example.org", 'json://x/y']
on = ["worse"]
"""
# What TOML is made of, and what is odd in it.
PIECES = [
    *"[]{}=.,\"#'\\\n\t\x00\x7f\ufeff\u2028\u202e",
    *("[[", "]]", '"""', "'''", "\\u0000", "\\U0010ffff", "\\ud800", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"),
    *("inf", "-inf", "nan", "1e400", "-0.0", "9" * 5000, "0x" + "f" * 5000, "0b1", "true", "null", "=", "://", "${A}"),
    *("[notify]", "to = [", "name = ", "trigger.watch = ", '"../x"', '"/x"', "a." * 50, "[" * 2000, "{a=" * 500),
]


def outcome_of(text: str | bytes) -> Study | str:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
        try:
            return read_study(file).study
        except StudyError as problem:
            return str(problem)


def is_answered(text: str | bytes) -> None:
    found = outcome_of(text)
    if isinstance(found, str):
        assert len(found) < 3000
        assert "pydantic" not in found.lower()


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid study file, some of it cut out or replaced by something odd."""
    text = draw(st.sampled_from([VALID, *BUNDLED]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 20)))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=5)) + text[end:]
    return text


INNER = [
    f"{name}.{key}"
    for name, field in Study.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    for key in field.annotation.model_fields
]
KEYS = [
    *Study.model_fields,
    *(f"{key}.age" for key in Study.model_fields),
    *INNER,
    "rules.ranges.age",
    "rules.ranges",
    "priors.slopes",
    "sampler.seed",
    "notify.to",
    "zz",
]
scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63, max_value=2**10_000),
    st.floats(),
    st.text(),
    st.dates(),
    st.datetimes(),
    st.sampled_from(
        [
            "age",
            "county",
            "..",
            "/",
            "a\x00",
            "%Y %Y",
            "%Y-%m-%d",
            "%",
            "%" * 500,
            "%Y" + " " * 500 + "x",
            "cp1252",
            "base64",
            "undefined",
            "\t",
            "0 6 * * 1",
        ]
    ),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_values_of_the_keys(changes: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"title": "t", "outcome": "y", "group": "county", "predictors": ["age"]}
    for path, value in changes.items():
        *tables, key = path.split(".")
        table = asked
        for name in tables:
            inner = table.setdefault(name, {})
            table = inner if isinstance(inner, dict) else {}
        table[key] = value
    is_answered(toml_text(asked))


@given(mutated())
@settings(max_examples=300, deadline=None)
def test_any_study_file_with_something_odd_in_it(text: str) -> None:
    is_answered(text)


@given(st.lists(st.sampled_from(PIECES) | st.sampled_from(KEYS) | st.text(max_size=3), max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_any_text_of_tomls_pieces(text: str) -> None:
    is_answered(text)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes(content: bytes) -> None:
    is_answered(content)


LONG = 1_000_000
LONG_TEXTS = {
    "a comment of letters": VALID + "#" + "a" * LONG,
    "a comment of addresses": VALID + "#" + "a://" * (LONG // 4),
    "a comment of signs": VALID + "# " + "://" * (LONG // 3),
    "a title of letters": VALID.replace("Does", "D" * LONG),
    "an address": VALID.replace("secret", "s" * LONG),
    "an address of separators": VALID.replace("secret", "@/:?" * (LONG // 4)),
    "an address of variables": VALID.replace("secret", "${A" * (LONG // 3)),
    "spaces": VALID + " " * LONG,
    "lines of spaces in [notify]": VALID + (" " * 1000 + "\n") * (LONG // 1000),
    "brackets": VALID + "[" * LONG,
    "a key of parts": VALID.replace("title", "a." * (LONG // 2) + "a"),
    "a column": VALID.replace("bounce_time", "b" * LONG),
    "columns": VALID.replace('"b"', ", ".join(f'"b{i}"' for i in range(LONG // 10))),
    "groups": VALID + "[rules2]\ngroups = [" + ", ".join(f'"b{i}"' for i in range(LONG // 10)) + "]",
    "quotes": VALID + "# " + "'\"" * (LONG // 2),
    "dollars": VALID + "# " + "${" * (LONG // 2),
}


@pytest.mark.parametrize("kind", LONG_TEXTS)
def test_a_long_text_takes_no_longer_than_reading_it(kind: str, tmp_path: Path) -> None:
    """A million characters: anything quadratic in them would take an hour."""
    (tmp_path / "study.toml").write_text(LONG_TEXTS[kind])
    program = (
        "import sys\nfrom tasks.opening.studies import read_study\nfrom tasks.study.errors import StudyError\n"
        "try:\n    read_study(sys.argv[1])\nexcept StudyError:\n    pass\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, timeout=300, check=True)
