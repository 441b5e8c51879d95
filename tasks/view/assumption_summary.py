"""The key `assumptions` of `summary.json`; null where they were not looked at."""

from __future__ import annotations

from typing import Any

from tasks.stats.assumptions import Assumptions
from tasks.view.plain import by_label, listed, plain

KEYS = (
    "sigma",
    "f",
    "df",
    "p_value",
    "p_limit",
    "ratio",
    "ratio_limit",
    "spread_of_log_sd",
    "is_unequal",
    "n_compared",
    "n_rows_used",
    "qq",
    "by_fitted",
)


def assumptions_of(found: Assumptions | None, labels: tuple[str, ...]) -> dict[str, Any] | None:
    if found is None:
        return None
    groups = by_label(
        labels,
        n=found.n.tolist(),
        sd=listed(found.group_sd),
        lower=listed(found.group_sd_lower),
        upper=listed(found.group_sd_upper),
    )
    return {
        **{key: plain(getattr(found, key)) for key in KEYS},
        "apart": [labels[j] for j in found.apart],
        "groups": groups,
    }
