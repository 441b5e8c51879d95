"""Ways on after a singular fit."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tasks.stats.findings import Findings
from tasks.stats.judged.remedies import Remedies
from tasks.view.plain import by_label, listed
from tasks.view.summary.record import ByLabel, Count, Flag, Number, Positive, Record, Vector

REFITTED = ("uncorrelated", "penalised", "bootstrap")  # the other routes' groups stand under `fits`


class RouteGroupSummary(Record):
    """One group's estimate."""

    coef: Vector = Field(description="(p,) the group's estimate")
    lower: Vector = Field(description="(p,) 95 % joint interval; bootstrap: prediction interval")
    upper: Vector = Field(description="(p,) likewise")


class RouteSummary(Record):
    """One way on, in the outcome's unit (slopes: per SD of the predictor)."""

    model: str = Field(description="the fit it uses, a path under `fits`; empty for one made here")
    sigma_group: Vector = Field(description="(q,) group SDs, for bayes posterior means; null for a term left out")
    sigma_group_lower: Vector = Field(description="(q,) 2.5 % ends; null where the route gives none")
    sigma_group_upper: Vector = Field(description="(q,) 97.5 % ends; null where the route gives none")
    sigma: Number = Field(description="residual SD, outcome units")
    is_singular: Flag | None = Field(description="null for bayes, which estimates no single value")
    groups: ByLabel[RouteGroupSummary] | None = Field(
        description="by group label; null where they stand under `fits`.`model`"
    )
    median_width: Vector = Field(description="(q,) of the groups' 95 % intervals")
    largest_change: Vector = Field(description="(q,) of a group's estimate against the singular fit")
    changed_most: list[str] = Field(description="(q,) label of the group in which it is")


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


def _sometimes(description: str) -> Any:
    """An entry that may be missing, and is never null."""
    return Field(default=None, json_schema_extra=_without_default, description=description)


class RoutesSummary(Record):
    """The singular fit itself, then each way on."""

    singular_fit: RouteSummary = Field(description="the fullest fit, with joint intervals")
    drop: RouteSummary = Field(description="the best simpler fit; complete pooling where only intercepts varied")
    uncorrelated: RouteSummary = _sometimes("diagonal covariance; only where several terms vary")
    penalised: RouteSummary = _sometimes("REML criterion - log|Sigma|, Chung et al. 2013, 2015")
    bootstrap: RouteSummary = Field(description="the singular fit with parametric-bootstrap intervals")
    bayes: RouteSummary = Field(description="posterior")


class RemediesSummary(Record):
    """Ways on after a singular fit."""

    varying: list[str] = Field(description="the q varying terms of the singular fit")
    routes: RoutesSummary = Field(description="the singular fit itself, then each way on")
    spread: Vector = Field(
        description="(q,) largest difference of a group's estimate between any two routes, as fitted"
    )
    spread_group: list[str] = Field(description="(q,) label of the group in which it is")
    spread_share: Vector = Field(description="(q,) the same over the width of that group's Bayesian interval")
    divided: list[list[str]] = Field(
        description="(q,) labels of the groups whose slope's interval excludes 0 on some ways on only; none for levels"
    )
    n_replicates: Positive = Field(description="data sets simulated by the bootstrap")
    n_singular_replicates: Count = Field(description="of them, those with a singular fit")


def remedies_of(findings: Findings) -> RemediesSummary | None:
    """`None` where the fullest fit is regular."""
    found = findings.remedies
    if found is None:
        return None
    routes = {route.name: _route(found, at, findings.labels) for at, route in enumerate(found.routes)}
    return RemediesSummary.of(
        found,
        varying=[findings.terms[k] for k in found.varying],
        routes=RoutesSummary(**routes),
        spread_group=[findings.labels[j] for j in found.spread_group],
        divided=[[findings.labels[j] for j in groups] for groups in found.divided],
    )


def _route(found: Remedies, at: int, labels: tuple[str, ...]) -> RouteSummary:
    route = found.routes[at]
    columns = {"coef": listed(route.coef), "lower": listed(route.lower), "upper": listed(route.upper)}
    return RouteSummary.of(
        route,
        groups=by_label(labels, **columns) if route.name in REFITTED else None,
        median_width=found.median_width[at],
        largest_change=found.largest_change[at],
        changed_most=[labels[j] for j in found.changed_most[at]],
    )
