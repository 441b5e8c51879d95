"""Does the model suit the rows: effects within and between groups, curves, order, one population; the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.effect_shape import EffectShape
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judgement import Judgement
from tasks.view.counted.context import CountedContext
from tasks.view.counted.verdict_clauses import extended_name
from tasks.view.figures import scatter
from tasks.view.figures.style import NEUTRAL, axis
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.record import Flag, Number, Record
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, worst_first
from tasks.view.topics.model_words import p_value
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, plural

GUIDE = (
    "The model takes an effect to be the same between groups as within them, straight on the scale of log "
    "odds or log rates, and groups to be one normal population. Each of these was tested by adding what would be "
    "missing. In the Q–Q plot points on a straight line follow a normal distribution; one far off it is a group unlike "
    "the others."
)


class CountedMissingTermSummary(Record):
    """A term added alone to the plain model of partial pooling, on the link's scale."""

    kind: Literal["size", "context", "curve"] = Field(description="what it is")
    term: str = Field(description="the predictor that it is of; empty for size")
    coef: Number = Field(description="per doubling of size, SD of a group mean, or squared SD")
    se: Number = Field(description="its standard error")
    p_value: Number = Field(description="of 0, by the likelihood ratio")
    is_missing: Flag = Field(description="clear, and large enough to matter")


def _term_of(context: CountedContext, one: MissingTerm) -> CountedMissingTermSummary:
    name = context.findings.terms[one.added.column] if one.added.column else ""
    return CountedMissingTermSummary.of(one, kind=one.added.kind, term=name)


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    shapes = tuple(_qq(context, one) for one in context.findings.screening.effects)
    tested = (_tested(context),) if context.findings.screening.missing else ()
    extended = (_extended(context),) if context.findings.answer else ()
    return (*shapes, *extended, *tested, how_to_read(GUIDE))


def _qq(context: CountedContext, found: EffectShape) -> Figure:
    """Standardised group effects against normal quantiles."""
    groups = np.flatnonzero(np.isfinite(found.standardised))
    order = groups[np.argsort(found.standardised[groups], kind="stable")]
    term = context.position(found.term)
    return Figure(
        id=f"figure-effects-qq-{term}",
        caption=(
            f"Groups’ {context.term_name(term)} (standardised) against what a normal population of groups would have. "
            f"{_left_out(context, context.n_groups - order.size)}"
        ).strip(),
        alternative=f"{order.size:,} groups in order of their {context.term_name(term)}.",
        spec=scatter.scatter(
            ndtri((np.arange(order.size) + 0.5) / order.size),
            found.standardised[order],
            names=[context.labels[group] for group in order],
            color=NEUTRAL,
            x_axis=axis("normal quantiles"),
            y_axis=axis("standardised effect"),
            groups=order,
        ),
        height=340,
    )


def _left_out(context: CountedContext, n: int) -> str:
    return f"{plural(n, 'group')} with too few {context.outcome} to show {numbers.be(n)} left out." if n else ""


def _tested(context: CountedContext) -> Table:
    columns = (
        Column("What might be missing", is_number=False),
        Column("Estimate", "link scale"),
        Column("95 % interval"),
        Column("p"),
    )
    rows = tuple(
        (
            Cell(_title(context, one.added)),
            Cell(fixed(one.coef, numbers.decimals_for(one.se))),
            Cell(numbers.interval(one.coef - Z_95 * one.se, one.coef + Z_95 * one.se, numbers.decimals_for(one.se))),
            Cell(p_value(one.p_value)),
        )
        for one in context.findings.screening.missing
    )
    note = (
        "Each added alone to the plain model; p by the likelihood ratio. Size is per doubling, context per SD of the "
        "predictor’s group mean, a curve per squared SD."
    )
    return Table("table-missing", "Terms that were tried", columns, rows, note)


def _title(context: CountedContext, added: Added) -> str:
    if added.kind == "size":
        return f"Doubling of a group’s {context.size_noun}"
    name = context.terms[added.column]
    return f"Curve in {name}" if added.kind == "curve" else f"Group means of {name}"


