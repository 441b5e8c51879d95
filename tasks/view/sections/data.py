"""Data and rejects: what was read, what was left out and why."""

from __future__ import annotations

from tasks.view import numbers, text, wording
from tasks.view.context import Context
from tasks.view.figures import scatter
from tasks.view.figures.histograms import counts_histogram
from tasks.view.figures.style import NEUTRAL, axis
from tasks.view.records import Block, Cell, Column, Figure, Link, Paragraph, Section, Table
from tasks.view.selection import PANEL_LIMIT

ID = "data"
REJECTS_SHOWN = 50
HASH_SHOWN = 16
SAMPLE = (
    "Estimates are of every row. Figures that show single rows, the comparison with simulated data and the predictive "
    "accuracy are made from some of them."
)


def section(context: Context) -> Section:
    sizes = context.findings.group_sizes
    blocks: list[Block] = [_sizes(context), _files(context)] if sizes.min() < sizes.max() else [_files(context)]
    if context.sample_note:
        blocks.append(Paragraph(f"{SAMPLE} {context.sample_note}"))
    if context.rejections:
        blocks += [_rules(context), _rejects(context)]
    return Section(ID, "Data and rejects", wording.data_finding(context), tuple(blocks))


def _sizes(context: Context) -> Figure:
    """A point per group while labels can be read, then a histogram."""
    sizes = context.findings.group_sizes
    if context.n_groups > PANEL_LIMIT:
        spec = counts_histogram(sizes.astype(float), "rows in the group", "groups")
    else:
        order = sizes.argsort(kind="stable")[::-1]
        spec = scatter.bars([context.labels[j] for j in order], sizes[order].astype(float), NEUTRAL, axis("rows"))
    return Figure(
        id="figure-sizes",
        caption=f"Rows per group ({context.group}).",
        alternative=f"The {context.n_groups:,} groups have {sizes.min():,} to {sizes.max():,} rows each.",
        spec=spec,
        height=90 + 24 * context.n_groups if context.n_groups <= PANEL_LIMIT else 300,
    )


def _files(context: Context) -> Table:
    columns = (
        Column("File", is_number=False),
        Column("Rows"),
        Column("Rejected"),
        Column("SHA-256", is_number=False),
    )
    rows = tuple(
        (
            Cell(text.label(file.name, 100)),
            Cell(numbers.count(file.n_rows)),
            Cell("set aside" if file.set_aside else numbers.count(file.n_rejected)),
            Cell(f"{file.sha256[:HASH_SHOWN]}…"),
        )
        for file in context.findings.run.files[:REJECTS_SHOWN]
    )
    note = _cut(len(rows), len(context.findings.run.files), "files")
    return Table("table-files", "Files read", columns, rows, note)


def _rules(context: Context) -> Table:
    columns = (Column("Rule", is_number=False), Column("Times broken"))
    broken = sorted(context.findings.run.rejected_by_rule.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((Cell(text.label(rule, 100)), Cell(numbers.count(count))) for rule, count in broken[:REJECTS_SHOWN])
    return Table("table-rules", "Rejected rows by rule (one row can break several)", columns, rows)


def _rejects(context: Context) -> Table:
    titles = ("File", "Row", "Column", "Value", "Rule")
    columns = tuple(Column(title, is_number=title == "Row") for title in titles)
    rows = tuple(
        (
            Cell(text.label(reject.file)),
            Cell(numbers.count(reject.row) if reject.row else "–"),
            Cell(text.label(reject.column) if reject.row else "–"),
            Cell(text.label(reject.value) if reject.value else "(empty)" if reject.row else "–"),
            Cell(text.label(reject.rule, 100 if reject.row else 500)),
        )
        for reject in context.rejections[:REJECTS_SHOWN]
    )
    note = _cut(len(rows), len(context.rejections), "reasons")
    caption = "Rejected rows, first reasons" if note else "Rejected rows"
    return Table("table-rejects", caption, columns, rows, note, Link("rejected.csv", "rejected.csv"))


def _cut(shown: int, total: int, what: str) -> str:
    return f"The first {shown:,} of {total:,} {what}." if shown < total else ""
