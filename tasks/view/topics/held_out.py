"""What the models say of rows and groups that they have not seen, and which groups decide the average."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged import cross_validation, held_out
from tasks.stats.judged.held_out import LeaveOneGroupOut
from tasks.stats.judged.influence import Influence, beyond, influential
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Integers
from tasks.view.context import Context
from tasks.view.figures import held_out as figures
from tasks.view.figures.intervals import height
from tasks.view.figures.scatter import size_axis
from tasks.view.figures.style import Spec, axis
from tasks.view.records import Block, Cell, Column, Figure, Link, Table
from tasks.view.summary.held_out import InfluenceSummary, LeaveOneGroupOutSummary, influence_of, leave_one_group_out_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.topics.models import error_places
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, plural, with_unit

GUIDE = (
    "Two questions differ. A new row of a known group can lean on that group’s own rows; a row of a new group can "
    "lean only on the average of all groups, so it is predicted less well. A log score says how probable a group’s "
    "rows were for the model before it had seen them: higher is better, and groups far below the others are the odd "
    "ones. Pareto k tells whether a group can be left out by calculation: above the limit, its score may be too good."
    " The last figure asks the reverse: how far would the average of all groups move without this one? Moves within "
    "one standard error are no more than the uncertainty that is stated anyway. Among few groups every one has a large "
    "say, so a group that moves the average further is only called influential if it also lies farther out than chance "
    "explains in 99 of 100 studies."
)
SCORES_LIMIT = 10_000
MOVES_LIMIT = 20
TABLE_LIMIT = 100


def _blocks(context: Context) -> tuple[Block, ...]:
    groups, influence = context.findings.leave_one_group_out, context.findings.influence
    return (
        *((_scores(context, groups),) if groups else ()),
        *((_moves(context, influence),) if influence else ()),
        how_to_read(GUIDE),
        _targets(context),
        *((_table(context, groups, influence),) if groups and influence else ()),
    )


def _scores(context: Context, found: LeaveOneGroupOut) -> Figure:
    shown = np.sort(np.argsort(found.elpd_by_group / context.findings.group_sizes, kind="stable")[:SCORES_LIMIT])
    n = context.findings.group_sizes[shown]
    score, is_high = found.elpd_by_group[shown] / n, found.pareto_k[shown] > found.pareto_k_threshold
    more = np.column_stack([found.rmse_by_group[shown], found.pareto_k[shown]])
    x, x_axis, against = _across(n, score)
    traces = [
        figures.scores(
            f"Pareto k {'above' if high else 'up to'} {found.pareto_k_threshold:.2f}",
            [context.labels[j] for j in shown[mine]],
            x[mine],
            n[mine],
            score[mine],
            more[mine],
            shown[mine],
            is_high=high,
        )
        for high in (False, True)
        for mine in [is_high == high]
        if mine.any()
    ]
    lowest = shown[int(np.argmin(score))]
    cut = f" The {SCORES_LIMIT:,} groups that are predicted worst." if shown.size < context.n_groups else ""
    return Figure(
        id="figure-group-scores",
        caption=(
            f"How well each group is predicted from all other groups: log predictive density per row, {against}. "
            f"Higher is better.{cut}"
        ),
        alternative=(
            f"The scores per row run from {score.min():.2f} ({context.named(int(lowest))}) to {score.max():.2f}. "
            f"Pareto k is above {found.pareto_k_threshold:.2f} for "
            f"{numbers.plural(found.n_high_pareto_k, 'group')} of {context.n_groups:,}."
        ),
        spec=figures.scores_plot(traces, x_axis, "log score per row"),
        height=360,
    )


def _across(n: Integers, score: Floats) -> tuple[Floats, Spec, str]:
    """Each group's x, the axis, and words for the caption: by size, or in order of score if all are as large."""
    if n.min() < n.max():
        return n.astype(float), size_axis(n.astype(float), "rows in the group"), "against the group’s rows"
    place = np.empty(score.size)
    place[np.argsort(score, kind="stable")] = np.arange(1.0, score.size + 1)
    return place, axis(f"groups in order of score ({int(n[0]):,} rows each)"), "in order, as all have as many rows"


def _moves(context: Context, found: Influence) -> Figure:
    chosen = _most_moving(found, MOVES_LIMIT)
    limit, n_beyond = context.study.thresholds.influence, int((np.nan_to_num(found.largest) > _limit(context)).sum())
    cut = (
        f" The {chosen.size} of {context.n_groups:,} groups that move one most."
        if chosen.size < context.n_groups
        else ""
    )
    return Figure(
        id="figure-influence",
        caption=(
            f"How far each group moves the estimates for the average group, in standard errors (DFBETAS); dashed: the "
            f"limit of {numbers.plain(limit)}. {_how_left_out(context, found)}{cut}"
        ),
        alternative=(
            f"The largest move is {found.most:.2f} standard errors"
            + (f", by {context.named(int(chosen[0]))}" if chosen.size else "")
            + f"; {numbers.plural(n_beyond, 'group')} of {context.n_groups:,} beyond the limit."
        ),
        spec=figures.moves(
            [context.labels[j] for j in chosen],
            context.findings.group_sizes[chosen],
            found.dfbetas[chosen],
            [context.term_title(k) for k in range(len(context.terms))],
            chosen,
            limit,
        ),
        height=height(len(chosen), 1),
    )


def _limit(context: Context) -> float:
    return context.study.thresholds.influence


def _most_moving(found: Influence, limit: int) -> Integers:
    """Positions of the groups that move an estimate most, most first; without those that cannot be left out."""
    order = np.argsort(-np.nan_to_num(found.largest, nan=-1.0), kind="stable")
    return order[np.isfinite(found.largest[order])][:limit]


