"""Singularity, and three intervals beside each other."""

from __future__ import annotations

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.stats.fits.singularity import flat_terms
from tasks.stats.judgement import Judgement
from tasks.stats.records import IntervalComparison
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.figures import intervals
from tasks.view.figures.style import ALERT, MODELS
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.selection import PANEL_LIMIT, notable_groups, rule
from tasks.view.summary.intervals import IntervalWidthsSummary, intervals_of
from tasks.view.summary.likelihood_profiles import LikelihoodProfileSummary, likelihood_profiles_of
from tasks.view.summary.likelihood_ratio_test import LikelihoodRatioTestSummary, likelihood_ratio_test_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, worded, worst_first
from tasks.view.topics.likelihood_profile import VARIANCE, profile_blocks
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent

GUIDE = (
    "“Singular” means that the best-fitting difference between groups is exactly zero in some respect. That is a valid "
    "answer of the method, but rarely a believable one: the data cannot tell a small difference from none. The usual "
    "(conditional) intervals then take the zero for certain and become far too short. The joint interval adds the "
    "uncertainty of the average group; only the Bayesian one also adds that of the spread between groups. Where the "
    "coverage of joint intervals is told, they are widened for the uncertainty of the spread."
)
CONDITIONAL, JOINT, BAYES = "Conditional", "Joint", "Bayes"


def _collapsed_first(context: Context) -> list[int]:
    """The terms that vary by group, those whose intervals have collapsed before the others."""
    collapsed = {context.position(one.term) for one in context.findings.intervals if one.is_collapsed}
    return sorted(context.varying, key=lambda term: term not in collapsed)


def _blocks(context: Context) -> tuple[Block, ...]:
    return (
        _widths(context),
        *(_figure(context, term) for term in _collapsed_first(context)),
        how_to_read(GUIDE),
        *profile_blocks(context),
    )


def _widths(context: Context) -> Table:
    columns = (
        Column("Term", is_number=False),
        Column("Unit", is_number=False),
        *(Column(name) for name in (CONDITIONAL, JOINT, BAYES)),
        Column("Conditional / Bayes"),
        Column("Implied coverage of conditional"),
        Column("Judgement", is_number=False),
    )
    rows = tuple(_width_row(context, position) for position in range(len(context.findings.intervals)))
    limit = context.study.thresholds.collapsed_ratio
    note = (
        "Implied coverage: how often the conditional interval would hold the truth if the Bayesian one does so 95 % of "
        f"the time. Collapsed: less than {limit:g} times as wide as the Bayesian one."
    )
    return Table("table-widths", "Widths of the 95 % intervals, medians over groups", columns, rows, note)


def _width_row(context: Context, position: int) -> tuple[Cell, ...]:
    found = context.findings.intervals[position]
    term = context.position(found.term)
    widths = [width / context.raw_scale(term) for width in (found.conditional, found.joint, found.calibrated)]
    places = numbers.decimals_for(widths[-1] / 10)
    return (
        Cell(context.term_title(term)),
        Cell(context.raw_unit(term) or "–"),
        *(Cell(_width(width, places)) for width in widths),
        Cell(numbers.fixed(found.ratio, 2)),
        Cell(numbers.percent(found.implied_coverage)),
        Cell("collapsed" if found.is_collapsed else "holds", status="fail" if found.is_collapsed else "pass"),
    )


def _width(width: float, places: int) -> str:
    """The width to `places`. A collapsed one keeps two digits of its own, or it would be rounded to 0."""
    return numbers.fixed(width, max(places, numbers.decimals_for(width)) if width > 0 else places)


def _figure(context: Context, term: int) -> Figure:
    bands, fit = context.bands[2], context.findings.fullest
    chosen = notable_groups(context.findings.group_sizes, bands.coef[:, 0], PANEL_LIMIT)
    chosen = chosen[np.argsort(bands.coef[chosen, term], kind="stable")[::-1]]
    scale, coef = context.raw_scale(term), fit.coef[chosen, term]
    part, bayes = MODELS["partial_pooling"], MODELS["bayes"]
    series = [
        *_own(context, chosen, term),
        *_conditional(context, chosen, term),
        intervals.Series(
            JOINT,
            part.color,
            part.symbol,
            coef / scale,
            fit.lower[chosen, term] / scale,
            fit.upper[chosen, term] / scale,
        ),
        intervals.Series(
            BAYES,
            bayes.color,
            bayes.symbol,
            bands.coef[chosen, term] / scale,
            bands.lower[chosen, term] / scale,
            bands.upper[chosen, term] / scale,
        ),
    ]
    unit = context.raw_unit(term)
    title = f"{context.term_title(term)} ({unit})" if unit else context.term_title(term)
    return Figure(
        id=f"figure-intervals-{term}",
        caption=_caption(context, term, len(chosen), intervals.n_beyond(series)),
        alternative=_alternative(context, term),
        spec=intervals.interval_plot(
            [context.labels[j] for j in chosen],
            series,
            x_title=title,
            reference=float(context.overall[term]) / scale,
            groups=chosen,
            n=context.findings.group_sizes[chosen].tolist(),
            unit=unit,
        ),
        height=intervals.height(len(chosen), len(series)),
    )


