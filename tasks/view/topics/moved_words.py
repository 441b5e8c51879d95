"""Which groups pooling moved most, and why: by their number of rows, their spread and their distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.context import Context
from tasks.view.words import numbers, text

LITTLE_SPREAD = 0.7  # relative to the typical group's spread
EXTRAPOLATED = 2.0  # variance of the level, relative to what it would be with the rows at the average
FAR = 2.0  # distance from the average, relative to the typical distance
ALL_THE_WAY = 0.9


def most_moved(context: Context, term: int, limit: int) -> Integers:
    """Positions of at most `limit` groups with an estimate of their own, the farthest moved first."""
    size = np.nan_to_num(np.abs(_moves(context, term)), nan=-1.0)
    order = np.argsort(-size, kind="stable")[:limit]
    return order[size[order] >= 0]


def _moves(context: Context, term: int) -> Floats:
    """(J,) change of the estimate from no pooling to Bayes, per raw unit."""
    own, bayes = context.bands[0], context.bands[2]
    return (bayes.coef[:, term] - own.coef[:, term]) / context.raw_scale(term)


def distance(context: Context, terms: Sequence[int]) -> Floats:
    """(J,) how far the estimates of these terms move together, each in units of its typical posterior SD."""
    bayes = context.bands[2]
    moves = [_moves(context, term) * context.raw_scale(term) / float(np.nanmedian(bayes.se[:, term])) for term in terms]
    return np.asarray(np.linalg.norm(moves, axis=0))


def places(context: Context, term: int) -> int:
    """Decimal places that the pooled estimates support, per raw unit."""
    return context.places(term, context.raw_scale(term))


def finding(context: Context) -> str:
    """The level's sentence, then the slopes'."""
    return " ".join(sentence(context, term) for term in context.varying)


def sentence(context: Context, term: int) -> str:
    """Who moved most, by how much, and how much is usual."""
    chosen = most_moved(context, term, 1)
    if not chosen.size:
        return f"No group has a {context.term_name(term)} of its own to move from."
    moves, unit = np.abs(_moves(context, term)), context.raw_unit(term)
    decimals = places(context, term)
    most, usual = (
        numbers.with_unit(numbers.fixed(float(size), decimals), unit)
        for size in (moves[chosen[0]], np.nanmedian(moves))
    )
    group, name = int(chosen[0]), context.term_name(term)
    rows = numbers.plural(int(context.findings.group_sizes[group]), "row")
    return (
        f"Pooling moves the {name} most in {context.named(group)} ({rows}): by {most}. Half of the groups move by less "
        f"than {usual}."
    )


def why(context: Context, term: int, group: int) -> str:
    """What made pooling move one group, in words."""
    reasons = [
        _few_rows(context, group),
        _little_spread(context, term, group) if term else _extrapolated(context, group),
        _far(context, term, group),
    ]
    found = "; ".join(filter(None, reasons))
    return text.sentence_case(found or _by_shrinkage(context, term, group))


def _few_rows(context: Context, group: int) -> str:
    sizes = context.findings.group_sizes
    is_small = sizes[group] <= np.quantile(sizes, 0.25) and sizes[group] < np.median(sizes)
    return "few rows" if is_small else ""


def spread(context: Context, term: int) -> Floats:
    """(J,) SD of a predictor within each group, in its raw unit, other predictors held fixed.

    From the group's own fit: se^2 = sigma^2 / sum of squares of the predictor about its (conditional) mean.
    """
    own = context.findings.no_pooling
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = own.sigma / own.se[:, term] / np.sqrt(own.n - 1.0)
    return np.where(np.isfinite(sd), sd, np.nan) * context.raw_scale(term)


def _little_spread(context: Context, term: int, group: int) -> str:
    found = spread(context, term)
    if not np.isfinite(found[group]) or found[group] >= LITTLE_SPREAD * np.nanmedian(found):
        return ""
    unit = context.given_unit(term)
    own, typical = (
        numbers.with_unit(numbers.significant(float(sd), 2), unit) for sd in (found[group], np.nanmedian(found))
    )
    return f"its rows differ little in {context.terms[term]} (SD {own}, typically {typical})"


def _extrapolated(context: Context, group: int) -> str:
    """Says so if the group's rows lie far from the predictors' averages, so that its level is extrapolated."""
    own = context.findings.no_pooling
    if len(context.terms) == 1 or not own.sigma[group] > 0:
        return ""
    inflation = own.n[group] * own.se[group, 0] ** 2 / own.sigma[group] ** 2
    named = numbers.listed(context.predictors)
    return f"its rows lie away from the average {named}, at which the level is read" if inflation > EXTRAPOLATED else ""


def _far(context: Context, term: int, group: int) -> str:
    average = context.findings.bayes.fixef.mean[term]
    distance = (context.bands[0].coef[:, term] - average) / context.raw_scale(term)
    if abs(distance[group]) < FAR * np.nanmedian(np.abs(distance)):
        return ""
    size = numbers.with_unit(numbers.fixed(abs(float(distance[group])), places(context, term)), context.raw_unit(term))
    return f"its own estimate lies far from the average group’s, {size} {'above' if distance[group] > 0 else 'below'}"


def _by_shrinkage(context: Context, term: int, group: int) -> str:
    factor = float(_factors(context, term)[group])
    if factor >= 0.5:
        return "the average group says more about it than its own rows"
    return "its own rows decide most: the move is small"


def _factors(context: Context, term: int) -> Floats:
    """(J,) shrinkage factor of one term in partial pooling."""
    return context.findings.fullest.shrinkage_factor[:, context.varying.index(term)]


def _beside(context: Context) -> str:
    """Effects that go together are told from one another."""
    factors = len(context.varying)
    return ": it follows from the group’s other effects and the average group" if factors > 1 else ""


def note(context: Context, term: int, shown: int) -> str:
    """What the shrinkage factor means, and which groups the table leaves out."""
    typical = float(np.nanmedian(_factors(context, term)))
    missing = int((~np.isfinite(_moves(context, term))).sum())
    parts = ["Shrinkage (partial pooling): 0 = its own rows decide, 1 = the average group decides."]
    if typical >= ALL_THE_WAY:
        parts.append(
            f"The groups are hardly seen to differ in their {context.term_name(term)} (typical shrinkage "
            f"{typical:.2f}), so a group’s own rows hardly count for it{_beside(context)}."
        )
    if shown < context.n_groups - missing:
        parts.append(f"Listed are the {shown} of {context.n_groups:,} groups that moved farthest.")
    if missing:
        without = numbers.plural(missing, "group")
        parts.append(f"{without} without an estimate of {'its' if missing == 1 else 'their'} own left out.")
    return " ".join(parts)
