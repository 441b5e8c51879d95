"""A report in a browser, as its reader has it; and everything that it did there and must not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

READY = "poolwise-interactive"
# Before any script of the page: what a hostile label would run, and what the page's policy stopped.
HOOKS = """
window.__seen = [];
for (const name of ["alert", "confirm", "prompt", "open"])
  window[name] = (...words) => { window.__seen.push(name + ": " + words.join(" ")); };
addEventListener("securitypolicyviolation", (event) =>
  window.__seen.push(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
DRAW_ALL = """
async () => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll(".panels.fewer .all").forEach((button) => { button.click(); });
  const undrawn = () => document.querySelectorAll(".plot:not(.js-plotly-plot)"), end = performance.now() + 300_000;
  while (undrawn().length && performance.now() < end) {
    undrawn()[0].scrollIntoView({ block: "center", behavior: "instant" });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  scrollTo({ top: 0, behavior: "instant" });
  return undrawn().length;
}
"""
# All of the page is in this scheme: the page itself, and every figure that is drawn.
IS_IN_COLOURS = """
(scheme) => {
  const wanted = JSON.stringify(JSON.parse(document.getElementById("figure-themes").textContent)[scheme]);
  return matchMedia(`(prefers-color-scheme: ${scheme})`).matches &&
    Array.from(document.querySelectorAll(".plot.js-plotly-plot"))
      .every((plot) => JSON.stringify(plot.layout.template) === wanted);
}
"""


@dataclass
class Reader:
    """`asked` are the addresses of all requests, `complaints` the errors and warnings."""

    page: Page
    address: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def seen(self) -> list[str]:
        """Complaints, dialogs, and what the policy stopped."""
        return self.complaints + self.page.evaluate("window.__seen")

    def asked_elsewhere(self) -> list[str]:
        """Requests that are neither for the report itself nor for the plotly.js that reports share."""
        top = self.address.rsplit("/", 3)[0] + "/"
        return [
            url
            for url in self.asked
            if url.split("#")[0] != self.address
            and not (url.startswith(top + "plotly-") and url.endswith(".min.js"))
            and not url.startswith(("data:", "blob:"))
        ]

    def heard(self) -> list[str]:
        """All that must not be, once: what was seen and what was asked elsewhere."""
        noises = [*self.seen(), *self.asked_elsewhere()]
        self.complaints.clear()
        self.page.evaluate("window.__seen = []")
        return noises

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    def draw_all(self) -> None:
        """Open every fold and come to every figure, as a reader who scrolls does."""
        assert self.page.evaluate(DRAW_ALL) == 0

    def in_colours(self, scheme: Literal["light", "dark"]) -> None:
        """Ask for light or dark, and wait until all has followed."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(IS_IN_COLOURS, arg=scheme)


def read(context: BrowserContext, address: str) -> Reader:
    """Open the page and wait until it can be used."""
    page = context.new_page()
    reader = Reader(page, address)
    page.add_init_script(HOOKS)
    page.on("request", lambda request: reader.asked.append(request.url))
    page.on("requestfailed", lambda request: reader.complaints.append(_failed(request)))
    page.on("console", lambda message: reader.complaints.extend(_worrying(message)))
    page.on("pageerror", lambda error: reader.complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (reader.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(address)
    page.wait_for_function(f"performance.getEntriesByName('{READY}').length > 0")
    return reader


def _failed(request: Request) -> str:
    return f"failed: {request.url} {request.failure}"


def _worrying(message: ConsoleMessage) -> list[str]:
    """A graphics driver that complains of its own speed is not the page's doing."""
    is_driver = "GL Driver Message" in message.text
    return (
        [f"{message.type}: {message.text}"] if message.type in ("error", "warning", "assert") and not is_driver else []
    )