def _own(context: Context, chosen: np.ndarray, term: int) -> list[intervals.Series]:
    """What each group's own rows say; none where no group has an estimate of its own."""
    own, style, scale = context.bands[0], MODELS["no_pooling"], context.raw_scale(term)
    estimate, lower, upper = (part[chosen, term] / scale for part in (own.coef, own.lower, own.upper))
    if not np.isfinite(estimate).any():
        return []
    return [intervals.Series(style.label, style.color, style.symbol, estimate, lower, upper, 1.2, frames=False)]


def _conditional(context: Context, chosen: np.ndarray, term: int) -> list[intervals.Series]:
    """The conditional intervals; collapsed ones are a series of their own, marked in red."""
    fit, part, calibrated = context.findings.fullest, MODELS["partial_pooling"], context.bands[2]
    coef, half = fit.coef[chosen, term], Z_95 * fit.conditional_sd[chosen, term]
    width = (calibrated.upper - calibrated.lower)[chosen, term]
    is_collapsed = 2 * half < context.study.thresholds.collapsed_ratio * width
    looks = (
        (CONDITIONAL, part.color, ~is_collapsed),
        (f"{CONDITIONAL} (collapsed)", ALERT, is_collapsed),
    )
    series, scale = [], context.raw_scale(term)
    for name, color, these in looks:
        at, reach = np.where(these, coef / scale, np.nan), np.where(these, half / scale, np.nan)
        if these.any():
            series.append(intervals.Series(name, color, "diamond-open", at, at - reach, at + reach, 5))
    return series


def _caption(context: Context, term: int, n_shown: int, n_beyond: int) -> str:
    title = context.term_title(term)
    shown = f"{title}: each group’s own 95 % interval and three pooled ones, highest first. Dotted: the average group."
    beyond = f"Own intervals of {numbers.plural(n_beyond, 'group')} go on beyond the picture." if n_beyond else ""
    own = _own_spread(context)
    return " ".join(filter(None, [shown, own, beyond, rule(n_shown, context.n_groups)]))


def _own_spread(context: Context) -> str:
    """Why an own interval may be the narrower one."""
    own, pooled = context.bands[0], context.bands[2]
    is_narrower = (own.upper - own.lower)[:, 0] < (pooled.upper - pooled.lower)[:, 0]
    return "An own interval is short where a group’s own rows scatter little." if is_narrower.any() else ""


def _alternative(context: Context, term: int) -> str:
    name = context.findings.terms[term]
    told = next(each for each in context.findings.judgements if each.kind == "intervals" and each.term == name)
    return worded(INTERVALS.cases[told.case].message, context, told)


def _no_spread(context: Context, judged: Judgement) -> str:
    return (
        f"{_model(context)} is singular: in {_flat(context)} the best fit has no variance at all between groups. "
        "The data cannot tell that variance from 0; it need not be 0."
    )


def _perfect(context: Context, judged: Judgement) -> str:
    return (
        f"{_model(context)} is singular: in the best fit two effects of a group go together perfectly. Their "
        "correlation is at its limit, so that one combination of them has no variance at all. The data cannot tell "
        "that variance from 0; it need not be 0."
    )


def _model(context: Context) -> str:
    return text.sentence_case(MODEL_NAMES[f"partial_pooling.{context.findings.fullest.flavour}"])


def _flat(context: Context) -> str:
    """The effects whose spread between groups is estimated as 0."""
    flat = flat_terms(context.findings.fullest, context.study.thresholds.singular_tolerance)
    return numbers.listed(f"the {context.term_name(term)}" for term in flat)


def _comparison(context: Context, judged: Judgement) -> IntervalComparison:
    return next(one for one in context.findings.intervals if one.term == judged.term)


def _name(context: Context, judged: Judgement) -> str:
    return context.term_name(context.position(judged.term))


