"""`summary.json`: everything a report says, as numbers for programs.

Public API, version 1; `summary.schema.json` beside this file documents every key with its unit.
Verdict and run come before the fits, so that a reader of many runs need not read whole files.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tasks.stats.findings import Findings
from tasks.stats.records import (
    BayesFit,
    CompletePooling,
    Estimate,
    Floats,
    LooResult,
    NoPooling,
    PartialPooling,
    PredictiveCheck,
    PredictiveStatistic,
    RunRecord,
    Scaling,
)
from tasks.stats.study import Study
from tasks.view.assumption_summary import assumptions_of
from tasks.view.change_summary import changes_of
from tasks.view.checks import Check, checks_of
from tasks.view.comparison_summary import comparison_of
from tasks.view.context import Context
from tasks.view.gaps import gaps_in_words
from tasks.view.held_out_summary import held_out_of
from tasks.view.overview import overview_of
from tasks.view.plain import by_label, listed, number, plain
from tasks.view.prior_summary import priors_of
from tasks.view.raw_units import coef_in_raw_units, interval_in_raw_units, se_in_raw_units
from tasks.view.remedy_summary import after_singular_fit_of
from tasks.view.verdict_words import verdict_of

SCHEMA_VERSION = 1
FLAVOURS = ("varying_intercept", "varying_slope", "varying_intercept_slope")
LOO_TARGET = "a new row in a known group"


def summary_of(context: Context) -> dict[str, Any]:
    """The summary as plain dicts, lists, strings, numbers and `None` (for NaN and infinities)."""
    study, findings, verdict = context.study, context.findings, verdict_of(context)
    return {
        "schema_version": SCHEMA_VERSION,
        "study": _study(study),
        "verdict": plain(verdict),
        "run": _run(findings.run),
        "overview": overview_of(context),
        "checks": [_check(check) for check in checks_of(context)],
        "terms": list(findings.terms),
        "scaling": _scaling(findings.scaling),
        "outcome_scaling": {
            "center": number(findings.scaling.outcome_center),
            "scale": number(findings.scaling.outcome_scale),
        },
        "fits": _fits(findings),
        "variance_components": plain(findings.variance_components),
        "simpson": plain(findings.simpson),
        "intervals": plain(findings.intervals),
        "predictive": _predictive(findings.predictive, findings.labels),
        **after_singular_fit_of(findings),
        **held_out_of(findings),
        **priors_of(findings),
        "assumptions": assumptions_of(findings.assumptions, findings.labels),
        **comparison_of(findings),
        "changes": changes_of(context.changes, verdict.headline),
        "timings": plain(findings.timings),
    }


def _check(check: Check) -> dict[str, Any]:
    return {key: value for key, value in plain(check).items() if key != "step"}


def _run(run: RunRecord) -> dict[str, Any]:
    """What reading gave reason to ask is said by its checks."""
    return {key: value for key, value in plain(run).items() if key != "reading"}


def summary_json(summary: dict[str, Any]) -> str:
    """JSON text, one line per top-level key: compact at 10^4 groups, still readable at the top."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    lines = (f"{encode(key)}: {encode(value)}" for key, value in summary.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _study(study: Study) -> dict[str, Any]:
    keys = ("name", "title", "source", "outcome", "outcome_unit", "group")
    return {
        **{key: getattr(study, key) for key in keys},
        "predictors": list(study.predictors),
        "predictor_units": dict(study.predictor_units),
        "varying": list(study.varying),
    }


def _scaling(scaling: Scaling) -> dict[str, dict[str, float | None]]:
    return {
        name: {"center": number(center), "scale": number(scale)}
        for name, center, scale in zip(scaling.predictors, scaling.center, scaling.scale, strict=True)
    }


def _fits(findings: Findings) -> dict[str, Any]:
    return {
        "complete_pooling": _complete(findings.complete, findings.scaling),
        "no_pooling": _no_pooling(findings.no_pooling, findings.labels),
        "partial_pooling": {name: _flavour(findings, name) for name in FLAVOURS},
        "bayes": _bayes(findings.bayes, findings),
    }


def _complete(fit: CompletePooling, scaling: Scaling) -> dict[str, Any]:
    arrays = {"coef": fit.coef, "se": fit.se, "lower": fit.lower, "upper": fit.upper}
    return {
        **plain(arrays),
        "sigma": number(fit.sigma),
        "df": fit.df,
        "rmse": number(fit.rmse),
        "raw_units": _in_raw_units(scaling, "coef", "se", **arrays),
    }


def _no_pooling(fit: NoPooling, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "rmse": number(fit.rmse),
        "n_fitted": int(fit.is_fitted.sum()),
        "groups": by_label(
            labels,
            n=fit.n.tolist(),
            coef=listed(fit.coef),
            se=listed(fit.se),
            lower=listed(fit.lower),
            upper=listed(fit.upper),
            sigma=listed(fit.sigma),
            gap=[reason or None for reason in gaps_in_words(fit)],
        ),
    }


