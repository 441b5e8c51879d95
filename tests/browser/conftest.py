"""The system's Chromium, and reports opened in it over HTTP or from disk.

However a test ends, each report that it opened must have kept quiet: no error or warning, nothing that
its policy had to stop, no request but for its own files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from tasks.site.app import catalogue_app
from tasks.site.server import serve_catalogue
from tests.browser.reader import Reader, read
from tests.shelf import Shelf
from tests.waiting import PATIENCE_SECONDS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The browser asks nobody anything on its own account.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)
TIMEOUT_MILLISECONDS = 1000 * PATIENCE_SECONDS

Place = Literal["http", "file"]
OpenReport = Callable[..., Reader]
DrawnReport = Callable[[str], Reader]


def program() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def sandbox() -> list[str]:
    """Root has none."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if program() is None:
        pytest.skip("no browser: install Chromium (.ci/browser does, as root)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program(), args=[*ARGUMENTS, *sandbox()])
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def site(shelf: Shelf) -> Iterator[str]:
    """Address of the reports folder, served as `poolwise serve` does; ends in `/`."""
    shelf.reports.mkdir(parents=True, exist_ok=True)
    with serve_catalogue(catalogue_app(shelf.reports)) as address:
        yield address


@dataclass
class Opener:
    """Opens reports, and all their folds; `name` as in `Shelf`, `options` are those of a browser context."""

    browser: Browser
    shelf: Shelf
    site: str
    readers: list[Reader] = field(default_factory=list)

    def __call__(self, name: str, place: Place = "http", *, folded: bool = False, **options: Any) -> Reader:
        folder = self.shelf.run(name)
        base = self.site if place == "http" else self.shelf.reports.as_uri() + "/"
        context = self.browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options})
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        reader = read(context, f"{base}{folder.parent.name}/{folder.name}/report.html")
        self.readers.append(reader)
        if not folded:
            reader.unfold()
        return reader

    def noises(self) -> list[str]:
        """What was heard since the last time."""
        return [noise for reader in self.readers for noise in reader.heard()]

    def close(self) -> None:
        for reader in self.readers:
            reader.page.context.close()


@pytest.fixture
def open_report(browser: Browser, shelf: Shelf, site: str) -> Iterator[OpenReport]:
    """`open_report(name, place="http", folded=False, **options)`: a page of the test's own."""
    opener = Opener(browser, shelf, site)
    yield opener
    noises = opener.noises()
    opener.close()
    assert noises == []


@pytest.fixture(scope="package")
def drawn_once(browser: Browser, shelf: Shelf, site: str) -> Iterator[Opener]:
    opener = Opener(browser, shelf, site)
    yield opener
    opener.close()


@pytest.fixture
def drawn(drawn_once: Opener) -> Iterator[DrawnReport]:
    """`drawn(name)`: a page with every fold open and every figure drawn, for tests that leave it as they found it."""

    def opened(name: str) -> Reader:
        known = [reader for reader in drawn_once.readers if f"/{name}/" in reader.address]
        if known:
            return known[0]
        reader = drawn_once(name)
        reader.draw_all()
        return reader

    yield opened
    assert drawn_once.noises() == []
