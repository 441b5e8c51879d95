"""What is said about the model as a whole: does it suit the rows, and which one answers what was found?"""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.effect_shape import EffectShape
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judgement import Judgement
from tasks.view.context import Context
from tasks.view.topic import Case, CheckSpec
from tasks.view.words import numbers, text
from tasks.view.words.numbers import fixed, percent, with_unit


def _missing(context: Context, judged: Judgement) -> MissingTerm:
    added = Added("curve" if judged.kind == "curve" else "context", context.position(judged.term))
    return next(one for one in context.findings.screening.missing if one.added == added)


def _name(context: Context, judged: Judgement) -> str:
    return context.terms[context.position(judged.term)]


def _slope(context: Context, judged: Judgement) -> str:
    return context.slope_name(context.position(judged.term))


def _parts(one: MissingTerm, scale: float, unit: str) -> tuple[str, str]:
    """`3.1 s per year` and `1.2 to 5.0`"""
    half = one.half_width / scale
    places, value = numbers.decimals_for(one.se / scale), one.coef / scale
    return with_unit(fixed(value, places), unit), numbers.interval(value - half, value + half, places)


def _estimate(one: MissingTerm, scale: float, unit: str) -> str:
    """`3.1 s per year (95 % interval 1.2 to 5.0)`"""
    return "{} (95 % interval {})".format(*_parts(one, scale, unit))


def _difference(context: Context, judged: Judgement) -> str:
    one = _missing(context, judged)
    name = context.slope_name(one.added.column)
    size, ends = _parts(one, context.raw_scale(one.added.column), context.raw_unit(one.added.column))
    return f"The {name} between groups differs from the one within groups by {size}. The 95 % interval is {ends}."


CONTEXT: CheckSpec[Context] = CheckSpec(
    kind="context",
    title="Slope within groups and between them",
    measure="p {value}, clear below {limit}",
    cases={
        "none": Case(lambda context, judged: f"{_difference(context, judged)} That is what chance would bring."),
        "hinted": Case(lambda context, judged: f"{_difference(context, judged)} That is some sign, not a clear one."),
        "little": Case(
            lambda context, judged: f"{_difference(context, judged)} It changes little in what is said of groups."
        ),
        "missing": Case(
            lambda context, judged: f"{_difference(context, judged)} A model with one slope mixes the two.",
            lambda context, judged: f"Read the {_slope(context, judged)} within groups from the extended model.",
            reason=lambda context, judged: f"the {_slope(context, judged)} between groups is not the one within them",
        ),
    },
)


def _bend(context: Context, judged: Judgement) -> str:
    one = _missing(context, judged)
    name = context.terms[one.added.column]
    return (
        f"A curve in {name} accounts for {percent(max(one.explained, 0.0))} of the residual variance "
        f"(p {p_value(one.p_value)})."
    )


def p_value(value: float) -> str:
    return "below 0.001" if value < 0.001 else fixed(value, 3)


CURVE: CheckSpec[Context] = CheckSpec(
    kind="curve",
    title="Straight lines",
    measure="p {value}, clear below {limit}",
    cases={
        "none": Case(lambda context, judged: f"{_bend(context, judged)} A straight line suits the rows."),
        "hinted": Case(lambda context, judged: f"{_bend(context, judged)} That is some sign, not a clear one."),
        "little": Case(lambda context, judged: f"{_bend(context, judged)} That is too little to matter."),
        "missing": Case(
            lambda context, judged: f"A straight line does not suit the rows. {_bend(context, judged)}",
            lambda context, judged: (
                f"Read the slope of {_name(context, judged)} as the one at its mean: it is another elsewhere."
            ),
            reason=lambda context, judged: (
                f"the outcome follows a curve in {_name(context, judged)}, not a straight line"
            ),
        ),
    },
)


def _order(context: Context) -> str:
    found = context.findings.screening.serial
    return f"in the order of {context.study.order}" if found.is_named else "in the order of the files"


def _correlation(context: Context, judged: Judgement) -> str:
    found = context.findings.screening.serial
    return (
        f"Rows of a group resemble the row before: their residuals correlate by {fixed(found.correlation, 2)} "
        f"({_order(context)})."
    )


def _worth(context: Context) -> str:
    share = context.findings.screening.serial.effective_share
    return f"For a group’s level, 100 such rows say as much as {100 * share:.0f} independent ones."


