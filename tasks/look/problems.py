"""Puts what is wrong with a look's template in words: file, line, what, what to do."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path

from jinja2 import TemplateNotFound, TemplateSyntaxError

from tasks.look.look import TEMPLATES, Look
from tasks.study.errors import StudyError
from tasks.study.plain_text import shown

MOST_CHARACTERS = 300
ADVICE = f"Compare it with the file of that name in {TEMPLATES}."


def look_problem(look: Look, error: Exception) -> StudyError:
    """The StudyError for an error of Jinja's: file, line, what is wrong, what to do."""
    return StudyError(f"{_place(look, error)}: {_what(error)}. {ADVICE}")


def _what(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template {shown(error.name)}"
    if isinstance(error, RecursionError):
        return "templates include each other without end"
    said = re.sub(r"'tasks\.[\w.]*\.(\w+) object'", r"\1", " ".join(str(error)[:MOST_CHARACTERS].split()).rstrip("."))
    return said or type(error).__name__


def _place(look: Look, error: Exception) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name or look.folder}, line {error.lineno}"
    steps = list(_steps(error))
    own = [step for step in steps if Path(step[0]).is_relative_to(look.folder)]
    if not steps:
        return str(look.folder)
    file, line = own[-1] if own else steps[-1]
    return f"{file}, line {line}"


def _steps(error: Exception) -> Iterator[tuple[str, int]]:
    """Files and lines of the templates on the way to the error, which Jinja puts into the traceback."""
    for step in traceback.extract_tb(error.__traceback__):
        if step.filename.endswith(".j2"):
            yield step.filename, step.lineno or 0
