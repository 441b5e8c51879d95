"""After a singular fit of a counted outcome: the routes that lead on, each of them run, and what each changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from tasks.stats.counted.remedies import CountedRemedies, CountedRoute, RouteName
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.recommended import WithInterval
from tasks.view.counted.context import CountedContext
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, OTHERS
from tasks.view.plain import by_label, listed
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.selection import PANEL_LIMIT, notable_groups, rule
from tasks.view.summary.record import ByLabel, Count, Flag, Number, Record, Vector
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.topics.remedy_words import ABOUT_AS_WIDE, CLEARLY, HARDLY, RouteWords
from tasks.view.words import numbers, text

GUIDE = (
    "A singular fit is no error, but its intervals cannot be used. Each way on in common use has been gone here with "
    "the same data. Where the ways agree about a group, its rate does not depend on the choice; where their intervals "
    "differ, the narrow ones take something for certain that the data leave open. AIC can be compared between the "
    "ways, Bayes apart: lower is better, and up to 2 is hardly a difference. That a simpler fit has a lower AIC does "
    "not show that groups are alike."
)
WAYS: dict[RouteName, RouteWords] = {
    "singular_fit": RouteWords(
        "Singular fit",
        "Takes the best-fitting spread of the groups, here on the edge of what is possible, for the true one.",
        "Not for intervals.",
    ),
    "intercept": RouteWords(
        "Levels alone vary",
        "Lets groups differ in their level, and takes every effect to be the same in all of them.",
        "When you know from elsewhere that effects do not differ between groups.",
    ),
    "drop": RouteWords(
        "One effect no longer varies",
        "Takes this effect to be the same in all groups, and lets the others differ.",
        "When you know from elsewhere that this effect does not differ between groups.",
    ),
    "complete": RouteWords(
        "Complete pooling",
        "Takes all groups to be alike; its intervals allow for rows of a group that resemble each other.",
        "When one rate for all is what you need. It says nothing of single groups.",
    ),
}
BAYES = RouteWords(
    "Bayes",
    "Averages over every spread that the data and a weak prior allow.",
    "As a rule: it alone keeps the uncertainty about the spread itself.",
)
COUNTS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}
SYMBOLS = ("x", "triangle-up", "square-open", "star")
LOOKS = ((MODELS["partial_pooling"].color, "diamond-open"), *zip(OTHERS, SYMBOLS, strict=True))
RULED_OUT = 10.0  # of AIC: a fit so much worse than the best is none to choose (Burnham & Anderson 2002)


@dataclass(frozen=True)
class Way:
    """The groups' shown rates on one route; NaN where it has none."""

    name: str
    rate: WithInterval  # (J,)
    route: CountedRoute | None  # None for Bayes

    @property
    def width(self) -> float:
        return float(np.nanmedian(self.rate.upper - self.rate.lower)) if np.isfinite(self.rate.upper).any() else np.nan


class CountedRouteGroupSummary(Record):
    """One group's estimate on the link's scale."""

    coef: Vector = Field(description="(p,) the group's estimate")
    lower: Vector = Field(description="(p,) 95 % interval")
    upper: Vector = Field(description="(p,) 95 % interval")


class CountedRouteSummary(Record):
    """One way on, by maximum likelihood."""

    name: str = Field(description="singular_fit, intercept (levels alone vary), drop (one effect does not), complete")
    term: str = Field(description="the term that no longer varies, on the way `drop`; else empty")
    varying: list[str] = Field(description="the terms that vary on this way")
    sigma_group: Vector = Field(description="(q,) SDs of the singular fit's varying effects; null where none varies")
    log_lik: Number = Field(description="log likelihood, constant included")
    n_parameters: Count = Field(description="fixed effects, variances and covariances")
    aic: Number = Field(description="Akaike's information criterion")
    is_singular: Flag = Field(description="whether the fit is")
    is_converged: Flag = Field(description="whether the fit is")
    groups: ByLabel[CountedRouteGroupSummary] = Field(description="by group label")


