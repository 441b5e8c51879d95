"""Answers: pages, notices in place of pages, and "not modified"."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tasks.disk.atomic import encoded
from tasks.look.render import plain_policy, render_plain

FRAME_NOWHERE = "frame-ancestors 'none'"
NO_SCRIPT = f"default-src 'none'; base-uri 'none'; form-action 'none'; {FRAME_NOWHERE}"
SECURITY_HEADERS = {
    "Content-Security-Policy": NO_SCRIPT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "private, no-cache",
}
KEPT_IN_304 = ("etag", "last-modified", "cache-control", "content-security-policy")


def page(request: Request, template: str, **values: Any) -> Response:
    return document(request, render_plain(template, **values), "text/html", _page_policy())


def notice(request: Request, status: int, title: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """A page that says why there is no other, with all security headers."""
    depth = request.scope.get("raw_path", request.scope["path"].encode()).count(b"/") - 1
    home = "../" * depth or "./"
    content = encoded(render_plain("notice.html.j2", title=title, message=message, home=home))
    own = {"Content-Security-Policy": _page_policy(), "Cache-Control": "no-store"}
    return Response(content, status, {**SECURITY_HEADERS, **own, **(headers or {})}, "text/html")


def document(request: Request, content: str | bytes, media_type: str, policy: str = NO_SCRIPT) -> Response:
    """Content made on request, with an ETag that depends on the content only."""
    body = encoded(content)
    headers = {"ETag": f'"{sha256(body).hexdigest()[:32]}"', "Content-Security-Policy": policy}
    return if_modified(request, Response(body, headers=headers, media_type=media_type))


def if_modified(request: Request, response: Response) -> Response:
    """The response, or 304 without a body when the reader's copy is the same (RFC 9110, 13.2.2)."""
    if not _has_it(request, response):
        return response
    return Response(None, 304, {name: value for name, value in response.headers.items() if name in KEPT_IN_304})


def _has_it(request: Request, response: Response) -> bool:
    tags, since = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or response.headers["etag"] in known
    modified = response.headers.get("last-modified")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(since) >= parsedate_to_datetime(modified)
    except (TypeError, ValueError):
        return False


def _page_policy() -> str:
    return f"{plain_policy()}; {FRAME_NOWHERE}"
