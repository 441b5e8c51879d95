"""Summaries of earlier versions, in today's form.

Readers of published runs (catalogue, changes, history) know version 2 only. What they read of version 1 is the
same but for the verdict's status, which was the worst of the checks (pass, review or fail), and for the checks, which
were known by name only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = 2
WITH_TERM = ("simpson", "intervals", "fixed")  # the checks that version 1 made for each term


def in_todays_form(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """The summary, or its head, in the form of version 2; `None` for a version that this Poolwise does not know."""
    version = summary.get("schema_version")
    if version == VERSION:
        return dict(summary)
    return _from_version_1(summary) if version == 1 else None


def _from_version_1(summary: Mapping[str, Any]) -> dict[str, Any]:
    verdict, checks = summary.get("verdict"), summary.get("checks")
    changed: dict[str, Any] = {"schema_version": VERSION}
    if isinstance(verdict, Mapping):
        changed["verdict"] = {**verdict, "status": _status(verdict)}
    if isinstance(checks, list):
        changed["checks"] = [_check(check) for check in checks]
    return {**summary, **changed}


def _check(check: Any) -> Any:
    """The check with its kind and term, which version 1 named together: `simpson_age`. Anything else is unchanged."""
    if not isinstance(check, Mapping) or "name" not in check:
        return check
    return {**check, **_kind_and_term(str(check["name"]))}


def _kind_and_term(name: str) -> dict[str, str]:
    for kind in WITH_TERM:
        if name.startswith(f"{kind}_"):
            return {"kind": kind, "term": name.removeprefix(f"{kind}_")}
    return {"kind": name, "term": ""}


def _status(verdict: Mapping[str, Any]) -> Any:
    """Fail is none; else it depends on the model that was recommended. What is no status stays what it is."""
    if verdict.get("status") == "fail":
        return "none"
    if verdict.get("status") in ("pass", "review"):
        return "trust" if str(verdict.get("recommended_model")).startswith("partial_pooling.") else "use"
    return verdict.get("status")
