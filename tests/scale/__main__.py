"""Everything at scale, in one table (`make scale`; smaller with `make scale ARGS="--rows 1e5 --groups 1e3"`)."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.scale import against_glmm, counted_against_glmm, counted_runs, many_files, whole_runs
from tests.scale.table import head

SMALL = Path(__file__).parents[2] / "data" / "sleepstudy"
PORTFOLIO = "tests.scale.portfolio"


def main() -> None:
    asked = _arguments()
    head()
    for n_rows, n_groups in ((asked.rows // 10, asked.groups // 10), (asked.rows, asked.groups)):
        against_glmm.measure(n_rows, n_groups)
    counted_against_glmm.measure(asked.groups)
    whole_runs.measure_small(SMALL)
    whole_runs.measure_large(asked.rows, asked.groups)
    counted_runs.measure(asked.groups, asked.rows)
    many_files.measure(asked.file_rows, asked.groups // 10, asked.files)
    if find_spec(PORTFOLIO):
        import_module(PORTFOLIO).main()


def _arguments() -> argparse.Namespace:
    whole = lambda text: int(float(text))  # noqa: E731 (1e6 is a whole number too)
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("--rows", type=whole, default=1_000_000, help="rows of the large run, and of the fit")
    parser.add_argument("--groups", type=whole, default=10_000, help="groups of these rows")
    parser.add_argument("--file-rows", type=whole, default=10_000_000, help="rows in many files")
    parser.add_argument("--files", type=whole, default=100, help="how many files they lie in")
    return parser.parse_args()


if __name__ == "__main__":
    main()
