"""The keys `ranks`, `funnel` and `size_trend` of `summary.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tasks.stats.findings import Findings
from tasks.stats.funnel import ALARM, WARNING, Funnel
from tasks.stats.ranks import RankedTerm
from tasks.stats.size_trend import GroupLevels, SizeTrend
from tasks.view.plain import by_label, listed, number, plain

SIDES = {1: "above", 0: "neither", -1: "below"}
HALVES = {1: "upper", 0: "neither", -1: "lower"}
TREND_KEYS = (
    "per_doubling",
    "per_doubling_se",
    "per_doubling_lower",
    "per_doubling_upper",
    "center",
    "center_se",
    "covariance",
    "typical_size",
    "df",
    "tau",
    "tau_left",
    "small_size",
    "large_size",
    "difference",
    "is_clear",
    "is_material",
    "calibration",
)


def comparison_of(findings: Findings) -> dict[str, Any]:
    """Each key is `None` where the analysis was not made."""
    return {
        "ranks": _ranks(findings),
        "funnel": None if findings.funnel is None else _funnel(findings.funnel, findings),
        "size_trend": None if findings.size_trend is None else _size_trend(findings.size_trend, findings),
    }


def _ranks(findings: Findings) -> dict[str, Any] | None:
    found = findings.ranks
    if found is None:
        return None
    terms = {one.term: _ranked(one, findings) for one in found.terms}
    return {"n_draws": found.n_draws, "n_extreme": found.n_extreme, "terms": terms}


def _ranked(one: RankedTerm, findings: Findings) -> dict[str, Any]:
    return {
        "rankability": plain(one.rankability),
        "is_defensible": one.is_defensible,
        "n_placed": one.n_placed,
        "typical_places": number(one.typical_places),
        "groups": by_label(
            findings.labels,
            expected=listed(one.expected),
            lower=one.lower.tolist(),
            upper=one.upper.tolist(),
            top=listed(one.top),
            bottom=listed(one.bottom),
            above=listed(one.above),
            half=_named(one.half, HALVES),
        ),
    }


def _funnel(found: Funnel, findings: Findings) -> dict[str, Any]:
    return {
        **{key: number(getattr(found, key)) for key in ("average", "average_se", "sigma", "tau")},
        "slopes": dict(zip(findings.terms[1:], listed(found.slopes), strict=True)),
        "n_outside": {
            name: {f"{100 * limit:g}": int(found.outside(limit, between=between).sum()) for limit in (WARNING, ALARM)}
            for name, between in (("chance", False), ("between", True))
        },
        "groups": by_label(
            findings.labels, level=listed(found.level), z=listed(found.z), z_between=listed(found.z_between)
        ),
    }


def _size_trend(trend: SizeTrend, findings: Findings) -> dict[str, Any]:
    chosen = trend.flipped
    return {
        **{key: plain(getattr(trend, key)) for key in TREND_KEYS},
        "average": number(trend.plain.average),
        "average_with_size": number(trend.with_size.average),
        "flipped": by_label(
            [findings.labels[j] for j in chosen],
            plain=_levels(trend.plain, chosen),
            with_size=_levels(trend.with_size, chosen),
        ),
    }


def _levels(levels: GroupLevels, chosen: np.ndarray) -> list[dict[str, Any]]:
    columns = [listed(part[chosen]) for part in (levels.level, levels.lower, levels.upper)]
    sides = _named(levels.side[chosen], SIDES)
    return [
        {"level": level, "lower": lower, "upper": upper, "side": side}
        for level, lower, upper, side in zip(*columns, sides, strict=True)
    ]


def _named(codes: np.ndarray, names: Mapping[int, str]) -> list[str]:
    return [names[code] for code in codes.tolist()]
