"""What a case is, and the good rows that most cases spoil in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

COUNTIES = ("Kent", "Essex", "Surrey", "Dorset", "Devon", "Norfolk", "Rutland", "Durham")
ROWS_PER_COUNTY = 10

STUDY = """title = "Does x change y?"
source = "*.csv"
outcome = "y"
group = "g"
predictors = ["x"]
"""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """Files and a command; `says` are parts of what is printed, in any case, `never` are none.

    `command` is given within the case's folder. `study` is the text of its study.toml; None for none.
    """

    name: str
    exit_code: int
    says: tuple[str, ...] = ()
    files: Mapping[str, str | bytes] = field(default_factory=lambda: {"data.csv": csv()})
    study: str | bytes | None = STUDY
    command: tuple[str, ...] = ("validate", ".")
    never: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def contents(self) -> dict[str, str | bytes]:
        return {**self.files, **({} if self.study is None else {"study.toml": self.study})}


def rows(counties: Sequence[str] = COUNTIES, seed: int = 1, n: int = ROWS_PER_COUNTY) -> list[Row]:
    """`n` rows of g, x, y per county: levels and slopes differ, nothing is wrong."""
    rng = np.random.default_rng(seed)
    found = []
    for county in counties:
        level, slope = rng.normal(60, 4), rng.normal(1.5, 0.3)
        xs = rng.uniform(2, 15, n)
        ys = level + slope * xs + rng.normal(0, 2, n)
        found += [(county, f"{x:.3f}", f"{y:.3f}") for x, y in zip(xs, ys, strict=True)]
    return found


def csv(
    lines: Iterable[Sequence[str]] | None = None,
    header: Sequence[str] = ("g", "x", "y"),
    sep: str = ",",
    end: str = "\n",
) -> str:
    """The rows as they are: nothing is quoted."""
    lines = rows() if lines is None else lines
    return end.join([sep.join(header), *(sep.join(line) for line in lines), ""])


def spoilt(at: int | Sequence[int], column: int, value: str | Callable[[str], str], seed: int = 1) -> list[Row]:
    """Good rows with `value`, or a function of what stands there, in `column` of the rows `at`."""
    found = [list(row) for row in rows(seed=seed)]
    for i in [at] if isinstance(at, int) else at:
        found[i][column] = value(found[i][column]) if callable(value) else value
    return [tuple(row) for row in found]


def every(column: int, value: Callable[[str], str]) -> list[Row]:
    """Good rows with a function of its value in all of one column."""
    return spoilt(range(len(rows())), column, value)


def with_keys(more: str, study: str = STUDY) -> str:
    return study + more
