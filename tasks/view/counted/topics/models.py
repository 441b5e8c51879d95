"""All fits of a counted outcome side by side: coefficients, ratios, and what shows that each fit is a maximum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tasks.stats.counted.links import mean_of, ratio_of
from tasks.stats.counted.partial_pooling import CountedPartialPooling
from tasks.stats.fits.intervals import Z_95
from tasks.stats.records import Floats, MedianEstimate
from tasks.view.counted.context import MODEL_NAMES, CountedContext
from tasks.view.counted.topics.in_r import formula
from tasks.view.records import Block, Cell, Column, Table
from tasks.view.topic import Topic, how_to_read
from tasks.view.topics.models import FLAVOURS
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval

GUIDE = (
    "Complete pooling ignores groups, so that its usual standard errors are too small where groups differ; the robust "
    "ones allow for that. A coefficient of partial pooling or Bayes is of the average group and lies a little farther "
    "from 0 than one of complete pooling, which is of all cases mixed. AIC weighs how well a fit accounts for the rows "
    "against its number of parameters: lower is better, and up to 2 is hardly a difference. It can be "
    "compared between fits by maximum likelihood only."
)
HARDLY = 2.0  # of AIC
DECREMENT = "{:.0e}"


@dataclass(frozen=True)
class Fitted:
    """The average group by one model, on the link's scale and on centre-scaled predictors."""

    label: str
    model: str  # id in MODELS
    estimate: Floats  # (p,)
    lower: Floats
    upper: Floats
    se: Floats  # (p,) shown below; of Bayes the posterior's SD


def _fitted(context: CountedContext) -> tuple[Fitted, ...]:
    found, p = context.findings, len(context.terms)
    complete, part = found.fits.complete, found.fits.fullest
    robust, se = complete.robust_se, part.se
    extended = [_of_bayes("Bayes, extended", found.answer.average)] if found.answer else []
    return (
        Fitted(
            "Complete pooling",
            "complete_pooling",
            complete.coef,
            complete.coef - Z_95 * robust,
            complete.coef + Z_95 * robust,
            robust,
        ),
        Fitted(
            "Partial pooling",
            "partial_pooling",
            part.fixef[:p],
            part.fixef[:p] - Z_95 * se[:p],
            part.fixef[:p] + Z_95 * se[:p],
            se[:p],
        ),
        _of_bayes("Bayes", found.bayes.fixef),
        *extended,
    )


def _of_bayes(label: str, fit: MedianEstimate) -> Fitted:
    return Fitted(label, "bayes", fit.median, fit.lower, fit.upper, fit.sd)


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (_ratios(context), how_to_read(GUIDE), _coefficients(context), _flavours(context))


def _columns(context: CountedContext, detail: str) -> tuple[Column, ...]:
    return tuple(Column(one.label, model=one.model, detail=detail) for one in _fitted(context))


def _ratios(context: CountedContext) -> Table:
    """What each model says on the scale of the outcome, per raw unit."""
    columns = (Column("Average group", is_number=False), Column("Unit", is_number=False))
    note = (
        "First the rate where every predictor is at its mean, of the average group; then "
        f"{context.ratio_name}s per raw unit. Complete pooling: robust 95 % intervals, by group."
    )
    rows = tuple(_ratio_row(context, term) for term in range(len(context.terms)))
    caption = "The average group by every model" if len(context.terms) == 1 else "Rate and ratios by every model"
    if len(context.terms) == 1:
        note = "The rate of the average group. Complete pooling: robust 95 % interval, by group."
    return Table("table-ratios", caption, (*columns, *_columns(context, "95 % interval")), rows, note)


def _ratio_row(context: CountedContext, term: int) -> tuple[Cell, ...]:
    if term == 0:
        return (Cell("Rate"), Cell(context.rate_unit), *(_rate(context, one) for one in _fitted(context)))
    scale, every = context.raw_scale(term), _fitted(context)
    ends = [[float(ratio_of(part[term] / scale)) for part in (one.estimate, one.lower, one.upper)] for one in every]
    places = max(2, numbers.decimals_for((ends[2][2] - ends[2][1]) / (2.0 * Z_95)))
    unit = context.ratio_name if context.is_level(term) else f"{context.ratio_name} per {context.predictor_unit(term)}"
    cells = (Cell(fixed(each[0], places), interval(each[1], each[2], places)) for each in ends)
    return (Cell(context.term_title(term)), Cell(unit), *cells)


def _rate(context: CountedContext, one: Fitted) -> Cell:
    ends = [float(mean_of(context.findings.cells.family, part[0])) for part in (one.estimate, one.lower, one.upper)]
    value, lower, upper = map(context.rate_number, ends)
    return Cell(value, f"{lower} to {upper}" if np.isfinite(ends[1]) else "")


def _coefficients(context: CountedContext) -> Table:
    columns = (Column("Coefficient", is_number=False), Column("Unit", is_number=False))
    rows = []
    for term in range(len(context.terms)):
        places = numbers.decimals_for(float(context.findings.bayes.fixef.sd[term]))
        link = context.link_unit(0)
        unit = link if term == 0 or context.is_level(term) else f"{link} per SD of {context.terms[term]}"
        cells = (
            Cell(fixed(float(one.estimate[term]), places), _se(float(one.se[term]), places)) for one in _fitted(context)
        )
        rows.append((Cell(context.term_title(term)), Cell(unit), *cells))
    note = (
        "As fitted, on centre-scaled predictors. Complete pooling: robust standard errors, by group; Bayes: posterior "
        "medians and SDs."
    )
    return Table(
        "table-coefficients",
        "Coefficients as fitted",
        (*columns, *_columns(context, "standard error")),
        tuple(rows),
        note,
    )


