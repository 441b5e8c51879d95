"""After a singular fit: the routes that lead on, each of them run, and what each changes for every group."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.remedies import Remedies, Route, RouteName
from tasks.view.context import Context
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, OTHERS
from tasks.view.records import Block, Cell, Column, Figure, Fold, Link, Table
from tasks.view.selection import PANEL_LIMIT, TABLE_LIMIT, notable_groups, rule
from tasks.view.summary.remedies import RemediesSummary, remedies_of
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.remedy_words import (
    MOST_TERMS,
    ROUTES,
    fewer_replicates,
    in_sentence,
    routes_finding,
    routes_state,
)
from tasks.view.words import numbers

GUIDE = (
    "A singular fit is no error, but its intervals cannot be used. What to do instead is debated, so every way in "
    "common use has been gone here with the same data. Where the ways agree about a group, its estimate does not "
    "depend on the choice. Where their intervals differ, the narrow ones take something for certain that the data "
    "leave open. "
    "Dropping a term, uncorrelated terms and the penalised fit have joint intervals, which take the spread of the "
    "groups as known; only Bayes does not."
)
DOWNLOAD = Link("summary.json: every group and route", "summary.json")
WAYS = {3: "Three", 4: "Four", 5: "Five"}
LOOKS: dict[RouteName, tuple[str, str]] = {
    "singular_fit": (MODELS["partial_pooling"].color, "diamond-open"),
    "drop": (OTHERS[2], "x"),
    "uncorrelated": (OTHERS[0], "triangle-up"),
    "penalised": (OTHERS[1], "square-open"),
    "bootstrap": (OTHERS[3], MODELS["partial_pooling"].symbol),
    "bayes": (MODELS["bayes"].color, MODELS["bayes"].symbol),
}


def _blocks(context: Context) -> tuple[Block, ...]:
    found = _found(context)
    shown = range(min(len(found.varying), MOST_TERMS))
    return (
        _words(found),
        _numbers(context, found),
        *(_figure(context, found, k) for k in shown),
        how_to_read(GUIDE, routes_state(found)),
        Fold("Every group on every route", tuple(_table(context, found, k) for k in shown)),
    )


def _found(context: Context) -> Remedies:
    if context.findings.remedies is None:
        raise ValueError("no routes were run: the fit is regular")
    return context.findings.remedies


def _words(found: Remedies) -> Table:
    columns = (Column("Route, and what it does", is_number=False), Column("When to choose it", is_number=False))
    told = [ROUTES[route.name] for route in found.routes[1:]]
    rows = tuple((Cell(one.name, one.does), Cell(one.choose)) for one in told)
    return Table("table-routes", f"{WAYS[len(told)]} ways on", columns, rows)


def _numbers(context: Context, found: Remedies) -> Table:
    columns = (
        Column("Route", is_number=False),
        Column("Of what", is_number=False),
        Column("Unit", is_number=False),
        Column("Group SD"),
        Column("Interval width"),
        Column("Largest change of a group"),
        Column("State", is_number=False),
    )
    rows = tuple(_row(context, found, i, k) for k in range(len(found.varying)) for i in range(len(found.routes)))
    note = (
        "Interval width: of the 95 % interval of a group’s estimate, median over groups. Largest change: against the "
        "singular fit. Below a group SD: its own 95 % interval, where the route gives one. Slopes: per raw unit. "
        f"Bootstrap: {found.n_replicates:,} simulated data sets{fewer_replicates(found.n_replicates)}."
    )
    return Table("table-route-numbers", "What each way gives", columns, rows, note, DOWNLOAD)


def _row(context: Context, found: Remedies, i: int, k: int) -> tuple[Cell, ...]:
    route, term = found.routes[i], found.varying[k]
    scale = context.raw_scale(term)
    places = numbers.decimals_for(float(found.median_width[-1, k]) / scale / 4)
    change, group = float(found.largest_change[i, k]) / scale, int(found.changed_most[i, k])
    return (
        Cell(ROUTES[route.name].name),
        Cell(context.term_title(term)),
        Cell(context.raw_unit(term) or "–"),
        _sd_cell(route, k, scale, _sd_places(found, k, scale)),
        Cell(numbers.fixed(float(found.median_width[i, k]) / scale, places)),
        Cell(numbers.fixed(change, places), context.labels[group]) if change > 0 else Cell("0"),
        _state_cell(route),
    )


def _sd_places(found: Remedies, k: int, scale: float) -> int:
    """Decimal places of a group SD on every route: what the Bayesian interval, the widest, supports."""
    bayes = found.routes[-1]
    return numbers.decimals_for(float(bayes.sigma_group_upper[k] - bayes.sigma_group_lower[k]) / scale / 4)


def _sd_cell(route: Route, k: int, scale: float, places: int) -> Cell:
    sd, low, high = (
        float(part[k]) / scale for part in (route.sigma_group, route.sigma_group_lower, route.sigma_group_upper)
    )
    if np.isnan(sd):
        return Cell("left out")
    if np.isnan(low):
        return Cell(numbers.fixed(sd, places))
    return Cell(numbers.fixed(sd, places), numbers.interval(low, high, places))


def _state_cell(route: Route) -> Cell:
    if route.is_singular:
        return Cell("singular", status="review")
    return Cell("regular" if route.is_singular is not None else "never singular", status="pass")


def _chosen(context: Context, limit: int) -> np.ndarray:
    return notable_groups(context.findings.group_sizes, context.bands[2].coef[:, 0], limit)


def _figure(context: Context, found: Remedies, k: int) -> Figure:
    term = found.varying[k]
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    chosen = _chosen(context, PANEL_LIMIT)
    chosen = chosen[np.argsort(context.bands[2].coef[chosen, term], kind="stable")[::-1]]
    series = [
        intervals.Series(
            ROUTES[route.name].name,
            *LOOKS[route.name],
            route.coef[chosen, term] / scale,
            route.lower[chosen, term] / scale,
            route.upper[chosen, term] / scale,
        )
        for route in found.routes
    ]
    name, title = context.term_name(term), context.term_title(term)
    return Figure(
        id=f"figure-routes-{term}",
        caption=f"{title}: every group on every route, with 95 % intervals; highest first. "
        f"{rule(len(chosen), context.n_groups)}".strip(),
        alternative=_alternative(context, found, k, name),
        spec=intervals.interval_plot(
            [context.labels[j] for j in chosen],
            series,
            x_title=f"{title} ({unit})" if unit else title,
            groups=chosen,
            n=context.findings.group_sizes[chosen].tolist(),
            unit=unit,
        ),
        height=intervals.height(len(chosen), len(series)),
    )


def _alternative(context: Context, found: Remedies, k: int, name: str) -> str:
    scale, unit = context.raw_scale(found.varying[k]), context.raw_unit(found.varying[k])
    widths = found.median_width[:, k] / scale
    places = numbers.decimals_for(float(widths[-1]) / 4)
    each = [
        f"{numbers.fixed(float(width), places)} ({in_sentence(route.name)})"
        for route, width in zip(found.routes, widths, strict=True)
    ]
    in_unit = f" in {unit}" if unit else ""
    return f"Typical widths of the intervals for the {name} by group{in_unit}: {numbers.listed(each, limit=6)}."


def _table(context: Context, found: Remedies, k: int) -> Table:
    term, chosen = found.varying[k], _chosen(context, TABLE_LIMIT)
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    places = context.places(term, scale)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        *(Column(ROUTES[route.name].name, unit) for route in found.routes),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(context.findings.group_sizes[j])),
            *(_group_cell(route, j, term, scale, places) for route in found.routes),
        )
        for j in chosen
    )
    caption = f"{context.term_title(term)} by group on every route: estimate and 95 % interval"
    joint = "The singular fit, the simpler ones and the penalised one: joint intervals."
    note = f"{joint} {rule(len(chosen), context.n_groups)}"
    groups = tuple(int(j) for j in chosen)
    return Table(f"table-routes-{term}", caption, columns, rows, note.strip(), DOWNLOAD, groups)


def _group_cell(route: Route, group: int, term: int, scale: float, places: int) -> Cell:
    low, high = float(route.lower[group, term]) / scale, float(route.upper[group, term]) / scale
    return Cell(numbers.fixed(float(route.coef[group, term]) / scale, places), numbers.interval(low, high, places))


TOPIC = Topic(
    id="remedies",
    title="After a singular fit: the ways on",
    finding=lambda context: routes_finding(context, _found(context)),
    blocks=_blocks,
    sources=("remedies", "intervals"),
    guide=(GUIDE,),
    is_shown=lambda context: context.findings.remedies is not None,
    summary=(
        Entry(
            "remedies",
            RemediesSummary | None,
            "Ways on after a singular fit, each of them run; null where the fullest fit is regular",
            lambda context: remedies_of(context.findings),
        ),
    ),
)
