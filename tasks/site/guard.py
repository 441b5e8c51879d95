"""What stands before every answer: reading only, a password if there is one, headers that browsers obey."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import secrets
import time
from collections.abc import Callable
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.site.replies import SECURITY_HEADERS, notice

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
READING = ("GET", "HEAD")
# Monitors have no password, and it says nothing about studies.
HEALTH = "/health"
GUESSES_AT_ONCE, SECONDS_PER_GUESS = 10, 5.0
READER = "poolwise_reader"


class SecureHeaders:
    """Adds SECURITY_HEADERS to every answer that does not set them itself."""

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


class Brake:
    """How often the password may be guessed: a few times at once, then once in a while, for all readers together.

    By no address: behind a proxy all readers have the same one, and anybody may claim another. `clock` in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = float(GUESSES_AT_ONCE), clock()

    def wait(self) -> float:
        """Seconds until another guess is looked at; 0 when one may be made now."""
        now = self._clock()
        self._left = min(self._left + max(now - self._at, 0.0) / SECONDS_PER_GUESS, float(GUESSES_AT_ONCE))
        self._at = now
        return max(1.0 - self._left, 0.0) * SECONDS_PER_GUESS

    def was_wrong(self) -> None:
        self._left -= 1.0


class Password:
    """HTTP Basic with one password, under any user name. Over a network it needs TLS in front.

    Wrong ones are counted by the brake, and while it holds none is looked at, right or wrong: else a guess would be
    answered at full speed. Whoever gave the right one before is exempt, by a cookie that opens nothing by itself: so
    nobody who guesses can shut out those who read.
    """

    def __init__(self, app: ASGIApp, password: str, brake: Brake) -> None:
        self._app = app
        self._digest = _digest(password)
        self._brake = brake
        self._pass = secrets.token_urlsafe(32)  # of this process

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = _given_password(request.headers.get("authorization", ""))
        is_known = hmac.compare_digest(request.cookies.get(READER, "").encode(), self._pass.encode())
        if given is not None and not is_known and (seconds := self._brake.wait()):
            await _too_often(request, seconds)(scope, receive, send)
        elif given is not None and hmac.compare_digest(_digest(given), self._digest):
            await self._app(scope, receive, send if is_known else self._with_pass(send))
        else:
            if given is not None and not is_known:
                self._brake.was_wrong()
            await _ask(request)(scope, receive, send)

    def _with_pass(self, send: Send) -> Send:
        async def send_with_pass(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{READER}={self._pass}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return send_with_pass


def _ask(request: Request) -> Response:
    ask = {"WWW-Authenticate": 'Basic realm="Poolwise reports", charset="UTF-8"'}
    return notice(request, 401, "A password is needed", "Give any user name and the catalogue's password.", ask)


def _too_often(request: Request, seconds: float) -> Response:
    words = "Wrong passwords were given too often, here or elsewhere. Try again in a few seconds."
    return notice(request, 429, "Wait a moment", words, {"Retry-After": str(math.ceil(seconds))})


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
    """A hash: comparing two takes the same time, however long the password."""
    return sha256(password.encode("utf-8", "surrogatepass")).digest()
