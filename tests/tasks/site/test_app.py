"""The catalogue over HTTP, in process: what it shows, what it gives away, what it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from tasks.look.render import render_report
from tasks.site.app import PASSWORD_VARIABLE, catalogue_app
from tasks.site.files import MEDIA_TYPES
from tasks.site.guard import LOOPBACK_NAMES
from tasks.study.errors import StudyError
from tasks.view.catalogue.search import Trouble
from tasks.view.page import build_page
from tests.factories import many_groups_case, two_predictors_case
from tests.run_folders import add_run

BASE = "http://localhost:8765"
NOW = datetime(2026, 11, 22, 12, 15, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
FILES = {
    "report.html": ("text/html; charset=utf-8", b"<!doctype html><p>report"),
    "report-standalone.html": ("text/html; charset=utf-8", b"<!doctype html><p>whole"),
    "summary.json": ("application/json", None),
    "estimates.csv": ("text/csv; charset=utf-8", b"group,model\n"),
    "rejected.csv": ("text/csv; charset=utf-8", b"file,row\n"),
    "posterior.nc": ("application/x-netcdf", bytes(range(256)) * 1000),
    "study.toml": ("application/toml", b'title = "?"\n'),
}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def client_of(reports: Path, *, now: datetime = NOW, base: str = BASE, **options) -> TestClient:
    app = catalogue_app(reports, clock=lambda: now, **options)
    return TestClient(app, base_url=base, follow_redirects=False, raise_server_exceptions=False)


def page_of(client: TestClient, address: str = "/", status: int = 200) -> Page:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Study `a` with all that a run may publish, what must not leave, and `b`; beside them a secret."""
    reports = tmp_path / "reports"
    run = add_run(reports, "a", "r1", headline="Found in a.", run={"link": "http://127.0.0.1:4200/runs/flow-run/7"})
    add_run(reports, "b", "r0", headline="Found in b.", status="none")
    for name, (_, content) in FILES.items():
        if content is not None:
            (run / name).write_bytes(content)
    (reports / "plotly-4.1.1.min.js").write_text("// plotly")
    (tmp_path / "secret.csv").write_text("secret")
    return reports


@pytest.fixture
def client(reports: Path) -> TestClient:
    return client_of(reports)


# What it shows


def test_studies_and_runs_with_their_freshness(client: TestClient) -> None:
    page = page_of(client)
    for words in ("Question of a", "Found in a.", "Question of b", "Found in b.", "2 hours ago", "2 studies", "2 runs"):
        assert words in page.text
    assert {"a/r1/report.html", "b/r0/report.html", "a/latest/", "feed.atom", "catalogue.json"} <= set(page.links)
    assert "http://127.0.0.1:4200/runs/flow-run/7" in page.links


def test_what_was_published_a_moment_ago_is_there(client: TestClient, reports: Path) -> None:
    assert "Found anew." not in page_of(client).text
    add_run(reports, "a", "r2", headline="Found anew.")
    assert "Found anew." in page_of(client).text
    shutil.rmtree(reports / "a" / "r2")
    assert "Found anew." not in page_of(client).text


def test_every_link_leads_somewhere(client: TestClient, reports: Path) -> None:
    add_run(reports, "a b&c", "r 3?")
    (reports / "b" / "rejected").mkdir()
    (reports / "b" / "rejected" / "r9.csv").write_text("rejected")
    waiting, seen = ["/"], set()
    while waiting:
        address = waiting.pop()
        if address in seen or not address.startswith("/"):
            continue
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code in (200, 307), address
        found = [answer.headers["location"]] if answer.status_code == 307 else []
        if answer.headers.get("content-type", "").startswith("text/html"):
            found += [link for link in Page(answer.text).links if not link.startswith(("data:", "http:"))]
        waiting += [urljoin(address, link) for link in found]
    assert {"/a/r1/report.html", "/b/rejected/r9.csv", "/a%20b%26c/r%203%3F/report.html", "/feed.atom"} <= seen


def test_search_and_filter_need_no_script(client: TestClient) -> None:
    found = page_of(client, "/?q=R0+none+can+be+trusted")
    assert "Found in b." in found.text
    assert "Found in a." not in found.text
    assert "1 run matches" in found.text
    assert "Found in b." in page_of(client, "/?status=none").text
    assert "Found in b." not in page_of(client, "/?study=a").text
    assert "Nothing was found" in page_of(client, "/?q=nothing+of+this").text


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99", "studies=-1", "status=<b>", "q=%FF%00", f"q={5000 * 'x'}"]
)
def test_any_query_has_a_page(client: TestClient, query: str) -> None:
    page_of(client, f"/?{query}")


