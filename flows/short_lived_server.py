"""Prefect's server for the length of one run, where no other is configured.

Prefect would start such a server by itself, but only after importing its own server modules here, which
takes seconds; started first, it comes up while Prefect is imported. If any setting file might name a
server, or forbid a temporary one, the decision is left to Prefect.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from pathlib import Path

from flows.processes import Child, free_port, wait_until_up
from tasks.leftovers import undo_at_the_end

SETTINGS_THAT_DECIDE = ("api_url", "allow_ephemeral")


class ShortLivedServer:
    """Started at once; `wait` returns its API's address when it answers."""

    def __init__(self) -> None:
        self.api_url = f"http://127.0.0.1:{(port := free_port())}/api"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        self._child = Child("Prefect's server", _command(port), _environment(), self._output)
        self._child.start()
        atexit.register(self._child.stop, 5.0)
        undo_at_the_end(lambda: self._child.stop(0.2))

    def wait(self) -> str:
        """Raises PoolwiseError when the server does not come up."""
        wait_until_up(self.api_url, lambda: self._child.is_alive)
        return self.api_url


def is_for_prefect_to_decide() -> bool:
    """Whether anything names a server or speaks of temporary ones: a variable, a profile, a settings file."""
    if any(word in name.lower() for name in os.environ if name.startswith("PREFECT_") for word in SETTINGS_THAT_DECIDE):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    return any(
        _mentions_a_decision(file) for file in (profiles, Path("prefect.toml"), Path("pyproject.toml"), Path(".env"))
    )


def _mentions_a_decision(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    return any(word in text for word in SETTINGS_THAT_DECIDE)


def _command(port: int) -> list[str]:
    app = "prefect.server.api.server:create_app"
    where = ["--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "uvicorn", "--factory", app, *where, "--log-level", "error", "--lifespan", "on"]


def _environment() -> dict[str, str]:
    """As Prefect starts its own temporary server: no UI, no schedules and the like."""
    return {**os.environ, "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