def _extended(context: CountedContext) -> Table:
    columns = (
        Column("Term", is_number=False),
        Column("Plain"),
        Column("Extended", is_recommended=True),
        Column("95 % interval"),
    )
    return Table(
        "table-extended-terms",
        "The average group, and what was added (log odds, or log rates)",
        columns,
        tuple(_extended_rows(context)),
        "Posterior means on centre-scaled predictors.",
    )


def _extended_rows(context: CountedContext) -> Iterator[tuple[Cell, ...]]:
    plain, answer = context.findings.bayes.fixef, context.findings.answer
    assert answer is not None
    for k in range(len(answer.terms)):
        places = numbers.decimals_for(float(answer.fixef.sd[k]))
        own = k < plain.mean.size
        yield (
            Cell(context.term_title(k) if own else _title(context, answer.added[k - plain.mean.size])),
            Cell(fixed(float(plain.mean[k]), places) if own else "–"),
            Cell(fixed(float(answer.fixef.mean[k]), places)),
            Cell(numbers.interval(float(answer.fixef.lower[k]), float(answer.fixef.upper[k]), places)),
        )
    if answer.dispersion is not None:
        found = answer.dispersion
        places = numbers.decimals_for(float(found.sd))
        yield (
            Cell("Overdispersion of rows"),
            Cell("0"),
            Cell(fixed(float(found.mean), places)),
            Cell(numbers.interval(float(found.lower), float(found.upper), places)),
        )


def _missing(context: CountedContext, judged: Judgement) -> MissingTerm:
    added = Added("curve" if judged.kind == "curve" else "context", context.position(judged.term))
    return next(one for one in context.findings.screening.missing if one.added == added)


def _name(context: CountedContext, judged: Judgement) -> str:
    return context.terms[context.position(judged.term)]


def _difference(context: CountedContext, judged: Judgement) -> str:
    one = _missing(context, judged)
    return (
        f"Between groups and within them, the effect of {_name(context, judged)} differs by {fixed(one.coef, 2)} "
        f"{context.link_unit(0)} ({_per(context, one)})."
    )


CONTEXT: CheckSpec[CountedContext] = CheckSpec(
    kind="context",
    title="Effect within groups and between them",
    measure="p {value}, clear below {limit}",
    cases={
        "none": Case(lambda context, judged: f"{_difference(context, judged)} That is what chance would bring."),
        "hinted": Case(lambda context, judged: f"{_difference(context, judged)} That is some sign, not a clear one."),
        "little": Case(
            lambda context, judged: f"{_difference(context, judged)} It changes little in what is said of groups."
        ),
        "missing": Case(
            lambda context, judged: f"{_difference(context, judged)} A model with one effect mixes the two.",
            lambda context, judged: (
                f"Read the effect of {_name(context, judged)} within groups from the extended model."
            ),
            reason=lambda context, judged: (
                f"the effect of {_name(context, judged)} between groups is not the one within them"
            ),
        ),
    },
)


def _per(context: CountedContext, one: MissingTerm) -> str:
    return "from none to all of a group’s cases" if context.is_level(one.added.column) else "per SD"


def _bend(context: CountedContext, judged: Judgement) -> str:
    return f"A curve in {_name(context, judged)} was tried (p {p_value(_missing(context, judged).p_value)})."


CURVE: CheckSpec[CountedContext] = CheckSpec(
    kind="curve",
    title="Straight effects",
    measure="p {value}, clear below {limit}",
    cases={
        "none": Case(lambda context, judged: f"{_bend(context, judged)} A straight effect suits the rows."),
        "hinted": Case(lambda context, judged: f"{_bend(context, judged)} That is some sign, not a clear one."),
        "little": Case(lambda context, judged: f"{_bend(context, judged)} It is too little to matter."),
        "missing": Case(
            lambda context, judged: f"A straight effect does not suit the rows. {_bend(context, judged)}",
            lambda context, judged: (
                f"Read the effect of {_name(context, judged)} as the one at its mean: it is another elsewhere."
            ),
            reason=lambda context, judged: (
                f"{context.outcome} follow a curve in {_name(context, judged)}, not a straight line"
            ),
        ),
    },
)