ORDER = 'order = "COLUMN"'
SERIAL: CheckSpec[Context] = CheckSpec(
    kind="serial",
    title="Rows that follow one another",
    measure="correlation {value}, noticeable above {limit}",
    cases={
        "few pairs": Case("Too few rows follow another of their group to tell whether they resemble each other."),
        "sorted": Case(
            "Each group’s rows are sorted by the outcome, so their order says nothing about whether rows resemble the "
            "row before."
        ),
        "none": Case(lambda context, judged: f"Rows do not resemble the row before ({_order(context)})."),
        "hinted": Case(
            lambda context, judged: (
                f"There is some sign, not a clear one, that rows resemble the row before ({_order(context)}). Chance "
                f"would bring as much with p = {fixed(context.findings.screening.serial.p_value, 3)}."
            )
        ),
        "some": Case(
            lambda context, judged: f"{_correlation(context, judged)} {_worth(context)}",
            "Use the extended model, which takes this into account; name the order of the rows in the study if it is "
            "not that of the files.",
            reason=lambda context, judged: "rows of a group resemble the row before, so there are fewer than it seems",
        ),
        "strong": Case(
            lambda context, judged: f"{_correlation(context, judged)} {_worth(context)}",
            lambda context, judged: (
                "Add up rows that follow one another, for example to one per week, or "
                f"{context.study.setting(ORDER)} if rows follow one another by something else."
            ),
        ),
    },
)


def _scatter(context: Context) -> str:
    found = context.findings.screening.shape
    return f"skewness {fixed(found.skewness, 1)}, excess kurtosis {fixed(found.kurtosis, 1)}; a normal has 0 and 0"


ROW_SHAPE: CheckSpec[Context] = CheckSpec(
    kind="row_shape",
    title="How rows scatter",
    cases={
        "normal": Case("Rows scatter near enough to a normal distribution for what is said of groups."),
        "heavy": Case(
            lambda context, judged: (
                f"Some rows lie much farther out than a normal distribution allows ({_scatter(context)})."
            ),
            "Use the extended model, which gives far rows less weight; look at these rows for errors.",
            reason="some rows lie much farther out than the model allows",
        ),
        "skewed": Case(
            lambda context, judged: f"Rows scatter much farther to one side than to the other ({_scatter(context)}).",
            lambda context, judged: (
                _take_logarithm(context)
                if context.findings.screening.mean_spread.is_cured
                else "If the outcome is positive, put its logarithm in a column of its own, name that as the outcome, "
                "and compare the two reports."
            ),
        ),
    },
)
MEAN_SPREAD: CheckSpec[Context] = CheckSpec(
    kind="mean_spread",
    title="Scatter by what is expected",
    cases={
        "even": Case("Within groups, rows scatter about alike whether much or little is expected of them."),
        "logarithm": Case(
            lambda context, judged: (
                f"Within groups, {_growth(judged)}. The logarithm of {context.outcome} scatters evenly: by the same "
                f"model of it, {_percentages(context)}."
            ),
            lambda context, judged: _take_logarithm(context),
        ),
        "uneven": Case(
            lambda context, judged: f"Within groups, {_growth(judged)}.",
            "Look for what makes some rows less certain than others, and for another scale of the outcome.",
        ),
    },
)


def _take_logarithm(context: Context) -> str:
    return (
        f"Put the logarithm of {context.outcome} in a column of its own and name that as the outcome: effects are then "
        "in percent."
    )


def _growth(judged: Judgement) -> str:
    """`rows scatter 1.8 times as much where much is expected as where little is expected`"""
    assert judged.value is not None
    times = max(judged.value, 1.0 / judged.value)
    much, little = ("much", "little") if judged.value >= 1 else ("little", "much")
    return f"rows scatter {fixed(times, 1)} times as much where {much} is expected as where {little} is expected"


def _percentages(context: Context) -> str:
    """`it changes by 3.1 % (95 % interval 2.0 % to 4.2 %) with one more year of age`, for each predictor."""
    found, told = context.findings.screening.mean_spread.logarithm, []
    if found is None:
        return ""
    for term in range(1, len(context.terms)):
        scale = context.raw_scale(term)
        ends = found.fixef[term] / scale + np.array([0.0, -Z_95, Z_95]) * found.se[term] / scale
        value, low, high = (f"{fixed(100.0 * float(np.expm1(end)), 1)} %" for end in ends)
        told.append(f"{value} (95 % interval {low} to {high}) with {context.one_more(term)}")
    return f"it changes by {numbers.listed(told)}" if told else "its groups can be compared in percent"