def _as_wide(context: Context, judged: Judgement) -> str:
    return f"The usual intervals for the {_name(context, judged)} by group are about as wide as they should be."


def _narrow(context: Context, judged: Judgement) -> str:
    found = _comparison(context, judged)
    return (
        f"The usual intervals for the {_name(context, judged)} by group are somewhat too narrow: "
        f"{percent(found.ratio)} as wide as calibrated ones. They would hold the truth about "
        f"{percent(found.implied_coverage)} of the time, not 95 %."
    )


def _collapsed(context: Context, judged: Judgement) -> str:
    found, term = _comparison(context, judged), context.position(judged.term)
    scale = context.raw_scale(term)
    usual = numbers.significant(found.conditional / scale, 2)
    needed = numbers.fixed(found.calibrated / scale, numbers.decimals_for(found.calibrated / scale / 10))
    return (
        f"The usual (conditional) intervals for the {_name(context, judged)} by group have collapsed to "
        f"{percent(found.ratio)} of the width that is needed. Typically they are {usual} wide and should be "
        f"{numbers.with_unit(needed, context.raw_unit(term))}. They would hold the truth about "
        f"{percent(found.implied_coverage)} of the time, not 95 %."
    )


SINGULAR_ADVICE = (
    "Do not use this fit’s intervals. Use the Bayesian fit, which keeps the uncertainty about that variance."
)
SINGULAR_STEP = "Do not quote the usual intervals of the singular fit."
SINGULARITY: CheckSpec[Context] = CheckSpec(
    kind="singularity",
    title="Singular fit",
    measure="least spread {value}, singular below {limit}",
    cases={
        "regular": Case(lambda context, judged: f"{_model(context)} is regular, not singular."),
        "no spread": Case(
            _no_spread,
            SINGULAR_ADVICE,
            SINGULAR_STEP,
            lambda context, judged: (
                f"the REML fit is singular: it takes the groups’ differences in {_flat(context)} to be exactly 0"
            ),
        ),
        "perfect correlation": Case(
            _perfect,
            SINGULAR_ADVICE,
            SINGULAR_STEP,
            "the REML fit is singular: it takes two effects of a group to go together perfectly",
        ),
    },
)
INTERVALS: CheckSpec[Context] = CheckSpec(
    kind="intervals",
    title="Usual intervals",
    measure="{share} as wide as needed, at least {limit_share}",
    cases={
        "as wide": Case(_as_wide),
        "narrow": Case(_narrow),
        "collapsed": Case(
            _collapsed,
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


def _covers(context: Context, judged: Judgement) -> str:
    assert judged.value is not None
    return (
        f"Partial pooling’s own (joint) intervals for the {_name(context, judged)} by group hold "
        f"{percent(judged.value)} of what the Bayesian fit holds possible."
    )


IMPLIED_COVERAGE: CheckSpec[Context] = CheckSpec(
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
                f"{percent(judged.value or 0.0)} of what the Bayesian fit holds possible in the "
                f"{_name(context, judged)}. That is less than they promise."
            ),
            "Use the Bayesian fit’s intervals.",
            reason="its intervals for the level of the smallest groups are too short",
        ),
    },
)
TOPIC = Topic(
    id="intervals",
    title="Singularity, and which intervals to believe",
    finding=lambda context: worst_first(context, [SINGULARITY, INTERVALS, IMPLIED_COVERAGE]),
    blocks=_blocks,
    sources=("intervals", "fits", "screening", "likelihood_ratio_test", "likelihood_profiles", "checks"),
    guide=(GUIDE,),
    checks=(SINGULARITY, VARIANCE, INTERVALS, IMPLIED_COVERAGE),
    summary=(
        Entry(
            "intervals",
            list[IntervalWidthsSummary],
            (
                "Widths of three 95 % intervals for the groups' estimates, in units of the coefficients, one entry "
                "per varying term"
            ),
            lambda context: intervals_of(context.findings.intervals),
        ),
        Entry(
            "likelihood_profiles",
            list[LikelihoodProfileSummary],
            "Profiles of the REML criterion over each group SD of the fullest fit",
            lambda context: likelihood_profiles_of(context.findings.likelihood_profiles),
        ),
        Entry(
            "likelihood_ratio_test",
            LikelihoodRatioTestSummary,
            ("Do effects differ between groups? Likelihood-ratio test by parametric bootstrap"),
            lambda context: likelihood_ratio_test_of(context.findings.likelihood_ratio_test),
        ),
    ),
)
