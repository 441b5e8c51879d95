"""How much there is to read in a report: words, sections, tables, screens and pages, beside their limits.

`make reading` prints it for both bundled studies, an intercept-only one, one of 300 groups and one of 10,000.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, program, sandbox
from tests.browser.reader import READY
from tests.shelf import Shelf

STUDIES = ("bounce_rates", "sleepstudy", "flat", "hundreds", "many")
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MOST_WORDS, MOST_SCREENS, MOST_PHONE_SCREENS = 2500, 15.0, 25.0
MOST_MEGABYTES, MOST_SECONDS = 4.0, 0.7
MOST_PAGES = 4
LOADS = 3
# Words that stand open, and behind folds; not those of figures and scripts, nor those for screen readers only.
COUNT = """
() => {
  const told = (root) => {
    const copy = root.cloneNode(true);
    const silent = "script, style, .plot, .hidden, [hidden], .print-note, .on-screen, [popover], .toolbar";
    copy.querySelectorAll(silent).forEach((one) => one.remove());
    return copy;
  };
  const words = (node) => (node.textContent.match(/\\S*[\\p{L}\\p{N}]\\S*/gu) || []).length;
  const rows = (node) => {
    const apart = "td, th, dt, dd, p, li, h1, h2, h3, summary, figcaption, span, strong, a, button";
    node.querySelectorAll(apart).forEach((one) => one.append(" "));
    return node;
  };
  const whole = rows(told(document.body)), all = words(whole);
  whole.querySelectorAll("details > *:not(summary)").forEach((one) => one.remove());
  const open = words(whole);
  const sections = Array.from(document.querySelectorAll("main > section")).map((section) => {
    const own = rows(told(section)), every = words(own);
    own.querySelectorAll("details > *:not(summary)").forEach((one) => one.remove());
    return [section.id, words(own), every - words(own), section.getBoundingClientRect().height];
  });
  return { open, folded: all - open, sections, tables: document.querySelectorAll("table").length,
    figures: document.querySelectorAll(".plot").length, height: document.documentElement.scrollHeight };
}
"""
# The first figure stands in the page as a picture before it is drawn as one that answers. When is it seen? Its shapes
# have no timing of their own; the title of its axis, which ends it, has: the browser says when it painted that text
# ("element timing"), and all of the picture comes before it in the page, in the same frame. An earlier first paint of
# the page would not count; a picture below the first screen has no such entry, and never comes.
FIRST_PICTURE = """
() => new Promise((resolve) => {
  const seen = (list) => resolve(list.getEntries()[0].renderTime);
  new PerformanceObserver(seen).observe({ type: "element", buffered: true });
  setTimeout(() => resolve(Infinity), 5_000);
})
"""
FIRST_FIGURE = """
() => new Promise((resolve) => {
  const isDrawn = () => document.querySelector(".plot.js-plotly-plot");
  const look = () => isDrawn() ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})
"""


@dataclass(frozen=True)
class Budget:
    """Of one report. `sections` holds id, open words, folded words and height in pixels on a desktop."""

    open_words: int
    folded_words: int
    sections: tuple[tuple[str, int, int, float], ...]
    n_tables: int
    n_figures: int
    screens: float
    phone_screens: float
    pages: int
    megabytes: float
    picture_seconds: float  # until the first figure is seen, as a still picture
    figure_seconds: float  # until it is drawn as one that answers

    def misses(self) -> list[str]:
        """What is over its limit."""
        limits = (
            ("words unfolded", self.open_words, MOST_WORDS),
            ("desktop screens", self.screens, MOST_SCREENS),
            ("phone screens", self.phone_screens, MOST_PHONE_SCREENS),
            ("printed pages", self.pages, MOST_PAGES),
            ("MB", self.megabytes, MOST_MEGABYTES),
        )
        return [f"{value:,.1f} {what}, limit {limit:,.1f}" for what, value, limit in limits if value > limit]


def first_seen(browser: Browser, report: Path) -> tuple[float, float]:
    """Seconds until the first figure is seen, and until it answers: medians of LOADS loads."""
    times = []
    for _ in range(LOADS):
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(report.as_uri())
        answers = page.evaluate(FIRST_FIGURE)
        times.append((page.evaluate(FIRST_PICTURE), answers))
        context.close()
    picture, figure = (statistics.median(each) / 1000 for each in zip(*times, strict=True))
    return picture, figure


def measure(browser: Browser, report: Path) -> Budget:
    picture_seconds, figure_seconds = first_seen(browser, report)
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_function(f"performance.getEntriesByName('{READY}').length > 0")
    counted = page.evaluate(COUNT)
    printed = page.pdf(prefer_css_page_size=True, format="A4")
    context.close()
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_function(f"performance.getEntriesByName('{READY}').length > 0")
    phone = page.evaluate("document.documentElement.scrollHeight")
    context.close()
    return Budget(
        open_words=counted["open"],
        folded_words=counted["folded"],
        sections=tuple(tuple(section) for section in counted["sections"]),
        n_tables=counted["tables"],
        n_figures=counted["figures"],
        screens=counted["height"] / DESKTOP["height"],
        phone_screens=phone / PHONE["height"],
        pages=len(re.findall(rb"/Type\s*/Page[^s]", printed)),
        megabytes=report.stat().st_size / 1e6,
        picture_seconds=picture_seconds,
        figure_seconds=figure_seconds,
    )


def main(names: tuple[str, ...], *, in_detail: bool) -> int:
    print(
        f"{'':14}{'sections':>9}{'words':>8}{'folded':>8}{'tables':>8}{'figures':>9}{'screens':>9}{'phone':>7}"
        f"{'pages':>7}{'MB':>7}{'picture s':>11}{'figure s':>10}"
    )
    n_missed = 0
    with tempfile.TemporaryDirectory(prefix="poolwise-reading-") as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*ARGUMENTS, *sandbox()])
        shelf = Shelf(Path(scratch))
        for name in names:
            one = measure(browser, (Path(name) if "/" in name else shelf.run(name)) / "report.html")
            print(
                f"{name[-14:]:14}{len(one.sections):9}{one.open_words:8,}{one.folded_words:8,}{one.n_tables:8}{one.n_figures:9}"
                f"{one.screens:9.1f}{one.phone_screens:7.1f}{one.pages:7}{one.megabytes:7.2f}{one.picture_seconds:11.2f}{one.figure_seconds:10.2f}"
            )
            for section, words, folded, height in one.sections if in_detail else ():
                print(
                    f"    {section:20}{words:6,} words, {folded:6,} folded, {height / DESKTOP['height']:5.1f} screens"
                )
            if one.picture_seconds > MOST_SECONDS:  # depends on the machine, so no test asks
                print(f"    slow: first picture after {one.picture_seconds:.1f} s, limit {MOST_SECONDS}")
            for missed in one.misses():
                n_missed += 1
                print(f"    over: {missed}")
        browser.close()
    return 1 if n_missed else 0


if __name__ == "__main__":
    asked = sys.argv[1:]
    sys.exit(main(tuple(a for a in asked if a != "--sections") or STUDIES, in_detail="--sections" in asked))
