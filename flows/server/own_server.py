"""Command and environment of a Prefect server of our own: behind a guard and a key, on loopback. Imports no Prefect."""

from __future__ import annotations

import sys
from collections.abc import Mapping

LOOPBACK = "127.0.0.1"


def guarded(environment: Mapping[str, str], port: int, key: str) -> dict[str, str]:
    """The environment of a server on this port that answers to this key, and to pages of its own only."""
    ours = {
        "PREFECT_SERVER_API_AUTH_STRING": key,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{LOOPBACK}:{port}",
        "PREFECT_SERVER_API_HOST": LOOPBACK,
        "PREFECT_SERVER_API_PORT": str(port),
        # Relative: its pages call the address that they came from, also behind a proxy or a tunnel.
        "PREFECT_SERVER_UI_API_URL": "/api",
    }
    return {**environment, **ours}


def guarded_command(port: int, app: str = "lasting_app") -> list[str]:
    """The command that starts the server; `app` is one of `flows.server.guarded_server`'s two.

    The key is not in it: other users see command lines.
    """
    what = ["--factory", f"flows.server.guarded_server:{app}", "--host", LOOPBACK, "--port", str(port)]
    quiet = ["--log-level", "error", "--no-server-header", "--no-proxy-headers"]
    return [sys.executable, "-m", "uvicorn", *what, *quiet, "--lifespan", "on"]
