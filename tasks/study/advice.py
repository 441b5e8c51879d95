"""Advice to make settings, spelled out as they would be typed."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.study.model import Study


def to_set(study: Study, settings: Sequence[str]) -> str:
    """Advice to make these settings; each is a whole line of TOML that may stand above the first table."""
    return " and ".join(map(study.setting, settings))
