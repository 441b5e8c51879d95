"""The priors of a counted outcome's Bayesian models, on the link's scale."""

from __future__ import annotations

from tasks.stats.counted.added_terms import counted_model
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.priors import CountedPriors, resolve_counted_priors
from tasks.view.counted.context import CountedContext
from tasks.view.records import Cell, Column, Table
from tasks.view.words import numbers, text


def plain_model(context: CountedContext) -> CountedModel:
    """The plain model of all the study's varying terms."""
    found = context.findings
    return counted_model(found.cells, found.scaling, found.fits.fullest.varying)


def priors_table(context: CountedContext) -> Table:
    """Of the plain model, then of the terms that the answer adds."""
    plain = plain_model(context)
    priors, link = resolve_counted_priors(context.study.priors, plain), context.link_unit(0)
    columns = (Column("Parameter", is_number=False), Column("Unit", is_number=False), Column("Prior", is_number=False))
    average = [
        (f"Average {context.term_name(k)}", _unit(context, k), _normal(float(mean), float(sd)))
        for k, (mean, sd) in enumerate(zip(priors.beta_mean, priors.beta_sd, strict=True))
    ]
    spread = [
        (f"SD between groups: {context.term_name(term)}", _unit(context, term), f"half-normal({_n(sd)})")
        for term, sd in zip(context.varying, priors.sigma_group_sd, strict=True)
    ]
    correlation = (
        [("Correlations of the group effects", "–", f"LKJ({priors.lkj:g})")] if len(context.varying) > 1 else []
    )
    rows = tuple(
        (Cell(name), Cell(unit), Cell(prior))
        for name, unit, prior in [*average, *spread, *correlation, *_added(context, priors, link)]
    )
    factor = "odds" if context.is_binomial else "rate"
    note = f"normal(mean, SD), on the link’s scale: 1 more is a factor of 2.7 in the {factor}."
    return Table("table-priors", "Priors of the Bayesian model", columns, rows, note)


def _added(context: CountedContext, plain: CountedPriors, link: str) -> list[tuple[str, str, str]]:
    """Of what the answer has that the plain model has not."""
    wide = context.findings.screening.model
    if context.findings.answer is None:
        return []
    priors = resolve_counted_priors(context.study.priors, wide)
    own = plain.beta_mean.size
    return [
        (f"Added: {text.readable(name)}", link, _normal(float(mean), float(sd)))
        for name, mean, sd in zip(
            context.findings.answer.terms[own:], priors.beta_mean[own:], priors.beta_sd[own:], strict=True
        )
    ]


def _unit(context: CountedContext, term: int) -> str:
    link = context.link_unit(0)
    return link if term == 0 or context.is_level(term) else f"{link} per SD of {context.terms[term]}"


def _normal(mean: float, sd: float) -> str:
    return f"normal({_n(mean)}, {_n(sd)})"


def _n(value: float) -> str:
    return numbers.significant(float(value), 3)