def _targets(context: Context) -> Table:
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
        "draws; both are sums over all rows. Error for a new row: by cross-validation."
    )
    table_rows = tuple(row for row in (by_row, by_group) if row)
    return Table("table-targets", "The Bayesian model’s predictions of what it has not seen", columns, table_rows, note)


def _table(context: Context, found: LeaveOneGroupOut, influence: Influence) -> Table:
    """The groups predicted worst first."""
    sizes = context.findings.group_sizes
    score = found.elpd_by_group / sizes
    chosen = np.argsort(score, kind="stable")[:TABLE_LIMIT]
    places = numbers.decimals_for(float(np.median(found.rmse_by_group)) / np.sqrt(2 * float(np.median(sizes))))
    odd = set(influential(influence, _limit(context)).tolist())
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
            Cell(numbers.significant(float(influence.cooks_distance[j]), 2)),
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
    note = f"{cut}Each group is predicted from all others. Where Pareto k is marked, its score may be too good."
    caption = "Each group as one that was never seen, worst first"
    download = Link("all groups: summary.json", "summary.json") if cut else None
    return Table("table-held-out", caption, columns, rows, note, download, groups=tuple(chosen.tolist()))


def _finding(context: Context) -> str:
    said = " ".join(filter(None, [_errors(context), messages(context, [INFLUENCE])]))
    return said or "There are too few groups to leave one out."


def _errors(context: Context) -> str:
    rows, groups = context.findings.cross_validation, context.findings.leave_one_group_out
    if groups is None:
        return ""
    places = numbers.decimals_for(groups.rmse / np.sqrt(2 * context.n_groups))
    new_group = with_unit(fixed(groups.rmse, places), context.unit)
    if rows is None:
        return f"For a group that it has never seen, the Bayesian model is typically off by {new_group}."
    new_row = with_unit(fixed(rows.of("bayes").rmse, error_places(context, rows)), context.unit)
    return (
        f"The Bayesian model is typically off by {new_row} for a new row of a known group, and by {new_group} for the "
        "rows of a group that it has never seen."
    )


def _how_left_out(context: Context, found: Influence) -> str:
    """How groups were left out, and how many could not be."""
    how = (
        "the whole partial-pooling model was fitted again without each group"
        if found.is_refitted
        else "with so many groups, the spread of the groups is kept and only the averages are computed again"
    )
    missing = (
        f" Without {plural(found.n_not_estimable, 'group')} some average cannot be estimated at all."
        if found.n_not_estimable
        else ""
    )
    return f"To leave a group out, {how}.{missing}"


def _far(context: Context) -> str:
    limit = context.study.thresholds.influence
    return "its standard error" if limit == 1 else f"{numbers.plain(limit)} standard errors"


def _beyond(context: Context) -> tuple[Influence, Integers]:
    """The analysis, and the groups without which an average would move by more than the limit."""
    found = context.findings.influence
    assert found is not None
    return found, beyond(found, context.study.thresholds.influence)


def _none(context: Context, judged: Judgement) -> str:
    return f"Leaving any one group out moves no estimate for the average group by more than {_far(context)}."


def _would_move(context: Context) -> str:
    found, groups = _beyond(context)
    moved = np.flatnonzero((np.abs(found.dfbetas[groups]) > context.study.thresholds.influence).any(axis=0))
    effects = numbers.listed(f"the average {context.term_name(int(term))}" for term in moved)
    each = "" if groups.size == 1 else ", left out one by one"
    far = "their standard errors" if moved.size > 1 and context.study.thresholds.influence == 1 else _far(context)
    return f"Without {_named(context, groups)}{each}, {effects} would move by more than {far}."


def _by_chance(context: Context, judged: Judgement) -> str:
    return f"{_would_move(context)} Among so few groups that is no more than chance explains."


def _some(context: Context, judged: Judgement) -> str:
    found, groups = _beyond(context)
    odd = influential(found, context.study.thresholds.influence)
    if odd.size == groups.size:
        return f"{_would_move(context)} Chance does not explain it."
    return f"{_would_move(context)} Chance does not explain it of {_named(context, odd)}."


def _named(context: Context, groups: Integers) -> str:
    return numbers.listed((context.named(int(j)) for j in groups), limit=3)


INFLUENCE: CheckSpec[Context] = CheckSpec(
    kind="influential_groups",
    title="Influential groups",
    measure="{value} standard errors; chance explains up to {limit}",
    cases={
        "none": Case(_none),
        "few groups": Case(_by_chance),
        "some": Case(
            _some, "Find out what is special about such a group before you speak of the average group; it may be right."
        ),
    },
)
TOPIC = Topic(
    id="held-out",
    title="Predicting new rows and new groups",
    finding=_finding,
    blocks=_blocks,
    sources=("cross_validation", "leave_one_group_out", "influence", "fits"),
    guide=(GUIDE,),
    checks=(INFLUENCE,),
    is_shown=lambda context: context.findings.leave_one_group_out is not None,
    summary=(
        Entry(
            "leave_one_group_out",
            LeaveOneGroupOutSummary | None,
            (
                "The Bayesian model's prediction of each group from all others, by Pareto-smoothed importance "
                "sampling; null below three groups"
            ),
            lambda context: leave_one_group_out_of(context.findings),
        ),
        Entry(
            "influence",
            InfluenceSummary | None,
            "How far the fixed effects move when one group is left out; null below three groups",
            lambda context: influence_of(context.findings),
        ),
    ),
)