def test_hostile_text_stays_text(reports: Path) -> None:
    evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    add_run(reports, "c", "r3", headline=evil, study_title=evil, run={"link": "javascript:alert(1)", "engine": evil})
    client = client_of(reports)
    for address in ("/", "/?q=" + evil.replace(" ", "+").replace("#", ""), "/?study=" + evil, f"/{evil}"):
        page = Page(client.get(address).text)
        assert not {"script", "img", "iframe"} & set(page.tags)
        assert not any(name.startswith("on") or name == "style" for name in page.attributes)
        assert not any(link.startswith("javascript:") for link in page.links)
    assert evil in page_of(client).text
    assert "\ud800" not in client.get("/?q=\ud800".encode("utf-8", "replace").decode()).text


def test_lone_surrogates_in_a_summary_do_no_harm(reports: Path) -> None:
    summary = add_run(reports, "c", "r3", headline="HERE") / "summary.json"
    summary.write_text(summary.read_text("utf-8").replace("HERE", "\\ud800 half a character"), "utf-8")
    client = client_of(reports)
    for address in ("/", "/catalogue.json", "/feed.atom"):
        assert client.get(address).status_code == 200
    assert "half a character" in client.get("/catalogue.json").json()["runs"][0]["headline"]


def test_damaged_runs_are_told_and_do_no_harm(reports: Path) -> None:
    for number in range(30):
        (add_run(reports, "d", f"r{number:02d}") / "summary.json").write_text('{"schema_version": 1, "study"')
    (reports / "d" / "r99").mkdir()
    (reports / "d" / "r99" / "summary.json").write_text("[" * 100_000)
    page = page_of(client_of(reports))
    assert "d/r00" in page.text
    assert "And 11 more" in page.text
    assert "Found in a." in page.text


@pytest.mark.parametrize("exists", [True, False])
def test_before_the_first_run(tmp_path: Path, exists: bool) -> None:
    reports = tmp_path / "reports"
    if exists:
        reports.mkdir()
    client = client_of(reports)
    assert "No run has been published yet" in page_of(client).text
    assert client.get("/catalogue.json").json()["studies"] == []
    ElementTree.fromstring(client.get("/feed.atom").content)
    assert client.get("/health").status_code == 200
    page_of(client, "/a/latest/", 404)
    add_run(reports, "a", "r1")
    assert "Question of a" in page_of(client).text


def catalogue_of_three_thousand(tmp_path: Path) -> TestClient:
    source = add_run(tmp_path, "source", "r") / "summary.json"
    text = source.read_text("utf-8")
    head, fits = text[: text.index('"checks"')], '"fits": {}}'
    shutil.rmtree(source.parent.parent)
    for number in range(3000):
        folder = tmp_path / "abc"[number % 3] / f"r{number:04d}"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(
            head.replace("Singular", f"Case {number:04d}. Singular", 1) + fits, "utf-8"
        )
    client = client_of(tmp_path)
    page_of(client)
    return client


@pytest.mark.bench
def test_three_thousand_runs_are_listed_within_a_second(tmp_path: Path) -> None:
    client = catalogue_of_three_thousand(tmp_path)
    started = time.perf_counter()
    client.get("/")
    assert time.perf_counter() - started < 1


def test_three_thousand_runs_make_a_small_page_and_are_found(tmp_path: Path) -> None:
    client = catalogue_of_three_thousand(tmp_path)
    answer = client.get("/")
    assert len(answer.content) < 60_000
    assert "3,000 runs" in answer.text
    assert "Page 1 of 60" in answer.text
    found = client.get("/?q=r1234").text
    assert "1 run matches" in found
    assert "b/r1234/report.html" in found
    assert len(client.get("/catalogue.json").json()["runs"]) == 3000


# Reports and their files


@pytest.mark.parametrize("name", FILES)
def test_publishable_files(client: TestClient, reports: Path, name: str) -> None:
    kind, _ = FILES[name]
    answer = client.get(f"/a/r1/{name}")
    content = (reports / "a" / "r1" / name).read_bytes()
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, kind, content)
    assert int(answer.headers["content-length"]) == len(content)


