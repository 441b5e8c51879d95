"""What the page's script makes of `tasks/view/figures/pool.py`'s forms, written a second time for tests."""

from __future__ import annotations

from typing import Any


def unpooled(value: Any, lists: list[Any]) -> Any:
    """`value` with every reference into `lists` resolved, however it is stored there."""
    if isinstance(value, list):
        return [unpooled(item, lists) for item in value]
    if not isinstance(value, dict):
        return value
    if "pooled" in value:
        return _unfolded(unpooled(lists[value["pooled"]], lists))
    return {key: unpooled(item, lists) for key, item in value.items()}


def _unfolded(stored: Any) -> Any:
    if isinstance(stored, list):
        return stored
    if "texts" in stored:
        return [stored["texts"][place] for place in stored["at"]]
    if "columns" in stored:
        return [list(row) for row in zip(*stored["columns"], strict=True)]
    return [stored["joined"].join(pair) for pair in zip(*stored["of"], strict=True)]