def _flavour(findings: Findings, name: Any) -> dict[str, Any] | None:
    fit = findings.partial.get(name)
    return None if fit is None else _partial(fit, findings)


def _partial(fit: PartialPooling, findings: Findings) -> dict[str, Any]:
    keys = ("criterion", "criterion_value", "criterion_value_scaled", "theta", "fixef", "se")
    more_keys = ("sigma", "is_singular", "converged", "gradient_norm", "rmse")
    return {
        "varying": [findings.terms[position] for position in fit.varying],
        **{key: plain(getattr(fit, key)) for key in keys},
        "fixef_cov": listed(fit.fixef_cov),
        "cov": listed(fit.cov),
        "sd_group": listed(fit.sigma_group),
        "correlation": listed(fit.correlation),
        **{key: plain(getattr(fit, key)) for key in more_keys},
        "raw_units": {
            "fixef": listed(coef_in_raw_units(findings.scaling, fit.fixef)),
            "se": listed(se_in_raw_units(findings.scaling, fit.fixef_cov)),
        },
        "groups": _partial_groups(fit, findings.labels),
    }


def _partial_groups(fit: PartialPooling, labels: tuple[str, ...]) -> dict[str, Any]:
    return by_label(
        labels,
        coef=listed(fit.coef),
        conditional_sd=listed(fit.conditional_sd),
        se=listed(fit.coef_se),
        lower=listed(fit.lower),
        upper=listed(fit.upper),
        shrinkage_factor=listed(fit.shrinkage_factor),
    )


def _bayes(fit: BayesFit, findings: Findings) -> dict[str, Any]:
    return {
        "engine": fit.engine,
        "fixef": plain(fit.fixef),
        "sd_group": listed(fit.sigma_group.mean),
        "sd_group_posterior": plain(fit.sigma_group),
        "correlation_posterior": plain(fit.correlation),
        "sigma": number(float(fit.sigma.mean)),
        "sigma_posterior": plain(fit.sigma),
        "icc_posterior": plain(fit.icc),
        "rmse": number(fit.rmse),
        "elpd_loo": number(fit.loo.elpd_loo),
        "loo": _loo(fit.loo),
        "diagnostics": plain(fit.diagnostics),
        "attempts": plain(fit.attempts),
        "raw_units": _estimate_in_raw_units(findings.scaling, fit.fixef),
        "groups": _bayes_groups(fit.groups, findings.labels),
    }


def _bayes_groups(groups: Estimate, labels: tuple[str, ...]) -> dict[str, Any]:
    return by_label(
        labels,
        mean=listed(groups.mean),
        sd=listed(groups.sd),
        lower=listed(groups.lower),
        upper=listed(groups.upper),
    )


def _estimate_in_raw_units(scaling: Scaling, fit: Estimate) -> dict[str, Any]:
    return _in_raw_units(scaling, "mean", "sd", mean=fit.mean, sd=fit.sd, lower=fit.lower, upper=fit.upper)


def _in_raw_units(scaling: Scaling, point: str, spread: str, **arrays: Floats) -> dict[str, Any]:
    """The point changes basis whole; spread and limits only for slopes (see `raw_units`)."""
    return {
        point: listed(coef_in_raw_units(scaling, arrays[point])),
        **{name: listed(interval_in_raw_units(scaling, arrays[name])) for name in (spread, "lower", "upper")},
    }


def _loo(loo: LooResult) -> dict[str, Any]:
    keys = (
        "elpd_loo",
        "se",
        "p_loo",
        "pareto_k_max",
        "n_high_pareto_k",
        "pareto_k_threshold",
        "n_rows_used",
    )
    return {"target": LOO_TARGET, **{key: plain(getattr(loo, key)) for key in keys}}


def _predictive(check: PredictiveCheck, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "overall": [_statistic(statistic) for statistic in check.overall],
        "n_replicates": check.n_replicates,
        "n_groups_outside": check.n_groups_outside,
        "n_groups_outside_limit": check.n_groups_outside_limit,
        "groups": by_label(
            labels,
            median=listed(check.group_median_observed),
            lower=listed(check.group_median_lower),
            upper=listed(check.group_median_upper),
            posterior_predictive_p_value=listed(check.group_p_value),
        ),
    }


def _statistic(statistic: PredictiveStatistic) -> dict[str, Any]:
    lower, median, upper = _quantiles(statistic.replicated)
    return {
        "name": statistic.name,
        "observed": number(statistic.observed),
        "replicated_median": median,
        "replicated_lower": lower,
        "replicated_upper": upper,
        "posterior_predictive_p_value": number(statistic.posterior_predictive_p_value),
    }


def _quantiles(replicated: Floats) -> list[Any]:
    finite = replicated[np.isfinite(replicated)]
    return [None, None, None] if finite.size == 0 else np.quantile(finite, [0.025, 0.5, 0.975]).tolist()
