"""The three verdicts as people read them."""

from __future__ import annotations

from tasks.stats.records import VerdictStatus

# Best first.
LABELS: dict[VerdictStatus, str] = {
    "trust": "Can be trusted",
    "use": "Use another model",
    "none": "None can be trusted",
}


def quoted(status: VerdictStatus) -> str:
    """`“Can be trusted”`"""
    return f"“{LABELS[status]}”"
