"""Prefect's server for nobody but its owner: `python -m uvicorn --factory flows.guarded_server:lasting_app`.

A key stands before its API: Prefect's own basic authentication, whose settings `flows.own_server` gives. Before that,
this: requests under a foreign name (DNS rebinding), from a page of another origin,
and pages in another's frame are refused, whether or not they have the key.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
# Where a proxy of the owner's shows Prefect's pages.
PUBLIC_ADDRESS = "PREFECT_UI_URL"
# Descriptions of the API outside of its key; each time they are asked for, the server stands still for seconds.
NOT_SERVED = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")
# Prefect's pages talk to nobody else: not to their maker's statistics either.
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
    from prefect.server.api.server import create_app
    from prefect.settings import PREFECT_SERVER_API_AUTH_STRING

    if not PREFECT_SERVER_API_AUTH_STRING.value():
        raise RuntimeError("PREFECT_SERVER_API_AUTH_STRING is empty; the server would answer everybody.")
    app = create_app(ephemeral=is_for_one_run, final=True)  # final: no other app is made in this process
    return Guard(app, os.environ.get(PUBLIC_ADDRESS, ""))


class Guard:
    """Stands before an application; `public_address` is one more under which it answers."""

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
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self._names:
            return "This server does not answer to that name."
        if any(_place(origin) != hosts[0].lower() for origin in origins) or _is_from_elsewhere(headers, scope):
            return "Pages of other origins are not answered."
        return ""


def _is_from_elsewhere(headers: Headers, scope: Scope) -> bool:
    """What browsers say of themselves. A link that is followed to here is no matter; a frame is."""
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_link and scope["type"] == "http" and scope["method"] in ("GET", "HEAD"))


def _place(origin: str) -> str:
    """Host and port of an origin, as a Host header has them; of `null` nothing."""
    scheme, _, place = origin.lower().partition("://")
    return place if scheme in ("http", "https") else ""


def _name(host: str) -> str:
    """Without the port, which a tunnel may change. What cannot be read is no name."""
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
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
