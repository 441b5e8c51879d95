"""How a Prefect server of our own is started: behind a guard and a key, on loopback. Light to import."""

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
        "PREFECT__SERVER_FINAL": "1",
    }
    return {**environment, **ours}


def guarded_command(port: int) -> list[str]:
    """Without the key: other users see command lines."""
    app = "flows.guarded_server:guarded_app"
    where = ["--host", LOOPBACK, "--port", str(port)]
    quiet = ["--log-level", "error", "--no-server-header", "--no-proxy-headers"]
    return [sys.executable, "-m", "uvicorn", "--factory", app, *where, *quiet, "--lifespan", "on"]
