"""What the models say of rows and groups that they have not seen, and which groups decide the average."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.held_out import LeaveOneGroupOut
from tasks.stats.judged.influence import Influence, beyond, influential
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, Integers
from tasks.view.context import Context
from tasks.view.figures import held_out as figures
from tasks.view.figures.intervals import height
from tasks.view.figures.scatter import size_axis
from tasks.view.figures.style import Spec, axis
from tasks.view.records import Block, Figure
from tasks.view.summary.held_out import InfluenceSummary, LeaveOneGroupOutSummary, influence_of, leave_one_group_out_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages
from tasks.view.topics.held_out_tables import table, targets, worst_first
from tasks.view.topics.models import error_places
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, plural, with_unit

GUIDE = (
    "Two questions differ. A new row of a known group can lean on that group’s own rows; a row of a new group can "
    "lean only on the average group, so it is predicted less well. A group’s log score says how probable its rows "
    "were for the model, each by itself, before it had seen any of them: higher is better, and groups far below the "
    "others are the odd ones. Pareto k tells whether a group can be left out by calculation: above the limit, its "
    "score may be too good. The last figure asks the reverse: how far would the average group move without this one? "
    "Moves within one standard error are no more than the uncertainty that is stated anyway. Among few groups every "
    "one has a large say, so a group that moves the average group further is only called influential if it also lies "
    "farther out than chance explains in 99 of 100 studies."
)
SCORES_LIMIT = 10_000
MOVES_LIMIT = 20


def _blocks(context: Context) -> tuple[Block, ...]:
    groups, influence = context.findings.leave_one_group_out, context.findings.influence
    return (
        *((_scores(context, groups),) if groups else ()),
        *((_moves(context, influence),) if influence else ()),
        how_to_read(GUIDE),
        targets(context),
        *((table(context, groups, influence),) if groups and influence else ()),
    )


def _scores(context: Context, found: LeaveOneGroupOut) -> Figure:
    scored = worst_first(context, found)
    shown = np.sort(scored[:SCORES_LIMIT])
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
    cut = f" The {SCORES_LIMIT:,} groups that are predicted worst." if shown.size < scored.size else ""
    unscored = context.n_groups - scored.size
    cut += f" {plural(unscored, 'group')} without a row in the sample left out." if unscored else ""
    return Figure(
        id="figure-group-scores",
        caption=(
            f"How well each group’s rows are predicted from all other groups: log predictive density, the mean of its "
            f"rows, {against}. Higher is better.{cut}"
        ),
        alternative=(
            f"The scores per row run from {fixed(score.min(), 2)} ({context.named(int(lowest))}) to "
            f"{fixed(score.max(), 2)}. Pareto k is above {found.pareto_k_threshold:.2f} for "
            f"{found.n_high_pareto_k:,} of {plural(context.n_groups, 'group')}."
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
    return (
        place,
        axis(f"groups in order of score ({plural(int(n[0]), 'row')} each)"),
        "in order, as all have as many rows",
    )


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
            + f"; beyond the limit: {n_beyond:,} of {plural(context.n_groups, 'group')}."
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


def _finding(context: Context) -> str:
    said = " ".join(filter(None, [_errors(context), messages(context, [INFLUENCE])]))
    return said or "There are too few groups to leave one out."


def _errors(context: Context) -> str:
    rows, groups = context.findings.cross_validation, context.findings.leave_one_group_out
    if groups is None:
        return ""
    places = numbers.decimals_for(groups.rmse / np.sqrt(2 * context.n_groups))
    new_group = with_unit(fixed(groups.rmse, places), context.difference_unit)
    if rows is None:
        return f"For a group that it has never seen, the Bayesian model is typically off by {new_group}."
    new_row = with_unit(fixed(rows.of("bayes").rmse, error_places(context, rows)), context.difference_unit)
    return (
        f"The Bayesian model is typically off by {new_row} for new rows of known groups, by {new_group} for those of a "
        "new group."
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
