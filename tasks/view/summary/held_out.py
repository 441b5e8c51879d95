"""Rows and groups that a model has not seen."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.judged import cross_validation, held_out
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Flag, Number, Positive, Record, Vector


class ModelErrorSummary(Record):
    """One model's error."""

    model: str = Field(description="a path under `fits`")
    rmse: Number = Field(description="out-of-sample root mean square error, in the outcome's unit")
    difference: Number = Field(description="from the smallest RMSE, in the outcome's unit")
    difference_se: Number = Field(
        description="its standard error, from the paired differences of squared errors by row; 0 for the best"
    )


class CrossValidationSummary(Record):
    """K-fold cross-validation of every model on the same rows, repeated."""

    target: str = Field(description="what is predicted")
    models: list[ModelErrorSummary] = Field(description="one entry per model")
    best: str = Field(description="the model with the smallest error; see difference_se for how clearly")
    n_folds: int = Field(ge=2, description="folds; rows are dealt out at random within groups")
    n_repeats: Positive = Field(
        description="how often rows were dealt out anew; each row's squared errors are averaged over the repeats"
    )
    n_rows: Count = Field(
        description="rows predicted, each once a repeat; a sample where the study has more rows than are kept"
    )
    n_fallback_rows: Count = Field(
        description=(
            "rows whose group cannot carry a fit of its own, in some repeat: no pooling then predicts them by complete "
            "pooling"
        )
    )
    pareto_k_max: Number = Field(
        description="largest Pareto k of the folds' importance weights, of the Bayesian models"
    )
    pareto_k_threshold: Number = Field(description="above it the Bayesian models' errors are unreliable")
    n_draws_used: Count = Field(description="posterior draws used")


class LeaveOneGroupOutGroupSummary(Record):
    """One group, predicted from all others."""

    elpd: Number = Field(
        description=(
            "log predictive density, summed over the group's rows, each predicted without any of them; null for a "
            "group without a row in the sample"
        )
    )
    rmse: Number = Field(
        description="root mean square error of the group's rows, predicted as those of a new group; the outcome's unit"
    )
    pareto_k: Number = Field(description="Pareto k")


class LeaveOneGroupOutSummary(Record):
    """The Bayesian model's prediction of each group from all others, by Pareto-smoothed importance sampling."""

    target: str = Field(description="what is predicted")
    elpd: Number = Field(
        description=(
            "expected log predictive density, summed over rows, each predicted without any row of its group; may be "
            "compared with `fits.bayes.elpd_loo`"
        )
    )
    se: Number = Field(description="its standard error, by groups")
    rmse: Number = Field(
        description="root mean square error of all rows, each predicted as one of a new group; the outcome's unit"
    )
    pareto_k_max: Number = Field(description="largest Pareto k over groups")
    pareto_k_threshold: Number = Field(description="above it a group's own numbers are unreliable")
    n_high_pareto_k: Count = Field(description="groups above the threshold")
    n_draws_used: Count = Field(description="posterior draws used; fewer than all when groups are many")
    groups: ByLabel[LeaveOneGroupOutGroupSummary] = Field(description="by group label")


class InfluenceGroupSummary(Record):
    """One group, left out."""

    dfbetas: Vector = Field(
        description=(
            "p values, intercept first: the estimate of all groups less that without the group, in standard "
            "errors of the latter"
        )
    )
    cooks_distance: Number = Field(
        description="change of all fixed effects together, relative to their covariance, per effect"
    )
    by_chance: Vector = Field(
        description=(
            "p values: standard errors that no group's dfbetas exceeds in 99 of 100 studies whose groups are "
            "alike (Bonferroni over groups and effects)"
        )
    )


class InfluenceSummary(Record):
    """How far the fixed effects move when one group is left out."""

    model: str = Field(description="a path under `fits`")
    is_refitted: Flag = Field(
        description=(
            "whether the whole model was fitted again without each group; else with the variances of the fit to all"
        )
    )
    n_not_estimable: Count = Field(description="groups without which the fixed effects cannot be estimated")
    largest: Number = Field(description="largest absolute DFBETAS of all groups and terms")
    groups: ByLabel[InfluenceGroupSummary] = Field(description="by group label")


def cross_validation_of(found: cross_validation.CrossValidation | None) -> CrossValidationSummary | None:
    return None if found is None else CrossValidationSummary.of(found, target=cross_validation.TARGET)


def leave_one_group_out_of(findings: Findings) -> LeaveOneGroupOutSummary | None:
    found = findings.leave_one_group_out
    if found is None:
        return None
    groups = by_label(
        findings.labels,
        elpd=listed(found.elpd_by_group),
        rmse=listed(found.rmse_by_group),
        pareto_k=listed(found.pareto_k),
    )
    return LeaveOneGroupOutSummary.of(found, target=held_out.TARGET, groups=groups)


def influence_of(findings: Findings) -> InfluenceSummary | None:
    found = findings.influence
    if found is None:
        return None
    groups = by_label(
        findings.labels,
        dfbetas=listed(found.dfbetas),
        cooks_distance=listed(found.cooks_distance),
        by_chance=listed(found.by_chance),
    )
    model = f"partial_pooling.{findings.fullest.flavour}"
    return InfluenceSummary.of(found, model=model, largest=found.most, groups=groups)
