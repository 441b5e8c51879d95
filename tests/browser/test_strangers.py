"""While `poolwise serve` runs, pages of other origins get nothing and change nothing; its owner gets in."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ARGUMENTS, program, sandbox
from tests.browser.strangers import FRAME, TRIES, elsewhere, open_server
from tests.serving import Serving
from tests.waiting import until

PLANT = {
    "name": "planted",
    "pull_steps": [{"prefect.deployments.steps.run_shell_script": {"script": "touch planted"}}],
    "paused": False,
}
NAMES = ("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def serving(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """With one report published. Asks for the browser first: without one, nothing needs to be served."""
    serving = Serving(tmp_path_factory.mktemp("serving")).start()
    serving.drop(0, random.Random(7))
    until(lambda: serving.n_counted() == 1)
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def other_port() -> Iterator[int]:
    with elsewhere() as port:
        yield port


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(300_000)
    yield context.new_page()
    context.close()


def deployment(serving: Serving) -> dict[str, Any]:
    (found,) = serving.ask("/deployments/filter", {})
    return {key: found[key] for key in ("id", "name", "pull_steps", "paused", "parameters", "entrypoint")}


def run_names(serving: Serving) -> set[str]:
    return {run["name"] for run in serving.ask("/flow_runs/filter", {})}


def paths(serving: Serving) -> list[str]:
    study = f"/api/deployments/{deployment(serving)['id']}"
    return [
        study,
        f"{study}/create_flow_run",
        "/api/deployments/",
        "/api/flows/filter",
        "/api/admin/settings",
        "/ui-settings",
    ]


def test_the_tries_work_where_nobody_guards(page: Page, other_port: int) -> None:
    with open_server() as port:
        page.goto(f"http://localhost:{other_port}/")
        got = page.evaluate(TRIES, [f"http://127.0.0.1:{port}", ["/any"], "{}"])
    assert {line.split(" ")[0] for line in got} >= {"GET", "POST", "PATCH", "PUT", "DELETE", "script"}


@pytest.mark.parametrize("own", NAMES)
@pytest.mark.parametrize("target", NAMES)
def test_a_page_of_another_origin_gets_and_changes_nothing(
    serving: Serving, page: Page, other_port: int, own: str, target: str
) -> None:
    before, runs = deployment(serving), run_names(serving)
    page.goto(f"http://{own}:{other_port}/")
    prefect = serving.addresses()["Prefect"].replace("127.0.0.1", target)
    sockets = ["/api/events/in", "/api/events/out", "/api/logs/out"]
    assert page.evaluate(TRIES, [prefect, [*paths(serving), *sockets], json.dumps(PLANT)]) == []
    assert deployment(serving) == before
    assert run_names(serving) == runs
    assert not list(serving.folder.rglob("planted"))


def framed(page: Page, address: str) -> str:
    """What a frame with this address shows."""
    page.evaluate(FRAME, address)
    return page.frames[-1].content()


def test_no_page_shows_ours_in_a_frame(serving: Serving, page: Page, other_port: int) -> None:
    page.goto(f"http://localhost:{other_port}/")
    assert "Nothing to see" in framed(page, f"http://127.0.0.1:{other_port}/"), "others can be shown"
    assert "Prefect" not in framed(page, serving.addresses()["Prefect"] + "/")
    assert "Reports" not in framed(page, serving.addresses()["Catalogue"] + "/")


def test_a_page_of_another_origin_reads_nothing_of_the_catalogue(serving: Serving, page: Page, other_port: int) -> None:
    page.goto(f"http://localhost:{other_port}/")
    asked = ["/", "/catalogue.json", "/feed.atom", "/study/latest/report.html"]
    assert page.evaluate(TRIES, [serving.addresses()["Catalogue"], asked, "{}"]) == []


def test_a_name_that_was_made_to_point_here_is_refused(browser: Browser, serving: Serving) -> None:
    """DNS rebinding: the page's own origin leads to our server."""
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    rebound = browser.browser_type.launch(executable_path=program(), args=[*ARGUMENTS, *sandbox(), rules])
    try:
        page = rebound.new_page()
        for which, refusal in (("Prefect", 403), ("Catalogue", 400)):
            answer = page.goto(serving.addresses()[which].replace("127.0.0.1", "evil.example") + "/")
            assert answer is not None
            assert answer.status == refusal
    finally:
        rebound.close()


def test_the_owner_gets_in_with_the_key(serving: Serving, page: Page, other_port: int, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    prefect = serving.addresses()["Prefect"]
    page.goto(prefect)
    page.locator("input").first.fill(serving.key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard*")
    page.goto(f"{prefect}/v2/deployments")
    page.get_by_role("link", name="study", exact=True).first.wait_for()
    page.goto(f"{prefect}/v2/runs")
    page.get_by_text("1 Flow run").wait_for()

    page.goto(f"http://127.0.0.1:{other_port}/")
    assert page.evaluate("localStorage.length") == 0, "another port is another origin: it does not see the key"
    assert page.evaluate(TRIES, [prefect, paths(serving)[:2], json.dumps(PLANT)]) == [], "logged in or not"
    assert deployment(serving)["pull_steps"] != PLANT["pull_steps"]


def test_a_link_from_a_report_leads_past_the_key_to_its_run(serving: Serving, page: Page) -> None:
    catalogue = serving.addresses()["Catalogue"]
    page.goto(f"{catalogue}/study/latest/")
    link = serving.summaries()[-1]["run"]["link"]
    page.evaluate("(address) => { location.href = address; }", link)
    page.locator("input[placeholder='admin:pass']").fill(serving.key)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: address.startswith(link))
