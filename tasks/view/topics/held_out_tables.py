"""Tables of what was not seen: new rows beside new groups, and each group as one that was never seen."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged import cross_validation, held_out
from tasks.stats.judged.held_out import LeaveOneGroupOut
from tasks.stats.judged.influence import Influence, influential
from tasks.stats.records import Integers
from tasks.view.context import Context
from tasks.view.records import Cell, Column, Link, Table
from tasks.view.topics.models import error_places
from tasks.view.words import numbers, text

TABLE_LIMIT = 100


def worst_first(context: Context, found: LeaveOneGroupOut) -> Integers:
    """Positions of the groups that have a score, the lowest score per row first."""
    score = found.elpd_by_group / context.findings.group_sizes
    return np.argsort(score, kind="stable")[: np.isfinite(score).sum()]


def targets(context: Context) -> Table:
    loo, groups, rows = (
        context.findings.bayes.loo,
        context.findings.leave_one_group_out,
        context.findings.cross_validation,
    )
    missing = numbers.MISSING
    row_error = missing if rows is None else numbers.fixed(rows.of("bayes").rmse, error_places(context, rows))
    by_row = (
        Cell(text.sentence_case(cross_validation.TARGET)),
        Cell(row_error),
        Cell(numbers.estimate(loo.elpd_loo, loo.se), f"SE {numbers.significant(loo.se, 2)}"),
        Cell(numbers.fixed(loo.pareto_k_max, 2), f"limit {numbers.fixed(loo.pareto_k_threshold, 2)}"),
        Cell(f"{loo.n_high_pareto_k:,} of {loo.n_rows_used:,} rows"),
    )
    by_group = (
        ()
        if groups is None
        else (
            Cell(text.sentence_case(held_out.TARGET)),
            Cell(numbers.fixed(groups.rmse, numbers.decimals_for(groups.rmse / np.sqrt(2 * context.n_groups)))),
            Cell(numbers.estimate(groups.elpd, groups.se), f"SE {numbers.significant(groups.se, 2)}"),
            Cell(numbers.fixed(groups.pareto_k_max, 2), f"limit {numbers.fixed(groups.pareto_k_threshold, 2)}"),
            Cell(f"{groups.n_high_pareto_k:,} of {context.n_groups:,} groups"),
        )
    )
    columns = (
        Column("What is predicted", is_number=False),
        Column("Typical error (RMSE)", context.unit),
        Column("Log score (elpd)"),
        Column("Highest Pareto k"),
        Column("Above the limit"),
    )
    note = (
        "Log scores: leave-one-row-out and leave-one-group-out by importance sampling (PSIS) from the Bayesian model’s "
        "draws. Both are sums over all rows, each predicted by itself, so that they can be compared. Error for a new "
        "row: by cross-validation."
    )
    table_rows = tuple(row for row in (by_row, by_group) if row)
    return Table("table-targets", "The Bayesian model’s predictions of what it has not seen", columns, table_rows, note)


def table(context: Context, found: LeaveOneGroupOut, influence: Influence) -> Table:
    """The groups predicted worst first."""
    sizes = context.findings.group_sizes
    score = found.elpd_by_group / sizes
    chosen = worst_first(context, found)[:TABLE_LIMIT]
    places = numbers.decimals_for(float(np.median(found.rmse_by_group)) / np.sqrt(2 * float(np.median(sizes))))
    cook_places = numbers.decimals_for(float(np.nanmax(influence.cooks_distance)), 2)
    odd = set(influential(influence, context.study.thresholds.influence).tolist())
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(int(sizes[j]))),
            Cell(numbers.fixed(float(score[j]), 2)),
            Cell(numbers.fixed(float(found.rmse_by_group[j]), places)),
            Cell(
                numbers.fixed(float(found.pareto_k[j]), 2),
                status="review" if found.pareto_k[j] > found.pareto_k_threshold else None,
            ),
            Cell(
                numbers.fixed(float(influence.largest[j]), 2),
                status="review" if int(j) in odd else None,
            ),
            Cell(numbers.fixed(float(influence.cooks_distance[j]), cook_places)),
        )
        for j in chosen
    )
    columns = (
        Column(text.sentence_case(context.group), is_number=False),
        Column("Rows"),
        Column("Log score per row"),
        Column("Typical error (RMSE)", context.unit),
        Column("Pareto k"),
        Column("Largest move", "SE"),
        Column("Cook’s distance"),
    )
    cut = (
        f"The {chosen.size} of {context.n_groups:,} groups that are predicted worst. "
        if chosen.size < sizes.size
        else ""
    )
    note = f"{cut}Each row is predicted from all other groups. Where Pareto k is marked, its score may be too good."
    caption = "Each group as one that was never seen, worst first"
    download = Link("all groups: summary.json", "summary.json") if cut else None
    return Table("table-held-out", caption, columns, rows, note, download, groups=tuple(chosen.tolist()))
