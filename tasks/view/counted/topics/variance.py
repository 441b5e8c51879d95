"""How much groups differ in a counted outcome, in words of the outcome first, and how far pooling moves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from tasks.stats.counted.variance import CountedSpread
from tasks.stats.fits.intervals import Z_95
from tasks.stats.judged.recommended import WithInterval
from tasks.stats.records import Floats
from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics import shrinkage
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, OTHERS
from tasks.view.plain import by_label, listed
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.record import ByLabel, Number, Record, Vector
from tasks.view.topic import Entry, Topic, how_to_read
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, interval, percent

GUIDE = (
    "The median ratio compares two groups taken at random: the higher one has so many times the odds, or the rate, of "
    "the other; in half of all pairs the ratio is larger. 1 would mean that groups do not differ. A standard deviation "
    "says the same on the scale on which models are fitted. ICC is the share of all variation that lies between groups."
)
MOST_PLACES = 3  # of factors
ML, BAYES, EXTENDED = "Maximum likelihood", "Bayes", "Bayes, extended"


class CountedSpreadSummary(Record):
    """How far groups lie apart by one model; limits are null where it gives none."""

    sd: Vector = Field(description="q SDs of the varying effects on the link's scale, slopes per SD of the predictor")
    sd_lower: Vector = Field(description="2.5 % quantiles")
    sd_upper: Vector = Field(description="97.5 % quantiles")
    ratio: Number = Field(description="median odds or rate ratio of the higher to the lower of two groups")
    ratio_lower: Number = Field(description="95 % interval")
    ratio_upper: Number = Field(description="95 % interval")
    icc: Number = Field(description="share of the latent variation that lies between groups, 0 to 1")
    icc_lower: Number = Field(description="95 % interval")
    icc_upper: Number = Field(description="95 % interval")


class ShrinkageSummary(Record):
    """How far pooling moves one group."""

    pooled: Number = Field(description="rate that pooling makes of the group's own cases; the observed one is in rates")
    left_open: Vector = Field(
        description="q shares of the variance between groups that its own rows leave open, 0 to 1"
    )


class CountedVarianceSummary(Record):
    """How much groups differ."""

    names: list[str] = Field(description="q varying terms")
    likelihood: CountedSpreadSummary = Field(description="by the fullest fit of maximum likelihood")
    bayes: CountedSpreadSummary = Field(description="by plain Bayes")
    bayes_extended: CountedSpreadSummary | None = Field(
        description="by the model that answers what was found, with what size and context account for; null without one"
    )
    icc_count: Number = Field(
        description="expected count at which the ICC of a Poisson outcome is taken; null for shares"
    )
    groups: ByLabel[ShrinkageSummary] = Field(description="by group label")


def _spreads(context: CountedContext) -> list[tuple[str, CountedSpread]]:
    found = context.findings.variance
    extended = [(EXTENDED, found.answer)] if found.answer else []
    return [(ML, found.likelihood), (BAYES, found.bayes), *extended]


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (
        shrinkage.ways(context),
        *((_components_figure(context),) if len(context.varying) > 1 else ()),
        how_to_read(GUIDE, shrinkage.GUIDE),
        _components_table(context),
        shrinkage.moved(context),
    )


def _names(context: CountedContext) -> list[str]:
    return [context.term_name(term) for term in context.varying]


def _components_figure(context: CountedContext) -> Figure:
    looks = (MODELS["partial_pooling"], MODELS["bayes"])
    series = [
        intervals.Series(name, look.color, look.symbol, one.sd.estimate, one.sd.lower, one.sd.upper, 3)
        for (name, one), look in zip(_spreads(context), looks, strict=False)
    ]
    if (answer := context.findings.variance.answer) is not None:
        sd = answer.sd
        series.append(intervals.Series(EXTENDED, OTHERS[0], "triangle-up", sd.estimate, sd.lower, sd.upper, 3))
    names = _names(context)
    return Figure(
        id="figure-components",
        caption="Standard deviations between groups, with 95 % intervals of Bayes (slopes: per SD of the predictor).",
        alternative=_finding(context),
        spec=intervals.interval_plot(
            names, series, x_title=f"standard deviation ({context.link_unit(0)})", reference=0.0
        ),
        height=intervals.height(len(names), len(series)),
    )


def _components_table(context: CountedContext) -> Table:
    spreads, answer = _spreads(context), context.findings.variance.answer
    columns = (
        Column("Measure", is_number=False),
        Column("Unit", is_number=False),
        Column(ML, model="partial_pooling"),
        Column(BAYES, model="bayes", detail="95 % interval", is_recommended=answer is None and _is_bayes(context)),
        *(
            [Column(EXTENDED, model="bayes", detail="95 % interval", is_recommended=_is_bayes(context))]
            if answer
            else []
        ),
    )
    ones = [one for _, one in spreads]
    rows = (
        _row(f"Median {context.ratio_name}", "ratio", [one.ratio for one in ones]),
        *_sd_rows(context, ones),
        (Cell("ICC"), Cell("share"), *(_share(one.icc) for one in ones)),
        *_correlations(context),
    )
    return Table("table-components", "How far groups lie apart", columns, rows, _note(context))


def _is_bayes(context: CountedContext) -> bool:
    return context.findings.recommended is not None and context.quoted_model == "bayes"


def _note(context: CountedContext) -> str:
    found = context.findings.variance
    parts = ["Bayes: posterior medians. Odds and rates are of groups with the same cases."]
    if not context.is_binomial:
        parts = ["Bayes: posterior medians. Rates are of groups with the same cases."]
    if found.count is None:
        parts.append("ICC: on the latent scale of a logistic model, whose own variance is π²/3.")
    else:
        mean = numbers.significant(found.count, 3)
        parts.append(f"ICC: at the mean count of a row, {mean} {context.outcome}; of larger counts it is larger.")
    if found.answer is not None:
        parts.append("The extended model’s level has what was found missing, such as size, in it.")
    return " ".join(parts)


def _sd_rows(context: CountedContext, ones: Sequence[CountedSpread]) -> Iterator[tuple[Cell, ...]]:
    """As fitted, and slopes per raw unit."""
    for k, (term, name) in enumerate(zip(context.varying, _names(context), strict=True)):
        link, scale = context.link_unit(0), context.raw_scale(term)
        values = [_at(one.sd, k) for one in ones]
        unit = f"{link} per SD of {context.terms[term]}" if term and not context.is_level(term) else link
        yield _row(f"SD between groups: {name}", unit, values)
        if scale != 1.0:
            raw = [WithInterval(*(part / scale for part in vars(one).values())) for one in values]
            yield _row(f"SD between groups: {name}", context.link_unit(term), raw)


def _at(found: WithInterval, k: int) -> WithInterval:
    return WithInterval(*(np.asarray(part[k]) for part in vars(found).values()))


def _row(name: str, unit: str, values: Sequence[WithInterval]) -> tuple[Cell, ...]:
    bayes = values[1]
    places = numbers.decimals_for(float(bayes.upper - bayes.lower) / (2.0 * Z_95))
    return (Cell(name), Cell(unit), *(_cell(one, places) for one in values))


def _cell(found: WithInterval, places: int) -> Cell:
    value, lower, upper = (float(part) for part in vars(found).values())
    return Cell(fixed(value, places), interval(lower, upper, places) if np.isfinite(lower) else "")


def _share(found: WithInterval) -> Cell:
    value, lower, upper = (float(part) for part in vars(found).values())
    return Cell(percent(value), f"{percent(lower)} to {percent(upper)}" if np.isfinite(lower) else "")


def _correlations(context: CountedContext) -> Iterator[tuple[Cell, ...]]:
    fit, bayes, names = context.findings.fits.fullest, context.findings.bayes.correlation, context.varying
    blank = [Cell(numbers.MISSING)] if context.findings.answer else []
    for k in range(len(names)):
        for m in range(k):
            yield (
                Cell(f"Correlation: {context.term_name(names[m])}, {context.term_name(names[k])}"),
                Cell("–"),
                Cell(fixed(float(fit.correlation[k, m]), 2)),
                Cell(
                    fixed(float(bayes.median[k, m]), 2),
                    interval(float(bayes.lower[k, m]), float(bayes.upper[k, m]), 2),
                ),
                *blank,
            )


def _finding(context: CountedContext) -> str:
    """The ratio as the first screen has it."""
    found = context.findings.variance.quoted
    ratio = [fixed(float(part), 2) for part in vars(found.ratio).values()]
    what = "the odds of" if context.is_binomial else "the rate of"
    share = [percent(float(part)) for part in vars(found.icc).values()]
    where = "" if context.is_binomial else ", in rows of average size"
    slopes = "".join(_slope(context, k) for k, term in enumerate(context.varying) if term)
    return (
        f"Of two groups taken at random, the higher one typically has {ratio[0]} times {what} the other. The 95 % "
        f"interval of this ratio is {ratio[1]} to {ratio[2]}. {share[0]} of the variation lies between groups (ICC; "
        f"95 % interval {share[1]} to {share[2]}){where}.{slopes} {shrinkage.finding(context)}"
    )


def _slope(context: CountedContext, k: int) -> str:
    """How much one effect differs between groups, as a ratio per raw unit."""
    term = context.varying[k]
    sd = _at(context.findings.variance.quoted.sd, k)
    factors = [np.exp(float(part) / context.raw_scale(term)) for part in vars(sd).values()]
    places = min(max(2, numbers.decimals_for((factors[2] - factors[1]) / (2.0 * Z_95))), MOST_PLACES)
    value, lower, upper = (fixed(float(factor), places) for factor in factors)
    per = "" if context.is_level(term) else f" per {context.predictor_unit(term)}"
    return (
        f" The {context.term_name(term)} differs between groups, typically by a factor of {value} in the "
        f"{context.ratio_name}{per} (95 % interval {lower} to {upper})."
    )


def variance_of(context: CountedContext) -> CountedVarianceSummary:
    found = context.findings.variance
    return CountedVarianceSummary.given(
        names=[context.findings.terms[term] for term in context.findings.fits.fullest.varying],
        likelihood=_told(found.likelihood),
        bayes=_told(found.bayes),
        bayes_extended=_told(found.answer) if found.answer else None,
        icc_count=found.count,
        groups=by_label(context.findings.labels, pooled=listed(found.pooled), left_open=_listed(found.left_open)),
    )


def _listed(values: Floats) -> list[object]:
    return list(listed(values))


def _told(found: CountedSpread) -> CountedSpreadSummary:
    entries = {
        f"{name}{end}": part
        for name in ("sd", "ratio", "icc")
        for end, part in zip(("", "_lower", "_upper"), vars(getattr(found, name)).values(), strict=True)
    }
    return CountedSpreadSummary.given(**entries)


TOPIC: Topic[CountedContext] = Topic(
    id="variance",
    title="How much groups differ, and how far they are pooled",
    finding=lambda context: text.sentence(_finding(context)),
    blocks=_blocks,
    sources=("variance_components", "rates", "fits", "likelihood_ratio_test", "recommended"),
    guide=(GUIDE, shrinkage.GUIDE),
    summary=(
        Entry(
            "variance_components",
            CountedVarianceSummary,
            "How much groups differ, and how far they are pooled",
            variance_of,
        ),
    ),
)
