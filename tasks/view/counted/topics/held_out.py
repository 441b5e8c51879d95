"""What the models say of cells and groups that they have not seen."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tasks.stats.records import Floats, LooResult
from tasks.view.counted.context import CountedContext
from tasks.view.figures import held_out as figures
from tasks.view.figures.scatter import size_axis
from tasks.view.plain import by_label, listed
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.bayes import LooSummary
from tasks.view.summary.record import ByLabel, Count, Number, Record
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, plural

GUIDE = (
    "Cells – rows of a group with equal predictors, added up – are left out one by one, and then whole groups. A log "
    "score says how probable a number of events was before it had been seen; higher is better, and groups far below "
    "the others are the odd ones. Pareto k tells whether something can be left out by calculation: above the limit its "
    "score may be too good."
)
SCORES_LIMIT = 10_000


class CountedGroupScoreSummary(Record):
    """One group, predicted from all others."""

    elpd: Number = Field(description="log probability of its events by the plain Bayesian model")
    elpd_extended: Number = Field(description="the same by the extended model; null without one")
    pareto_k: Number = Field(description="by the plain model")


class CountedLeaveOneGroupOutSummary(Record):
    """Leave-one-group-out: predicts a new group."""

    elpd: Number = Field(description="by the plain Bayesian model, summed over groups")
    se: Number = Field(description="its standard error")
    elpd_extended: Number = Field(description="by the extended model; null without one")
    se_extended: Number = Field(description="its standard error")
    n_high_pareto_k_extended: Count = Field(description="groups above the threshold; 0 without an extended model")
    difference: Number = Field(description="of the extended model's less it; null without one")
    difference_se: Number = Field(description="its standard error, from paired groups")
    n_high_pareto_k: Count = Field(description="groups above the threshold")
    groups: ByLabel[CountedGroupScoreSummary] = Field(description="by group label")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (_scores(context), how_to_read(GUIDE), _table(context))


def _scores(context: CountedContext) -> Figure:
    found = context.findings.leave_one_group_out
    per_cell = _per_cell(context, found)
    at = np.argsort(per_cell, kind="stable")[:SCORES_LIMIT]
    groups, score = found.rows[at], per_cell[at]
    sizes, is_high = context.sizes[groups], found.pareto_k[at] > found.pareto_k_threshold
    error = np.abs(context.events - context.findings.funnel.target * context.sizes)[groups]
    more = np.column_stack([error, found.pareto_k[at]])
    traces = [
        figures.scores(
            f"Pareto k {'above' if high else 'up to'} {found.pareto_k_threshold:.2f}",
            [context.labels[j] for j in groups[mine]],
            sizes[mine],
            np.rint(sizes[mine]).astype(np.int64),
            score[mine],
            more[mine],
            groups[mine],
            is_high=high,
        )
        for high in (False, True)
        for mine in [is_high == high]
        if mine.any()
    ]
    lowest = int(groups[0])
    cut = f" The {SCORES_LIMIT:,} groups that are predicted worst." if groups.size < found.rows.size else ""
    return Figure(
        id="figure-group-scores",
        caption=(
            f"How well each group’s {context.outcome} are predicted from all other groups: the log probability of a "
            f"cell, on average, against the group’s {context.size_noun}. Higher is better.{cut}"
        ),
        alternative=(
            f"The lowest score is {fixed(float(score.min()), 1)}, of {context.named(lowest)}. Pareto k is above "
            f"{found.pareto_k_threshold:.2f} for {found.n_high_pareto_k:,} of {plural(found.rows.size, 'group')}."
        ),
        spec=figures.scores_plot(traces, size_axis(sizes, f"{context.size_noun} in the group"), "log score per cell"),
        height=360,
    )


def _per_cell(context: CountedContext, found: LooResult) -> Floats:
    """(G,) log scores by the number of the group's cells: that of a large group is the sum of many."""
    cells = context.findings.cells
    return np.asarray(found.pointwise / np.bincount(cells.group_index, minlength=cells.n_groups)[found.rows])


_NO_SCORE = "The recommended model is not among them: where rows vary more than by chance, it has no such score here."


def _table(context: CountedContext) -> Table:
    cells, groups = context.findings.loo, context.findings.leave_one_group_out
    columns = (
        Column("Left out", is_number=False),
        Column("Log score"),
        Column("Standard error"),
        Column("Pareto k above the limit"),
    )
    rows = [_row("Single cells", cells), _row("Whole groups", groups)]
    if context.findings.answer_left_out is not None:
        rows.append(_row("Whole groups, by the extended model", context.findings.answer_left_out))
    used = f"{cells.n_rows_used:,} cells were left out, evenly spread." if cells.n_rows_used < _n_cells(context) else ""
    answer = context.findings.answer
    notes = (used, _NO_SCORE if answer is not None and answer.is_overdispersed else "")
    return Table(
        "table-left-out", "Predictions of what was left out", columns, tuple(rows), " ".join(filter(None, notes))
    )


