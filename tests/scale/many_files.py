"""Many Parquet files read in one pass, against DuckDB's plain sums; then one file changed."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import duckdb

from tasks.opening.studies import OpenedStudy, read_study
from tasks.rows.read_files import ReadFiles, read_files
from tests.scale.rows import write_file, write_study
from tests.scale.table import clocked, line

PLAIN = "select g, count(*), sum(x), sum(y), sum(x * y), sum(x * x), sum(y * y) from '{}/*.parquet' group by g"


def measure(n_rows: int, n_groups: int, n_files: int) -> None:
    with tempfile.TemporaryDirectory(prefix="poolwise-") as scratch:
        folder, reports = Path(scratch) / "many", Path(scratch) / "reports"
        opened = read_study(write_study(folder, n_rows, n_groups, n_files))
        first, read = clocked(lambda: _read(opened, reports))
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
    share = again / first
    line(f"  one changed file of {changed:,} rows: seconds", f"{again:.2f}", share, f"its share is {1 / n_files:.2f}")


def _read(opened: OpenedStudy, reports: Path) -> ReadFiles:
    """As a run reads: hashes of all files, then digests, kept or made."""
    files = sorted(opened.folder.glob("*.parquet"))
    sha256 = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return read_files(opened, sha256, reports, lambda _: None)