def _correlation(context: CountedContext, judged: Judgement) -> str:
    return (
        f"Rows of a group resemble the row before: their residuals correlate by {fixed(judged.value or 0.0, 2)} "
        f"({_order(context)})."
    )


def _order(context: CountedContext) -> str:
    found = context.findings.screening.serial
    is_named = found is not None and found.is_named
    return f"in the order of {context.study.order}" if is_named else "in the order of the files"


_FOLLOWING: Case[CountedContext] = Case(
    _correlation,
    "Add up rows that follow one another, for example to one per month or year.",
)
SERIAL: CheckSpec[CountedContext] = CheckSpec(
    kind="serial",
    title="Rows that follow one another",
    measure="correlation {value}, noticeable above {limit}",
    cases={
        "sample": Case("Of a sample of the rows, which one came before cannot be told."),
        "few pairs": Case("Too few rows follow another of their group to tell whether they resemble each other."),
        "sorted": Case("Each group’s rows are sorted by the outcome, so their order says nothing."),
        "none": Case(lambda context, judged: f"Rows do not resemble the row before ({_order(context)})."),
        "hinted": Case(
            lambda context, judged: (
                f"There is some sign, not a clear one, that rows resemble the row before ({_order(context)})."
            )
        ),
        "some": _FOLLOWING,
        "strong": _FOLLOWING,
    },
)
GROUP_EFFECTS: CheckSpec[CountedContext] = CheckSpec(
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
                f"In their {_effect(context, judged)} groups fall into two clusters ({_clusters(context, judged)})."
            ),
            "Look at what sets the two apart, and name it as a predictor; the groups’ own rates hold.",
        ),
    },
)


def _shape_of(context: CountedContext, judged: Judgement) -> EffectShape:
    return next(one for one in context.findings.screening.effects if one.term == judged.term)


def _effect(context: CountedContext, judged: Judgement) -> str:
    return context.term_name(context.position(judged.term))


def _outlying(context: CountedContext, judged: Judgement) -> str:
    groups = _shape_of(context, judged).outlying
    return f"{numbers.listed(context.named(group) for group in groups)} {numbers.be(len(groups), 'lies', 'lie')}"


def _clusters(context: CountedContext, judged: Judgement) -> str:
    lower, upper = _shape_of(context, judged).cluster_sizes
    return f"{lower:,} lower, {upper:,} higher"


ANSWER: CheckSpec[CountedContext] = CheckSpec(
    kind="answer",
    title="Extended model",
    cases={
        "sampled": Case(
            lambda context, judged: (
                f"The extended model was fitted, and its sampler holds every limit. It is {extended_name(context)}."
            )
        ),
        "none": Case("There is no model here that has all that was found.", "Leave out what makes rows unlike."),
        "not sampled": Case(
            lambda context, judged: (
                f"The model that is needed here could not be sampled well enough. It would be {extended_name(context)}."
            ),
            "Give the study more time ([sampler] max_minutes) or fewer predictors whose effects vary.",
        ),
    },
)


def _is_told(judged: Judgement) -> bool:
    """Of the many terms that are tried, those of which there is a sign; the table has all."""
    return judged.kind not in ("context", "curve") or judged.case != "none"


TOPIC: Topic[CountedContext] = Topic(
    id="assumptions",
    title="Does the model suit the rows?",
    finding=lambda context: worst_first(context, [CONTEXT, CURVE, SERIAL, GROUP_EFFECTS, ANSWER], _is_told),
    blocks=_blocks,
    sources=("fits", "checks", "missing_terms"),
    guide=(GUIDE,),
    checks=(CONTEXT, CURVE, SERIAL, GROUP_EFFECTS, ANSWER),
    summary=(
        Entry(
            "missing_terms",
            list[CountedMissingTermSummary],
            "Terms that were added to the plain model in turn",
            lambda context: [_term_of(context, one) for one in context.findings.screening.missing],
        ),
    ),
)
