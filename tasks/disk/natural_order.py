"""The order a reader expects of labels: 2 before 10, "ward 2" before "ward 10"."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def natural_key(label: str) -> tuple[object, ...]:
    """A sort key: numbers first, by size; then text in lower case, its runs of digits by size."""
    if NUMBER.fullmatch(label):
        return (0, float(label), (), label)
    parts = re.split(r"(\d+)", label.casefold(), flags=re.ASCII)
    return (1, 0.0, tuple((part, 0.0) if i % 2 == 0 else ("", float(part)) for i, part in enumerate(parts)), label)


def natural_order(labels: Sequence[str]) -> list[int]:
    """Positions of the labels in natural order."""
    return sorted(range(len(labels)), key=lambda i: natural_key(labels[i]))
