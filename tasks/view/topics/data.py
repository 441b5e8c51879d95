"""Data and rejects: what was read, what was left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.study.addresses import is_remote
from tasks.view.figures.histograms import counts_histogram
from tasks.view.records import Block, Cell, Column, Figure, Link, Paragraph, Table
from tasks.view.report_context import ReportContext
from tasks.view.row_context import RowContext
from tasks.view.topic import Case, CheckSpec, Topic, how_to_read
from tasks.view.topics.copies import COPIES
from tasks.view.topics.data_notes import notes
from tasks.view.topics.labels import LABELS
from tasks.view.topics.levels import LEVELS
from tasks.view.topics.predictors import PREDICTORS
from tasks.view.topics.reading import READING
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent, plural

GUIDE = (
    "Look here first: no method mends rows that are wrong. A group whose rows lie apart from all others, or bunch at "
    "one value, may be a mistake in the data as well as a finding. Rejected rows are in no estimate; if they are not a "
    "random few, the estimates describe the others only. Checks look for what rows cannot say of themselves: labels "
    "that are one group to a person, rows that were delivered twice, totals and codes among the measurements."
)
From = TypeVar("From", bound=ReportContext)
REJECTS_SHOWN = 50
HASH_SHOWN = 16
SAMPLE = (
    "Estimates are of every row. Figures that show single rows, the comparison with simulated data and the predictive "
    "accuracy are made from some of them."
)


def _blocks(rows_by_group: Iterable[Figure], context: ReportContext) -> tuple[Block, ...]:
    return (
        *rows_by_group,
        _files(context),
        *notes(context),
        *([Paragraph(f"{SAMPLE} {context.sample_note}")] if context.sample_note else []),
        *([_rules(context), _rejects(context)] if context.rejections else []),
        how_to_read(GUIDE),
    )


def sizes_figure(context: ReportContext) -> Figure:
    sizes = context.findings.group_sizes
    return Figure(
        id="figure-sizes",
        caption=f"Rows per group ({context.group}).",
        alternative=f"The {context.n_groups:,} groups have {sizes.min():,} to {sizes.max():,} rows each, half of them "
        f"{np.median(sizes):,.0f} or fewer.",
        spec=counts_histogram(sizes.astype(float), "rows in the group", "groups"),
        height=300,
    )


def _files(context: ReportContext) -> Table:
    asked = context.study.source
    is_query, is_object = not isinstance(asked, str), isinstance(asked, str) and is_remote(asked)
    columns: tuple[Column, ...] = (
        Column("Part" if is_query else "File", is_number=False),
        Column("Rows"),
        Column("Rejected"),
        Column("Content id" if is_query or is_object else "SHA-256", is_number=False),
    )
    has_copies = context.findings.run.n_copies > 0
    if has_copies:
        columns = (*columns[:-1], Column("Copies dropped"), columns[-1])
    rows = tuple(
        (
            Cell(text.label(file.name, 100)),
            Cell(numbers.count(file.n_rows)),
            Cell("set aside" if file.set_aside else numbers.count(file.n_rejected)),
            *([Cell(numbers.count(file.n_copies))] if has_copies else []),
            Cell(f"{file.sha256[:HASH_SHOWN]}…"),
        )
        for file in context.findings.run.files[:REJECTS_SHOWN]
    )
    what = "parts" if is_query else "files"
    note = _cut(len(rows), len(context.findings.run.files), what)
    return Table("table-files", f"{text.sentence_case(what)} read", columns, rows, note)


def _rules(context: ReportContext) -> Table:
    columns = (Column("Rule", is_number=False), Column("Times broken"))
    broken = sorted(context.findings.run.rejected_by_rule.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((Cell(text.label(rule, 100)), Cell(numbers.count(count))) for rule, count in broken[:REJECTS_SHOWN])
    return Table("table-rules", "Rejected rows by rule (one row can break several)", columns, rows)


def _rejects(context: ReportContext) -> Table:
    titles = ("File", "Row", "Column", "Value", "Rule")
    columns = tuple(Column(title, is_number=title == "Row") for title in titles)
    rows = tuple(
        (
            Cell(text.label(reject.file)),
            Cell(numbers.count(reject.row) if reject.row else "–"),
            Cell(text.label(reject.column) if reject.column else "–"),
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


def _finding(context: ReportContext) -> str:
    run, sizes = context.findings.run, context.findings.group_sizes
    same = int(sizes.min()) == int(sizes.max())
    spread = f"{plural(int(sizes.min()), 'row')} each" if same else f"{sizes.min():,} to {sizes.max():,} rows each"
    used = f"{plural(run.n_rows, 'row')} in {plural(run.n_groups, 'group')} were used, {spread}"
    n_unusable = sum(bool(file.set_aside) for file in run.files)
    unusable = f" {plural(n_unusable, 'file')} could not be used at all." if n_unusable else ""
    copies = f" {plural(run.n_copies, 'copy', 'copies')} of earlier rows {_were(run.n_copies)} dropped." * (
        run.n_copies > 0
    )
    if not run.n_rejected:
        return f"{used}; no row was rejected.{copies}{unusable}"
    share = percent(run.n_rejected / (run.n_rows + run.n_rejected))
    rejected = f"{plural(run.n_rejected, 'row')} ({share}) {_were(run.n_rejected)} rejected"
    return f"{used}; {rejected}, in no estimate.{copies}{unusable}"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def _left_out(context: RowContext, judged: Judgement) -> str:
    rows = context.rows
    if rows.n_rejected:
        share = f"{rows.n_rejected / rows.n_read:.1%}"
        told = (
            f"{rows.n_rejected:,} of {rows.n_read:,} rows ({share}) {_were(rows.n_rejected)} rejected and left out of "
            "every estimate."
        )
    else:
        told = _all_passed(context, judged)
    files = f"{plural(rows.n_set_aside, 'file')} could not be used and {_were(rows.n_set_aside)} set aside. "
    return f"{files}{told}" if rows.n_set_aside else told


def _all_passed(context: RowContext, judged: Judgement) -> str:
    return f"All {context.rows.n_rows:,} rows passed validation."


def _look_at_rejects(context: RowContext, judged: Judgement) -> str:
    look = "Look at rejected.csv: if the rejects are not a random few, the estimates describe the rest."
    return f"{context.rows.notes.hint} {look}".strip()


def _age(context: RowContext, judged: Judgement) -> str:
    return f"The newest file is {judged.value:.1f} days old; the study allows {judged.limit:g}."


def _can_tell(context: ReportContext, judged: Judgement) -> str:
    n = context.n_groups
    rough = 1.0 / np.sqrt(2.0 * (n - 1))  # relative standard error of a normal's SD from n exactly known values
    return f"{n} groups can tell how much groups differ, at best to within about {rough:.0%} of it."


def _few(context: ReportContext, judged: Judgement) -> str:
    return (
        f"With only {context.n_groups} groups the data say little about how much groups differ; the "
        "prior decides much of it."
    )


REJECTED: CheckSpec[RowContext] = CheckSpec(
    kind="rejected_rows",
    title="Rejected rows",
    measure="{share} rejected, at most {limit_share}",
    cases={
        "none": Case(_all_passed),
        "some": Case(_left_out, _look_at_rejects, "Look at the rejected rows."),
    },
)
FRESHNESS: CheckSpec[RowContext] = CheckSpec(
    kind="freshness",
    title="Freshness of the data",
    measure="{value} days old, at most {limit}",
    cases={
        "fresh": Case(_age),
        "stale": Case(_age, "Find out why no newer data have come; the estimates describe the past."),
    },
)
GROUP_COUNT: CheckSpec[ReportContext] = CheckSpec(
    kind="group_count",
    title="Number of groups",
    measure="{value} groups, at least {limit}",
    cases={
        "enough": Case(_can_tell),
        "few": Case(
            _few,
            "Do not read the spread between groups as measured; compare groups by their own intervals.",
            reason=lambda context, judged: f"{judged.value:g} groups are too few to estimate how much groups differ",
        ),
    },
)
ROW_CHECKS: tuple[CheckSpec[RowContext], ...] = (REJECTED, *LABELS, COPIES, *READING, *LEVELS, *PREDICTORS, FRESHNESS)


def data_topic(rows_by_group: Callable[[From], Iterable[Figure]], own_fits: CheckSpec[From]) -> Topic[From]:
    """The topic of a family: what it draws of the rows, and what it says of groups without a fit of their own."""
    return Topic(
        id="data",
        title="Data and rejects",
        finding=_finding,
        blocks=lambda context: _blocks(rows_by_group(context), context),
        sources=("run", "checks"),
        guide=(GUIDE,),
        checks=(REJECTED, *LABELS, COPIES, *READING, *LEVELS, FRESHNESS, GROUP_COUNT, own_fits),
    )
