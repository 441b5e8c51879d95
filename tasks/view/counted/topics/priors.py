"""What the priors expect before they see the data, on the scale of rates, and how much they matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from tasks.stats.judged.prior_predictive import Expected, PriorPredictive
from tasks.stats.judged.prior_sensitivity import SPREAD_ALLOWANCE, PriorSensitivity, Sensitivity
from tasks.stats.judgement import Judgement
from tasks.view.counted.context import CountedContext
from tasks.view.figures import prior as figures
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.priors import PriorSensitivitySummary, prior_sensitivity_of
from tasks.view.summary.record import Count, Flag, Matrix, Number, Record, Vector
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages, worst_first
from tasks.view.topics.priors import DIAGNOSES
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural

GUIDE = (
    "A Bayesian model starts from priors: what each unknown could be before the data are seen. The first figure shows "
    "which rates of groups the priors allow (bands) beside those of the data (heavy line): the line should not leave "
    "the bands. Sensitivity says how far a result moves when the prior, or the data, count for more or less: at 0.05, "
    "doubling or halving the weight would move it by about a quarter of its own uncertainty. Among few groups every "
    "prior on their spread is felt: there review is asked for only from twice that limit on."
)


class CountedExpectedSummary(Record):
    """One quantity under the priors alone."""

    name: str = Field(description="rate: of a group; ratio: of odds or rates per raw unit of a predictor")
    term: str = Field(description="of a ratio; else empty")
    quantiles: Vector = Field(description="2.5, 25, 50, 75 and 97.5 %")


class CountedPriorStatisticSummary(Record):
    """One statistic of the data beside its prior predictive distribution."""

    name: str = Field(description="rate: of all events; spread: SD of the groups' rates")
    observed: Number = Field(description="of the data")
    lower: Number = Field(description="2.5 % quantile over simulated data sets")
    upper: Number = Field(description="97.5 % quantile")
    tail_probability: Number = Field(description="share of simulated data sets at least as far out, on the nearer side")
    is_excluded: Flag = Field(description="tail_probability is below `tail`")


class CountedPriorPredictiveSummary(Record):
    """Data simulated from the priors alone; rates are probabilities per trial, or counts per unit of exposure."""

    expected: list[CountedExpectedSummary] = Field(description="what the priors expect")
    statistics: list[CountedPriorStatisticSummary] = Field(description="of the data, beside those of simulated ones")
    share_wild: Number = Field(description="share of simulated groups with rates a thousand times off the data's")
    outcome_grid: Vector = Field(description="rates for the two curves below")
    share_below: Matrix = Field(description="share of groups at or below each rate: five quantiles over data sets")
    share_below_observed: Vector = Field(description="the same of the data")
    n_draws: Count = Field(description="data sets simulated")
    n_rows_used: Count = Field(description="cells simulated in each")
    tail: Number = Field(description="a smaller tail probability calls for review")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    predictive, sensitivity = context.findings.prior_predictive, context.findings.prior_sensitivity
    return (
        _predictive_figure(context, predictive),
        _predictive_table(context, predictive),
        _sensitivity_figure(context, sensitivity),
        how_to_read(GUIDE),
        _sensitivity_table(context, sensitivity),
    )


def _predictive_figure(context: CountedContext, found: PriorPredictive) -> Figure:
    return Figure(
        id="figure-prior-predictive",
        caption=(
            f"Share of groups below each rate: in the data, and as the priors expect it, by {found.n_draws:,} data "
            "sets simulated from the priors alone."
        ),
        alternative=messages(context, [PREDICTIVE]),
        spec=figures.share_below(
            context.rate_scale * found.outcome_grid,
            found.share_below,
            found.share_below_observed,
            x_title=text.sentence_case(context.rate_name),
            what="groups",
        ),
        height=380,
    )


def _predictive_table(context: CountedContext, found: PriorPredictive) -> Table:
    columns = (
        Column("Under the priors alone", is_number=False),
        Column("Middle 50 %"),
        Column("Middle 95 %"),
        Column("In the data"),
    )
    expected = [
        (_expected_name(context, one), _range(context, one, 1, 3), _range(context, one, 0, 4), numbers.MISSING)
        for one in found.expected
    ]
    names = {"rate": "Rate of all groups together", "spread": "SD of the groups’ rates"}
    statistics = [
        (
            names[one.name],
            numbers.MISSING,
            context.rate_interval(one.lower, one.upper),
            context.rate_text(one.observed),
        )
        for one in found.statistics
    ]
    rows = tuple(tuple(Cell(value) for value in row) for row in (*expected, *statistics))
    note = f"{numbers.percent(found.share_wild)} of the simulated groups have rates a thousand times off the data’s."
    return Table("table-prior-predictive", "What the priors allow", columns, rows, note)


def _expected_name(context: CountedContext, one: Expected) -> str:
    if one.name == "rate":
        return "Rate of a group"
    term = context.position(one.term)
    what = (
        context.compared(term)
        if context.is_level(term)
        else f"{context.terms[term]} per {context.predictor_unit(term)}"
    )
    return f"{text.sentence_case(context.ratio_name)}: {what}"


def _range(context: CountedContext, one: Expected, low: int, high: int) -> str:
    if one.name == "rate":
        return context.rate_interval(float(one.quantiles[low]), float(one.quantiles[high]))
    ends = [numbers.significant(float(one.quantiles[k]), 3) for k in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def _sensitivity_figure(context: CountedContext, found: PriorSensitivity) -> Figure:
    rows = [*_parameter_rows(context, found), *_group_rows(context, found)]
    some = f" Groups: {found.n_groups_used:,} of {context.n_groups:,}, evenly spaced."
    return Figure(
        id="figure-prior-sensitivity",
        caption=(
            "How far each result would move if the prior, or the data, counted for a little more or less; the line is "
            f"the limit for the prior. From {found.n_draws_used:,} draws."
            f"{some if found.n_groups_used < context.n_groups else ''}"
        ),
        alternative=messages(context, [SENSITIVITY]),
        spec=figures.sensitivity(rows, found.threshold),
        height=figures.sensitivity_height(len(rows)),
    )


def _parameter_rows(context: CountedContext, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for one in found.quantities:
        if one.group < 0:
            name = text.sentence_case(_meaning(context, one))
            yield figures.SensitivityRow(name, np.array([one.prior]), np.array([one.likelihood]), (name,), (-1,))


def _group_rows(context: CountedContext, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for k, term in enumerate(context.findings.terms):
        mine = [one for one in found.quantities if one.group >= 0 and one.terms == (term,)]
        if k in context.varying and mine:
            yield figures.SensitivityRow(
                f"Groups: {context.term_name(k)}",
                np.array([one.prior for one in mine]),
                np.array([one.likelihood for one in mine]),
                tuple(context.labels[one.group] for one in mine),
                tuple(one.group for one in mine),
            )


_OF_PLAIN = " All of this is of the plain Bayesian fit, not of the model with more terms."


def _sensitivity_table(context: CountedContext, found: PriorSensitivity) -> Table:
    columns = (
        Column("Result", is_number=False),
        Column("Moved by the prior"),
        Column("Moved by the data"),
        Column("Finding", is_number=False),
    )
    rows = tuple(
        (
            Cell(_result_name(context, one)),
            Cell(numbers.fixed(one.prior, 3)),
            Cell(numbers.fixed(one.likelihood, 3)),
            Cell(DIAGNOSES[one.diagnosis], status="review" if one.asks_review else None),
        )
        for one in found.quantities
        if one.group < 0 or one.diagnosis
    )
    note = (
        f"Power-scaling sensitivity. From {found.threshold:g} on a prior has a say; in the spread between groups it "
        f"asks for review only from {found.threshold * SPREAD_ALLOWANCE:g} on, and in a correlation never. Group "
        "estimates stand here only where the prior has a say."
        f"{_OF_PLAIN if context.findings.answer else ''}"
    )
    return Table("table-prior-sensitivity", "How much the priors matter", columns, rows, note)


def _result_name(context: CountedContext, one: Sensitivity) -> str:
    name = text.sentence_case(_meaning(context, one))
    return f"{name}, {context.labels[one.group]}" if one.group >= 0 else name


def _meaning(context: CountedContext, one: Sensitivity) -> str:
    own = context.findings.terms
    effects = " and ".join(
        context.term_name(own.index(term)) if term in own else text.readable(term) for term in one.terms
    )
    return {
        "fixef": f"average {effects}",
        "group": effects,
        "sigma_group": f"how far groups lie apart in their {effects}",
        "correlation": f"correlation of {effects}",
    }.get(one.kind, effects)


def _rates_expected(context: CountedContext) -> str:
    one = next(one for one in context.findings.prior_predictive.expected if one.name == "rate")
    return f"Before they see the data, they expect rates of groups from {_range(context, one, 0, 4)} (95 %)"


def _excluded(context: CountedContext) -> str:
    names = {"rate": "overall rate", "spread": "spread of the groups’ rates"}
    found = [names[one.name] for one in context.findings.prior_predictive.excluded]
    return numbers.listed(found or names.values())


def _said(context: CountedContext, found: Sequence[Sensitivity]) -> str:
    """The quantities by their meaning; group estimates only by their number."""
    named = [_meaning(context, one) for one in found if one.group < 0]
    groups = {one.group for one in found if one.group >= 0}
    looked_at = context.findings.prior_sensitivity.n_groups_used
    of_groups = [f"the estimates of {len(groups):,} of the {plural(looked_at, 'group')} looked at"] if groups else []
    return numbers.listed(named + of_groups, limit=6)


def _some(context: CountedContext, judged: Judgement) -> str:
    found = [one for one in context.findings.prior_sensitivity.flagged if one.kind != "correlation"]
    return f"The priors hardly matter for most results. They do have some say in {_said(context, found)}."


def _noticeable(context: CountedContext, judged: Judgement) -> str:
    found = context.findings.prior_sensitivity.to_review
    more = f" They are: {_said(context, found[1:])}." if len(found) > 1 else ""
    return f"The priors have a noticeable say in {_said(context, found[:1])}{' and others' if more else ''}.{more}"


PREDICTIVE: CheckSpec[CountedContext] = CheckSpec(
    kind="prior_predictive",
    title="The priors allow the data",
    measure="least p {value}, at least {limit}",
    cases={
        "room": Case(lambda context, judged: f"The priors leave room for data like these. {_rates_expected(context)}."),
        "excluded": Case(
            lambda context, judged: (
                f"The priors all but rule out the data’s {_excluded(context)}. {_rates_expected(context)}."
            ),
            "See whether [priors] are on the scale of log odds, or of log rates.",
            "Look at the priors: they all but rule out the data.",
        ),
    },
)
SENSITIVITY: CheckSpec[CountedContext] = CheckSpec(
    kind="prior_sensitivity",
    title="How much the priors matter",
    measure="{value}, below {limit}",
    cases={
        "hardly": Case("The priors hardly matter for averages, spreads and group estimates."),
        "some": Case(_some),
        "noticeable": Case(
            _noticeable,
            "Quote these with their intervals and name the prior; run the study with another one under [priors] and "
            "see what changes.",
            "When you quote these, say that the prior has a part in them.",
        ),
    },
)


def prior_predictive_of(found: PriorPredictive) -> CountedPriorPredictiveSummary:
    return CountedPriorPredictiveSummary.of(
        found,
        expected=[CountedExpectedSummary.of(one) for one in found.expected],
        statistics=[CountedPriorStatisticSummary.of(one) for one in found.statistics],
    )


TOPIC: Topic[CountedContext] = Topic(
    id="priors",
    title="What the priors say, and how much they matter",
    finding=lambda context: worst_first(context, [PREDICTIVE, SENSITIVITY]),
    blocks=_blocks,
    sources=("prior_predictive", "prior_sensitivity", "checks"),
    guide=(GUIDE,),
    checks=(PREDICTIVE, SENSITIVITY),
    summary=(
        Entry(
            "prior_predictive",
            CountedPriorPredictiveSummary,
            "Data simulated from the priors alone",
            lambda context: prior_predictive_of(context.findings.prior_predictive),
        ),
        Entry(
            "prior_sensitivity",
            PriorSensitivitySummary,
            "Power-scaling sensitivity (Kallioinen et al. 2024), 0 = unmoved",
            lambda context: prior_sensitivity_of(context.findings.prior_sensitivity, context.findings.labels),
        ),
    ),
)
