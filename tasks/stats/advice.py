"""How a setting is advised, wherever one is: spelled out as it would be typed."""

from __future__ import annotations

from collections.abc import Sequence

TOP = "at the top of the study file"


def to_set(settings: Sequence[str]) -> str:
    """`settings` are whole lines of TOML that may stand above the first table."""
    return f"set {' and '.join(settings)} {TOP}"
