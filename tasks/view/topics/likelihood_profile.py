"""How well the data know each group SD: figures of the profiles, their limits in a table, the test of a variance."""

from __future__ import annotations

from tasks.stats.fits.bootstrap import MOST_REPLICATES
from tasks.stats.fits.likelihood_profile import REFERENCE, LikelihoodProfile
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest
from tasks.stats.judgement import Judgement
from tasks.view.context import Context
from tasks.view.figures.profile import HEIGHT, profile_curve
from tasks.view.records import Block, Cell, Column, Figure, Fold, Paragraph, Table
from tasks.view.topic import Case, CheckSpec, messages
from tasks.view.words import numbers
from tasks.view.words.numbers import fixed, with_unit

MOST_TERMS = 3
FEW_GROUPS = 20
OFTEN = 0.1  # share of simulated data sets above which it is reported
GUIDE = (
    "The curve asks of every group SD in turn: if it had this value, and all else were chosen as well as possible, how "
    "much worse would the model fit? A deep narrow valley means that the data know the SD well; a wide flat one that "
    "many values are about as good. Where the curve starts low at the left, the data cannot tell a small spread from "
    "none. The dashed line is an orientation: away from 0, values below it make a 95 % interval; near 0 that rule does "
    "not hold, and the simulated test takes its place."
)


def profile_blocks(context: Context) -> tuple[Block, ...]:
    profiles = context.findings.likelihood_profiles
    return (
        Paragraph(f"{messages(context, [VARIANCE])}{_how_tested(context, context.findings.likelihood_ratio_test)}"),
        *(_figure(context, one) for one in profiles[:MOST_TERMS]),
        Fold("How to read the profiles", (Paragraph(GUIDE), _table(context, profiles))),
    )


def _figure(context: Context, found: LikelihoodProfile) -> Figure:
    term = context.position(found.term)
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    name = context.term_name(term)
    return Figure(
        id=f"figure-profile-{term}",
        caption=f"Group SD of the {name}: how much worse other values fit. {_finding(context, found)}",
        alternative=f"{_finding(context, found)} The curve rises to both sides of the best value.",
        spec=profile_curve(
            found.sd / scale,
            found.deviance,
            found.fitted_sd / scale,
            x_title=f"group SD of the {name}" + (f" ({unit})" if unit else ""),
            reference=REFERENCE,
        ),
        height=HEIGHT,
    )


def _table(context: Context, profiles: tuple[LikelihoodProfile, ...]) -> Table:
    columns = (
        Column("Group SD", is_number=False),
        Column("Unit", is_number=False),
        Column("REML", model="partial_pooling"),
        Column(f"Deviance within {REFERENCE}"),
        Column("Deviance at an SD of 0"),
    )
    rows = tuple(_row(context, one) for one in profiles)
    note = (
        "Everything else, the residual SD included, is estimated anew at every value; each curve is drawn through "
        f"{min(one.sd.size for one in profiles)} values or more."
        + (" Slopes: per raw unit." if len(profiles) > 1 else "")
    )
    return Table("table-profiles", "Profiles of the group SDs", columns, rows, note)


def _row(context: Context, found: LikelihoodProfile) -> tuple[Cell, ...]:
    term = context.position(found.term)
    lower, upper, places = _limits(context, found)
    ends = f"{lower} upwards" if upper == numbers.MISSING else f"{lower} to {upper}"
    return (
        Cell(context.term_title(term)),
        Cell(context.raw_unit(term) or "–"),
        Cell(numbers.fixed(found.fitted_sd / context.raw_scale(term), places)),
        Cell(ends),
        Cell(numbers.significant(found.deviance_at_zero)),
    )


def _finding(context: Context, found: LikelihoodProfile) -> str:
    """The range of group SDs that fit the data almost as well as the best."""
    term = context.position(found.term)
    lower, upper, places = _limits(context, found)
    unit, name = context.raw_unit(term), context.term_name(term)
    if upper == numbers.MISSING:
        return f"The data set no upper limit to the group SD of the {name}."
    best = with_unit(fixed(found.fitted_sd / context.raw_scale(term), places), unit)
    only = "only " if found.deviance_at_zero < REFERENCE else ""
    zero = (
        f"the best is {best}, and an SD of 0 fits worse by {only}{numbers.significant(found.deviance_at_zero)}"
        if found.fitted_sd > 0.0
        else "an SD of 0 fits best"
    )
    return (
        f"The data hardly tell group SDs of the {name} from {lower} to {with_unit(upper, unit)} apart (the deviance "
        f"stays within {REFERENCE} of the best); {zero}."
    )


def _limits(context: Context, found: LikelihoodProfile) -> tuple[str, str, int]:
    """Where the profile reaches the reference, in raw units, and the decimal places for them."""
    scale = context.raw_scale(context.position(found.term))
    lower, upper = found.lower / scale, found.upper / scale
    places = numbers.decimals_for((upper - lower) / 4)
    return fixed(lower, places), fixed(upper, places), places


def _tested(context: Context, judged: Judgement) -> str:
    """The result of the likelihood-ratio test."""
    found = context.findings.likelihood_ratio_test
    said = "show" if judged.case == "shown" else "do not show"
    neither = "" if judged.case == "shown" else ", nor that there is no difference"
    effects = numbers.listed(f"the {context.term_name(context.position(name))}" for name in found.terms)
    fewer = "" if found.n_replicates >= MOST_REPLICATES else f", fewer than {MOST_REPLICATES} as there are many groups"
    return (
        f"The data {said} that {effects} {'differs' if len(found.terms) == 1 else 'differ'} between groups{neither}. "
        f"Of {found.n_replicates:,} data sets simulated without such differences{fewer}, {found.n_as_large:,} look at "
        f"least as different as these data (p = {found.p_value:.3g})."
    )


def _how_tested(context: Context, found: LikelihoodRatioTest) -> str:
    zero = (
        f" In {numbers.percent(found.share_zero)} of the simulated data sets the larger model found nothing at all, "
        "which is why the usual chi-squared test would be wrong here."
        if found.share_zero > OFTEN
        else ""
    )
    rough = (
        " With few groups this test finds a difference somewhat more often than it should."
        if found.null == "varying_intercept" and context.n_groups < FEW_GROUPS
        else ""
    )
    return f" The likelihood ratio is {found.statistic:.2f}; its p-value is by parametric bootstrap.{zero}{rough}"


VARIANCE: CheckSpec[Context] = CheckSpec(
    kind="variance_component",
    title="Test of the differences between groups",
    measure="p = {value}",
    cases={"shown": Case(_tested), "not shown": Case(_tested)},
)