def _se(se: float, places: int) -> str:
    return f"SE {fixed(se, places)}" if np.isfinite(se) else ""


def _flavours(context: CountedContext) -> Table:
    fits = context.findings.fits
    columns = (
        Column("Fit by maximum likelihood", is_number=False),
        Column("Complete pooling", model="complete_pooling"),
        *(Column(FLAVOURS[name], model="partial_pooling") for name in fits.partial),
    )
    described = [_complete(context), *(_described(context, fit) for fit in fits.partial.values())]
    names = list(dict.fromkeys(name for values in reversed(described) for name in values))
    rows = tuple((Cell(name), *(values.get(name, Cell(numbers.MISSING)) for values in described)) for name in names)
    note = (
        "Code that runs is under Methods and reproduction. Distance from the maximum: the length of the score in "
        "standard errors, 0 at the maximum. Singular and converged are separate: a singular fit can be a proper "
        f"maximum. Dispersion: χ² by its degrees of freedom, above 1 where groups differ.{_laplace(context)}"
    )
    return Table("table-flavours", "The fits by maximum likelihood", columns, rows, note)


def _laplace(context: CountedContext) -> str:
    approximate = any(fit.n_points == 1 for fit in context.findings.fits.partial.values())
    return " One quadrature point is Laplace’s approximation, whose SDs are off where groups have few events." * (
        approximate
    )


def _complete(context: CountedContext) -> dict[str, Cell]:
    fit = context.findings.fits.complete
    converged = Cell("yes") if not fit.problem else Cell("no", fit.problem, status="fail")
    return {
        "Log likelihood": Cell(fixed(fit.log_likelihood, 2)),
        "AIC": Cell(fixed(fit.aic, 2)),
        "Parameters": Cell(f"{fit.coef.size}"),
        "Dispersion φ": Cell(fixed(fit.dispersion, 2)),
        "Converged": converged,
    }


def _described(context: CountedContext, fit: CountedPartialPooling) -> dict[str, Cell]:
    link = context.link_unit(0)
    sds = {
        f"SD between groups: {context.term_name(term)} ({link})": Cell(numbers.significant(float(sd), 3))
        for term, sd in zip(fit.varying, fit.sigma_group, strict=True)
    }
    return {
        "Formula in R, for lme4": Cell(formula(context, fit)),
        "Log likelihood": Cell(fixed(fit.log_lik, 2)),
        "AIC": Cell(fixed(fit.aic, 2)),
        "Parameters": Cell(f"{fit.n_parameters}"),
        **sds,
        **_correlations(context, fit),
        "Quadrature points per group": Cell(numbers.count(fit.n_points)),
        "Distance from the maximum": Cell(_distance(fit.certificate.decrement)),
        "Singular": Cell("yes", status="review") if fit.is_singular else Cell("no"),
        "Converged": Cell("yes") if fit.is_converged else Cell("no", status="fail"),
    }


def _distance(decrement: float) -> str:
    return (
        numbers.scientific(decrement, numbers.decimals_for(decrement, 1))
        if 0 < decrement < 0.001
        else fixed(decrement, 3)
    )


def _correlations(context: CountedContext, fit: CountedPartialPooling) -> dict[str, Cell]:
    names = [context.term_name(term) for term in fit.varying]
    return {
        f"Correlation: {names[m]}, {names[k]}": Cell(fixed(float(fit.correlation[k, m]), 2))
        for k in range(len(names))
        for m in range(k)
    }


def _finding(context: CountedContext) -> str:
    aic = _aic(context)
    if not aic:
        return "No fit by maximum likelihood has converged, so that none can be compared with the others."
    best = min(aic, key=lambda name: aic[name])
    others = [name for name in sorted(aic, key=lambda name: aic[name]) if name != best]
    near = [name for name in others if round(aic[name] - aic[best], 1) <= HARDLY]
    far = [name for name in others if name not in near]
    parts = [
        f"By maximum likelihood, {MODEL_NAMES[best]} accounts best for the rows.",
        f"Hardly worse: {_each(aic, best, near)}." if near else "",
        f"Worse: {_each(aic, best, far)}." if far else "",
        *_standard_errors(context),
    ]
    return " ".join(filter(None, parts))


def _aic(context: CountedContext) -> dict[str, float]:
    """Of the fits that converged, by their names in MODEL_NAMES."""
    fits = context.findings.fits
    partial = {f"partial_pooling.{name}": fit.aic for name, fit in fits.partial.items() if fit.is_converged}
    return ({} if fits.complete.problem else {"complete_pooling": fits.complete.aic}) | partial


def _each(aic: dict[str, float], best: str, names: list[str]) -> str:
    return numbers.listed(f"{MODEL_NAMES[name]} (AIC higher by {fixed(aic[name] - aic[best], 1)})" for name in names)


def _standard_errors(context: CountedContext) -> Iterator[str]:
    """By how much complete pooling's usual standard errors are too small; nothing where they are not."""
    fit = context.findings.fits.complete
    if fit.problem or not np.isfinite(fit.robust_se).all():
        return
    ratio = fit.robust_se / fit.se
    term = int(np.argmax(ratio))
    if ratio[term] >= 1.2:
        yield (
            f"The usual standard errors of complete pooling are too small, that of the {context.term_name(term)} by a "
            f"factor of {fixed(float(ratio[term]), 1)}: rows of a group are alike."
        )


TOPIC: Topic[CountedContext] = Topic(
    id="models",
    title="All models side by side",
    finding=lambda context: text.sentence(_finding(context)),
    blocks=_blocks,
    sources=("fits", "scaling"),
    guide=(GUIDE,),
)
