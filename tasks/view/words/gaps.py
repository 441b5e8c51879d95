"""Why a group has no fit of its own, in words."""

from __future__ import annotations

from tasks.stats.records import NoPooling
from tasks.view.words.numbers import plural


def gap_in_words(own: NoPooling, group: int) -> str:
    """Why the group has no fit of its own, or no interval; empty if its fit is complete."""
    n, p = int(own.n[group]), own.coef.shape[1]
    return {
        "": "",
        "few rows": f"{plural(n, 'row')} cannot carry {plural(p, 'coefficient')}",
        "no spread": "the predictors do not vary enough within this group",
        "no interval": f"{plural(n, 'row')} for {plural(p, 'coefficient')}: an estimate, but no interval",
    }[own.gap[group]]


def gaps_in_words(own: NoPooling) -> list[str]:
    """(J,) `gap_in_words` of every group."""
    return [gap_in_words(own, group) for group in range(len(own.gap))]