class CountedRemediesSummary(Record):
    """Ways on after a singular fit."""

    varying: list[str] = Field(description="the q varying terms of the singular fit")
    routes: list[CountedRouteSummary] = Field(description="the singular fit itself, then each way on; Bayes is in fits")
    lowest_aic: Count = Field(description="position of the route with the lowest AIC")
    spread: Vector = Field(description="(q,) largest difference of a group's estimate between any two, link scale")


def _found(context: CountedContext) -> CountedRemedies:
    if context.findings.remedies is None:
        raise ValueError("no routes were run: the fit is regular")
    return context.findings.remedies


def _ways(context: CountedContext) -> list[Way]:
    made = [Way(_name(context, route), _rates(context, route), route) for route in _found(context).routes]
    bayes = context.findings.compared_plain.rate
    return [*made, Way(BAYES.name, WithInterval(*(context.rate_scale * part for part in vars(bayes).values())), None)]


def _name(context: CountedContext, route: CountedRoute) -> str:
    if route.name == "drop":
        return f"One {context.term_name(context.position(route.term))} for all"
    return WAYS[route.name].name


def _rates(context: CountedContext, route: CountedRoute) -> WithInterval:
    return context.carried(route.coef, (route.upper - route.lower)[:, 0] / (2.0 * Z_95))


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (_figure(context), how_to_read(GUIDE), _numbers(context), _words(context))


def _words(context: CountedContext) -> Table:
    columns = (Column("Route, and what it does", is_number=False), Column("When to choose it", is_number=False))
    told = [(_name(context, route), WAYS[route.name]) for route in _found(context).routes[1:]]
    rows = tuple((Cell(name, one.does), Cell(one.choose)) for name, one in [*told, (BAYES.name, BAYES)])
    return Table("table-routes", f"{COUNTS.get(len(rows), 'The')} ways on", columns, rows)


def _numbers(context: CountedContext) -> Table:
    found, unit = _found(context), context.difference_unit
    columns = (
        Column("Route", is_number=False),
        *(Column(f"SD between groups: {context.term_name(term)}", context.link_unit(0)) for term in found.varying),
        Column("AIC"),
        Column("Interval width", unit),
        Column("Largest change of a group", unit),
        Column("State", is_number=False),
    )
    ways = _ways(context)
    rows = tuple(_row(context, way, ways[0]) for way in ways)
    note = (
        "Interval width: of the 95 % interval of a group’s rate, median over groups. Largest change: of a group’s rate "
        "against the singular fit. Effects: per SD of the predictor."
    )
    return Table("table-route-numbers", "What each way gives", columns, rows, note)


def _row(context: CountedContext, way: Way, first: Way) -> tuple[Cell, ...]:
    change = np.abs(way.rate.estimate - first.rate.estimate)
    places = context.rate_places
    moved = bool(np.isfinite(change).any() and np.nanmax(change) >= 0.5 * 10.0 ** -(places + 1))
    group = int(np.nanargmax(change)) if moved else 0
    return (
        Cell(way.name),
        *_sds(context, way),
        Cell(numbers.fixed(way.route.aic, 1) if way.route else numbers.MISSING),
        Cell(numbers.fixed(way.width, places + 1)),
        Cell(numbers.fixed(float(change[group]), places + 1), context.labels[group]) if moved else Cell("0"),
        _state(way),
    )


def _sds(context: CountedContext, way: Way) -> list[Cell]:
    if way.route is None:
        sd = context.findings.bayes.sigma_group
        return [
            Cell(numbers.fixed(float(sd.median[k]), 3), numbers.interval(float(sd.lower[k]), float(sd.upper[k]), 3))
            for k in range(sd.median.size)
        ]
    return [Cell(numbers.fixed(float(sd), 3) if np.isfinite(sd) else "left out") for sd in way.route.sigma_group]


def _state(way: Way) -> Cell:
    if way.route is None:
        return Cell("never singular", status="pass")
    if not way.route.is_converged:
        return Cell("not converged", status="fail")
    return Cell("singular", status="review") if way.route.is_singular else Cell("regular", status="pass")


