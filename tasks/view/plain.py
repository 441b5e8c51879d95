"""Numbers as JSON can carry them: NaN and infinities become null, arrays become lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from tasks.stats.records import Floats


def listed(array: Floats) -> Any:
    """Nested lists of the array's numbers (a bare one for shape ()), `None` where one is not finite."""
    is_finite = np.isfinite(array)
    if is_finite.all():
        return array.tolist()
    boxed = array.astype(object)
    boxed[~is_finite] = None
    return boxed.tolist()


def number(value: float) -> float | None:
    """The number, or `None` where it is not finite."""
    return float(value) if np.isfinite(value) else None


def plain(value: Any) -> Any:
    """Records, arrays, mappings and sequences as values that `json.dumps(..., allow_nan=False)` takes."""
    if isinstance(value, np.ndarray):
        return listed(value) if value.dtype.kind == "f" else value.tolist()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return number(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def by_label(labels: Sequence[str], **columns: list[Any]) -> dict[str, dict[str, Any]]:
    """{label: {column: that label's entry}}; each column has one entry per label."""
    return dict(zip(labels, _rows(columns), strict=True))


def _rows(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = tuple(columns)
    for entries in zip(*columns.values(), strict=True):
        yield dict(zip(names, entries, strict=True))
