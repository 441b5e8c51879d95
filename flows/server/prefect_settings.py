"""Whether anything configures Prefect here, told before Prefect is imported, which takes seconds.

Prefect reads variables, `.env`, `prefect.toml`, `pyproject.toml` and `profiles.toml`. Only whether they say anything
is looked at, never what: no name of a setting of Prefect's is known here, so none can be missed. What they say,
Prefect is asked for (`prefect.settings.get_current_settings`).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from flows.server.quiet import DEFAULTS, HOME

# Variables that Poolwise sets itself, and that of Prefect's home, whose files are looked at.
OWN = frozenset({*DEFAULTS, HOME})
IN_DOTENV = re.compile(r"^\s*(?:export\s+)?PREFECT_", re.IGNORECASE | re.MULTILINE)


def is_prefect_configured(environment: Mapping[str, str] = os.environ, folder: Path = Path()) -> bool:
    """Whether a variable, or a file in `folder` or in Prefect's home, holds a setting of Prefect's."""
    return (
        any(name.upper().startswith("PREFECT_") and value for name, value in environment.items() if name not in OWN)
        or (folder / "prefect.toml").exists()
        or bool(IN_DOTENV.search(_text(folder / ".env")))
        or _has_table(folder / "pyproject.toml")
        or (_home(environment) / "profiles.toml").exists()
    )


def names_a_server() -> bool:
    """Whether Prefect's settings give the address of a server. Imports Prefect only where anything configures it."""
    if not is_prefect_configured():
        return False
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(HOME) or Path.home() / ".prefect").expanduser()


def _has_table(pyproject: Path) -> bool:
    """Whether it has a `[tool.prefect]`; True also for a file that is no TOML, which Prefect may read all the same."""
    try:
        return "prefect" in tomllib.loads(_text(pyproject)).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True


def _text(file: Path) -> str:
    """Empty where there is none, or none that can be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
