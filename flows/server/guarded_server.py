"""Prefect's server for nobody but its owner: `python -m uvicorn --factory flows.server.guarded_server:lasting_app`.

Prefect's own basic authentication asks for a key; `own_server` gives its settings. The guard in front of it refuses
three kinds of requests even with the key: under a foreign name (DNS rebinding), from pages of another origin,
and for pages in another page's frame.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.server.imports import nothing_collected

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
# The variable that gives the address at which the owner's proxy shows Prefect's pages.
PUBLIC_ADDRESS = "PREFECT_UI_URL"
# The API's descriptions, which need no key; making one blocks the server for seconds.
NOT_SERVED = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")
# Prefect's pages may talk to this server only, not to their maker's statistics.
HEADERS = {
    "Content-Security-Policy": "connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def lasting_app() -> ASGIApp:
    """The whole server: API, pages, schedules. Raises RuntimeError when there is no key."""
    return _guarded_app(is_for_one_run=False)


def short_lived_app() -> ASGIApp:
    """The server for the length of one run, without pages and schedules. Raises RuntimeError when there is no key."""
    return _guarded_app(is_for_one_run=True)


def _guarded_app(*, is_for_one_run: bool) -> ASGIApp:
    with nothing_collected():
        from prefect.server.api.server import create_app
        from prefect.settings import PREFECT_SERVER_API_AUTH_STRING

        if not PREFECT_SERVER_API_AUTH_STRING.value():
            raise RuntimeError("PREFECT_SERVER_API_AUTH_STRING is empty; the server would answer everybody.")
        app = create_app(ephemeral=is_for_one_run, final=True)  # final: no other app is made in this process
    return Guard(app, os.environ.get(PUBLIC_ADDRESS, ""))


class Guard:
    """Answers requests under loopback names and the host of `public_address`, from its own origin; refuses others."""

    def __init__(self, app: ASGIApp, public_address: str = "") -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | ({name} if (name := _name(urlsplit(public_address).netloc)) else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif why := self._refusal(scope):
            await _refuse(403, why, scope, receive, send)
        elif scope["path"] in NOT_SERVED:
            await _refuse(404, "The API is described at /api/docs, with the key.", scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    def _refusal(self, scope: Scope) -> str:
        """Why the request is refused; empty if it is not."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self._names:
            return "This server does not answer to that name."
        if any(_place(origin) != hosts[0].lower() for origin in origins) or _is_from_elsewhere(headers, scope):
            return "Pages of other origins are not answered."
        return ""


def _is_from_elsewhere(headers: Headers, scope: Scope) -> bool:
    """Whether the browser says that another site's page made the request; following a link from there is allowed."""
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_link and scope["type"] == "http" and scope["method"] in ("GET", "HEAD"))


def _place(origin: str) -> str:
    """Host and port of an origin, as in a Host header; empty for `null` and for schemes other than http and https."""
    scheme, _, place = origin.lower().partition("://")
    return place if scheme in ("http", "https") else ""


def _name(host: str) -> str:
    """The host without its port, which a tunnel may change; empty if it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _refuse(status: int, why: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: answered with 403
    else:
        await PlainTextResponse(why, status, HEADERS)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    """`send`, adding HEADERS to each response."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
