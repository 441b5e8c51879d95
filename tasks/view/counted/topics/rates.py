"""Each group's rate: as it was counted, and on the same mix of cases by the recommended model; what it is judged by."""

from __future__ import annotations

import numpy as np

from tasks.stats.records import Floats, Integers
from tasks.view.counted.compared import apart_from_average, beyond_target, groups_differ
from tasks.view.counted.context import CountedContext
from tasks.view.figures import intervals
from tasks.view.figures.style import MODELS, Spec
from tasks.view.records import Block, Column, Figure, GroupTable, Link
from tasks.view.rows_on_demand import figure_of_rows
from tasks.view.selection import ROWS_LIMIT, notable_groups, rule
from tasks.view.topic import Topic, how_to_read
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent, plural

GUIDE = (
    "A group’s own rate is what was counted in it; its interval is exact, and long where little was counted. The "
    "recommended rate leans towards what is known of all groups, the more so the less the group’s own count says. "
    "Expected is what would have been counted had the group’s cases fared as the same cases do over all groups. "
    "Observed by expected above 1 is more than that. It says nothing of two groups beside each other, whose cases "
    "differ; the rates on the same mix of cases do."
)
DOWNLOAD = Link("estimates.csv: every group and model", "estimates.csv")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    return (_figure(context), how_to_read(GUIDE), _table(context))


def _figure(context: CountedContext) -> Figure:
    rate = context.comparison.rate.estimate
    chosen = notable_groups(np.rint(context.sizes).astype(np.int64), rate, ROWS_LIMIT)
    name = text.sentence_case(context.rate_name)
    caption = (
        f"{name} by {context.group}: as counted, with exact 95 % intervals, and by the recommended model"
        f"{_mix(context)}, highest first. Dotted: the average of the groups. {_rule(context, len(chosen))}"
    )
    return figure_of_rows(
        lambda groups: _spec(context, groups),
        chosen,
        np.arange(context.n_groups),
        id="figure-rates",
        caption=caption.strip(),
        alternative=_finding(context),
    )


def _rule(context: CountedContext, shown: int) -> str:
    return rule(shown, context.n_groups, of="rate", counted=context.size_noun)


def _mix(context: CountedContext) -> str:
    return " on the same mix of cases" if len(context.terms) > 1 else ""


def _spec(context: CountedContext, chosen: Integers) -> Spec:
    own, found, scale = context.findings.fits.rates, context.comparison.rate, context.rate_scale
    chosen = chosen[np.argsort(-found.estimate[chosen], kind="stable")]
    counted, quoted = MODELS["no_pooling"], MODELS[context.quoted_model]
    bare = _scaled(scale, chosen, own.rate, own.lower, own.upper)
    pooled = _scaled(scale, chosen, found.estimate, found.lower, found.upper)
    series = [
        intervals.Series("As counted", counted.color, counted.symbol, *bare, width=1.2, frames=False),
        intervals.Series(context.quoted_label, quoted.color, quoted.symbol, *pooled),
    ]
    return intervals.interval_plot(
        [context.labels[j] for j in chosen],
        series,
        x_title=text.sentence_case(context.rate_name),
        reference=scale * float(context.comparison.average.estimate),
        groups=chosen,
        n=np.rint(context.sizes[chosen]).astype(int).tolist(),
        unit="%" if context.rate_unit == "%" else "",
    )


def _scaled(
    scale: float, chosen: Integers, estimate: Floats, lower: Floats, upper: Floats
) -> tuple[Floats, Floats, Floats]:
    return scale * estimate[chosen], scale * lower[chosen], scale * upper[chosen]


def _table(context: CountedContext) -> GroupTable:
    titles, cells, details = zip(*_columns(context), strict=True)
    return GroupTable(
        id="table-rates",
        caption="Every group: what was counted, what was expected, and its rate",
        columns=titles,
        cells=cells,
        groups=tuple(range(context.n_groups)),
        details=details,
        note=_note(context),
        download=DOWNLOAD,
    )


def _columns(context: CountedContext) -> list[tuple[Column, tuple[str, ...], tuple[str, ...]]]:
    """Per column: its head, J texts, and J texts below them, or () if there are none."""
    own, found, every = context.findings.fits.rates, context.comparison, range(context.n_groups)
    unit, quoted = context.rate_unit, context.findings.recommended is not None
    return [
        (Column("Group", is_number=False), context.labels, _few(context)),
        (Column(text.sentence_case(context.size_noun)), tuple(map(_whole, context.sizes)), ()),
        (Column(text.sentence_case(context.outcome)), tuple(map(_whole, context.events)), ()),
        (
            Column("As counted", unit, model="no_pooling", detail="exact 95 % interval"),
            tuple(context.rate_number(float(rate)) for rate in own.rate),
            tuple(_ends(context, own.lower[j], own.upper[j]) for j in every),
        ),
        (
            Column(
                context.quoted_label, unit, model=context.quoted_model, detail="95 % interval", is_recommended=quoted
            ),
            tuple(context.rate_number(float(rate)) for rate in found.rate.estimate),
            tuple(_ends(context, found.rate.lower[j], found.rate.upper[j]) for j in every),
        ),
        *_expected(context),
        *_targets(context),
        (Column("Above the average of the groups"), tuple(_chance(context, p) for p in found.above), ()),
    ]