def _n_cells(context: CountedContext) -> int:
    return int(context.findings.cells.events.size)


def _row(name: str, found: LooResult) -> tuple[Cell, ...]:
    places = max(numbers.decimals_for(found.se), 0)
    return (
        Cell(name),
        Cell(fixed(found.elpd_loo, places)),
        Cell(fixed(found.se, places)),
        Cell(f"{found.n_high_pareto_k:,} of {found.n_rows_used:,}"),
    )


def _difference(context: CountedContext) -> tuple[float, float]:
    """Of the groups' summed log scores, the extended model's less the plain one's, and its standard error; NaN."""
    plain, other = context.findings.leave_one_group_out, context.findings.answer_left_out
    if other is None:
        return float("nan"), float("nan")
    better = other.pointwise - plain.pointwise
    return float(better.sum()), float(np.sqrt(better.size) * better.std(ddof=1)) if better.size > 1 else float("nan")


def _finding(context: CountedContext) -> str:
    groups = context.findings.leave_one_group_out
    lowest = int(groups.rows[int(np.argmin(_per_cell(context, groups)))])
    odd = f"Of groups that it has not seen, the plain model finds {context.named(lowest)} the least probable."
    return " ".join(filter(None, [_compared(context), odd, messages(context, [PARETO_K])]))


def _compared(context: CountedContext) -> str:
    more, se = _difference(context)
    if not np.isfinite(more):
        return ""
    if abs(more) <= 2.0 * se:
        return "New groups are foretold about equally well by the plain and by the extended model."
    which = "The extended" if more > 0 else "The plain"
    return (
        f"{which} model foretells new groups better: its log score is higher by "
        f"{fixed(abs(more), max(numbers.decimals_for(se), 0))} (standard error {numbers.significant(se, 2)})."
    )


def _n_deciding(context: CountedContext) -> int:
    return context.findings.loo.n_high_pareto_k


PARETO_K: CheckSpec[CountedContext] = CheckSpec(
    kind="pareto_k",
    title="Cells that decide their own score (Pareto k)",
    measure="largest Pareto k {value}, at most {limit}",
    cases={
        "none": Case("No cell decides its own predictive score."),
        "some": Case(
            lambda context, judged: (
                f"{plural(_n_deciding(context), 'cell')} {numbers.be(_n_deciding(context), 'decides', 'decide')} their "
                "own predictive score: the model finds them very surprising."
            ),
            "Look at these cells; the summed score of cells may be too good.",
        ),
    },
)


def leave_one_group_out_of(context: CountedContext) -> CountedLeaveOneGroupOutSummary:
    found, other = context.findings.leave_one_group_out, context.findings.answer_left_out
    more, se = _difference(context)
    extended = np.full(found.rows.size, np.nan) if other is None else other.pointwise
    labels = [context.findings.labels[group] for group in found.rows]
    return CountedLeaveOneGroupOutSummary.given(
        elpd=found.elpd_loo,
        se=found.se,
        elpd_extended=np.nan if other is None else other.elpd_loo,
        se_extended=np.nan if other is None else other.se,
        n_high_pareto_k_extended=0 if other is None else other.n_high_pareto_k,
        difference=more,
        difference_se=se,
        n_high_pareto_k=found.n_high_pareto_k,
        groups=by_label(
            labels, elpd=listed(found.pointwise), elpd_extended=listed(extended), pareto_k=listed(found.pareto_k)
        ),
    )


TOPIC: Topic[CountedContext] = Topic(
    id="held-out",
    title="Cells and groups that were not seen",
    finding=_finding,
    blocks=_blocks,
    sources=("leave_one_out", "leave_one_group_out", "checks"),
    guide=(GUIDE,),
    checks=(PARETO_K,),
    summary=(
        Entry(
            "leave_one_out",
            LooSummary,
            "Leave-one-cell-out of the plain Bayesian model: log probability of a cell's number of events",
            lambda context: LooSummary.of(context.findings.loo, target="a new cell in a known group"),
        ),
        Entry(
            "leave_one_group_out",
            CountedLeaveOneGroupOutSummary,
            "Leave-one-group-out: log probability of a group's events, predicted from all other groups",
            leave_one_group_out_of,
        ),
    ),
)
