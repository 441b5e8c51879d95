"""The tables of keys in docs/study.md, made from the models of a study: `make docs` writes them, a test compares.

In the page, one of these lines begins a table and says which keys it lists; `<!-- end of table -->` ends it:

    <!-- table: title source -->    these keys, of those at the top of a study file
    <!-- table: [rules] -->         every key of a TOML table
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.study.model import Study

TABLE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"
NOT_REQUIRED = "name"  # the model requires a name, but a study's folder gives it

Schema = Mapping[str, Any]


def filled(page: str) -> str:
    """The page with every table made anew. Raises KeyError for a key that no study has."""
    return TABLE.sub(lambda found: f"{found[1]}\n{table(found[2])}\n{found[3]}", page)


def table(asked: str) -> str:
    """A Markdown table of what a line in the page asks for: `title source` or `[rules]`."""
    model, keys = _asked(asked)
    rows = (_row(key, model["properties"][key], key in model["required"]) for key in keys)
    return HEAD + "".join(f"{row}\n" for row in rows)


def keys_of(asked: str) -> tuple[str, ...]:
    """The keys that a table lists, as dotted paths: `title`, `rules.unique`."""
    prefix = f"{asked[1:-1]}." if asked.startswith("[") else ""
    return tuple(f"{prefix}{key}" for key in _asked(asked)[1])


def all_keys() -> tuple[str, ...]:
    """Every key that a study can have, as dotted paths; a table of columns counts as one key."""
    return tuple(
        path
        for key, schema in _study()["properties"].items()
        for path in ((key,) if _is_value(schema) else ()) + (keys_of(f"[{key}]") if _table_of(schema) else ())
    )


def _asked(asked: str) -> tuple[Schema, Sequence[str]]:
    """The model that a line in the page asks for, and which of its keys."""
    if not asked.startswith("["):
        return _study(), asked.split()
    model = _table_of(_study()["properties"][asked[1:-1]])
    if model is None:
        raise KeyError(asked)
    return {"required": (), **model}, list(model["properties"])


def _study() -> Schema:
    """The JSON schema of a study, references followed."""
    schema = Study.model_json_schema()
    required = [key for key in schema["required"] if key != NOT_REQUIRED]
    return {**_followed(schema, schema["$defs"]), "required": required}


def _followed(schema: Any, definitions: Schema) -> Any:
    if isinstance(schema, list):
        return [_followed(each, definitions) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return _followed(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _followed(value, definitions) for key, value in schema.items() if key != "$defs"}


def _table_of(schema: Schema) -> Schema | None:
    """The model of the TOML table at this key; None if the key holds a plain value or a table of columns."""
    choices = schema.get("anyOf") or schema.get("oneOf") or (schema,)
    return next((each for each in choices if "properties" in each), None)


def _given(schema: Schema) -> Schema:
    """The schema without its alternative null."""
    choices = [each for each in schema.get("anyOf") or schema.get("oneOf", ()) if each.get("type") != "null"]
    return choices[0] if choices else schema


def _is_value(schema: Schema) -> bool:
    """Whether the key can hold a plain value or a table of columns."""
    return "properties" not in _given(schema)


def _row(key: str, schema: Schema, is_required: bool) -> str:
    default = "required" if is_required else _default(schema.get("default"))
    cells = (f"`{key}`", _values(_given(schema)), default, schema["description"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    """The default as TOML, or a dash if there is none; the key's description then says what holds."""
    return "–" if value in (None, "", [], {}) else f"`{_toml(value)}`"


def _toml(value: object) -> str:
    """The value as it is typed into a study file; invisible characters are spelled out."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _values(schema: Schema) -> str:
    """What can be given, in words: `number above 0`, `list of texts`."""
    if "enum" in schema:
        return " or ".join(f"`{_toml(value)}`" for value in schema["enum"])
    if "properties" in schema:
        return f"`{{ {', '.join(schema['properties'])} }}`"
    if schema["type"] == "array":
        return f"list of {_plural(schema['items'])}"
    if schema["type"] == "object":
        return f"table of {_plural(schema['additionalProperties'])}"
    return " ".join(filter(None, (_NAMES[schema["type"]], _limits(schema))))


_NAMES = {"string": "text", "number": "number", "integer": "whole number"}


def _plural(schema: Schema) -> str:
    """The plural of what a list or a table holds: `texts`."""
    return re.sub(r"^(text|number|whole number|table)(?![a-z])", r"\1s", _values(schema))


def _limits(schema: Schema) -> str:
    """`2 to 64`, `above 0 and below 1`, `at least 1`; empty where there are none."""
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']:,} to {schema['maximum']:,}"
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return " and ".join(f"{word} {schema[key]:,}" for key, word in words.items() if key in schema)


def main(page: Path) -> None:
    """Write the page's tables anew."""
    page.write_text(filled(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