def test_all_publishable_files_are_tested() -> None:
    assert MEDIA_TYPES.keys() == FILES.keys()


def test_part_of_the_posterior(client: TestClient) -> None:
    answer = client.get("/a/r1/posterior.nc", headers={"Range": "bytes=256-259"})
    assert (answer.status_code, answer.content) == (206, bytes([0, 1, 2, 3]))


def test_plotly_is_shared_and_kept(client: TestClient) -> None:
    answer = client.get("/plotly-4.1.1.min.js")
    assert answer.text == "// plotly"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/a/latest", "/a/r1/report.html"),
        ("/a/latest/", "/a/r1/report.html"),
        ("/a/latest/report.html", "/a/r1/report.html"),
        ("/a/latest/estimates.csv", "/a/r1/estimates.csv"),
        ("/a/r1", "/a/r1/report.html"),
        ("/a/r1/", "/a/r1/report.html"),
        ("/a", "/a/"),
        ("/a/", "/?study=a"),
        ("/index.html", "/"),
    ],
)
def test_stable_and_short_addresses(client: TestClient, address: str, leads_to: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 307
    assert urljoin(address, answer.headers["location"]) == leads_to
    assert "no-cache" in answer.headers["cache-control"]
    assert client.get(leads_to).status_code in (200, 307)


def test_latest_is_the_newest_run_that_can_be_read(client: TestClient, reports: Path) -> None:
    add_run(reports, "a", "r2")
    assert client.get("/a/latest/").headers["location"] == "../r2/report.html"
    (add_run(reports, "a", "r3") / "summary.json").write_text("{")
    assert client.get("/a/latest/").headers["location"] == "../r2/report.html"


def test_link_of_a_report_to_the_catalogue_works(client: TestClient) -> None:
    address = urljoin("/a/r1/report.html", "../../index.html")
    assert urljoin(address, client.get(address).headers["location"]) == "/"


# What it refuses


def test_link_in_a_run_folder_is_not_followed(client: TestClient, reports: Path) -> None:
    estimates = reports / "a" / "r1" / "estimates.csv"
    estimates.unlink()
    estimates.symlink_to(reports.parent / "secret.csv")
    assert client.get("/a/r1/estimates.csv").status_code == 404


def test_reports_folder_itself_may_be_a_link(reports: Path) -> None:
    os.symlink(reports, reports.parent / "elsewhere")
    assert client_of(reports.parent / "elsewhere").get("/a/r1/report.html").status_code == 200


@pytest.mark.parametrize("address", ["/", "/a/r1/report.html", "/nowhere"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_only_reading(client: TestClient, method: str, address: str) -> None:
    answer = client.request(method, address)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "can be read, not changed" in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:8765", "[::1]:8765", "LOCALHOST"])
def test_known_hosts(reports: Path, host: str) -> None:
    assert client_of(reports).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "",
        "[::2]",
    ],
)
@pytest.mark.parametrize("address", ["/", "/a/r1/summary.json", "/health"])
def test_unknown_hosts(reports: Path, host: str, address: str) -> None:
    answer = client_of(reports).get(address, headers={"Host": host})
    assert answer.status_code == 400
    assert "Found" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_hosts_can_be_named(reports: Path) -> None:
    client = client_of(reports, allowed_hosts=[*LOOPBACK_NAMES, "*.example.org"])
    assert client.get("/", headers={"Host": "reports.example.org"}).status_code == 200
    assert client.get("/", headers={"Host": "example.com"}).status_code == 400


# What keeps studies from running


def test_troubles_are_told_to_readers(reports: Path) -> None:
    troubles = [Trouble("visits", 'study.toml: schedule.cron is "61 * * * *" \x1b[31m<b>')]
    client = client_of(reports, troubles=lambda: troubles)
    page = page_of(client)
    assert "What keeps studies from running" in page.text
    assert 'visits: study.toml: schedule.cron is "61 * * * *"' in page.text
    assert "\x1b" not in page.text
    assert "b" not in page.tags
    troubles.clear()
    assert "What keeps" not in page_of(client).text


# The password


def basic(text: str | bytes) -> dict[str, str]:
    raw = text.encode() if isinstance(text, str) else text
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


@pytest.mark.parametrize("user", ["", "anyone", "ünï"])
def test_right_password_under_any_name(reports: Path, user: str) -> None:
    client = client_of(reports, password="pass:wörd")
    assert client.get("/", headers=basic(f"{user}:pass:wörd")).status_code == 200
    assert client.get("/a/r1/posterior.nc", headers=basic(f"{user}:pass:wörd")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("anyone:wrong"),
        basic("anyone:"),
        basic("right"),
        basic("anyone:right "),
        basic("anyone:Right"),
        basic(b"anyone:\xff\xfe"),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        {"Authorization": "Bearer right"},
        {"Authorization": "right"},
    ],
)
@pytest.mark.parametrize("address", ["/", "/a/r1/report.html", "/catalogue.json", "/nowhere", "/plotly-4.1.1.min.js"])
def test_without_the_password_nothing_is_told(reports: Path, address: str, headers: dict[str, str]) -> None:
    answer = client_of(reports, password="right").get(address, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert "Found" not in answer.text


def test_health_needs_no_password(reports: Path) -> None:
    assert client_of(reports, password="right").get("/health").json() == {"status": "ok"}


def test_password_of_the_environment(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "right")
    client = client_of(reports)
    assert client.get("/").status_code == 401
    assert client.get("/", headers=basic("x:right")).status_code == 200
    assert client_of(reports, password="other").get("/", headers=basic("x:right")).status_code == 401


def test_empty_password_is_refused(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="is empty"):
        catalogue_app(reports, password="")
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    with pytest.raises(StudyError, match=PASSWORD_VARIABLE):
        catalogue_app(reports)


# Headers


@pytest.mark.parametrize(
    ("address", "status"),
    [("/", 200), ("/a/r1/report.html", 200), ("/a/r1/estimates.csv", 200), ("/a/latest/", 307), ("/nowhere", 404),
     ("/feed.atom", 200), ("/catalogue.json", 200), ("/health", 200), ("/plotly-4.1.1.min.js", 200)],
)  # fmt: skip
def test_security_headers_on_every_answer(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    check_headers(answer.headers)


def check_headers(headers) -> None:
    policy = directives(headers["content-security-policy"])
    assert policy["default-src"] == {"'none'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    assert not any("'unsafe-inline'" in sources for name, sources in policy.items() if name != "style-src")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "private" in headers["cache-control"] or "no-store" in headers["cache-control"]
    assert "access-control-allow-origin" not in headers


def directives(policy: str) -> dict[str, set[str]]:
    return {words[0]: set(words[1:]) for words in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "/secret"), RuntimeError("/secret")])
def test_failures_are_tidy(reports: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(self: object) -> None:
        raise error

    monkeypatch.setattr("tasks.reports.catalogue.LiveCatalogue.read", fail)
    for address in ("/", "/health", "/feed.atom"):
        answer = client_of(reports).get(address)
        assert answer.status_code == (503 if isinstance(error, OSError) else 500)
        assert "secret" not in answer.text
        check_headers(answer.headers)


def test_the_page_has_one_style_and_its_policy_names_it(client: TestClient) -> None:
    for address in ("/", "/nowhere"):
        answer = client.get(address)
        (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert directives(answer.headers["content-security-policy"])["style-src"] == {f"'sha256-{digest}'"}
        page = Page(answer.text)
        assert "script" not in page.tags
        assert "style" not in page.attributes


@pytest.mark.parametrize("case", [two_predictors_case, many_groups_case])
@pytest.mark.parametrize("name", ["report.html", "report-standalone.html"])
def test_reports_keep_the_policy_that_lets_them_draw(client: TestClient, reports: Path, case, name: str) -> None:
    page = render_report(
        build_page(case().context), "../../plotly-4.1.1.min.js", standalone=name == "report-standalone.html"
    )
    (reports / "a" / "r1" / name).write_text(page, "utf-8")
    answer = client.get(f"/a/r1/{name}")
    check_headers(answer.headers)
    sent = directives(answer.headers["content-security-policy"])
    own = directives(unescape(re.search(r'Security-Policy" content="([^"]*)"', page)[1]))
    assert sent.pop("frame-ancestors") == {"'none'"}
    assert {name: sources - {"file:"} for name, sources in own.items()} == sent


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "script-src *",
        "default-src 'none'; script-src 'unsafe-inline' https://evil.example *; img-src http: *; report-uri https://evil",
        "default-src 'none'; frame-ancestors *; script-src\r\nX-Evil: 1",
    ],
)
def test_a_report_cannot_widen_its_policy(client: TestClient, reports: Path, policy: str) -> None:
    report = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><script>alert(1)</script>'
    (reports / "a" / "r1" / "report.html").write_text(report)
    headers = client.get("/a/r1/report.html").headers
    sent = headers["content-security-policy"]
    assert "x-evil" not in headers
    assert not re.search(r"script-src[^;]*'unsafe-inline'|evil|\*|https?:", sent)
    assert directives(sent)["default-src"] == {"'none'"}
    assert "frame-ancestors 'none'" in sent


# Copies that readers have


@pytest.mark.parametrize("address", ["/", "/catalogue.json", "/feed.atom", "/a/r1/report.html", "/a/r1/posterior.nc"])
def test_what_the_reader_has_is_not_sent_again(client: TestClient, address: str) -> None:
    tag = client.get(address).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        check_headers(again.headers)
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_by_date_too(client: TestClient) -> None:
    modified = client.get("/a/r1/summary.json").headers["last-modified"]

    def status(**headers: str) -> int:
        return client.get(
            "/a/r1/summary.json", headers={k.replace("_", "-"): v for k, v in headers.items()}
        ).status_code

    assert status(if_modified_since=modified) == 304
    assert status(if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT") == 200
    assert status(if_modified_since="nonsense") == 200
    assert status(if_modified_since=modified, if_none_match='"other"') == 200


def test_tag_changes_with_what_is_published_and_with_time(client: TestClient, reports: Path) -> None:
    tags = [client.get("/").headers["etag"], client_of(reports, now=NOW + timedelta(hours=1)).get("/").headers["etag"]]
    add_run(reports, "a", "r2")
    tags.append(client.get("/").headers["etag"])
    assert len(set(tags)) == 3


@pytest.mark.parametrize("address", ["/", "/catalogue.json", "/feed.atom", "/a/r1/posterior.nc", "/nowhere", "/health"])
def test_head_is_get_without_the_body(client: TestClient, address: str) -> None:
    head, get = client.head(address), client.get(address)
    assert head.content == b""
    assert (head.status_code, head.headers) == (get.status_code, get.headers)


# For machines


def test_json_index(client: TestClient, reports: Path) -> None:
    (reports / "e" / "rejected").mkdir(parents=True)
    (reports / "e" / "rejected" / "r1.csv").touch()
    told = client.get("/catalogue.json").json()
    assert (told["schema_version"], told["base"]) == (2, f"{BASE}/")
    a, b, e = told["studies"]
    assert (a["name"], a["status"], b["status"], a["freshness"]) == ("a", "use", "none", "2 hours ago")
    assert a["latest_started_at"] == "2026-11-22T10:15:00Z"
    assert (e["latest"], e["freshness"], e["rejected_since"]["file"]) == (None, None, "e/rejected/r1.csv")
    for address in (a["latest"], a["feed"], told["feed"], *(run["report"] for run in told["runs"])):
        assert client.get(urljoin(told["base"], address)).status_code in (200, 307)


def test_json_index_holds_all_that_the_file_on_disk_does(client: TestClient, reports: Path) -> None:
    from tasks.reports.catalogue import rebuild_catalogue

    rebuild_catalogue(reports)
    on_disk = json.loads((reports / "catalogue.json").read_text("utf-8"))
    told = client.get("/catalogue.json").json()
    assert on_disk["runs"] == [{key: run[key] for key in on_disk["runs"][0]} for run in told["runs"]]
    assert [study["latest_run_id"] for study in on_disk["studies"]] == [s["latest_run_id"] for s in told["studies"]]


def test_feeds(client: TestClient, reports: Path) -> None:
    for address, n_entries in (("/feed.atom", 2), ("/a/feed.atom", 1)):
        answer = client.get(address)
        assert answer.headers["content-type"] == "application/atom+xml"
        feed = ElementTree.fromstring(answer.content)
        entries = feed.findall(f"{ATOM}entry")
        assert len(entries) == n_entries
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert links["self"] == f"{BASE}{address}"
        assert all(client.get(entry.find(f"{ATOM}link").get("href")).status_code == 200 for entry in entries)


def test_feed_of_another_address_leads_there(reports: Path) -> None:
    feed = client_of(reports, base="https://127.0.0.1").get("/feed.atom").text
    assert 'href="https://127.0.0.1/a/r1/report.html"' in feed
