"""Which fits and which intervals to believe: separation, convergence, singularity, width and coverage."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.recommended import WithInterval
from tasks.stats.judgement import Judgement
from tasks.stats.records import Integers, IntervalComparison
from tasks.view.counted.context import MODEL_NAMES, CountedContext
from tasks.view.counted.topics.group_sd_words import VARIANCE
from tasks.view.figures import intervals
from tasks.view.figures.style import ALERT, MODELS
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.selection import PANEL_LIMIT, notable_groups, rule
from tasks.view.summary.intervals import IntervalWidthsSummary, intervals_of
from tasks.view.summary.likelihood_ratio_test import LikelihoodRatioTestSummary, likelihood_ratio_test_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, worded, worst_first
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent, plural

GUIDE = (
    "Usual (conditional) intervals take the average and the spread between groups as exactly known. Joint intervals "
    "count their uncertainty, too; Bayesian ones come from all values that the data leave possible. Where the best fit "
    "takes groups to be all alike, usual intervals shrink to nothing, though the data have not said so. All three are "
    "drawn here on the scale of the outcome, for the same mix of cases."
)
CONDITIONAL, JOINT, BAYES = "Usual (conditional)", "Joint", "Bayes"


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (_figure(context), how_to_read(GUIDE), _widths(context))


def _figure(context: CountedContext) -> Figure:
    found, fit, bayes = context.findings, context.findings.estimates, context.findings.compared_plain.rate
    chosen = notable_groups(found.group_sizes, bayes.estimate, PANEL_LIMIT)
    chosen = chosen[np.argsort(-bayes.estimate[chosen], kind="stable")]
    part, style = MODELS["partial_pooling"], MODELS["bayes"]
    usual, joint = (context.carried(fit.coef, se[:, 0]) for se in (fit.conditional_sd, fit.se))
    calibrated = WithInterval(*(context.rate_scale * each for each in vars(bayes).values()))
    series = [
        *_conditional(context, chosen, usual, calibrated),
        _series(JOINT, part.color, part.symbol, joint, chosen),
        _series(BAYES, style.color, style.symbol, calibrated, chosen),
    ]
    mix = " on the same mix of cases" if len(context.terms) > 1 else ""
    return Figure(
        id="figure-intervals",
        caption=(
            f"{text.sentence_case(context.rate_name)} by group{mix}, with three 95 % intervals, highest first. "
            f"{rule(len(chosen), context.n_groups, of='rate')}"
        ).strip(),
        alternative=_said(context, "intervals"),
        spec=intervals.interval_plot(
            [context.labels[j] for j in chosen],
            series,
            x_title=text.sentence_case(context.rate_name),
            groups=chosen,
            n=found.group_sizes[chosen].tolist(),
            unit="%" if context.rate_unit == "%" else "",
        ),
        height=intervals.height(len(chosen), len(series)),
    )


def _conditional(
    context: CountedContext, chosen: Integers, usual: WithInterval, calibrated: WithInterval
) -> list[intervals.Series]:
    """Collapsed ones are a series of their own, in red."""
    share = (usual.upper - usual.lower) / (calibrated.upper - calibrated.lower)
    collapsed = share < context.study.thresholds.collapsed_ratio
    looks = (
        (CONDITIONAL, MODELS["partial_pooling"].color, ~collapsed),
        (f"{CONDITIONAL}, collapsed", ALERT, collapsed),
    )
    made = []
    for label, color, these in looks:
        if these[chosen].any():
            seen = WithInterval(*(np.where(these, each, np.nan) for each in vars(usual).values()))
            made.append(_series(label, color, "diamond-open", seen, chosen, 5))
    return made


def _series(
    label: str, color: str, symbol: str, found: WithInterval, chosen: Integers, width: float = 2
) -> intervals.Series:
    return intervals.Series(
        label, color, symbol, found.estimate[chosen], found.lower[chosen], found.upper[chosen], width
    )


def _said(context: CountedContext, kind: str) -> str:
    told = next(each for each in context.findings.judgements if each.kind == kind)
    return worded(INTERVALS.cases[told.case].message, context, told)


def _widths(context: CountedContext) -> Table:
    columns = (
        Column("Estimate", is_number=False),
        Column("Unit", is_number=False),
        Column(CONDITIONAL),
        Column(JOINT),
        Column(BAYES),
        Column("Usual / Bayes"),
        Column("Implied coverage"),
    )
    rows = tuple(_width_row(context, one) for one in context.findings.intervals)
    note = (
        "Medians over groups, on the scale on which models are fitted. Implied coverage: how often the usual interval "
        "would hold the truth if the Bayesian one does so 95 % of the time."
    )
    return Table("table-widths", "Widths of the 95 % intervals", columns, rows, note)


def _width_row(context: CountedContext, found: IntervalComparison) -> tuple[Cell, ...]:
    term = context.position(found.term)
    widths = [each / context.raw_scale(term) for each in (found.conditional, found.joint, found.calibrated)]
    places = numbers.decimals_for(widths[-1] / 10)
    return (
        Cell(context.term_title(term)),
        Cell(context.link_unit(term)),
        *(
            Cell(numbers.fixed(width, max(places, numbers.decimals_for(width)) if width > 0 else places))
            for width in widths
        ),
        Cell(numbers.fixed(found.ratio, 2), status="fail" if found.is_collapsed else None),
        Cell(percent(found.implied_coverage)),
    )


def _comparison(context: CountedContext, judged: Judgement) -> IntervalComparison:
    return next(one for one in context.findings.intervals if one.term == judged.term)


def _name(context: CountedContext, judged: Judgement) -> str:
    return context.term_name(context.position(judged.term))


def _model(context: CountedContext) -> str:
    return text.sentence_case(MODEL_NAMES[f"partial_pooling.{context.findings.fits.fullest.flavour}"])


def _flat(context: CountedContext) -> str:
    """The effects whose spread between groups is estimated as 0."""
    fit, limit = context.findings.fits.fullest, context.study.thresholds.singular_tolerance
    flat = [term for term, sd in zip(fit.varying, fit.sigma_group, strict=True) if sd < limit]
    return numbers.listed(f"the {context.term_name(term)}" for term in flat)


def _separated(context: CountedContext, judged: Judgement) -> str:
    names = numbers.listed(context.terms[k] for k in context.findings.fits.complete.separated)
    return (
        f"{text.sentence_case(context.outcome)} can be told from {names} without an error. So no finite effect fits "
        "best, and nothing is expected of groups."
    )


SEPARATION: CheckSpec[CountedContext] = CheckSpec(
    kind="separation",
    title="One regression for all rows",
    measure="terms without a finite estimate: {value}",
    cases={
        "none": Case("All effects have finite estimates when groups are ignored."),
        "separated": Case(
            _separated,
            "Look whether the predictor is part of the outcome itself; if it is, leave it out.",
            "Check that no predictor follows from the outcome.",
        ),
        "no spread": Case(
            "The data cannot tell the predictors’ effects apart when groups are ignored.",
            "Leave out a predictor that follows from the others.",
        ),
        "not converged": Case(
            "The regression of all rows did not converge, so nothing is expected of groups.",
            "Read the groups’ rates, not what is expected of them.",
        ),
    },
)
CONVERGENCE: CheckSpec[CountedContext] = CheckSpec(
    kind="convergence",
    title="Maximum of the likelihood",
    measure="fits without a maximum: {value}",
    cases={
        "converged": Case("Every fit of partial pooling has reached its maximum, and was shown to."),
        "not converged": Case(
            lambda context, judged: (
                f"{plural(int(judged.value or 0), 'fit')} of partial pooling did not reach a maximum."
            ),
            "Use the Bayesian fit.",
            reason="a fit of partial pooling did not converge",
        ),
        "unbounded": Case(
            "Partial pooling has no best fit: its likelihood rises however far an effect is moved.",
            "Use the Bayesian fit, whose priors keep effects within what is plausible.",
            reason="partial pooling has no finite best fit (the outcome is separated)",
        ),
    },
)
SINGULAR_ADVICE = (
    "Do not use this fit’s intervals. Use the Bayesian fit, which keeps the uncertainty about that spread."
)
SINGULAR_STEP = "Do not quote the usual intervals of the singular fit."
SINGULARITY: CheckSpec[CountedContext] = CheckSpec(
    kind="singularity",
    title="Singular fit",
    measure="least spread {value}, singular below {limit}",
    cases={
        "regular": Case(lambda context, judged: f"{_model(context)} is regular, not singular."),
        "no spread": Case(
            lambda context, judged: (
                f"{_model(context)} is singular. Its best fit takes groups to be all alike in {_flat(context)}. The "
                "data cannot tell their spread from 0; it need not be 0."
            ),
            SINGULAR_ADVICE,
            SINGULAR_STEP,
            lambda context, judged: (
                f"the fit is singular: it takes the groups’ differences in {_flat(context)} to be exactly 0"
            ),
        ),
        "perfect correlation": Case(
            lambda context, judged: (
                f"{_model(context)} is singular. In the best fit two effects of a group go together perfectly. The "
                "data cannot tell how they do."
            ),
            SINGULAR_ADVICE,
            SINGULAR_STEP,
            "the fit is singular: it takes two effects of a group to go together perfectly",
        ),
    },
)
INTERVALS: CheckSpec[CountedContext] = CheckSpec(
    kind="intervals",
    title="Usual intervals",
    measure="{share} as wide as needed, at least {limit_share}",
    cases={
        "as wide": Case(
            lambda context, judged: (
                f"The usual intervals for the {_name(context, judged)} by group are about as wide as they should be."
            )
        ),
        "narrow": Case(
            lambda context, judged: (
                f"The usual intervals for the {_name(context, judged)} by group are somewhat too narrow: "
                f"{percent(_comparison(context, judged).ratio)} as wide as calibrated ones."
            )
        ),
        "collapsed": Case(
            lambda context, judged: (
                f"The usual intervals for the {_name(context, judged)} by group have collapsed to "
                f"{percent(_comparison(context, judged).ratio)} of the width that is needed. They would hold the truth "
                f"about {percent(_comparison(context, judged).implied_coverage)} of the time, not 95 %."
            ),
            lambda context, judged: (
                f"Do not plot or quote the usual intervals for the {_name(context, judged)}; use the Bayesian ones."
            ),
            lambda context, judged: (
                f"Do not quote the usual intervals for the {_name(context, judged)} by group: they are far too narrow."
            ),
            lambda context, judged: (
                f"its intervals for the {_name(context, judged)} by group have collapsed (far too narrow)"
            ),
        ),
    },
)


def _covers(context: CountedContext, judged: Judgement) -> str:
    return (
        f"Partial pooling’s own (joint) intervals for the {_name(context, judged)} by group hold "
        f"{percent(judged.value or 0.0)} of what the Bayesian fit holds possible."
    )


IMPLIED_COVERAGE: CheckSpec[CountedContext] = CheckSpec(
    kind="implied_coverage",
    title="Coverage of partial pooling’s intervals",
    measure="{share}, at least {limit_share}",
    cases={
        "kept": Case(_covers),
        "short": Case(
            lambda context, judged: f"{_covers(context, judged)} That is less than they promise.",
            "Use the Bayesian fit’s intervals.",
            reason=lambda context, judged: f"its intervals for the {_name(context, judged)} by group are too short",
        ),
        "short for small groups": Case(
            lambda context, judged: (
                "In the smallest groups, partial pooling’s own (joint) intervals hold "
                f"{percent(judged.value or 0.0)} of what the Bayesian fit holds possible. That is less than they "
                "promise."
            ),
            "Use the Bayesian fit’s intervals.",
            reason="its intervals for the level of the smallest groups are too short",
        ),
    },
)


def _is_told(judged: Judgement) -> bool:
    """What is as it should be with the fits stands on the health card."""
    return judged.kind not in ("separation", "convergence") or judged.status != "pass"


TOPIC: Topic[CountedContext] = Topic(
    id="intervals",
    title="Singularity, and which intervals to believe",
    finding=lambda context: worst_first(
        context, [SINGULARITY, CONVERGENCE, VARIANCE, INTERVALS, IMPLIED_COVERAGE, SEPARATION], _is_told
    ),
    blocks=_blocks,
    sources=("intervals", "likelihood_ratio_test", "fits", "rates", "checks"),
    guide=(GUIDE,),
    checks=(SEPARATION, CONVERGENCE, VARIANCE, SINGULARITY, INTERVALS, IMPLIED_COVERAGE),
    summary=(
        Entry(
            "likelihood_ratio_test",
            LikelihoodRatioTestSummary,
            "Do effects differ between groups? Likelihood-ratio test by parametric bootstrap, or asymptotic",
            lambda context: likelihood_ratio_test_of(context.findings.group_sd_test),
        ),
        Entry(
            "intervals",
            list[IntervalWidthsSummary],
            "Widths of three 95 % intervals for the groups' estimates on the link's scale, one entry per varying term",
            lambda context: intervals_of(context.findings.intervals),
        ),
    ),
)
