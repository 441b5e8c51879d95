"""Rows that are each right and together cannot carry the study's model, or only part of it."""

from __future__ import annotations

from tests.corpus.cases import STUDY, Case, csv, every, rows

TWO = STUDY.replace('["x"]', '["x", "z"]')
COLUMNS = ("g", "x", "z", "y")
Rows = list[tuple[str, ...]]


def _model(name: str, found: Rows, exit_code: int, *says: str, study: str = STUDY) -> Case:
    header = COLUMNS if study == TWO else COLUMNS[::1] if len(found[0]) == 4 else ("g", "x", "y")
    return Case(f"model/{name}", exit_code, says, {"data.csv": csv(found, header)}, study)


def _with_fahrenheit(decimals: int) -> Rows:
    return [(g, x, f"{1.8 * float(x) + 32:.{decimals}f}", y) for g, x, y in rows()]


GROUP_LEVEL = [(g, f"{len(g)}.{ord(g[0])}", y) for g, x, y in rows()]
CASES = [
    _model("one group", [("Kent", x, y) for g, x, y in rows()], 3, "same g", "'Kent'"),
    _model("a group for each row", [(f"g{i}", x, y) for i, (g, x, y) in enumerate(rows())], 3, "of its own"),
    _model("one row", rows()[:1], 3, "g"),
    _model("four rows", [rows()[i] for i in (0, 1, 20, 21)], 3, "4 usable rows", "parameters"),
    _model("constant outcome", every(2, lambda y: "5"), 3, "'y'", "constant"),
    _model("constant predictor", every(1, lambda x: "5"), 3, "'x'", "constant"),
    _model("nearly constant at 1e12", every(2, lambda y: f"{10**12}.{y[-3:]}"), 3, "y"),
    _model("outcome follows from x", [(g, x, f"{3 * float(x):.4f}") for g, x, y in rows()], 3, "'y'", "follows"),
    _model("outcome is constant in each group", [(g, x, f"{len(g)}.{ord(g[0])}") for g, x, y in rows()], 3, "y"),
    _model("Celsius and Fahrenheit", _with_fahrenheit(8), 3, "x", "z", "same", study=TWO),
    _model("Celsius and Fahrenheit, four digits", _with_fahrenheit(4), 3, "x", "z", study=TWO),
    _model("Celsius and Fahrenheit, one digit", _with_fahrenheit(1), 0, "x", "z", "80 of 80 rows", study=TWO),
    _model("a predictor that is one value per group", GROUP_LEVEL, 0, "x", "80 of 80 rows"),
    _model(
        "groups a billion apart",
        [(g, x, f"{ord(g[0]) * 1e10 + float(y):.3f}") for g, x, y in rows()],
        3,
        "double precision",
    ),
]
