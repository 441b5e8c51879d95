"""Tables of what was noticed in the data: labels that look alike, or joined; rows that are copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.stats.labels import LabelNotes
from tasks.stats.rows.copies import Copies
from tasks.view.records import Cell, Column, Table
from tasks.view.report_context import ReportContext
from tasks.view.topics.labels import differ_in, shown
from tasks.view.words import numbers, text

MOST_SHOWN = 50
MOST_FILES = 3


def notes(context: ReportContext) -> tuple[Table, ...]:
    found = context.rows.notes
    return (*(_labels(found.labels) if found.labels else ()), *(_copies(found.copies) if found.copies else ()))


def _labels(found: LabelNotes) -> tuple[Table, ...]:
    alike = [
        (one, each.labels[0].label, numbers.count(each.labels[0].n_rows), differ_in(each.differ_in))
        for each in found.alike
        for one in each.labels[1:]
    ]
    joined = [(one, each.label) for each in found.joined for one in each.parts]
    titles = ("Looks like", "Rows of that", "Differs in")
    return (
        *([_table("table-alike-labels", "Labels that look alike", alike, titles)] if alike else []),
        *([_table("table-joined-labels", "Labels that the study joins", joined, ("Counted as",))] if joined else []),
    )


def _table(id_: str, caption: str, labels: Sequence[tuple[Any, ...]], titles: Sequence[str]) -> Table:
    """A table of `labels`, each given as a `LabelCount`, another label, and further cells; `titles` are for both."""
    columns = (
        Column("Label", is_number=False),
        Column("Rows"),
        *(Column(title, is_number=title.startswith("Rows")) for title in titles),
        Column("Files", is_number=False),
    )
    rows = tuple(
        (
            Cell(text.label(shown(one.label), 100)),
            Cell(numbers.count(one.n_rows)),
            Cell(text.label(shown(other), 100)),
            *map(Cell, more),
            Cell(text.label(numbers.listed(one.files, MOST_FILES), 200)),
        )
        for one, other, *more in labels[:MOST_SHOWN]
    )
    return Table(id_, caption, columns, rows, _cut(len(rows), len(labels), "labels"))


def _copies(found: Copies) -> tuple[Table, ...]:
    shared = [
        (each.file, each.earlier, each.n_rows, each.n_file, each.n_earlier, each.is_about) for each in found.shared
    ]
    repeated = [(each.file, "itself", each.n_rows, each.n_file, each.n_file, each.is_about) for each in found.repeated]
    if not (shared or repeated):
        return ()
    columns = (
        Column("File", is_number=False),
        Column("Shares rows with", is_number=False),
        Column("Rows shared"),
        Column("Rows of the file"),
        Column("Rows of the other"),
    )
    rows = tuple(
        (
            Cell(text.label(file, 100)),
            Cell(text.label(other, 100)),
            Cell(f"about {numbers.count(n)}" if is_about else numbers.count(n)),
            Cell(numbers.count(n_file)),
            Cell(numbers.count(n_other)),
        )
        for file, other, n, n_file, n_other, is_about in (*shared, *repeated)[:MOST_SHOWN]
    )
    note = _cut(len(rows), len(shared) + len(repeated), "pairs of files")
    return (Table("table-copies", "Rows that are exact copies", columns, rows, note),)


def _cut(n_shown: int, total: int, what: str) -> str:
    return f"The first {n_shown:,} of {total:,} {what}." if n_shown < total else ""
