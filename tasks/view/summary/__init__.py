"""`summary.json`: everything a report says, as numbers for programs.

Public API, version 2. A record per part of the document, each in its module here, describes every entry with its
unit and is filled from the findings; from these records comes the schema, `tasks/view/summary.schema.json`:

    python -m tasks.view.summary > tasks/view/summary.schema.json

A test fails when that file is not what the records give. Verdict and run come before the fits, so that a reader of
many runs need not read whole files. Documents of version 1 are read by `tasks.summary_versions`.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema

from tasks.view import verdict_words
from tasks.view.context import Context
from tasks.view.summary.assumptions import AssumptionsSummary, assumptions_of
from tasks.view.summary.changes import ChangesSummary, changes_of
from tasks.view.summary.checks import CheckSummary, checks_of
from tasks.view.summary.fits import FitsSummary, fits_of
from tasks.view.summary.funnel import FunnelSummary, funnel_of
from tasks.view.summary.held_out import (
    CrossValidationSummary,
    InfluenceSummary,
    LeaveOneGroupOutSummary,
    cross_validation_of,
    influence_of,
    leave_one_group_out_of,
)
from tasks.view.summary.intervals import IntervalWidthsSummary, intervals_of
from tasks.view.summary.likelihood_profiles import LikelihoodProfileSummary, likelihood_profiles_of
from tasks.view.summary.loo_pit import LooPitSummary, loo_pit_of
from tasks.view.summary.overview import OverviewSummary, overview_of
from tasks.view.summary.predictive import PredictiveSummary, predictive_of
from tasks.view.summary.priors import (
    PriorPredictiveSummary,
    PriorSensitivitySummary,
    prior_predictive_of,
    prior_sensitivity_of,
)
from tasks.view.summary.ranks import RanksSummary, ranks_of
from tasks.view.summary.recommended import RecommendedSummary, recommended_of
from tasks.view.summary.record import Record, Seconds
from tasks.view.summary.remedies import RemediesSummary, remedies_of
from tasks.view.summary.run import RunSummary, run_of
from tasks.view.summary.scaling import OutcomeScalingSummary, ScalingSummary, outcome_scaling_of, scaling_of
from tasks.view.summary.simpson import SimpsonSummary, simpson_of
from tasks.view.summary.size_trend import SizeTrendSummary, size_trend_of
from tasks.view.summary.study import StudySummary, study_of
from tasks.view.summary.variance_components import VarianceComponentsSummary, variance_components_of
from tasks.view.summary.variance_test import VarianceTestSummary, variance_test_of
from tasks.view.summary.verdict import VerdictSummary, verdict_of

SCHEMA_VERSION: Literal[2] = 2


class Summary(Record):
    """What one run found. p terms (intercept first), q of them varying by group. null stands for what is undefined."""

    schema_version: Literal[2] = Field(
        description="raised when a key changes its meaning or goes; new keys do not raise it"
    )
    study: StudySummary = Field(description="What was asked")
    verdict: VerdictSummary = Field(description="The answer")
    run: RunSummary = Field(description="Of which data, when, with what")
    overview: OverviewSummary = Field(
        description="The run at a glance, for readers of many runs; it stands before the fits"
    )
    checks: list[CheckSummary] = Field(description="every check that was made")
    recommended: RecommendedSummary | None = Field(
        description=(
            "The numbers to quote, with one meaning whatever model is recommended; null where no model can be trusted"
        )
    )
    terms: list[str] = Field(
        description="the p terms in the order of every coefficient list: `intercept`, then the predictors"
    )
    scaling: dict[str, ScalingSummary] = Field(description="by predictor; empty for a study without one")
    outcome_scaling: OutcomeScalingSummary = Field(description="For reference: fits are in the outcome's unit")
    fits: FitsSummary = Field(description="Every model, on centre-scaled predictors and in the outcome's unit")
    variance_components: VarianceComponentsSummary = Field(description="Where the variation lies")
    simpson: list[SimpsonSummary] = Field(description="Simpson's paradox, one entry per predictor")
    intervals: list[IntervalWidthsSummary] = Field(
        description=(
            "Widths of three 95 % intervals for the groups' estimates, in units of the coefficients, one entry "
            "per varying term"
        )
    )
    predictive: PredictiveSummary = Field(description="Posterior predictive checks")
    cross_validation: CrossValidationSummary | None = Field(
        description="K-fold cross-validation of every model on the same rows; null where rows are too few"
    )
    leave_one_group_out: LeaveOneGroupOutSummary | None = Field(
        description=(
            "The Bayesian model's prediction of each group from all others, by Pareto-smoothed importance "
            "sampling; null below three groups"
        )
    )
    loo_pit: LooPitSummary | None = Field(
        description=(
            "Calibration of the Bayesian model's predictions of single rows: ECDF of LOO-PIT values less the "
            "uniform one; null below ten rows"
        )
    )
    influence: InfluenceSummary | None = Field(
        description="How far the fixed effects move when one group is left out; null below three groups"
    )
    prior_predictive: PriorPredictiveSummary | None = Field(
        description="Data simulated from the priors alone, in the outcome's unit; null where none were"
    )
    prior_sensitivity: PriorSensitivitySummary | None = Field(
        description="Power-scaling sensitivity (Kallioinen et al. 2024), 0 = unmoved; null where none was computed"
    )
    assumptions: AssumptionsSummary | None = Field(
        description="Whether rows scatter as the model assumes; null where it was not looked at"
    )
    ranks: RanksSummary | None = Field(
        description="Which place each group takes among all; null where groups were not ranked"
    )
    funnel: FunnelSummary | None = Field(description="Group levels against group size; null where not made")
    size_trend: SizeTrendSummary | None = Field(
        description=(
            "Does the level of a group go with its size? null where that cannot be told, as with groups of equal size"
        )
    )
    remedies: RemediesSummary | None = Field(
        description="Ways on after a singular fit, each of them run; null where the fullest fit is regular"
    )
    likelihood_profiles: list[LikelihoodProfileSummary] | None = Field(
        description="Profiles of the REML criterion over each group SD of the fullest fit; null where none was made"
    )
    variance_test: VarianceTestSummary | None = Field(
        description=(
            "Do effects differ between groups? Likelihood-ratio test by parametric bootstrap; null where none was made"
        )
    )
    changes: ChangesSummary | None = Field(description="Since the previous report of the study; null on the first")
    timings: dict[str, Seconds] = Field(description="seconds by step")


def summary_of(context: Context) -> dict[str, Any]:
    """The summary as plain dicts, lists, strings, numbers and `None` (for NaN and infinities)."""
    study, findings, verdict = context.study, context.findings, verdict_words.verdict_of(context)
    labels = findings.labels
    return Summary.given(
        schema_version=SCHEMA_VERSION,
        study=study_of(study),
        verdict=verdict_of(verdict),
        run=run_of(findings.run),
        overview=overview_of(context),
        checks=checks_of(context),
        recommended=recommended_of(findings),
        terms=findings.terms,
        scaling=scaling_of(findings.scaling),
        outcome_scaling=outcome_scaling_of(findings.scaling),
        fits=fits_of(findings),
        variance_components=variance_components_of(findings.variance_components),
        simpson=simpson_of(findings.simpson),
        intervals=intervals_of(findings.intervals),
        predictive=predictive_of(findings.predictive, labels),
        cross_validation=cross_validation_of(findings.cross_validation),
        leave_one_group_out=leave_one_group_out_of(findings),
        loo_pit=loo_pit_of(findings.loo_pit),
        influence=influence_of(findings),
        prior_predictive=prior_predictive_of(findings.prior_predictive),
        prior_sensitivity=prior_sensitivity_of(findings.prior_sensitivity, labels),
        assumptions=assumptions_of(findings.assumptions, labels),
        ranks=ranks_of(findings),
        funnel=funnel_of(findings),
        size_trend=size_trend_of(findings),
        remedies=remedies_of(findings),
        likelihood_profiles=likelihood_profiles_of(findings.likelihood_profiles),
        variance_test=variance_test_of(findings.variance_test),
        changes=changes_of(context.changes, verdict.headline),
        timings=findings.timings,
    ).told()


def summary_json(summary: dict[str, Any]) -> str:
    """JSON text, one line per top-level key: compact at 10^4 groups, still readable at the top."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    lines = (f"{encode(key)}: {encode(value)}" for key, value in summary.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


class _Untitled(GenerateJsonSchema):
    """Without a title for every entry: its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> dict[str, Any]:
    """JSON schema (2020-12) of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:poolwise:summary:{SCHEMA_VERSION}",
        **Summary.model_json_schema(schema_generator=_Untitled),
        "title": f"Poolwise summary, version {SCHEMA_VERSION}",
    }


def schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
