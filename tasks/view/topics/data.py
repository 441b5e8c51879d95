"""Data and rejects: what was read, what was left out and why."""

from __future__ import annotations

import numpy as np

from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Integers
from tasks.stats.rows.group_quantiles import group_quantiles
from tasks.study.addresses import is_remote
from tasks.view.context import Context
from tasks.view.figures import scatter
from tasks.view.figures.histograms import counts_histogram
from tasks.view.figures.strips import Strips, height, strip_plot
from tasks.view.figures.style import NEUTRAL, Shown, axis, hover_estimate
from tasks.view.records import Block, Cell, Column, Figure, Link, Paragraph, Table
from tasks.view.row_context import RowContext
from tasks.view.selection import PANEL_LIMIT, PANEL_ROWS_LIMIT, thin
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
REJECTS_SHOWN = 50
HASH_SHOWN = 16
SAMPLE = (
    "Estimates are of every row. Figures that show single rows, the comparison with simulated data and the predictive "
    "accuracy are made from some of them."
)


def _blocks(context: Context) -> tuple[Block, ...]:
    return (
        *_rows_by_group(context),
        _files(context),
        *notes(context),
        *([Paragraph(f"{SAMPLE} {context.sample_note}")] if context.sample_note else []),
        *([_rules(context), _rejects(context)] if context.rejections else []),
        how_to_read(GUIDE),
    )


def _rows_by_group(context: Context) -> tuple[Figure, ...]:
    """Every group's rows if there are few groups; else the sizes and the medians of all groups."""
    if context.n_groups <= PANEL_LIMIT:
        return (_strips(context),)
    sizes = context.findings.group_sizes
    return (*((_sizes(context),) if sizes.min() < sizes.max() else ()), _medians(context))


def _strips(context: Context) -> Figure:
    shown = np.flatnonzero(context.has_rows)
    order = shown[np.argsort(-context.findings.group_sizes[shown], kind="stable")]
    values = [context.data.y[context.rows_of(int(group))] for group in order]
    drawn = [own[thin(own, PANEL_ROWS_LIMIT)] for own in values]
    sizes = context.findings.group_sizes[order].tolist()
    quartiles = _quartiles(context)[order]
    names = [context.labels[group] for group in order]
    return Figure(
        id="figure-rows",
        caption=_strips_caption(context, order.size, max(own.size for own in values)),
        alternative=_medians_in_words(context, order, quartiles[:, 1]),
        spec=strip_plot(Strips(names, sizes, order, drawn, quartiles), _outcome(context), context.unit),
        height=height(order.size),
    )


def _strips_caption(context: Context, n_shown: int, most_rows: int) -> str:
    """What is drawn, and of which rows."""
    sizes = context.findings.group_sizes
    order = "" if sizes.min() == sizes.max() else "; groups with the most rows first"
    parts = [
        f"{text.sentence_case(_outcome(context))} as it came, by {context.group}{order}. A dot is a row, the diamond "
        "the median, the bar the middle half of the rows; up and down within a strip means nothing.",
        f"At most {PANEL_ROWS_LIMIT} rows a group are drawn, evenly spaced in order; medians and bars are of all."
        if most_rows > PANEL_ROWS_LIMIT
        else "",
        f"{numbers.plural(context.n_groups - n_shown, 'group')} without a row in the sample left out."
        if n_shown < context.n_groups
        else "",
        context.sample_note,
    ]
    return " ".join(filter(None, parts))


def _outcome(context: Context) -> str:
    return f"{context.outcome} ({context.unit})" if context.unit else context.outcome


def _quartiles(context: Context) -> Floats:
    """(J, 3) quartiles of the outcome by group."""
    found = context.data
    return group_quantiles(found.y, found.group_index, context.n_groups, np.array([0.25, 0.5, 0.75]))


def _medians_in_words(context: Context, groups: Integers, medians: Floats) -> str:
    low, high = int(np.argmin(medians)), int(np.argmax(medians))
    values = [numbers.with_unit(numbers.significant(float(medians[k])), context.unit) for k in (low, high)]
    return (
        f"Medians of {context.outcome} by {context.group} run from {values[0]} ({context.named(int(groups[low]))}) to "
        f"{values[1]} ({context.named(int(groups[high]))})."
    )


