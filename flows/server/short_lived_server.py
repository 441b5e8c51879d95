"""Prefect's server for the length of one run, where no other is configured.

Prefect would start such a server itself, one that answers everybody, after importing its server's modules here.
Ours wants a key, and it comes up while Prefect is still being imported: where nothing at all configures Prefect
(`prefect_settings`), it is started at once. Otherwise Prefect is imported first and asked for its settings.
"""

from __future__ import annotations

import atexit
import os

from flows.server.own_server import guarded, guarded_command
from flows.server.processes import Child, free_port, wait_until_up
from flows.server.server_key import new_key
from tasks.disk.leftovers import undo_at_the_end


class ShortLivedServer:
    """Starts when it is made, and is stopped when this process ends."""

    def __init__(self) -> None:
        port = free_port()
        self.api_url, self.key = f"http://127.0.0.1:{port}/api", new_key()
        command = guarded_command(port, "short_lived_app")
        self._child = Child("Prefect's server", command, guarded(os.environ, port, self.key))
        self._child.start()
        atexit.register(self._child.stop, 5.0)
        undo_at_the_end(lambda: self._child.stop(0.2))

    def announce(self) -> None:
        """Set the variables by which Prefect, when it is imported, finds the server; here and in child processes."""
        os.environ["PREFECT_API_URL"] = self.api_url
        os.environ["PREFECT_API_AUTH_STRING"] = self.key

    def wait(self) -> str:
        """Return its API's address once it answers. Raises PoolwiseError when it does not come up."""
        wait_until_up(self.api_url, lambda: self._child.is_alive, self._child.last_words)
        return self.api_url


def instead_of_prefects() -> ShortLivedServer | None:
    """Start a server of ours for Prefect to use; None if its settings name a server, or forbid temporary ones."""
    from prefect.context import refresh_global_settings_context
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    if settings.api.url or not settings.server.ephemeral.enabled:
        return None
    server = ShortLivedServer()
    server.announce()
    refresh_global_settings_context()
    return server
