"""Words for what is wrong with a study: key, rule, value received, what to do.

Not supported: line numbers. The key is given by its dotted path.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tasks.study.model import Study
from tasks.study.plain_text import brief
from tasks.study.receivers import masked
from tasks.study.toml_text import toml_value

MOST_PROBLEMS = 5

REQUIRED_EXAMPLES = {
    "title": 'a line on what is asked, as in: title = "Does age change the time on site?"',
    "outcome": 'the numeric column to explain, as in: outcome = "bounce_time"',
    "group": 'the column of the groups, as in: group = "county"',
}


def describe_problems(error: ValidationError, values: Mapping[str, Any], kind: type[Study] = Study) -> str:
    """The problems of a study of this `kind` as one paragraph, the first MOST_PROBLEMS in full."""
    problems = _not_repeated(error.errors(include_url=False), values)
    sentences = [_sentence(problem, kind) for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        sentences.append(f"There are {len(problems) - MOST_PROBLEMS} more problems.")
    return " ".join(sentences)


def _not_repeated(problems: list[ErrorDetails], values: Mapping[str, Any]) -> list[ErrorDetails]:
    """The problems without those of a `varying` that only repeats `predictors`."""
    return [problem for problem in problems if problem["loc"][:1] != ("varying",) or "varying" in values]


def _sentence(problem: ErrorDetails, asked: type[Study]) -> str:
    path = _path(problem)
    kind, rule, key = problem["type"], _rule(problem), asked.named(_dotted(path))
    if kind == "extra_forbidden":
        return f"{_dotted(path)} is not a key of a study.{_suggestion(path, asked)}"
    if kind == "missing":
        return f"{key} is missing: give {REQUIRED_EXAMPLES.get(path[-1], 'it a value')}."
    if not path:
        return f"{rule}."
    if isinstance(problem["input"], Mapping):
        return f"{key}: {_duty(rule)}."
    value = problem["input"]
    if isinstance(value, str) and (path[:2] == ("notify", "to") or "://" in value):
        value = masked(value)
    return f"{key} is {_shown(value)}, but {_duty(rule)}."


def _path(problem: ErrorDetails) -> tuple[str, ...]:
    """The keys down to the value, without pydantic's own parts."""
    parts = tuple(str(part) for part in problem["loc"] if part != "[key]")
    return parts[:1] + parts[2:] if parts[:1] == ("source",) else parts


def _rule(problem: ErrorDetails) -> str:
    """pydantic's message, reworded where it speaks of Python rather than of a study file."""
    kind = problem["type"]
    plain = {
        "tuple_type": 'it should be a list, as in: ["age"]',
        "dict_type": "it should be a table of keys and values",
        "model_type": "it should be a table of keys and values",
        "string_type": "it should be text in quotes",
        "string_too_short": "it should not be empty",
        "bool_type": "it should be true or false",
        "float_type": "it should be a number",
        "float_parsing": "it should be a number",
        "int_type": "it should be a whole number",
        "int_parsing": "it should be a whole number",
        "int_from_float": "it should be a whole number",
    }
    if problem["loc"] == ("name",) and kind == "string_pattern_mismatch":
        return "it should be lowercase letters, digits, - and _, at most 64, beginning with a letter or digit"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return plain.get(kind, message)


def _duty(rule: str) -> str:
    return f"it {rule}" if rule.startswith("should") else rule


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(brief, path))


def _shown(value: object) -> str:
    return brief(toml_value(value), 80)


def _suggestion(path: tuple[str, ...], asked: type[Study]) -> str:
    """Where the key may belong: in another table, else the most similar key of its own table, else all keys there."""
    elsewhere = [place for place in _all_places(Study) if place[-1] == path[-1] and place != path]
    if elsewhere:
        return f" Did you mean {_where(elsewhere[0], asked)}?"
    siblings = list(_model_at(path[:-1]).model_fields)
    close = difflib.get_close_matches(path[-1].lower(), siblings, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {_dotted((*path[:-1], close[0]))}?"
    table = f"[{_dotted(path[:-1])}]" if len(path) > 1 else "A study"
    return f" {table} takes {', '.join(siblings)}."


def _where(place: tuple[str, ...], asked: type[Study]) -> str:
    if asked is not Study:
        return asked.named(_dotted(place))
    if len(place) == 1:
        return f"{place[0]}, which stands at the top of the file, before the first [table]"
    return f"{place[-1]}, in the table [{_dotted(place[:-1])}]"


def _all_places(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*path, name)
        inner = _model_in(field.annotation)
        if inner is not None and issubclass(inner, BaseModel) and not _is_mapping(field.annotation):
            yield from _all_places(inner, (*path, name))


def _model_at(path: tuple[str, ...]) -> type[BaseModel]:
    """The model of the table at `path`; for a mapping by column, the model of its values."""
    model: type[BaseModel] = Study
    for key in path:
        if key in model.model_fields:
            model = _model_in(model.model_fields[key].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _is_mapping(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is dict
