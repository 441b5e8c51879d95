"""Do predictions hold: calibration, counts beside those expected, quantile residuals, overdispersion, zeros."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.counted.row_dispersion import RowDispersion
from tasks.stats.judged.pit import LooPit
from tasks.view.counted.context import CountedContext
from tasks.view.counted.figures import calibration_curve, hanging_rootogram
from tasks.view.figures.held_out import pit_ecdf
from tasks.view.records import Block, Cell, Column, Figure, Table
from tasks.view.summary.loo_pit import LooPitSummary, loo_pit_of
from tasks.view.summary.record import Count, Flag, Number, Record, Vector
from tasks.view.topic import Case, CheckSpec, Entry, Topic, how_to_read, messages, worst_first
from tasks.view.topics.pit_words import CURVES
from tasks.view.words import numbers, text
from tasks.view.words.numbers import percent, plural

GUIDE = (
    "Each row is predicted while it is left out. In the first picture rows are put together by what was predicted of "
    "them; if predictions hold, observed rates keep to the dotted line, within the grey band. In the second, bars hang "
    "from the curve of what is expected: one that ends above 0 means too few rows with so many events, one that "
    "reaches below it too many. The third asks of every row how probable fewer events were; its curve should stay in "
    "the band."
)


class CalibrationSummary(Record):
    """Rows by predicted rate, each row left out in turn; B bins of about equal trials or exposure."""

    predicted: Vector = Field(description="mean predicted probability or rate of each bin")
    observed: Vector = Field(description="observed probability or rate")
    lower: Vector = Field(description="simultaneous 95 % band, exact")
    upper: Vector = Field(description="simultaneous 95 % band, exact")
    is_inside: Flag = Field(description="whether the band holds every bin")


class DispersionSummary(Record):
    """Do rows vary more than their family says?"""

    unit: str = Field(description="what was looked at: rows, cells, or none where neither can show it")
    n_used: Count = Field(description="of these")
    inflation: Number = Field(description="variance of what a group's rows say, by what the family makes it")
    pearson: Number = Field(description="Pearson's chi-squared by that of data simulated from the fit")
    dispersion: Number = Field(description="of the overdispersed kin by maximum likelihood; 0: none")
    p_value: Number = Field(description="of no overdispersion, by the likelihood ratio")
    zeros_observed: Number = Field(description="rows without events")
    zeros_expected: Number = Field(description="of data simulated from the fit")


def _blocks(context: CountedContext) -> tuple[Block, ...]:
    found = context.findings.screening
    residuals = (_residuals(context, found.residuals),) if found.residuals else ()
    return (_calibration(context), _rootogram(context), *residuals, how_to_read(GUIDE), _table(context))


def _calibration(context: CountedContext) -> Figure:
    found, name = context.findings.screening.calibration, text.sentence_case(context.rate_name)
    return Figure(
        id="figure-calibration",
        caption=(
            f"{name}: observed against predicted, for rows of like predictions, each row left out in turn. The band "
            f"holds all points at once in 95 of 100 studies if predictions are right. {context.sample_note}"
        ).strip(),
        alternative=messages(context, [CALIBRATION]),
        spec=calibration_curve(
            found, context.rate_scale, f"predicted {context.rate_name}", f"observed {context.rate_name}"
        ),
        height=380,
    )


def _rootogram(context: CountedContext) -> Figure:
    found = context.findings.rootogram
    zeros = found.observed[0]
    unit = f"{context.outcome} in a row"
    return Figure(
        id="figure-rootogram",
        caption=(
            f"How many rows have how many {context.outcome} (bars), hung from how many should (curve), on a root "
            f"scale. {context.sample_note}"
        ).strip(),
        alternative=(
            f"{numbers.count(int(zeros))} rows have the least {context.outcome}; "
            f"{numbers.significant(float(found.expected[0]), 3)} are expected to."
        ),
        spec=hanging_rootogram(found, unit),
        height=360,
    )


def _residuals(context: CountedContext, found: LooPit) -> Figure:
    return Figure(
        id="figure-quantile-residuals",
        caption=(
            "Randomised quantile residuals: how probable fewer events were in each row, left out in turn. The curve is "
            f"the share of rows below, less what is expected; grey: its 95 % band. {CURVES[found.shape]}"
        ),
        alternative=messages(context, [PIT]),
        spec=pit_ecdf(found),
        height=320,
    )


def _table(context: CountedContext) -> Table:
    found = context.findings.screening
    dispersion, zeros = found.dispersion, found.zeros
    columns = (Column("What", is_number=False), Column("Observed"), Column("Expected by the model"))
    rows = []
    if dispersion.pearson is not None:
        rows.append(
            (
                Cell("Pearson’s χ² by that of simulated data"),
                Cell(numbers.fixed(dispersion.pearson.ratio, 2)),
                Cell("1"),
            )
        )
    rows.append((Cell("Variance of what a group’s rows say"), Cell(numbers.fixed(dispersion.inflation, 2)), Cell("1")))
    if zeros is not None:
        rows.append(
            (
                Cell(f"Rows without {context.outcome}"),
                Cell(numbers.count(round(float(zeros.plain.observed.mean())))),
                Cell(numbers.significant(float(zeros.plain.replicated.mean()), 3)),
            )
        )
    return Table("table-dispersion", "Spread of the rows, and zeros", columns, tuple(rows), context.sample_note)


def _dispersion(context: CountedContext) -> RowDispersion:
    return context.findings.screening.dispersion


def _more(context: CountedContext) -> str:
    found = _dispersion(context)
    return f"what they say of a group is {numbers.fixed(found.inflation, 2)} times as uncertain as chance makes it"


def _kin(context: CountedContext) -> str:
    return "beta-binomial" if context.is_binomial else "negative binomial"


OVERDISPERSION: CheckSpec[CountedContext] = CheckSpec(
    kind="overdispersion",
    title="Spread of the rows",
    measure="{value} times the variance; clear and above {limit} it matters",
    cases={
        "not told": Case("Whether rows vary more than chance cannot be told from rows like these."),
        "none": Case("Rows vary as much as chance makes them."),
        "hinted": Case("There is some sign, not a clear one, that rows vary more than chance."),
        "little": Case(
            lambda context, judged: (
                f"Rows vary a little more than chance. {text.sentence_case(_more(context))}: too little to matter."
            )
        ),
        "rows": Case(
            lambda context, judged: f"Rows vary more than chance. {text.sentence_case(_more(context))}.",
            lambda context, judged: f"Use the extended model, whose rows are {_kin(context)}.",
            reason="rows vary more than chance, so that its intervals are too short",
        ),
        "cells": Case(
            lambda context, judged: (
                f"Rows with the same predictors vary more than chance. {text.sentence_case(_more(context))}."
            ),
            lambda context, judged: f"Use the extended model, whose rows are {_kin(context)}.",
            reason="like cases of a group vary more than chance, so that its intervals are too short",
        ),
    },
)


def _zeros(context: CountedContext) -> str:
    found = context.findings.screening.zeros
    assert found is not None
    observed, expected = float(found.plain.observed.mean()), float(found.plain.replicated.mean())
    rows = plural(round(observed), "row") if round(observed) else "No row"
    return (
        f"{rows} {numbers.be(max(round(observed), 1), 'has', 'have')} no {context.outcome}, where "
        f"{numbers.about(expected)} should"
    )


ZEROS: CheckSpec[CountedContext] = CheckSpec(
    kind="zeros",
    title="Rows without events",
    measure="{value} times as many as expected",
    cases={
        "none": Case(lambda context, judged: f"{_zeros(context)}: that is what chance brings."),
        "explained": Case(
            lambda context, judged: f"{_zeros(context)}; that rows vary more than chance accounts for them."
        ),
        "inflated": Case(
            lambda context, judged: f"{_zeros(context)}. No model here has so many.",
            "Look for rows in which nothing could be counted, and leave them out; or add rows up to longer periods.",
        ),
    },
)
CALIBRATION: CheckSpec[CountedContext] = CheckSpec(
    kind="calibration",
    title="Calibration of predicted rates",
    cases={
        "inside": Case(
            "Where much is predicted much is observed, and where little little: predictions hold at all levels."
        ),
        "outside": Case(
            "Observed rates leave the band about those predicted.",
            "Look in the calibration curve where they do; a predictor that is missing, or acts together with another, "
            "may be why.",
            "See at which predicted rates the model is off, and do not use it to predict single cases there.",
        ),
    },
)


def _held(context: CountedContext) -> str:
    found = context.findings.screening.residuals
    assert found is not None
    level = found.held[-1]
    return f"{percent(level.share)} of the rows lie in their {percent(level.level)} intervals."


_OFF: Case[CountedContext] = Case(
    lambda context, judged: (
        f"Rows are spread otherwise around their predictions than the model expects. {_held(context)}"
    ),
    "Averages and rates of groups can still hold; do not rely on the model’s intervals for single rows.",
    "Do not predict single rows from it: its margins for them are off.",
)
PIT: CheckSpec[CountedContext] = CheckSpec(
    kind="loo_pit",
    title="Quantile residuals of rows",
    measure="{share} outside the band",
    cases={
        "calibrated": Case(
            lambda context, judged: f"Rows lie as far from their predictions as the model expects. {_held(context)}"
        ),
        **dict.fromkeys(("too_narrow", "too_wide", "too_high", "too_low", "other"), _OFF),
    },
)


def calibration_of(context: CountedContext) -> CalibrationSummary:
    found = context.findings.screening.calibration
    return CalibrationSummary.given(
        predicted=found.predicted,
        observed=found.observed,
        lower=found.lower_simultaneous,
        upper=found.upper_simultaneous,
        is_inside=found.is_inside,
    )


def dispersion_of(context: CountedContext) -> DispersionSummary:
    found = context.findings.screening
    kin, zeros = found.dispersion.likelihood, found.zeros
    return DispersionSummary.given(
        unit=found.dispersion.unit,
        n_used=found.dispersion.n_used,
        inflation=found.dispersion.inflation,
        pearson=found.dispersion.pearson.ratio if found.dispersion.pearson else None,
        dispersion=kin.dispersion if kin else None,
        p_value=kin.p_value if kin else None,
        zeros_observed=float(zeros.plain.observed.mean()) if zeros else None,
        zeros_expected=float(zeros.plain.replicated.mean()) if zeros else None,
    )


TOPIC: Topic[CountedContext] = Topic(
    id="predictive",
    title="Do predictions hold?",
    finding=lambda context: worst_first(context, [ZEROS, OVERDISPERSION, CALIBRATION, PIT]),
    blocks=_blocks,
    sources=("calibration", "dispersion", "quantile_residuals", "checks"),
    guide=(GUIDE,),
    checks=(OVERDISPERSION, ZEROS, CALIBRATION, PIT),
    summary=(
        Entry("calibration", CalibrationSummary, "Observed against predicted rates of rows left out", calibration_of),
        Entry("dispersion", DispersionSummary, "How rows vary, and how many have no event", dispersion_of),
        Entry(
            "quantile_residuals",
            LooPitSummary | None,
            "Randomised quantile residuals of rows left out: ECDF less the uniform one; null below ten rows",
            lambda context: loo_pit_of(context.findings.screening.residuals),
        ),
    ),
)
