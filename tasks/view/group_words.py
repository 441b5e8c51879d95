"""Sentences on the groups' estimates and on how far groups differ, slopes per raw unit."""

from __future__ import annotations

import numpy as np

from tasks.view import numbers
from tasks.view.context import Bands, Context
from tasks.view.numbers import common_decimals, fixed, interval, percent, plural, with_unit


def poolings_finding(context: Context) -> str:
    own, bayes = context.bands[0], context.bands[2]
    unfitted = int((~context.findings.no_pooling.is_fitted).sum())
    gaps = f" {plural(unfitted, 'group')} cannot carry a separate fit." if unfitted else ""
    level = (
        f"The levels of the groups run from {_range(own, context)} when each stands alone, and from "
        f"{_range(bayes, context)} with Bayes."
    )
    slopes = "".join(
        f" Their {context.term_name(k).replace('effect', 'effects', 1)} run from {_range(own, context, k)} alone, and "
        f"from {_range(bayes, context, k)} with Bayes."
        for k in context.varying
        if k
    )
    return f"{level}{slopes}{gaps}"


def _range(bands: Bands, context: Context, term: int = 0) -> str:
    """The lowest to the highest estimate; slopes per raw unit."""
    scale, unit = (context.raw_scale(term), context.raw_unit(term))
    values = bands.coef[:, term][np.isfinite(bands.coef[:, term])] / scale
    if not values.size:
        return "no estimate"
    places = common_decimals(bands.se[:, term] / scale)
    return f"{fixed(values.min(), places)} to {with_unit(fixed(values.max(), places), unit)}"


def variance_finding(context: Context) -> str:
    components, icc = context.findings.variance_components, context.findings.bayes.icc
    sd = components.bayes_sd
    between = with_unit(numbers.estimate(float(sd.mean[0]), float(sd.sd[0])), context.unit)
    within = with_unit(numbers.estimate(float(sd.mean[-1]), float(sd.sd[-1])), context.unit)
    share = f"{percent(float(icc.mean))} (95 % interval {percent(float(icc.lower))} to {percent(float(icc.upper))})"
    slopes = "".join(_slope_spread(context, term) for term in context.varying if term)
    return (
        f"Groups lie about {between} from their average, rows about {within} from their group’s expectation: "
        f"{share} of the variation lies between groups.{slopes}"
    )


def _slope_spread(context: Context, term: int) -> str:
    """How much one slope differs between groups, per raw unit."""
    sd, position, scale = context.findings.bayes.sigma_group, context.varying.index(term), context.raw_scale(term)
    mean, spread, lower, upper = (float(part[position]) / scale for part in (sd.mean, sd.sd, sd.lower, sd.upper))
    places = numbers.decimals_for(spread)
    size = with_unit(fixed(mean, places), context.raw_unit(term))
    return f" The {context.term_name(term)} differs by about {size} (95 % interval {interval(lower, upper, places)})."
