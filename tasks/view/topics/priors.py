"""What the priors expect before the data, how the data changed that, and how much the priors matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.judged.prior_overlay import Overlay, prior_overlays
from tasks.stats.judged.prior_predictive import Expected, PriorPredictive
from tasks.stats.judged.prior_sensitivity import SPREAD_ALLOWANCE, PriorSensitivity, Sensitivity
from tasks.stats.judgement import Judgement
from tasks.stats.records import PosteriorDraws
from tasks.view.context import Context
from tasks.view.figures import prior as figures
from tasks.view.records import Block, Cell, Column, Figure, Panel, Panels, Table
from tasks.view.summary.priors import (
    PriorPredictiveSummary,
    PriorSensitivitySummary,
    prior_predictive_of,
    prior_sensitivity_of,
)
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages, worst_first
from tasks.view.topics import prior_names
from tasks.view.words import numbers, text
from tasks.view.words.numbers import plural, with_unit

PANELS_LIMIT = 12
SPREADS = ("sigma_group", "icc")
GUIDE = (
    "A Bayesian model starts from priors: what each unknown could be before the data are seen. The first figure "
    "shows which data the priors allow (bands) beside the data (heavy line): the line should not leave the bands, and "
    "the bands should not be absurdly wide. In the small panels, the narrower the green curve is beside the purple "
    "one, the more the data have taught. Sensitivity says how far a result moves when the prior, or the data, count "
    "for more or less: at 0.05, doubling or halving the weight would move it by about a quarter of its own "
    "uncertainty. If the prior moves a result and the data do so too, the two may pull apart; if the prior alone "
    "does, the prior decides it. Among few groups every prior on their spread is felt: there the health card asks for "
    "review only from twice that limit on."
)


def _blocks(context: Context) -> tuple[Block, ...]:
    predictive, sensitivity = context.findings.prior_predictive, context.findings.prior_sensitivity
    return (
        _predictive_figure(context, predictive),
        _predictive_table(context, predictive),
        *([_overlays(context, context.draws)] if context.draws is not None else []),
        _sensitivity_figure(context, sensitivity),
        how_to_read(GUIDE),
        _sensitivity_table(context, sensitivity),
    )


def _predictive_figure(context: Context, found: PriorPredictive) -> Figure:
    unit = f" ({context.unit})" if context.unit else ""
    shown = "all rows" if found.n_rows_used == context.data.n_rows else "rows evenly spaced in the order of the groups"
    rule = (
        f"{found.n_draws:,} data sets simulated from the priors alone, for {found.n_rows_used:,} of the rows ({shown})."
    )
    return Figure(
        id="figure-prior-predictive",
        caption=f"Share of rows below each value: in the data, and as the priors expect it. {rule} "
        f"{context.sample_note}".strip(),
        alternative=messages(context, [PREDICTIVE]),
        spec=figures.share_below(
            found.outcome_grid, found.share_below, found.share_below_observed, x_title=f"{context.outcome}{unit}"
        ),
        height=380,
    )


def _predictive_table(context: Context, found: PriorPredictive) -> Table:
    columns = (
        Column("Under the priors alone", is_number=False),
        Column("Unit", is_number=False),
        Column("Middle 50 %"),
        Column("Middle 95 %"),
        Column("In the data"),
    )
    expected = [
        (name, unit, prior_names.expected_range(one, 0.5), prior_names.expected_range(one), numbers.MISSING)
        for one in found.expected
        for name, unit in [_expected_name(context, one)]
    ]
    statistics = [
        (
            f"{text.sentence_case(prior_names.statistic_name(context, one.name, one.term))} of all rows",
            prior_names.raw_unit_of(context, one.term) or numbers.MISSING,
            numbers.MISSING,
            numbers.interval(one.lower, one.upper, places),
            numbers.fixed(one.observed, places),
        )
        for one in found.statistics
        for places in [numbers.decimals_for((one.upper - one.lower) / 4)]
    ]
    rows = tuple(tuple(Cell(value) for value in row) for row in (*expected, *statistics))
    of_rows = "Median, SD and slopes" if len(context.terms) > 1 else "Median and SD"
    note = (
        f"{numbers.percent(found.share_wild)} of the simulated outcomes lie more than 10 SDs of the data from their "
        f"average. {of_rows} are of the rows simulated, groups ignored."
    )
    return Table("table-prior-predictive", "What the priors allow", columns, rows, note)


def _expected_name(context: Context, one: Expected) -> tuple[str, str]:
    names = {
        "outcome": f"{text.sentence_case(context.outcome)} of a row",
        "level": "Level of a group",
        "slope": f"Slope of {text.readable(one.term)} in a group",
        "icc": "ICC",
    }
    unit = "share" if one.name == "icc" else prior_names.raw_unit_of(context, one.term)
    return names[one.name], unit or numbers.MISSING


def _overlays(context: Context, draws: PosteriorDraws) -> Panels:
    findings = context.findings
    priors = resolve_priors(context.study, findings.scaling)
    overlays = list(prior_overlays(draws, priors, findings.terms, context.varying, findings.scaling))
    panels = tuple(_overlay(context, one, number) for number, one in enumerate(overlays[:PANELS_LIMIT]))
    cut = f" Shown are the first {PANELS_LIMIT} of {len(overlays)}." if len(overlays) > PANELS_LIMIT else ""
    caption = (
        "Prior (purple, dashed) and posterior (green) of each parameter, both drawn to the same height. Where the "
        f"green one is much narrower, the data have decided; where they look alike, the prior has.{cut}"
    )
    return Panels("panels-priors", caption, panels)


def _overlay(context: Context, one: Overlay, number: int) -> Panel:
    name = text.sentence_case(prior_names.named(context, one.kind, one.terms))
    unit = "" if one.kind == "correlation" else prior_names.raw_unit_of(context, _slope(one.terms))
    ends = [float(one.posterior_at[0]), float(one.posterior_at[-1])]
    wide = [float(one.prior_at[0]), float(one.prior_at[-1])]
    return Panel(
        id=f"panel-prior-{number}",
        title=name,
        detail=unit,
        alternative=(
            f"{name}: the prior is shown from {numbers.significant(wide[0])} to {numbers.significant(wide[1])}, the "
            f"posterior lies between {numbers.significant(ends[0])} and {numbers.significant(ends[1])}."
        ),
        spec=figures.prior_and_posterior(
            one.prior_at, one.prior_density, one.posterior_at, one.posterior_density, x_title=unit or "value"
        ),
    )


def _slope(terms: tuple[str, ...]) -> str:
    return "" if not terms or terms[0] == "intercept" else terms[0]


def _sensitivity_figure(context: Context, found: PriorSensitivity) -> Figure:
    rows = [*_parameter_rows(context, found), *_group_rows(context, found)]
    some = f"{found.n_groups_used:,} of {context.n_groups:,} groups, evenly spaced"
    of_groups = f" Groups: {some}." if found.n_groups_used < context.n_groups else ""
    return Figure(
        id="figure-prior-sensitivity",
        caption="How far each result would move if the prior, or the data, counted for a little more or less; the line "
        f"is the limit for the prior. From {found.n_draws_used:,} draws.{of_groups}",
        alternative=messages(context, [SENSITIVITY]),
        spec=figures.sensitivity(rows, found.threshold),
        height=figures.sensitivity_height(len(rows)),
    )


def _parameter_rows(context: Context, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for one in found.quantities:
        if one.group < 0:
            name, short = (
                text.sentence_case(prior_names.quantity_name(context, one)),
                prior_names.short_name(context, one),
            )
            yield figures.SensitivityRow(short, np.array([one.prior]), np.array([one.likelihood]), (name,), (-1,))


def _group_rows(context: Context, found: PriorSensitivity) -> Iterator[figures.SensitivityRow]:
    for k, term in enumerate(context.findings.terms):
        mine = [one for one in found.quantities if one.group >= 0 and one.terms == (term,)]
        yield figures.SensitivityRow(
            f"Groups: {context.term_name(k)}",
            np.array([one.prior for one in mine]),
            np.array([one.likelihood for one in mine]),
            tuple(context.labels[one.group] for one in mine),
            tuple(one.group for one in mine),
        )


def _sensitivity_table(context: Context, found: PriorSensitivity) -> Table:
    columns = (
        Column("Result", is_number=False),
        Column("Moved by the prior"),
        Column("Moved by the data"),
        Column("Finding", is_number=False),
    )
    shown = [one for one in found.quantities if one.group < 0 or one.diagnosis]
    rows = tuple(
        (
            Cell(_result_name(context, one)),
            Cell(numbers.fixed(one.prior, 3)),
            Cell(numbers.fixed(one.likelihood, 3)),
            Cell(DIAGNOSES[one.diagnosis], status="review" if one.asks_review else None),
        )
        for one in shown
    )
    note = (
        f"Power-scaling sensitivity. From {found.threshold:g} on a prior has a say, and asks for review, as marked; in "
        f"the spread between groups and in the ICC, which feel every prior, only from "
        f"{found.threshold * SPREAD_ALLOWANCE:g} on, and in a correlation never. Group estimates stand here only where "
        f"the prior has a say, of the {found.n_groups_used:,} groups looked at."
    )
    return Table("table-prior-sensitivity", "How much the priors matter", columns, rows, note)


def _result_name(context: Context, one: Sensitivity) -> str:
    name = text.sentence_case(prior_names.quantity_name(context, one))
    return f"{name}, {context.labels[one.group]}" if one.group >= 0 else name


DIAGNOSES = {"": "–", "conflict": "prior and data may pull apart", "strong prior": "the prior decides"}


def _expectation(context: Context) -> str:
    """What the priors expect of a row: the beginning of a sentence."""
    outcome = with_unit(prior_names.expected_range(context.findings.prior_predictive.expected[0]), context.unit)
    return f"Before they see the data, the priors expect {context.outcome} from {outcome} (95 %)"


def _leave_room(context: Context, judged: Judgement) -> str:
    return f"{_expectation(context)}: they leave room for data like these."


def _rule_out(context: Context, judged: Judgement) -> str:
    names = numbers.listed(
        prior_names.statistic_name(context, one.name, one.term) for one in context.findings.prior_predictive.excluded
    )
    return f"{_expectation(context)}: they all but rule out the data’s {names}."


def _hardly(context: Context, judged: Judgement) -> str:
    return "The priors hardly matter for averages, spreads and group estimates."


def _some(context: Context, judged: Judgement) -> str:
    found = [one for one in context.findings.prior_sensitivity.flagged if one.kind != "correlation"]
    of_spread = any(one.kind in SPREADS for one in found)
    hardly = "averages and group estimates" if of_spread else "averages, spreads and group estimates"
    few = _few(context) if of_spread else ""
    return f"The priors hardly matter for {hardly}. They do have some say in {_said(context, found)}.{few}"


def _noticeable(context: Context, judged: Judgement) -> str:
    found = context.findings.prior_sensitivity
    less = [one for one in found.flagged if not one.asks_review and one.group < 0 and one.kind != "correlation"]
    some = f" They have some say in {_said(context, less)}." if less else ""
    few = _few(context) if any(one.kind in SPREADS for one in found.to_review) else ""
    return f"The priors have a noticeable say in {_said(context, found.to_review)}.{some}{few}"


def _few(context: Context) -> str:
    return f" With {plural(context.n_groups, 'group')} the prior on the spread between groups matters."


def _said(context: Context, found: Sequence[Sensitivity]) -> str:
    """The quantities by their meaning; group estimates only by their number."""
    named = [_meaning(context, one) for one in found if one.group < 0]
    groups = {one.group for one in found if one.group >= 0}
    looked_at = context.findings.prior_sensitivity.n_groups_used
    of_groups = [f"the estimates of {len(groups):,} of the {plural(looked_at, 'group')} looked at"] if groups else []
    return numbers.listed(named + of_groups, limit=6)


def _meaning(context: Context, one: Sensitivity) -> str:
    effects = [context.term_name(context.position(term)) for term in one.terms]
    return {
        "fixef": f"the average {' '.join(effects)}",
        "sigma_group": f"how far groups lie apart in their {' '.join(effects)}",
        "sigma": "how far rows lie from their group’s expectation",
        "icc": "the share of the variation that lies between groups (ICC)",
    }[one.kind]


PREDICTIVE: CheckSpec[Context] = CheckSpec(
    kind="prior_predictive",
    title="The priors allow the data",
    measure="least p {value}, at least {limit}",
    cases={
        "room": Case(_leave_room),
        "excluded": Case(
            _rule_out,
            "Look at the priors, under [priors]: a wrong unit, or too small a scale? Else say why the priors should "
            "win.",
            "Look at the priors: they all but rule out the data.",
        ),
    },
)
SENSITIVITY: CheckSpec[Context] = CheckSpec(
    kind="prior_sensitivity",
    title="How much the priors matter",
    measure="{value}, below {limit}",
    cases={
        "hardly": Case(_hardly),
        "some": Case(_some),
        "noticeable": Case(
            _noticeable,
            "Quote these with their intervals and name the prior; run the study with another one under [priors] and "
            "see what changes.",
            lambda context, judged: (
                f"When you quote {_said(context, context.findings.prior_sensitivity.to_review)}, "
                "say that the prior has a part in it."
            ),
        ),
    },
)
TOPIC = Topic(
    id="priors",
    title="What the priors say, and how much they matter",
    finding=lambda context: worst_first(context, [PREDICTIVE, SENSITIVITY]),
    blocks=_blocks,
    sources=("prior_predictive", "prior_sensitivity", "priors", "checks"),
    guide=(GUIDE,),
    checks=(PREDICTIVE, SENSITIVITY),
    summary=(
        Entry(
            "prior_predictive",
            PriorPredictiveSummary,
            "Data simulated from the priors alone, in the outcome's unit",
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
