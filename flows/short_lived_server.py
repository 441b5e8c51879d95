"""Prefect's server for the length of one run, where no other is configured.

Prefect would start such a server by itself, but only after importing its own server modules here, which
takes seconds; started first, it comes up while Prefect is imported. If any setting file might name a
server, or forbid a temporary one, the decision is left to Prefect.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from flows.own_server import guarded, guarded_command
from flows.processes import Child, free_port, wait_until_up
from flows.server_key import new_key
from tasks.leftovers import undo_at_the_end

SETTINGS_THAT_DECIDE = ("api_url", "allow_ephemeral")


class ShortLivedServer:
    """Started at once; `wait` returns its API's address when it answers. Its key is known to this process only."""

    def __init__(self) -> None:
        port = free_port()
        self.api_url, self.key = f"http://127.0.0.1:{port}/api", new_key()
        self._child = Child("Prefect's server", guarded_command(port), _environment(port, self.key))
        self._child.start()
        atexit.register(self._child.stop, 5.0)
        undo_at_the_end(lambda: self._child.stop(0.2))

    def announce(self) -> None:
        """To Prefect in this process, and in those it starts; before Prefect reads its settings."""
        os.environ["PREFECT_API_URL"] = self.api_url
        os.environ["PREFECT_API_AUTH_STRING"] = self.key

    def wait(self) -> str:
        """Raises PoolwiseError when the server does not come up."""
        wait_until_up(self.api_url, lambda: self._child.is_alive, self._child.last_words)
        return self.api_url


def instead_of_prefects() -> ShortLivedServer | None:
    """Where Prefect, left to decide, would bring a server of its own, which answers everybody: one of ours."""
    from prefect.context import refresh_global_settings_context
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

    if PREFECT_API_URL.value() or not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        return None
    server = ShortLivedServer()
    server.announce()
    refresh_global_settings_context()
    return server


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


def _environment(port: int, key: str) -> dict[str, str]:
    """As Prefect starts its own temporary server: no UI, no schedules and the like."""
    return {**guarded(os.environ, port, key), "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}
