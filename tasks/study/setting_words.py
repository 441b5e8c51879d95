"""How a setting is typed: as a line of a study file, or as an option of `poolwise run FILE`.

A setting is written here as one line at the top of a study file: `decimal = ","`, `rules.min_rows = 3`.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from typing import Any

# Settings that have an option of their own beside `--set`.
OPTIONS = {
    "outcome": "--outcome",
    "group": "--group",
    "predictors": "--predictor",
    "order": "--order",
    "family": "--family",
    "trials": "--trials",
    "exposure": "--exposure",
    "rules.max_rejected_share": "--max-rejected-share",
}


def set_in_file(line: str) -> str:
    """`set min_rows = 3 under [rules] in the study file`"""
    key, _, value = line.partition(" = ")
    table, dot, inner = key.partition(".")
    if not dot:
        return f"set {line} in the study file"
    return f"set {inner} = {value} under [{table}] in the study file"


def set_by_option(line: str) -> str:
    """`` add `--set rules.min_rows=3` ``, quoted for a shell where it has to be."""
    key, _, value = line.partition(" = ")
    if key in OPTIONS:
        return f"add `{OPTIONS[key]} {shlex.quote(_plain(value))}`"
    return f"add `--set {shlex.quote(f'{key}={_plain(value)}')}`"


def option_of(key: str) -> str:
    return OPTIONS.get(key, f"--set {key}")


def values_of(setting: str) -> dict[str, Any]:
    """The setting `KEY=VALUE` of `--set` as nested tables of a study file. A value that is no TOML is text.

    Raises ValueError if the key or the equals sign is missing.
    """
    key, equals, text = setting.partition("=")
    if not equals:
        raise ValueError("it has no equals sign")
    values: Any = _value(text)
    for part in reversed(_parts(key)):
        values = {part: values}
    return dict(values)


def merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings in one: tables are merged, and where both give a value, that of `more` counts."""
    both = dict(values)
    for key, value in more.items():
        before = both.get(key)
        is_table = isinstance(value, Mapping) and isinstance(before, Mapping)
        both[key] = merged(before, value) if is_table else value  # type: ignore[arg-type]
    return both


def _parts(key: str) -> list[str]:
    """`rules.ranges."my column"` as its parts."""
    parts: list[str] = []
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        table = {}
    while isinstance(table, Mapping):
        if len(table) != 1:
            raise ValueError("it has no key that a study file could have")
        ((part, table),) = table.items()
        parts.append(part)
    return parts


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _plain(value: str) -> str:
    """The TOML value, without its quotes if `--set` reads the same text without them."""
    text = _value(value)
    return text if isinstance(text, str) and text and _value(text) == text else value
