"""Do rows behave as the model assumes: spread by group, shape of the residuals, residuals against expectation."""

from __future__ import annotations

import numpy as np

from tasks.stats.judged.assumptions import FEWEST_ROWS, QQ, Assumptions
from tasks.stats.judged.effects_qq import effects_qq
from tasks.stats.judgement import Judgement
from tasks.stats.records import Integers
from tasks.view.context import Context
from tasks.view.figures import intervals, residuals
from tasks.view.figures.residuals import MOST_NAMES
from tasks.view.figures.style import MODELS, Spec
from tasks.view.records import Block, Cell, Column, Figure, Link, Table
from tasks.view.rows_on_demand import figure_of_rows
from tasks.view.selection import ROWS_LIMIT, TABLE_LIMIT, notable_groups, rule
from tasks.view.summary.assumptions import AssumptionsSummary, assumptions_of, own_outside
from tasks.view.summary.screening import ScreeningSummary, screening_of
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, is_asking, messages, worst_first
from tasks.view.topics.model_words import CURVE, MEAN_SPREAD, OUTCOME_KIND, ROW_SHAPE, SERIAL
from tasks.view.topics.residual_figures import residual_figures
from tasks.view.words import numbers

GUIDE = (
    "The model gives every group the same residual SD. A group whose bar leaves the dotted line out scatters more, "
    "or less, than the model believes; its intervals are then too short, or too long. In the Q–Q plot points on the "
    "dashed line follow a normal distribution; ends that bend away from it are tails heavier or lighter than that. "
    "Where single rows are shown, the lines should run level: a bend is an effect the model has missed, a funnel a "
    "spread that grows. By the order of the rows, a wave is something that changed while they were collected."
)
HEAVY, LIGHT, SKEWED = 4.0, 2.4, 0.5  # kurtosis and skewness that show in a plot; a normal has 3 and 0


def _blocks(context: Context) -> tuple[Block, ...]:
    found = context.findings.assumptions
    return (
        *([_spread_figure(context, found)] if found.n_compared else []),
        _qq_figure(context, found),
        *residual_figures(context),
        *filter(None, (_effects_figure(context, position) for position in range(len(context.varying)))),
        how_to_read(GUIDE),
        *([_spread_table(context, found)] if found.n_compared else []),
        _shape_table(context, found),
    )


def _shown(found: Assumptions, limit: int) -> np.ndarray:
    """The groups of `notable_groups`, by SD, among those that can be compared."""
    compared = np.flatnonzero(np.isfinite(found.group_sd))
    return compared[notable_groups(found.n[compared], found.group_sd[compared], limit)]


def _spread_figure(context: Context, found: Assumptions) -> Figure:
    chosen = _shown(found, ROWS_LIMIT)
    return figure_of_rows(
        lambda groups: _spread_of(context, found, groups),
        chosen,
        np.flatnonzero(np.isfinite(found.group_sd)),
        id="figure-spread",
        caption="How far the rows of each group scatter around what the model expects of them; the dotted line is the "
        f"model’s one value for all. {_rule(context, found, chosen.size)}".strip(),
        alternative=messages(context, [EQUAL_SPREAD]),
    )


def _spread_of(context: Context, found: Assumptions, groups: Integers) -> Spec:
    """The widest group first."""
    groups, style = groups[np.argsort(-found.group_sd[groups], kind="stable")], MODELS["bayes"]
    ends = found.group_sd_lower[groups], found.group_sd_upper[groups]
    return intervals.interval_plot(
        [context.labels[j] for j in groups],
        [intervals.Series("Residual SD", style.color, style.symbol, found.group_sd[groups], *ends)],
        x_title=f"residual SD{f' ({context.unit})' if context.unit else ''}",
        reference=found.sigma,
        groups=groups,
        n=found.n[groups].tolist(),
        unit=context.unit,
    )


def _rule(context: Context, found: Assumptions, shown: int) -> str:
    left_out = context.n_groups - found.n_compared
    few = (
        f"{numbers.plural(left_out, 'group')} of fewer than {FEWEST_ROWS} rows {numbers.be(left_out)} left out."
        if left_out
        else ""
    )
    return f"{few} {rule(shown, found.n_compared).replace('level', 'SD')}".strip()


def _qq_figure(context: Context, found: Assumptions) -> Figure:
    qq = found.qq
    thinned = f" {qq.normal.size:,} of {found.n_rows_used:,} rows, evenly spaced in order, both ends kept."
    return Figure(
        id="figure-qq",
        caption="Residuals in order of size against those that a normal distribution would give (Q–Q plot)."
        f"{thinned if qq.normal.size < found.n_rows_used else ''} {context.sample_note}".strip(),
        alternative=_shape(qq, found.n_rows_used),
        spec=residuals.qq(qq.normal, qq.residual, qq.lower, qq.upper),
        height=380,
    )