def _sizes(context: Context) -> Figure:
    sizes = context.findings.group_sizes
    return Figure(
        id="figure-sizes",
        caption=f"Rows per group ({context.group}).",
        alternative=f"The {context.n_groups:,} groups have {sizes.min():,} to {sizes.max():,} rows each, half of them "
        f"{np.median(sizes):,.0f} or fewer.",
        spec=counts_histogram(sizes.astype(float), "rows in the group", "groups"),
        height=300,
    )


def _medians(context: Context) -> Figure:
    """A point per group: its median against its number of rows, or in order of the median if all have as many rows."""
    quartiles = _quartiles(context)
    shown = np.flatnonzero(context.has_rows)
    same = np.ptp(context.findings.group_sizes) == 0
    if same:
        shown = shown[np.argsort(quartiles[shown, 1], kind="stable")]
    sizes = context.findings.group_sizes[shown]
    x = np.arange(1.0, sizes.size + 1) if same else sizes.astype(float)
    x_axis = (
        axis(f"groups in order ({plural(int(sizes[0]), 'row')} each)")
        if same
        else scatter.size_axis(x, "rows in the group")
    )
    low, medians, high = quartiles[shown].T
    hover = hover_estimate(sizes, Shown(low, high, context.unit, "median", interval="middle half"))
    against = "in order" if same else "against its number of rows"
    return Figure(
        id="figure-group-medians",
        caption=f"Median {_outcome(context)} of each group {against}. {context.sample_note}".strip(),
        alternative=_medians_in_words(context, shown, medians),
        spec=scatter.scatter(
            x,
            medians,
            names=[context.labels[group] for group in shown],
            color=NEUTRAL,
            x_axis=x_axis,
            y_axis=axis(_outcome(context)),
            groups=shown,
            hover=hover,
        ),
        height=340,
    )


def _files(context: Context) -> Table:
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


def _finding(context: Context) -> str:
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


def _can_tell(context: Context, judged: Judgement) -> str:
    n = context.findings.no_pooling.n.size
    rough = 1.0 / np.sqrt(2.0 * (n - 1))  # relative standard error of a normal's SD from n exactly known values
    return f"{n} groups can tell how much groups differ, at best to within about {rough:.0%} of it."


def _few(context: Context, judged: Judgement) -> str:
    return (
        f"With only {context.findings.no_pooling.n.size} groups the data say little about how much groups differ; the "
        "prior decides much of it."
    )


def _gaps(context: Context, judged: Judgement) -> str:
    own = context.findings.no_pooling
    unfitted = int((~own.is_fitted).sum())
    without_interval = sum(map(bool, own.gap)) - unfitted
    parts = [
        f"{unfitted} of {plural(own.n.size, 'group')} cannot carry a fit of {'its' if unfitted == 1 else 'their'} own"
        if unfitted
        else "",
        _of_its_own(without_interval, own.n.size, is_first=not unfitted) if without_interval else "",
    ]
    smallest = plural(int(own.n.min()), "row")
    return f"{' and '.join(filter(None, parts))}; the smallest group has {smallest}."


def _of_its_own(n: int, n_groups: int, *, is_first: bool) -> str:
    if not is_first:
        return f"{n} {'has' if n == 1 else 'have'} one without an interval"
    which, whose = f"{n} of {plural(n_groups, 'group')}", "its" if n == 1 else "their"
    return f"{which} {'has a fit' if n == 1 else 'have fits'} of {whose} own without an interval"


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
GROUP_COUNT: CheckSpec[Context] = CheckSpec(
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
GROUP_SIZES: CheckSpec[Context] = CheckSpec(
    kind="group_sizes",
    title="Size of groups",
    measure="rows of the smallest: {value}",
    cases={
        "all fitted": Case("Every group can carry a fit of its own."),
        "gaps": Case(
            _gaps,
            "Their no-pooling estimates are gaps, on purpose. Use a pooled estimate for them.",
            "Do not compare the smallest groups by their own rows alone.",
        ),
    },
)
ROW_CHECKS: tuple[CheckSpec[RowContext], ...] = (REJECTED, *LABELS, COPIES, *READING, *LEVELS, *PREDICTORS, FRESHNESS)
TOPIC = Topic(
    id="data",
    title="Data and rejects",
    finding=_finding,
    blocks=_blocks,
    sources=("run", "checks"),
    guide=(GUIDE,),
    checks=(REJECTED, *LABELS, COPIES, *READING, *LEVELS, FRESHNESS, GROUP_COUNT, GROUP_SIZES),
)
