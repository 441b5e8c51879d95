"""The routes after a singular fit, in words."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.stats.fits.bootstrap import MOST_REPLICATES
from tasks.stats.judged.remedies import Remedies, RouteName
from tasks.view.context import Context
from tasks.view.words import numbers
from tasks.view.words.numbers import with_unit

# Estimates that move by less than this share of their Bayesian interval's width hardly depend on the route.
HARDLY, CLEARLY = 0.25, 0.5
# Intervals at least this wide, relative to the Bayesian ones, count as about as wide.
ABOUT_AS_WIDE = 0.8
MOST_TERMS = 3


@dataclass(frozen=True)
class RouteWords:
    name: str
    does: str
    choose: str


ROUTES: dict[RouteName, RouteWords] = {
    "singular_fit": RouteWords(
        "Singular fit",
        "Takes the best-fitting spread of the groups, here on the edge of what is possible, for the true one.",
        "Not for intervals.",
    ),
    "drop": RouteWords(
        "Drop the term",
        "Fits the simpler model, in which what could not be told from 0 is 0 by assumption.",
        "When you know from elsewhere that groups do not differ in this respect. It hides differences too small "
        "for these data.",
    ),
    "uncorrelated": RouteWords(
        "Uncorrelated terms",
        "Lets levels and effects differ by group, but independently of each other.",
        "When only the correlation was at its limit. The result depends on where the predictors have their 0 "
        "(here: their averages).",
    ),
    "penalised": RouteWords(
        "Penalised fit",
        "Adds a weak preference that keeps every spread away from 0.",
        "When you need one quick fit whose intervals do not collapse. Spreads come out on the large side.",
    ),
    "bootstrap": RouteWords(
        "Parametric bootstrap",
        "Simulates data from the singular fit many times, fits each, and takes intervals from the errors made.",
        "When you accept the singular fit as the truth and ask how well it is estimated. What it takes for certain, "
        "a spread of 0 or effects in perfect step, every simulation takes for certain too.",
    ),
    "bayes": RouteWords(
        "Bayes",
        "Averages over every spread that the data and a weak prior allow.",
        "As a rule: it alone keeps the uncertainty about the spread itself.",
    ),
}


def in_sentence(name: RouteName) -> str:
    return "Bayes" if name == "bayes" else ROUTES[name].name.lower()


def routes_finding(context: Context, found: Remedies) -> str:
    """How much estimates depend on the route, then how much intervals do; what depends most comes first."""
    shown = sorted(range(min(len(found.varying), MOST_TERMS)), key=lambda k: -float(found.spread_share[k]))
    parts = ((_estimates(context, found, k), _intervals(context, found, k), _divided(context, found, k)) for k in shown)
    return " ".join(part for three in parts for part in three if part)


def _estimates(context: Context, found: Remedies, k: int) -> str:
    term, share = found.varying[k], float(found.spread_share[k])
    name = context.term_name(term)
    if share == 0.0:
        return f"Estimates of the {name} by group are the same on every route."
    how = "hardly depend" if share < HARDLY else "depend somewhat" if share < CLEARLY else "depend"
    size = with_unit(numbers.significant(float(found.spread[k]) / context.raw_scale(term), 2), context.raw_unit(term))
    return (
        f"Estimates of the {name} by group {how} on the route. The one that moves most is that of "
        f"{context.named(int(found.spread_group[k]))}: by {size} between routes, {numbers.percent(share)} of the width "
        "of its Bayesian interval."
    )


def _intervals(context: Context, found: Remedies, k: int) -> str:
    names = [route.name for route in found.routes]
    bayes = float(found.median_width[names.index("bayes"), k])
    ratio = {name: float(found.median_width[i, k]) / bayes for i, name in enumerate(names)}
    narrow = [name for name in names if ratio[name] < ABOUT_AS_WIDE]
    if not narrow:
        return "All routes give intervals for it that are about as wide as those of Bayes."
    listed = numbers.listed(f"{in_sentence(name)} ({ratio[name]:.2f} times as wide)" for name in narrow)
    return f"Narrower than with Bayes are its intervals by: {listed}."


def _divided(context: Context, found: Remedies, k: int) -> str:
    """Groups whose conclusion depends on the route; empty where there are none."""
    groups = found.divided[k]
    if not groups.size:
        return ""
    names = numbers.listed(context.named(int(group)) for group in groups)
    return f"Whether the {context.term_name(found.varying[k])} differs from 0 depends on the route in {names}."


def fewer_replicates(n_replicates: int) -> str:
    """A clause that fewer data sets than usual were simulated, as there are many groups; else empty."""
    return "" if n_replicates >= MOST_REPLICATES else f"; fewer than {MOST_REPLICATES}, as there are many groups"


def routes_state(found: Remedies) -> str:
    """How many simulated data sets gave a singular fit, and which routes are still singular."""
    still = [in_sentence(route.name) for route in found.routes if route.is_singular and not route.model]
    again = f" Still singular: {numbers.listed(still)}." if still else ""
    return (
        f"Of the {found.n_replicates:,} simulated data sets of the bootstrap, {found.n_singular_replicates:,} gave a "
        f"singular fit too.{again}"
    )
