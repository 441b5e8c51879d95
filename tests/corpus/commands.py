"""Commands given wrongly, and data without a study."""

from __future__ import annotations

from tests.corpus.cases import Case, csv, every, spoilt

COLUMNS = ("--outcome", "y", "--group", "g", "--predictor", "x")


def _flags(name: str, exit_code: int, *says: str, rows: str | None = None, more: tuple[str, ...] = COLUMNS) -> Case:
    files = {"data.csv": csv() if rows is None else rows}
    return Case(f"command/{name}", exit_code, says, files, None, ("validate", "data.csv", *more), never=("study.toml",))


CASES = [
    Case("command/unknown", 2, ("no such command",), command=("runn",)),
    Case("command/unknown option", 2, ("no such option",), command=("run", ".", "--fast")),
    Case("command/no argument", 2, ("missing argument",), command=("validate",)),
    Case("command/engine of another world", 2, ("--engine",), command=("run", ".", "--engine", "jags")),
    Case("command/folder that is not there", 2, ("nowhere",), command=("validate", "nowhere")),
    Case(
        "command/a study's columns by flags", 2, ("data files",), command=("run", ".", "--outcome", "y", "--group", "g")
    ),
    Case("command/flags without columns", 2, ("--outcome", "--group"), study=None, command=("run", "data.csv")),
    Case("command/file that is not there", 2, ("gone.csv",), study=None, command=("run", "gone.csv", *COLUMNS)),
    Case("command/argument of 5,000 letters", 2, ("too long",), command=("validate", "x" * 5000)),
    Case("command/line break in an argument", 2, ("study",), command=("validate", "a\nStopped. Fine")),
    Case("command/escape codes in an argument", 2, ("study",), command=("validate", "\x1b[2J")),
    Case("command/markup in an argument", 2, ("[bold]:x:",), command=("validate", "[bold]:x:")),
    Case("command/serve what is not there", 2, ("nowhere",), command=("serve", "nowhere")),
    Case(
        "command/out is a file",
        2,
        ("out", "in the way"),
        {"data.csv": csv(), "out": ""},
        command=("run", ".", "--out", "out"),
    ),
    Case(
        "command/out lies below a file",
        2,
        ("out",),
        {"data.csv": csv(), "out": ""},
        command=("run", ".", "--out", "out/deep"),
    ),
    Case("command/out of 5,000 letters", 2, ("too long",), command=("run", ".", "--out", "x" * 5000)),
    Case("command/new of no file", 2, ("gone.csv",), command=("new", "gone.csv")),
    Case("command/new where a study is", 2, ("--force",), command=("new", "data.csv")),
    Case("command/new of an empty file", 3, ("data.csv",), {"data.csv": ""}, None, ("new", "data.csv")),
    Case("command/new", 0, ("wrote",), study=None, command=("new", "data.csv")),
    _flags("flags", 0, "80 of 80 rows"),
    _flags("flags, ten words in 80", 3, "--max-rejected-share", rows=csv(spoilt(range(10), 2, "broken"))),
    _flags(
        "flags, ten words in 80, allowed",
        0,
        "70 of 80 rows",
        rows=csv(spoilt(range(10), 2, "broken")),
        more=(*COLUMNS, "--max-rejected-share", "0.2"),
    ),
    _flags("flags, column spelt otherwise", 3, "no column 'Y'", more=("--outcome", "Y", "--group", "g")),
    _flags("flags, per cent", 3, "affixes", "--set", rows=csv(every(1, lambda x: x + "%"))),
    Case(
        "incoming/a bad file",
        0,
        ("80 of 80 rows", "bad.csv", "set aside"),
        {"data.csv": csv(), "incoming/bad.csv": "a,b\n1,2\n"},
    ),
    Case(
        "incoming/a good file",
        0,
        ("160 of 160 rows",),
        {"data.csv": csv(), "incoming/b.csv": csv(spoilt(0, 2, "70.0", 2))},
    ),
]
