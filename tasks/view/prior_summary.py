"""The keys of `summary.json` about the priors; null where no analysis was made."""

from __future__ import annotations

from typing import Any

from tasks.stats.findings import Findings
from tasks.stats.prior_predictive import PriorPredictive
from tasks.stats.prior_sensitivity import PriorSensitivity
from tasks.view.plain import number, plain


def priors_of(findings: Findings) -> dict[str, Any]:
    return {
        "prior_predictive": _predictive(findings.prior_predictive),
        "prior_sensitivity": _sensitivity(findings.prior_sensitivity, findings.labels),
    }


def _predictive(found: PriorPredictive | None) -> dict[str, Any] | None:
    return None if found is None else plain(found)


def _sensitivity(found: PriorSensitivity | None, labels: tuple[str, ...]) -> dict[str, Any] | None:
    if found is None:
        return None
    quantities = [
        {
            "kind": one.kind,
            "terms": list(one.terms),
            "group": labels[one.group] if one.group >= 0 else None,
            "prior": number(one.prior),
            "likelihood": number(one.likelihood),
            "diagnosis": one.diagnosis or None,
        }
        for one in found.quantities
    ]
    keys = ("threshold", "n_groups_used", "n_draws_used")
    return {**{key: plain(getattr(found, key)) for key in keys}, "quantities": quantities}
