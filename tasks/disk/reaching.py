"""What is said when a place that is elsewhere cannot be reached, without its secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.plain_text import brief

SECRET_NAMES = re.compile(r"(?i)secret|passw|token|key|credential")
ADDRESS_NAMES = re.compile(r"(?i)_(url|uri|dsn)\Z")  # secret if somebody's password stands in it
SHORTEST_SECRET = 4
MASK = "***"
MOST_WORDS = 300


def without_secrets(text: str, secrets: tuple[str, ...] = (), environment: Mapping[str, str] = os.environ) -> str:
    """The text without `secrets`, and without what environment variables hold whose names say that it is secret."""
    known = {value for name, value in environment.items() if _is_secret(name, value)} | set(secrets)
    for value in sorted(known, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, MASK)
    return text


def _is_secret(name: str, value: str) -> bool:
    return bool(SECRET_NAMES.search(name) or (ADDRESS_NAMES.search(name) and "@" in value))


@contextmanager
def reaching(place: str, advice: str, secrets: tuple[str, ...] = (), doing: str = "read") -> Iterator[None]:
    """Raises PoolwiseError, which may pass, when what the block asks of `place` fails.

    Its message names the error's class: stores and databases have errors of many, and one of them may be our mistake.
    """
    try:
        yield
    except (PoolwiseError, DataRejected):
        raise
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        told = brief(without_secrets(said, secrets), MOST_WORDS).rstrip(".: ")
        raise PoolwiseError(f"{place} cannot be {doing}: {told}. {advice}") from None