def _effects_figure(context: Context, position: int) -> Figure | None:
    """None where the groups' effects hardly vary."""
    found, term = effects_qq(context.findings.fullest, position), context.varying[position]
    if found is None:
        return None
    name = context.term_name(term)
    return Figure(
        id=f"figure-effects-qq-{term}",
        caption=f"Are groups one population in their {name}? A point per group, from the lowest to the highest, each "
        f"at the place that a normal population would give it (Q–Q plot). {_apart_in(found.n_outside)} Small groups "
        "show less, as pooling draws them in.",
        alternative=(
            f"Q–Q plot of the groups’ {name}: {numbers.plural(found.n_outside, 'group')} "
            f"{numbers.be(found.n_outside, 'lies', 'lie')} outside the band of a normal distribution."
        ),
        spec=residuals.qq(
            found.normal,
            found.effect,
            found.lower,
            found.upper,
            what=name,
            names=[context.labels[j] for j in found.groups],
            groups=found.groups,
        ),
        height=380,
    )


def _apart_in(n_outside: int) -> str:
    if not n_outside:
        return "All lie within the grey band, as those of such a population would."
    named = (
        "the farthest are named" if n_outside > MOST_NAMES else f"{numbers.be(n_outside, 'it is', 'they are')} named"
    )
    return (
        f"{numbers.plural(n_outside, 'group')} {numbers.be(n_outside, 'lies', 'lie')} outside the grey band: {named}."
    )


def _spread_table(context: Context, found: Assumptions) -> Table:
    chosen = _shown(found, TABLE_LIMIT)
    places = numbers.common_decimals((found.group_sd_upper - found.group_sd_lower)[chosen] / 4)
    columns = (
        Column("Group", is_number=False),
        Column("Rows"),
        Column("Residual SD", context.unit),
        Column("95 % interval", context.unit),
        Column("Against all"),
    )
    rows = tuple(
        (
            Cell(context.labels[j]),
            Cell(numbers.count(int(found.n[j]))),
            Cell(numbers.fixed(float(found.group_sd[j]), places)),
            Cell(numbers.interval(float(found.group_sd_lower[j]), float(found.group_sd_upper[j]), places)),
            Cell(
                f"× {numbers.fixed(float(found.group_sd[j]) / found.sigma, 2)}",
                status="review" if found.is_unequal and j in found.apart else None,
            ),
        )
        for j in chosen
    )
    note = _rule(context, found, chosen.size)
    groups = tuple(int(j) for j in chosen)
    download = Link("summary.json: every group", "summary.json")
    return Table("table-spread", "Spread of the rows by group", columns, rows, note, download, groups)


def _shape_table(context: Context, found: Assumptions) -> Table:
    places = numbers.decimals_for(found.sigma / 10)
    between, within = found.df
    entries = (
        ("Residual SD of all groups", numbers.with_unit(numbers.fixed(found.sigma, places), context.unit)),
        ("Brown–Forsythe F", f"{numbers.fixed(found.f, 2)} on {between:,} and {within:,} degrees of freedom"),
        ("Its p", numbers.MISSING if np.isnan(found.p_value) else _p_value(found.p_value).lstrip("= ")),
        (
            "Largest to smallest group SD, chance taken out",
            f"{numbers.fixed(found.ratio, 2)} (limit {found.ratio_limit:g})",
        ),
        ("Groups compared", f"{found.n_compared:,} of {context.n_groups:,}"),
        ("Skewness of the residuals (normal: 0)", numbers.fixed(found.qq.skewness, 2)),
        ("Kurtosis of the residuals (normal: 3)", numbers.fixed(found.qq.kurtosis, 2)),
        ("Rows outside the band of the Q–Q plot", f"{found.qq.n_outside:,} of {found.n_rows_used:,}"),
    )
    columns = (Column("Measure", is_number=False), Column("Value"))
    rows = tuple((Cell(name), Cell(value)) for name, value in entries)
    return Table("table-assumptions", "Tests and measures", columns, rows, context.sample_note)


