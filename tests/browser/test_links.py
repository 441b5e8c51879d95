"""Every link leads somewhere, every download is what the run folder holds."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from tests.browser.conftest import OpenReport
from tests.shelf import Shelf

LINKS = "(all) => all.map((one) => one.getAttribute('href'))"


@pytest.mark.parametrize("name", ["bounce_rates", "hostile", "many"])
def test_every_link_leads_somewhere(open_report: OpenReport, name: str) -> None:
    report = open_report(name)
    page = report.page
    links = set(page.locator("a[href]").evaluate_all(LINKS))
    anchors = {link for link in links if link.startswith("#")}
    lost = [one for one in anchors if not page.evaluate("(id) => document.getElementById(id) !== null", one[1:])]
    assert len(anchors) > 10
    assert lost == []
    beside = {link for link in links - anchors if "//" not in link}
    assert {"estimates.csv", "summary.json", "posterior.nc", "study.toml"} <= beside
    answers = {link: page.request.get(urljoin(report.address, link)).status for link in beside}
    assert set(answers.values()) == {200}, answers


def test_every_section_is_reached_from_the_list(open_report: OpenReport) -> None:
    page = open_report("bounce_rates", reduced_motion="reduce").page
    for link in page.locator("#sections a").all():
        link.click()
        target = page.locator(str(link.get_attribute("href")))
        page.wait_for_function(
            "(one) => Math.abs(one.getBoundingClientRect().top) < innerHeight", arg=target.element_handle()
        )
        assert target.locator("h2").count() == 1


@pytest.mark.parametrize("name", ["sleepstudy", "hostile"])
def test_downloads_are_the_run_s_files(open_report: OpenReport, shelf: Shelf, name: str) -> None:
    report, folder = open_report(name), shelf.run(name)
    links = report.page.locator("footer a[href]:not([href^='http'])").evaluate_all(LINKS)
    assert ("rejected.csv" in links) == (name == "hostile")
    for link in links:
        assert report.page.request.get(urljoin(report.address, link)).body() == (folder / link).read_bytes()


def test_the_catalogue_leads_to_the_report_and_back(open_report: OpenReport) -> None:
    report = open_report("bounce_rates")
    page = report.page
    page.locator("header a").click()
    page.wait_for_load_state()
    assert report.seen() == []
    page.locator("a", has_text="Does age change the time on site?").first.click()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == "Does age change the time on site?"
    report.asked.clear()


def test_a_link_into_a_fold_opens_it(open_report: OpenReport) -> None:
    """From the health card to evidence that nothing asks to look at, which has folded itself."""
    page = open_report("bounce_rates", folded=True, reduced_motion="reduce").page
    assert page.locator("#sampler").get_attribute("open") is None
    assert page.locator("#variance").get_attribute("open") is None
    page.locator("#health details > summary").click()
    page.locator("#health a[href='#sampler']").first.click()
    page.wait_for_function("document.getElementById('sampler').open")
    page.goto(page.url.split("#")[0] + "#variance")
    page.wait_for_function("document.getElementById('variance').open")


def test_what_is_open_stands_open_and_the_rest_is_folded(open_report: OpenReport) -> None:
    page = open_report("bounce_rates", folded=True).page
    assert page.locator("div.part.asking#intervals").count() == 1
    assert page.locator("details.part").count() > 5
    assert page.locator("details[open]").count() == 0