GROUP_EFFECTS: CheckSpec[Context] = CheckSpec(
    kind="group_effects",
    title="Groups as one population",
    cases={
        "normal": Case(
            lambda context, judged: (
                f"In their {_effect(context, judged)} groups are near enough to one normal population."
            )
        ),
        "outlying": Case(
            lambda context, judged: (
                f"In their {_effect(context, judged)} {_outlying(context, judged)} farther out than one normal "
                "population has its groups."
            ),
            "Look at what sets them apart; partial pooling draws them towards the others, a little too far.",
        ),
        "clusters": Case(
            lambda context, judged: (
                f"In their {_effect(context, judged)} groups fall into two clusters ({_clusters(context, judged)}); "
                f"the average group lies between them."
            ),
            "Look at what sets the two apart, and name it as a predictor; the groups’ own estimates hold.",
        ),
    },
)


def _shape_of(context: Context, judged: Judgement) -> EffectShape:
    return next(one for one in context.findings.screening.effects if one.term == judged.term)


def _effect(context: Context, judged: Judgement) -> str:
    return context.term_name(context.position(judged.term))


def _outlying(context: Context, judged: Judgement) -> str:
    groups = _shape_of(context, judged).outlying
    return f"{numbers.listed(context.named(group) for group in groups)} {numbers.be(len(groups), 'lies', 'lie')}"


def _clusters(context: Context, judged: Judgement) -> str:
    lower, upper = _shape_of(context, judged).cluster_sizes
    return f"{lower:,} lower, {upper:,} higher"


def _family(context: Context, family: str) -> str:
    return context.study.setting(f'family = "{family}"')


OUTCOME_KIND: CheckSpec[Context] = CheckSpec(
    kind="outcome_kind",
    title="Kind of outcome",
    cases={
        "measured": Case("The outcome is a measurement, as this model needs."),
        "two values": Case(
            "The outcome has two values only. A straight line leads beyond them, and its intervals mean nothing.",
            lambda context, judged: (
                f"If the two stand for no and yes, {_family(context, 'binomial')}: 0 and 1, or false and true. The "
                "groups’ means above are shares already and hold."
            ),
        ),
        "counts": Case(
            "The outcome is a small count, whose scatter grows with its mean. A straight line with one spread does not "
            "suit it.",
            lambda context, judged: f"If it is a count, {_family(context, 'poisson')}. The groups’ means above hold.",
        ),
    },
)


def extension(context: Context) -> str:
    """What the extended model adds, as `with group size and a curve in age`; empty where nothing was found."""
    answer = context.findings.screening.answer
    parts = [_added(context, one) for one in answer.added]
    parts += ["a residual spread for each group"] if answer.is_unequal else []
    parts += ["heavy tails"] if answer.is_heavy else []
    parts += ["rows that follow one another"] if answer.serial else []
    return f"with {numbers.listed(parts)}" if parts else ""


def _added(context: Context, one: Added) -> str:
    if one.kind == "size":
        return "group size"
    name = context.terms[one.column]
    return f"a curve in {name}" if one.kind == "curve" else f"the groups’ means of {name}"


def extended_model(context: Context) -> str:
    return f"the Bayesian model {extension(context)}"


ANSWER: CheckSpec[Context] = CheckSpec(
    kind="answer",
    title="Extended model",
    cases={
        "sampled": Case(
            lambda context, judged: text.sentence_case(
                f"{extended_model(context)} was fitted, and its sampler holds every limit."
            )
        ),
        "none": Case(
            "Rows lie far out, and follow one another: there is no model here that has both.",
            "Add up rows that follow one another, or set aside rows that are errors.",
        ),
        "not sampled": Case(
            lambda context, judged: text.sentence_case(
                f"{extended_model(context)} is needed here, but could not be sampled well enough."
            ),
            "Give the study more time ([sampler] max_minutes) or fewer predictors whose effects vary.",
        ),
    },
)
