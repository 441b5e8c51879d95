"""The routes after a singular fit, the profiles and the test of a variance, for `summary.json`."""

from __future__ import annotations

from typing import Any

from tasks.stats.findings import Findings
from tasks.stats.remedies import Remedies, Route
from tasks.view.plain import by_label, listed, plain

REFITTED = ("uncorrelated", "penalised", "bootstrap")  # the other routes' groups stand under `fits`


def after_singular_fit_of(findings: Findings) -> dict[str, Any]:
    """Three entries, null where an analysis was not made."""
    found = findings.remedies
    return {
        "remedies": None if found is None else _remedies(found, findings),
        "likelihood_profiles": plain(findings.likelihood_profiles),
        "variance_test": plain(findings.variance_test),
    }


def _remedies(found: Remedies, findings: Findings) -> dict[str, Any]:
    return {
        "varying": [findings.terms[k] for k in found.varying],
        "routes": {
            route.name: {
                **_route(route, findings.labels),
                "median_width": listed(found.median_width[i]),
                "largest_change": listed(found.largest_change[i]),
                "changed_most": [findings.labels[j] for j in found.changed_most[i]],
            }
            for i, route in enumerate(found.routes)
        },
        "spread": listed(found.spread),
        "spread_group": [findings.labels[j] for j in found.spread_group],
        "spread_share": listed(found.spread_share),
        "n_replicates": found.n_replicates,
        "n_singular_replicates": found.n_singular_replicates,
    }


def _route(route: Route, labels: tuple[str, ...]) -> dict[str, Any]:
    keys = ("model", "sigma_group", "sigma_group_lower", "sigma_group_upper", "sigma", "is_singular")
    columns = {"coef": listed(route.coef), "lower": listed(route.lower), "upper": listed(route.upper)}
    return {
        **{key: plain(getattr(route, key)) for key in keys},
        "groups": by_label(labels, **columns) if route.name in REFITTED else None,
    }
