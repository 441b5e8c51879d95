"""Warns of a Prefect server without a key: whoever reaches it can run commands on this machine."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable

from prefect.settings import PREFECT_API_URL

SECONDS_TO_ANSWER = 3


def warn_of_open_server(say: Callable[[str], None]) -> None:
    """Call `say` if the configured server answers a question that needs the key, asked without one."""
    api_url = str(PREFECT_API_URL.value() or "")
    if api_url and answers_everybody(api_url):
        say(
            f"Prefect's server at {api_url} answers without a key: whoever reaches it, such as a web page in this "
            "machine's browser, can run commands here. Set PREFECT_SERVER_API_AUTH_STRING for it, and "
            "PREFECT_API_AUTH_STRING here (docs/team.md)."
        )


def answers_everybody(api_url: str) -> bool:
    """Whether it answers without a key; False also if it does not answer at all."""
    question = f"{api_url.rstrip('/')}/admin/version"
    try:
        with urllib.request.urlopen(question, timeout=SECONDS_TO_ANSWER) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False
