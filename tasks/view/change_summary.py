"""The key `changes` of `summary.json`."""

from __future__ import annotations

from typing import Any

from tasks.stats.changes import Changes, EstimateChanges, VerdictChange
from tasks.stats.records import Estimate
from tasks.view.plain import by_label, listed, number, plain
from tasks.view.topics.change_words import in_words


def changes_of(changes: Changes | None, headline: str) -> dict[str, Any] | None:
    """`None` on a study's first run."""
    if changes is None:
        return None
    keys = ("rows", "n_groups", "rejected", "groups_added", "groups_gone", "varying")
    return {
        "previous": {"id": changes.previous_id, "started_at": changes.previous_started_at},
        "causes": list(changes.causes),
        "verdict": _verdict(changes.verdict, headline),
        "checks": plain(changes.checks),
        **{key: plain(getattr(changes, key)) for key in keys},
        "not_comparable": [in_words(reason) for reason in changes.not_comparable],
        "estimates": None if changes.estimates is None else _estimates(changes.estimates),
    }


def _verdict(found: VerdictChange, headline: str) -> dict[str, Any]:
    changed = {key: plain(getattr(found, key)) for key in ("direction", "status", "recommended_model")}
    return {**changed, "headline": {"then": found.headline_then, "now": headline}}


def _estimates(found: EstimateChanges) -> dict[str, Any]:
    then, now = found.groups.then, found.groups.now
    return {
        "level_is_exact": found.level_is_exact,
        "level_widening": number(found.level_widening),
        "fixef": {"then": plain(found.fixef.then), "now": plain(found.fixef.now)},
        "groups": by_label(
            found.labels,
            n=[
                {"then": before, "now": after}
                for before, after in zip(found.n.then.tolist(), found.n.now.tolist(), strict=True)
            ],
            then=_rows(then),
            now=_rows(now),
            shift=listed(found.shift),
        ),
    }


def _rows(estimate: Estimate) -> list[dict[str, Any]]:
    parts = {name: listed(getattr(estimate, name)) for name in ("mean", "sd", "lower", "upper")}
    return [dict(zip(parts, entries, strict=True)) for entries in zip(*parts.values(), strict=True)]