def _figure(context: CountedContext) -> Figure:
    ways, sizes = _ways(context), np.rint(context.sizes).astype(np.int64)
    chosen = notable_groups(sizes, ways[-1].rate.estimate, PANEL_LIMIT)
    chosen = chosen[np.argsort(-ways[-1].rate.estimate[chosen], kind="stable")]
    looks = [*LOOKS[: len(ways) - 1], (MODELS["bayes"].color, MODELS["bayes"].symbol)]
    series = [
        intervals.Series(way.name, *look, way.rate.estimate[chosen], way.rate.lower[chosen], way.rate.upper[chosen])
        for way, look in zip(ways, looks, strict=True)
    ]
    name, mix = text.sentence_case(context.rate_name), " on the same mix of cases" if len(context.terms) > 1 else ""
    return Figure(
        id="figure-routes",
        caption=(
            f"{name} by group{mix} on every route, with 95 % intervals; highest first. "
            f"{rule(len(chosen), context.n_groups, of='rate', counted=context.size_noun)}"
        ).strip(),
        alternative=_finding(context),
        spec=intervals.interval_plot(
            [context.labels[j] for j in chosen],
            series,
            x_title=name,
            groups=chosen,
            n=sizes[chosen].tolist(),
            unit="%" if context.rate_unit == "%" else "",
        ),
        height=intervals.height(len(chosen), len(series)),
    )


def _finding(context: CountedContext) -> str:
    """How much estimates depend on the route, then how much intervals do, then AIC."""
    found, ways = _found(context), _ways(context)
    best = found.routes[found.lowest_aic]
    kept = [way for way in ways if way.route is None or _is_kept(way.route, best)]
    rates = np.array([way.rate.estimate for way in kept])
    spread = np.ptp(rates, axis=0)
    group = int(np.argmax(spread))
    bayes = ways[-1].rate
    share = float(spread[group] / (bayes.upper[group] - bayes.lower[group]))
    how = "hardly depend" if share < HARDLY else "depend somewhat" if share < CLEARLY else "depend"
    size = numbers.fixed(float(spread[group]), context.rate_places + 1)
    out = [f"“{way.name}”" for way in ways if all(way is not one for one in kept)]
    but = f", once {numbers.listed(out)} is left out as far worse" if out else ""
    return " ".join(
        [
            f"The groups’ rates {how} on the route{but}.",
            f"That of {context.named(group)} moves most: by {size} {context.difference_unit} between routes, "
            f"{numbers.percent(share)} of the width of its Bayesian interval.",
            _intervals(ways),
            f"Of the fits by maximum likelihood “{_name(context, best)}” has the lowest AIC.",
        ]
    )


def _is_kept(route: CountedRoute, best: CountedRoute) -> bool:
    return route.is_converged and route.aic <= best.aic + RULED_OUT


def _intervals(ways: list[Way]) -> str:
    ratio = {way.name: way.width / ways[-1].width for way in ways[:-1]}
    narrow = [f"“{name}” ({of:.2f} times as wide)" for name, of in ratio.items() if of < ABOUT_AS_WIDE]
    if not narrow:
        return "All routes give intervals about as wide as those of Bayes."
    return f"Narrower than with Bayes are the intervals by: {numbers.listed(narrow, limit=6)}."


def remedies_of(context: CountedContext) -> CountedRemediesSummary | None:
    found, terms = context.findings.remedies, context.findings.terms
    if found is None:
        return None
    return CountedRemediesSummary.of(
        found,
        varying=[terms[k] for k in found.varying],
        routes=[
            CountedRouteSummary.of(
                route,
                varying=[terms[k] for k in route.varying],
                groups=by_label(
                    context.findings.labels,
                    **{name: listed(getattr(route, name)) for name in CountedRouteGroupSummary.model_fields},
                ),
            )
            for route in found.routes
        ],
    )


TOPIC: Topic[CountedContext] = Topic(
    id="remedies",
    title="After a singular fit: the ways on",
    finding=lambda context: text.sentence(_finding(context)),
    blocks=_blocks,
    sources=("remedies", "rates", "fits", "intervals"),
    guide=(GUIDE,),
    is_shown=lambda context: context.findings.remedies is not None,
    summary=(
        Entry(
            "remedies",
            CountedRemediesSummary | None,
            "Ways on after a singular fit, each of them run; null where the fullest fit is regular",
            remedies_of,
        ),
    ),
)
