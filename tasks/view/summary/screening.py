"""What the plain model was found to lack, or not to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.judged.effect_shape import EffectShape
from tasks.stats.judged.mean_spread import MeanSpread
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.view.summary.record import Number, Record, Vector


class MissingTermSummary(Record):
    """One term added to the fullest mixed model."""

    kind: Literal["size", "context", "curve"] = Field(
        description=(
            "size: log2 of a group's rows; context: a predictor's mean in the group; curve: a predictor's square, "
            "centre-scaled"
        )
    )
    term: str = Field(description="the predictor; empty for size")
    coef: Number = Field(description="in the outcome's unit per unit of that column")
    se: Number = Field(description="its standard error")
    lower: Number = Field(description="lower limit of its 95 % interval")
    upper: Number = Field(description="upper limit of its 95 % interval")
    coef_raw: Number = Field(description="of a context, per raw unit of the predictor; null for others")
    lower_raw: Number = Field(description="its lower limit")
    upper_raw: Number = Field(description="its upper limit")
    p_value: Number = Field(description="of the Wald test")
    explained: Number = Field(description="share of the residual variance that it explains")
    share_moved: Number = Field(description="share of the groups whose level or slope moves by half its margin or more")
    implied_coverage: Vector = Field(description="of the plain model's intervals, p values, were the term in the model")
    implied_coverage_smallest: Number = Field(description="the same of the smallest groups' levels")
    is_missing: bool = Field(description="clear, and large enough to matter")


class EvennessSummary(Record):
    """Whether rows scatter alike within groups, whatever is expected of them."""

    p_value: Number = Field(description="of even scatter; null where expectations do not differ within groups")
    growth: Number = Field(description="SD where much is expected (90th percentile in the group) over that at the 10th")


class LogarithmSummary(Record):
    """The mixed model of the outcome's logarithm."""

    evenness: EvennessSummary = Field(description="the same question of the logarithm")
    fixef: Vector = Field(description="fixed effects, per SD of each predictor")
    se: Vector = Field(description="their standard errors")


class MeanSpreadSummary(Record):
    """Whether rows scatter more where more is expected."""

    evenness: EvennessSummary = Field(description="of the outcome")
    logarithm: LogarithmSummary | None = Field(
        description="null where rows scatter evenly, or the outcome is not positive"
    )


class EffectShapeSummary(Record):
    """Whether one varying effect has a normal distribution over groups."""

    term: str = Field(description="the term whose effect varies")
    outlying: list[str] = Field(description="labels of groups that lie too far out, farthest first")
    cluster_sizes: list[int] = Field(description="groups on both sides of the split that explains most, lower first")
    explained: Number = Field(description="share of the variance between groups that the split explains")
    cluster_p: Number = Field(description="of normal values split alike")


class ScreeningSummary(Record):
    """What the plain model was found to lack, or not to."""

    missing_terms: list[MissingTermSummary] = Field(description="every term that the data can tell")
    serial_correlation: Number = Field(description="of a row's residual with the next one's in its group")
    serial_effective_share: Number = Field(description="independent rows that one row is worth, for a group's level")
    serial_p_value: Number = Field(description="of independent rows, one-sided")
    skewness: Number = Field(description="of residuals within groups, beyond what normal rows show")
    excess_kurtosis: Number = Field(description="of residuals within groups, beyond what normal rows show")
    mean_spread: MeanSpreadSummary = Field(description="whether rows scatter more where more is expected")
    group_effects: list[EffectShapeSummary] = Field(description="one per varying effect; none below ten groups")
    outcome_kind: Literal["measured", "two values", "counts"] = Field(description="what the outcome looks like")
    widened_coverage: Vector = Field(
        description="p values: how much of the Bayesian posterior partial pooling's widened intervals hold"
    )
    widened_coverage_smallest: Number = Field(description="the same of the smallest groups' levels")
    widening: Vector = Field(description="p values: by what factor joint intervals are widened")


def screening_of(findings: Findings) -> ScreeningSummary:
    found, implied = findings.screening, findings.implied_coverage
    return ScreeningSummary.given(
        missing_terms=[_term(one, findings) for one in found.missing],
        serial_correlation=found.serial.correlation,
        serial_effective_share=found.serial.effective_share,
        serial_p_value=found.serial.p_value,
        skewness=found.shape.skewness,
        excess_kurtosis=found.shape.kurtosis,
        mean_spread=_mean_spread(found.mean_spread),
        group_effects=[_effect(one, findings) for one in found.effects],
        outcome_kind=found.outcome.kind,
        widened_coverage=implied.terms,
        widened_coverage_smallest=implied.smallest,
        widening=findings.bootstrap.widening,
    )


def _mean_spread(found: MeanSpread) -> MeanSpreadSummary:
    logarithm = found.logarithm
    return MeanSpreadSummary.given(
        evenness=EvennessSummary.of(found.evenness),
        logarithm=LogarithmSummary.of(logarithm, evenness=EvennessSummary.of(logarithm.evenness))
        if logarithm
        else None,
    )


def _effect(one: EffectShape, findings: Findings) -> EffectShapeSummary:
    return EffectShapeSummary.of(
        one, outlying=[findings.labels[group] for group in one.outlying], cluster_sizes=[*one.cluster_sizes]
    )


def _term(one: MissingTerm, findings: Findings) -> MissingTermSummary:
    kind, column, half = one.added.kind, one.added.column, one.half_width
    scale = float(findings.scaling.scale[column - 1]) if kind == "context" else float("nan")
    return MissingTermSummary.of(
        one,
        kind=kind,
        term=findings.terms[column] if column else "",
        lower=one.coef - half,
        upper=one.coef + half,
        coef_raw=one.coef / scale,
        lower_raw=(one.coef - half) / scale,
        upper_raw=(one.coef + half) / scale,
        implied_coverage=one.implied.terms,
        implied_coverage_smallest=one.implied.smallest,
    )
