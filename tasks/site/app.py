"""The catalogue's addresses.

    /                               studies and runs; ?q= searches, ?status= and ?study= filter
    /<study>/latest/                leads to the study's newest report, /<study>/latest/<file> to its files
    /<study>/<run>/report.html      and the run's other files
    /portfolio-<name>.html          the studies of a portfolio side by side
    /catalogue.json                 the same for programs
    /feed.atom, /<study>/feed.atom  new reports
    /health                         whether the reports folder can be read; needs no password

Shorter forms of these lead to them. All links are relative, so it also works below a path of a reverse proxy.
Everything is derived from the run folders when it is asked for.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tasks.disk.layout import REPORT
from tasks.reports.catalogue import LiveCatalogue
from tasks.site import files
from tasks.site.guard import LOOPBACK_NAMES, Brake, Password, ReadOnly, SecureHeaders
from tasks.site.replies import document, notice, page
from tasks.study.errors import StudyError
from tasks.view.catalogue.catalogue import served_json
from tasks.view.catalogue.feed import atom_feed
from tasks.view.catalogue.search import Query, Trouble, reading_list
from tasks.view.words.verdict_labels import LABELS

PASSWORD_VARIABLE = "POOLWISE_CATALOGUE_PASSWORD"
ATOM = "application/atom+xml"


def catalogue_app(
    reports: Path,
    password: str | None = None,
    allowed_hosts: Sequence[str] = LOOPBACK_NAMES,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    troubles: Callable[[], Sequence[Trouble]] = tuple,
    brake: Brake | None = None,
) -> Starlette:
    """The reports folder as a read-only web application.

    `password`: default, that of POOLWISE_CATALOGUE_PASSWORD; without one, everybody may read. `allowed_hosts`: the
    names under which it answers, such as `reports.example.org`, `*.example.org` or `*`. A page elsewhere that
    makes its own name point here (DNS rebinding) is refused by them. `troubles` are told to readers; `brake` slows down
    who guesses the password.
    """
    known = _password(password)
    middleware = [
        Middleware(SecureHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        Middleware(ReadOnly),
        *([Middleware(Password, password=known, brake=brake or Brake())] if known is not None else []),
    ]
    app = Starlette(
        routes=_Site(reports, clock, troubles).routes(),
        middleware=middleware,
        exception_handlers={
            HTTPException: _no_such_page,
            FileNotFoundError: _no_such_page,
            OSError: _unreadable,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return app


class _Site:
    """The endpoints: plain functions, which Starlette runs on threads, so that they may wait for disks."""

    def __init__(self, reports: Path, clock: Callable[[], datetime], troubles: Callable[[], Sequence[Trouble]]) -> None:
        self._reports = reports
        self._troubles = troubles
        self._catalogue = LiveCatalogue(reports)
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/", self.catalogue),
            Route("/index.html", lambda request: _lead("./")),  # where reports look for the catalogue
            Route("/health", self.health),
            Route("/catalogue.json", self.for_programs),
            Route("/feed.atom", self.feed),
            Route("/{study}/feed.atom", self.feed_of_study),
            Route("/{study}/latest", self.latest),
            Route("/{study}/latest/", self.latest),
            Route("/{study}/latest/{name}", self.latest),
            Route("/{study}/rejected/{name}", self.rejected_rows),
            Route("/{study}/{run}/{name}", self.run_file),
            Route("/{study}/{run}/", self.run),
            Route("/{study}/{run}", self.run),
            Route("/{study}/", self.study),
            Route("/{name}", self.script_or_study),
        ]

    def catalogue(self, request: Request) -> Response:
        found = reading_list(self._catalogue.read(), Query.of(request.query_params), self._clock(), self._troubles())
        return page(request, "reading_list.html.j2", page=found, statuses=LABELS)

    def health(self, request: Request) -> Response:
        self._catalogue.read()
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    def for_programs(self, request: Request) -> Response:
        told = served_json(self._catalogue.read(), str(request.base_url), self._clock())
        return document(request, json.dumps(told, ensure_ascii=False), "application/json")

    def feed(self, request: Request) -> Response:
        runs = self._catalogue.read().runs
        return document(request, atom_feed("Poolwise: new reports", runs, str(request.base_url)), ATOM)

    def feed_of_study(self, request: Request) -> Response:
        study = self._catalogue.read().study(request.path_params["study"])
        if study is None:
            raise HTTPException(404)
        feed = atom_feed(f"Poolwise: {study.title}", study.runs, str(request.base_url), study.name)
        return document(request, feed, ATOM)

    def latest(self, request: Request) -> Response:
        study = self._catalogue.read().study(request.path_params["study"])
        name = request.path_params.get("name", REPORT)
        if study is None or study.latest is None or name not in files.MEDIA_TYPES:
            raise HTTPException(404)
        return _lead(f"{_up(request)}{quote(study.latest.run_id)}/{name}")

    def study(self, request: Request) -> Response:
        study = self._catalogue.read().study(request.path_params["study"])
        if study is None:
            raise HTTPException(404)
        return _lead(f"../{Query(study=study.name).href}")

    def run(self, request: Request) -> Response:
        run = quote(request.path_params["run"])
        return _lead(f"{_up(request)}{run}/{REPORT}") if self._file(request, REPORT) else _nothing_there()

    def run_file(self, request: Request) -> Response:
        return _sent(request, self._file(request, request.path_params["name"]))

    def rejected_rows(self, request: Request) -> Response:
        asked = request.path_params
        return _sent(request, files.rejected_rows(self._reports, asked["study"], asked["name"]))

    def script_or_study(self, request: Request) -> Response:
        name = request.path_params["name"]
        script = files.shared_script(self._reports, name) or files.portfolio_page(self._reports, name)
        is_study = script is None and self._catalogue.read().study(name) is not None
        return _lead(f"{quote(name)}/") if is_study else _sent(request, script)

    def _file(self, request: Request, name: str) -> Path | None:
        return files.run_file(self._reports, request.path_params["study"], request.path_params["run"], name)


def _sent(request: Request, path: Path | None) -> Response:
    return files.file_response(request, path) if path else _nothing_there()


def _lead(address: str) -> Response:
    """A redirect to the address."""
    return RedirectResponse(address, 307)


def _up(request: Request) -> str:
    """ "../" if the address ends in a slash or names a file, else "": what leads from it to the folder above."""
    return "../" if request.url.path.endswith("/") or "name" in request.path_params else ""


def _nothing_there() -> Response:
    raise HTTPException(404)


def _no_such_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    words = "There is no such report, or it was deleted. A study's newest is at /<study>/latest/."
    return notice(request, status, "Nothing here", words)


def _unreadable(request: Request, error: Exception) -> Response:
    logging.getLogger("poolwise.catalogue").warning("the reports folder cannot be read: %s", error)
    words = "The reports folder cannot be read at the moment. Whoever runs this catalogue finds out why on its machine."
    return notice(request, 503, "No reports to be read", words, {"Retry-After": "60"})


def _unexpected(request: Request, error: Exception) -> Response:
    return notice(request, 500, "Something went wrong", "This page could not be made. Others may still work.")


def _password(given: str | None) -> str | None:
    """The password given, else that of the environment; None if there is none. Raises StudyError for an empty one."""
    password = os.environ.get(PASSWORD_VARIABLE) if given is None else given
    if password == "":
        raise StudyError(
            f"The catalogue's password is empty. Give one in {PASSWORD_VARIABLE}, or unset it to let everybody read."
        )
    return password