def _shape(qq: QQ, n_rows: int) -> str:
    """The shape of the residuals; names a kind of departure only if rows leave the band and it would show in a plot."""
    if not qq.n_outside:
        return "Their residuals show no departure from a normal distribution that chance would not explain."
    measured = (
        f"skewness {numbers.fixed(qq.skewness, 2)}, kurtosis {numbers.fixed(qq.kurtosis, 2)}; a normal has 0 and 3"
    )
    if abs(qq.skewness) >= SKEWED:
        side = "high" if qq.skewness > 0 else "low"
        return f"Residuals are skewed, with more far {side} values than a normal distribution has ({measured})."
    if qq.kurtosis >= HEAVY:
        return f"Residuals have heavier tails than a normal distribution ({measured}): a few rows lie far off."
    if qq.kurtosis <= LIGHT:
        return f"Residuals have lighter tails than a normal distribution ({measured})."
    return (
        f"Residuals depart from a normal distribution by more than chance: {numbers.count(qq.n_outside)} of "
        f"{numbers.plural(n_rows, 'row')} {numbers.be(qq.n_outside, 'lies', 'lie')} outside the band of the Q–Q "
        f"plot. In size the departure is mild ({measured})."
    )


def _p_value(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"= {numbers.fixed(value, 3)}"


def _tested(context: Context) -> str:
    return f"(Brown–Forsythe p {_p_value(context.findings.assumptions.p_value)})"


def _unequal(context: Context, judged: Judgement) -> str:
    found = context.findings.assumptions
    return (
        f"Rows scatter {numbers.fixed(found.ratio, 1)} times as far in the widest group as in the narrowest, allowing "
        f"for chance. The model assumes one spread for all {_tested(context)}.{_apart(context, found)}"
    )


def _apart(context: Context, found: Assumptions) -> str:
    """The groups whose spread departs most from that of all rows; empty if there are none."""
    if not found.apart.size:
        return ""
    named = (f"{context.named(int(j))} ({found.group_sd[j] / found.sigma:.1f} times)" for j in found.apart)
    return f" Against the spread of all: {numbers.listed(named, limit=3)}."


def _own(context: Context) -> str:
    """The groups whose own interval leaves out the SD of all, beside how many chance gives; empty if there are none."""
    found = context.findings.assumptions
    outside = own_outside(found)
    if not outside.size:
        return ""
    named = numbers.listed((context.named(int(j)) for j in outside), limit=3)
    return (
        f" Taken one by one, {numbers.count(outside.size)} of {numbers.plural(found.n_compared, 'group')} ({named}) "
        f"{numbers.be(outside.size, 'has', 'have')} a 95 % interval that leaves out the SD of all; by chance alone "
        f"{numbers.about(0.05 * found.n_compared)} would."
    )


MORE = "that rows scatter more in some groups than in others"
EQUAL_SPREAD: CheckSpec[Context] = CheckSpec(
    kind="equal_spread",
    title="Equal spread in all groups",
    measure="ratio {value}, at most {limit}",
    cases={
        "not compared": Case(
            f"Fewer than two groups have the {FEWEST_ROWS} rows that a comparison of their spread needs."
        ),
        "alike": Case(lambda context, judged: f"There is no clear sign {MORE} {_tested(context)}.{_own(context)}"),
        "hinted": Case(
            lambda context, judged: (
                f"There is some sign, not a clear one, {MORE} {_tested(context)}. With chance taken out, the widest "
                f"scatters {numbers.fixed(context.findings.assumptions.ratio, 1)} times as far as the narrowest."
                f"{_own(context)}"
            )
        ),
        "nearly alike": Case(
            lambda context, judged: (
                f"Rows do not scatter quite alike in all groups {_tested(context)}, but so nearly "
                "that it does not matter."
            )
        ),
        "unequal": Case(
            _unequal,
            "Intervals of the wider groups are too short and those of the narrower ones too long: look at these "
            "groups’ rows before comparing them.",
            "Look at the rows of the groups that scatter most.",
            "rows scatter more in some groups than in others",
        ),
    },
)


def _finding(context: Context) -> str:
    found = context.findings.assumptions
    passed = "" if is_asking(context, TOPIC.checks) else _passed(found.qq)
    return f"{passed} {worst_first(context, TOPIC.checks)} {_shape(found.qq, found.n_rows_used)}".strip()


def _passed(qq: QQ) -> str:
    if qq.n_outside:
        return "Every check passes, but residuals are not normally distributed."
    return "Rows behave as the model assumes, by these checks."


TOPIC = Topic(
    id="assumptions",
    title="Do the rows behave as the model assumes?",
    finding=_finding,
    blocks=_blocks,
    sources=("assumptions", "screening", "checks"),
    guide=(GUIDE,),
    checks=(OUTCOME_KIND, CURVE, SERIAL, EQUAL_SPREAD, MEAN_SPREAD, ROW_SHAPE),
    summary=(
        Entry(
            "screening",
            ScreeningSummary,
            "What the plain model was found to lack, or not to",
            lambda context: screening_of(context.findings),
        ),
        Entry(
            "assumptions",
            AssumptionsSummary,
            "Whether rows scatter as the model assumes",
            lambda context: assumptions_of(context.findings.assumptions, context.findings.labels),
        ),
    ),
)
