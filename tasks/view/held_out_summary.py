"""The keys of `summary.json` about rows and groups that a model has not seen; null where none was made."""

from __future__ import annotations

from typing import Any

from tasks.stats import cross_validation, held_out
from tasks.stats.cross_validation import CrossValidation
from tasks.stats.findings import Findings
from tasks.stats.held_out import LeaveOneGroupOut
from tasks.stats.influence import Influence
from tasks.view.plain import by_label, listed, number, plain


def held_out_of(findings: Findings) -> dict[str, Any]:
    return {
        "cross_validation": _cross_validation(findings.cross_validation),
        "leave_one_group_out": _leave_one_group_out(findings.leave_one_group_out, findings.labels),
        "loo_pit": plain(findings.loo_pit),
        "influence": _influence(findings.influence, findings),
    }


def _cross_validation(found: CrossValidation | None) -> dict[str, Any] | None:
    return None if found is None else {"target": cross_validation.TARGET, **plain(found)}


def _leave_one_group_out(found: LeaveOneGroupOut | None, labels: tuple[str, ...]) -> dict[str, Any] | None:
    if found is None:
        return None
    keys = ("elpd", "se", "rmse", "pareto_k_max", "pareto_k_threshold", "n_high_pareto_k", "n_draws_used")
    groups = by_label(
        labels, elpd=listed(found.elpd_by_group), rmse=listed(found.rmse_by_group), pareto_k=listed(found.pareto_k)
    )
    return {"target": held_out.TARGET, **{key: plain(getattr(found, key)) for key in keys}, "groups": groups}


def _influence(found: Influence | None, findings: Findings) -> dict[str, Any] | None:
    if found is None:
        return None
    groups = by_label(
        findings.labels,
        dfbetas=listed(found.dfbetas),
        cooks_distance=listed(found.cooks_distance),
        by_chance=listed(found.by_chance),
    )
    return {
        "model": f"partial_pooling.{findings.fullest.flavour}",
        "is_refitted": found.is_refitted,
        "n_not_estimable": found.n_not_estimable,
        "largest": number(found.most),
        "groups": groups,
    }
