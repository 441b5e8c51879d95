"""What stands before every answer: reading only, a password if there is one, headers that browsers obey."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.site.replies import SECURITY_HEADERS, notice

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
READING = ("GET", "HEAD")
# Monitors have no password, and it says nothing about studies.
HEALTH = "/health"


class SecureHeaders:
    """Adds to every answer the headers that it does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class ReadOnly:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        allow = {"Allow": ", ".join(READING)}
        refusal = notice(Request(scope), 405, "Only for reading", "This catalogue can be read, not changed.", allow)
        await refusal(scope, receive, send)


class Password:
    """HTTP Basic with one password, under any user name. Over a network it needs TLS in front."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app = app
        self._digest = _digest(password)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == HEALTH or self._is_right(Request(scope)):
            await self._app(scope, receive, send)
            return
        ask = {"WWW-Authenticate": 'Basic realm="Poolwise reports", charset="UTF-8"'}
        words = "Give any user name and the catalogue's password."
        await notice(Request(scope), 401, "A password is needed", words, ask)(scope, receive, send)

    def _is_right(self, request: Request) -> bool:
        given = _given_password(request.headers.get("authorization", ""))
        return given is not None and hmac.compare_digest(_digest(given), self._digest)


def _given_password(authorization: str) -> str | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


def _digest(password: str) -> bytes:
    """Of one length, so that comparing takes one time."""
    return sha256(password.encode("utf-8", "surrogatepass")).digest()
