"""Numbers and words that a person reads one way and a program another."""

from __future__ import annotations

from tests.corpus.cases import STUDY, Case, csv, every, rows, spoilt, with_keys

ALL = "80 of 80 rows can be used, in 8 groups"
Rows = list[tuple[str, ...]]


def _values(name: str, found: Rows, exit_code: int, *says: str, study: str = STUDY, sep: str = ",") -> Case:
    return Case(f"value/{name}", exit_code, says, {"data.csv": csv(found, sep=sep)}, study)


def _quoted_thousands(y: str) -> str:
    return f'"{1000 * float(y):,.2f}"'


CODES = [7, 19, 33, 48, 71]
CASES = [
    _values("thousands", every(2, _quoted_thousands), 3, "thousands", "y", "data.csv"),
    _values("thousands, as set", every(2, _quoted_thousands), 0, ALL, study=with_keys('thousands = ","\n')),
    _values("whole thousands", every(2, lambda y: f'"{round(1000 * float(y)):,}"'), 3, "thousands", "y", "data.csv"),
    _values(
        "thousands with points",
        every(2, lambda y: f"{1000 * float(y):,.2f}".translate(str.maketrans(",.", ".,"))),
        3,
        "thousands",
        sep=";",
    ),
    _values("thousands with spaces", every(2, lambda y: f"{1000 * float(y):,.2f}".replace(",", " ")), 3, "thousands"),
    _values("per cent", every(1, lambda x: x + "%"), 3, "%", "affixes", "data.csv"),
    _values("per cent, as set", every(1, lambda x: x + " %"), 0, ALL, study=with_keys('affixes = ["%"]\n')),
    _values("dollars", every(2, lambda y: "$" + y), 3, "$", "affixes"),
    _values("dollars, as set", every(2, lambda y: "$" + y), 0, ALL, study=with_keys('affixes = ["$"]\n')),
    _values("units", every(2, lambda y: y + " s"), 3, "affixes"),
    _values("true and false", every(1, lambda x: "true" if float(x) > 8 else "false"), 0, ALL),
    _values("TRUE and FALSE", every(1, lambda x: "TRUE" if float(x) > 8 else "FALSE"), 0, ALL),
    _values("yes and no", every(1, lambda x: "yes" if float(x) > 8 else "no"), 0, ALL),
    _values(
        "yes and no, as set",
        every(1, lambda x: "yes" if float(x) > 8 else "no"),
        0,
        ALL,
        study=with_keys("[codes]\nx = { no = 0, yes = 1 }\n"),
    ),
    _values("ISO dates", every(1, lambda x: f"2024-01-{int(float(x)) + 1:02d}"), 3, "[dates]", "%Y-%m-%d"),
    _values(
        "ISO dates, as set",
        every(1, lambda x: f"2024-01-{int(float(x)) + 1:02d}"),
        0,
        ALL,
        study=with_keys('[dates]\nx = "%Y-%m-%d"\n'),
    ),
    _values(
        "dates either way",
        every(1, lambda x: f"{int(float(x)) % 9 + 1:02d}/02/2024"),
        3,
        "[dates]",
        "%d/%m/%Y",
        "%m/%d/%Y",
    ),
    _values("codes for missing", spoilt(CODES, 2, "-999"), 0, "-999", "missing"),
    _values(
        "codes for missing, as set",
        spoilt(CODES, 2, "-999"),
        3,
        "5 of 80 rows",
        "max_rejected_share",
        study=with_keys('missing = ["-999"]\n'),
    ),
    _values(
        "codes for missing, as set and allowed",
        spoilt(CODES, 2, "-999"),
        0,
        "75 of 80 rows",
        study=with_keys('missing = ["-999"]\n[rules]\nmax_rejected_share = 0.1\n'),
    ),
    _values("words for missing", spoilt([3, 4], 2, "NA"), 0, "78 of 80 rows", "missing"),
    _values("one word in 80", spoilt(3, 2, "broken"), 0, "79 of 80 rows", "'broken'", "not a number"),
    _values("ten words in 80", spoilt(range(10), 2, "broken"), 3, "10 of 80 rows", "'broken'", "max_rejected_share"),
    _values("text with commas in it", spoilt(3, 2, '"a, b"'), 0, "79 of 80 rows"),
    _values("infinite", spoilt(3, 2, "inf"), 0, "79 of 80 rows", "infinite"),
    _values("hexadecimal", spoilt(3, 2, "0x1A"), 0, "79 of 80 rows", "not a number"),
    _values("underscores", spoilt(3, 2, "1_000"), 0, "79 of 80 rows", "not a number"),
    _values("Arabic digits", spoilt(3, 2, "٣٤"), 0, "79 of 80 rows", "not a number"),
    _values("a true minus sign", spoilt(3, 2, lambda y: "\u2212" + y), 0, "of 80 rows"),
    _values("exponents", every(2, lambda y: f"{float(y):.5e}"), 0, ALL),
    _values("a formula", spoilt(3, 2, "=1+1"), 0, "79 of 80 rows", "=1+1"),
    _values("1e308", spoilt(3, 2, "1e308"), 0, "79 of 80 rows", "1e308"),
    _values("1e400", spoilt(3, 2, "1e400"), 0, "79 of 80 rows"),
    _values("all about 1e300", every(2, lambda y: f"{float(y):.3f}e298"), 3, "y"),
    _values("all about 1e-300", every(2, lambda y: f"{float(y):.3f}e-302"), 3, "y"),
    _values("integers past 2^53", every(1, lambda x: str(9007199254740993 + int(1000 * float(x)))), 3, "x"),
    _values("value of 100,000 letters", spoilt(3, 2, "z" * 100_000), 0, "79 of 80 rows"),
    _values("escape codes in a value", spoilt(3, 2, "\x1b[31mred\x1b[0m"), 0, "79 of 80 rows"),
    _values("markup in a value", spoilt(3, 2, "[bold]:x:[/bold]"), 0, "[bold]:x:[/bold]"),
    _values(
        "outside a range",
        spoilt(3, 2, "9999"),
        0,
        "79 of 80 rows",
        "above 1000",
        study=with_keys("[rules.ranges]\ny = { max = 1000 }\n"),
    ),
    _values(
        "group not allowed",
        spoilt(3, 0, "Mars"),
        0,
        "79 of 80 rows",
        "unknown group",
        study=with_keys(
            '[rules]\ngroups = ["Kent", "Essex", "Surrey", "Dorset", "Devon", "Norfolk", "Rutland", "Durham"]\n'
        ),
    ),
    _values(
        "key twice",
        [*rows(), rows()[0]],
        0,
        "80 of 81 rows",
        "duplicate of row 1",
        study=with_keys('[rules]\nunique = ["g", "x"]\n'),
    ),
    _values("group left out", spoilt(3, 0, ""), 0, "79 of 80 rows", "missing"),
    _values("a totals row", [*rows(), ("Total", "80", "5400.0")], 0, "Total"),
]
