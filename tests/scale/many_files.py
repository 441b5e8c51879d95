"""Many Parquet files read in one pass, against DuckDB's plain sums; then one file changed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from flows.steps.processes import cores
from flows.steps.reading_ahead import read_ahead
from tasks.opening.studies import OpenedStudy, read_study
from tasks.rows.read_files import ReadFiles, read_files
from tasks.rows.store import CLOCK_SECONDS, identify
from tests.scale.rows import write_file, write_study
from tests.scale.table import clocked, line

PLAIN = "select g, count(*), sum(x), sum(y), sum(x * y), sum(x * x), sum(y * y) from '{}/*.parquet' group by g"


def measure(n_rows: int, n_groups: int, n_files: int) -> None:
    with tempfile.TemporaryDirectory(prefix="poolwise-") as scratch:
        folder, reports = Path(scratch) / "many", Path(scratch) / "reports"
        opened = read_study(write_study(folder, n_rows, n_groups, n_files))
        time.sleep(CLOCK_SECONDS + 0.5)  # files that changed just now would be hashed again
        first, read = clocked(lambda: _read(opened, reports))
        together, _ = clocked(lambda: _read_side_by_side(opened, Path(scratch) / "other"))
        plain, sums = clocked(lambda: duckdb.sql(PLAIN.format(folder)).fetchall())
        changed = n_rows // n_files
        write_file(folder, n_files // 2, changed, n_groups, seed=n_files + 1)
        again, _ = clocked(lambda: _read(opened, reports))
    assert sum(row[1] for row in sums) == sum(digest.n_rows for digest in read.digests.values()) == n_rows
    size = f"{n_rows:,} rows in {n_files} Parquet files"
    line(f"{size}, one pass: rows a second", f"{n_rows / first:,.0f}")
    line(
        "  seconds, and how many times DuckDB's count and sums", f"{first:.2f}", first / plain, f"DuckDB {plain:.2f} s"
    )
    line(f"  side by side, {cores()} cores: seconds", f"{together:.2f}", together / first)
    share = again / first
    line(f"  one changed file of {changed:,} rows: seconds", f"{again:.2f}", share, f"its share is {1 / n_files:.2f}")


def _read_side_by_side(opened: OpenedStudy, reports: Path) -> ReadFiles:
    sha256 = identify(opened, reports)
    read_ahead(opened, sha256, reports, None, lambda _: None)
    return read_files(opened, sha256, reports)


def _read(opened: OpenedStudy, reports: Path) -> ReadFiles:
    """As a run reads, in this process alone: hashes of files that changed, then digests, kept or made."""
    return read_files(opened, identify(opened, reports), reports)
