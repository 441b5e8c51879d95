"""How well the data know each group SD: figures of the profiles, their limits in a table, the test of a variance."""

from __future__ import annotations

from tasks.stats.likelihood_profile import REFERENCE, LikelihoodProfile
from tasks.view import guides, numbers
from tasks.view.context import Context
from tasks.view.figures.profile import HEIGHT, profile_curve
from tasks.view.records import Block, Cell, Column, Figure, Fold, Paragraph, Table
from tasks.view.remedy_words import MOST_TERMS, profile_finding, profile_limits, variance_test_finding


def profile_blocks(context: Context) -> tuple[Block, ...]:
    """Nothing where no profile was made."""
    profiles, test = context.findings.likelihood_profiles, context.findings.variance_test
    if not profiles:
        return ()
    return (
        *((Paragraph(variance_test_finding(context, test)),) if test else ()),
        *(_figure(context, one) for one in profiles[:MOST_TERMS]),
        Fold("How to read the profiles", (Paragraph(guides.LIKELIHOOD_PROFILE), _table(context, profiles))),
    )


def _figure(context: Context, found: LikelihoodProfile) -> Figure:
    term = context.findings.terms.index(found.term)
    scale, unit = context.raw_scale(term), context.raw_unit(term)
    name = context.term_name(term)
    return Figure(
        id=f"figure-profile-{term}",
        caption=f"Group SD of the {name}: how much worse other values fit. {profile_finding(context, found)}",
        alternative=f"{profile_finding(context, found)} The curve rises to both sides of the best value.",
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
    term = context.findings.terms.index(found.term)
    lower, upper, places = profile_limits(context, found)
    ends = f"{lower} upwards" if upper == numbers.MISSING else f"{lower} to {upper}"
    return (
        Cell(context.term_title(term)),
        Cell(context.raw_unit(term) or "–"),
        Cell(numbers.fixed(found.fitted_sd / context.raw_scale(term), places)),
        Cell(ends),
        Cell(numbers.significant(found.deviance_at_zero)),
    )
