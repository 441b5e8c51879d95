"""Writes TOML, which the standard library only reads.

Not supported: dates, and tables inside lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MOST_BITS = 10_000  # of a whole number written in decimals; Python does not read longer ones


def toml_text(values: Mapping[str, Any]) -> str:
    """Nested mappings as a TOML document: plain keys first, then tables."""
    return "\n".join(_lines(values, "")) + "\n"


def toml_value(value: Any) -> str:
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return hex(value)
    return str(value)


def toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def _lines(values: Mapping[str, Any], path: str) -> list[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{toml_key(key)} = {toml_value(value)}" for key, value in plain.items()]
    for key, table in tables.items():
        inner = f"{path}.{toml_key(key)}" if path else toml_key(key)
        lines += ["", f"[{inner}]", *_lines(table, inner)]
    return lines