def _expected(context: CountedContext) -> list[tuple[Column, tuple[str, ...], tuple[str, ...]]]:
    """Columns of observed and predicted by expected; none where nothing can be expected."""
    found, compared, every = context.findings.expected, context.comparison, range(context.n_groups)
    if found is None or compared.predicted is None or compared.beyond is None:
        return []
    margin = context.study.rates.margin
    beyond = "Predicted above expected" if margin == 1.0 else f"Predicted above {margin:g} times expected"
    ratio, predicted = found, compared.predicted
    return [
        (Column("Expected"), tuple(numbers.significant(float(value), 3) for value in found.expected), ()),
        (
            Column("Observed / expected", detail="exact 95 % interval"),
            tuple(numbers.fixed(float(value), 2) for value in ratio.ratio),
            tuple(numbers.interval(float(ratio.lower[j]), float(ratio.upper[j]), 2) for j in every),
        ),
        (
            Column("Predicted / expected", model=context.quoted_model, detail="95 % interval"),
            tuple(numbers.fixed(float(value), 2) for value in predicted.estimate),
            tuple(numbers.interval(float(predicted.lower[j]), float(predicted.upper[j]), 2) for j in every),
        ),
        (Column(beyond), tuple(_chance(context, p) for p in compared.beyond.above), ()),
    ]


def _targets(context: CountedContext) -> list[tuple[Column, tuple[str, ...], tuple[str, ...]]]:
    found = context.comparison
    if np.isnan(found.target).all():
        return []
    return [
        (Column("Target", context.rate_unit), tuple(context.rate_number(float(value)) for value in found.target), ()),
        (Column("Above its target"), tuple(_chance(context, p) for p in found.above_target), ()),
    ]


def _few(context: CountedContext) -> tuple[str, ...]:
    if not context.too_few.any():
        return ()
    return tuple("too few" if few else "" for few in context.too_few)


def _whole(value: float) -> str:
    return numbers.count(round(value)) if value == round(value) else numbers.significant(float(value), 4)


def _ends(context: CountedContext, lower: float, upper: float) -> str:
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return numbers.MISSING
    return f"{context.rate_number(float(lower))} to {context.rate_number(float(upper))}"


def _chance(context: CountedContext, probability: float) -> str:
    """A share of draws: never quite 0 or 1."""
    if not np.isfinite(probability):
        return numbers.MISSING
    n = context.comparison.n_draws
    return percent(min(max(float(probability), 0.5 / n), 1.0 - 0.5 / n))


def _note(context: CountedContext) -> str:
    parts = [
        "Rates on the same mix of cases: each group’s own model on the cases of all groups." * (len(context.terms) > 1),
        f"Probabilities are shares of {context.comparison.n_draws:,} posterior draws.",
        _too_few(context),
    ]
    return " ".join(filter(None, parts))


def _too_few(context: CountedContext) -> str:
    least, n = context.study.rates, int(context.too_few.sum())
    if not n:
        return ""
    asked = [
        f"{numbers.plain(least.least_size)} {context.size_noun}" if least.least_size else "",
        f"{numbers.plain(least.least_events)} {context.outcome}" if least.least_events else "",
    ]
    wanted = " and ".join(filter(None, asked))
    return f"Too few: {plural(n, 'group')} below the {wanted} that the study asks for before a group is judged."


def _finding(context: CountedContext) -> str:
    found = context.comparison
    low, high = (float(which(found.rate.estimate)) for which in (np.nanmin, np.nanmax))
    average = context.rate_text(float(found.average.estimate))
    opening = (
        f"{_rates(context)} of {context.outcome} run from {context.rate_interval(low, high)}. The average of the "
        f"groups is {average}."
    )
    if not groups_differ(context):
        return f"{opening} No group can be told from it."
    above, below = apart_from_average(context)
    of_all = f"{numbers.count(above.size) if above.size else 'None'} of {plural(context.n_groups, 'group')}"
    told = f"{of_all} {numbers.be(max(above.size, 1))} clearly above it, {below.size or 'none'} below."
    return " ".join(filter(None, [opening, told, _beyond(context)]))


def _rates(context: CountedContext) -> str:
    return "Rates" if len(context.terms) == 1 else "On the same mix of cases, rates"


def _beyond(context: CountedContext) -> str:
    if np.isnan(context.comparison.target).all():
        return ""
    n = beyond_target(context).size
    return f"{plural(n, 'group')} {numbers.be(n)} above the target with a probability of 97.5 % or more."


TOPIC: Topic[CountedContext] = Topic(
    id="groups",
    title="Each group’s rate",
    finding=_finding,
    blocks=_blocks,
    sources=("rates", "recommended", "run"),
    guide=(GUIDE,),
)
