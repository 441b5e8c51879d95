"""The catalogue tells what the run folders say: all of it, safely, and again after it is deleted."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import tasks.reports.catalogue
from tasks.look.look import TEMPLATES
from tasks.reports.catalogue import LiveCatalogue, list_runs, read_catalogue, rebuild_catalogue
from tests.run_folders import add_run


class Page(HTMLParser):
    """Links, tags and text of a page."""

    script = (TEMPLATES / "catalogue.js").read_text("utf-8")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_study_and_run_is_there_newest_first(tmp_path: Path) -> None:
    for study, run_id in (("b", "20261101T000000Z-1"), ("a", "20261103T000000Z-1"), ("b", "20261104T000000Z-1")):
        add_run(tmp_path, study, run_id, headline=f"Found in {study} {run_id[6:8]}")
    page = Page(rebuild_catalogue(tmp_path))
    assert [run.folder for run in list_runs(tmp_path)] == [
        "b/20261104T000000Z-1",
        "a/20261103T000000Z-1",
        "b/20261101T000000Z-1",
    ]
    for words in ("Question of a", "Found in b 04", "Found in b 01", "Found in a 03"):
        assert words in page.text
    internal = [link for link in page.links if link.endswith("report.html")]
    assert len(internal) == 2 + 3
    assert all((tmp_path / link).is_file() for link in internal)


def test_entries_carry_the_summary(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    (entry,) = list_runs(tmp_path)
    assert (entry.n_rows, entry.n_groups, entry.n_rejected) == (613, 8, 3)
    assert (entry.status, entry.recommended_model) == ("use", "bayes")
    assert entry.when == "2026-11-22 10:15"
    assert entry.rejected_share == pytest.approx(3 / 616)


def test_deleted_catalogue_comes_back_the_same(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    files = [rebuild_catalogue(tmp_path), tmp_path / "catalogue.json"]
    before = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    rebuild_catalogue(tmp_path)
    assert [file.read_bytes() for file in files] == before


def test_empty_reports_folder_has_a_page(tmp_path: Path) -> None:
    page = Page(rebuild_catalogue(tmp_path / "new"))
    assert "No run has been published yet" in page.text
    assert list_runs(tmp_path / "nowhere") == []


def test_catalogue_for_programs(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    add_run(tmp_path, "a", "r2", status="trust")
    rebuild_catalogue(tmp_path)
    told = json.loads((tmp_path / "catalogue.json").read_text("utf-8"))
    assert told["schema_version"] == 2
    assert [run["run_id"] for run in told["runs"]] == ["r2", "r1"]
    (study,) = told["studies"]
    assert (study["name"], study["latest_run_id"], study["status"], study["n_runs"]) == ("a", "r2", "trust", 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is missing"),
        ("", "is damaged"),
        ('{"schema_version": 1, "study": {', "is damaged"),
        ("[]", "no version"),
        ('{"schema_version": 99}', "no version"),
        ('{"schema_version": 1, "study": {}, "run": {}, "verdict": {}}', "lacks"),
        ('{"schema_version": 1, "study": 1, "run": null, "verdict": []}', "lacks"),
        ('{"schema_version": 2, "study": {', "is damaged"),
        ('{"schema_version": 2, "study": {}, "run": {}, "verdict": {}}', "lacks"),
        ('{"schema_version": 2, "study": 1, "run": null, "verdict": []}', "lacks"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_damaged_run_is_noted_and_the_others_stay(tmp_path: Path, content: str | bytes | None, reason: str) -> None:
    add_run(tmp_path, "a", "r1")
    damaged = add_run(tmp_path, "a", "r2") / "summary.json"
    damaged.unlink()
    if content is not None:
        damaged.write_bytes(content.encode() if isinstance(content, str) else content)
    catalogue = read_catalogue(tmp_path)
    assert [run.run_id for run in catalogue.runs] == ["r1"]
    assert [run.folder for run in catalogue.damaged] == ["a/r2"]
    assert reason in catalogue.damaged[0].reason
    assert "a/r2" in Page(rebuild_catalogue(tmp_path)).text


def test_what_is_no_run_is_no_run(tmp_path: Path) -> None:
    run = add_run(tmp_path, "a", "r1")
    os.symlink("r1", run.parent / "latest")
    (run.parent / ".staging-r2").mkdir()
    (tmp_path / "plotly-0.min.js").touch()
    (tmp_path / ".gitkeep").touch()
    catalogue = read_catalogue(tmp_path)
    assert [entry.run_id for entry in catalogue.runs] == ["r1"]
    assert catalogue.damaged == ()


def test_rejected_data_after_the_newest_run_are_told(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r2")
    (tmp_path / "a" / "rejected").mkdir()
    (tmp_path / "a" / "rejected" / "r1.csv").touch()
    assert "Data rejected" not in Page(rebuild_catalogue(tmp_path)).text
    (tmp_path / "a" / "rejected" / "r3.csv").touch()
    page = Page(rebuild_catalogue(tmp_path))
    assert "Data rejected" in page.text
    assert "a/rejected/r3.csv" in page.links


def test_study_whose_data_were_always_rejected_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a" / "rejected").mkdir(parents=True)
    (tmp_path / "a" / "rejected" / "r1.csv").touch()
    page = Page(rebuild_catalogue(tmp_path))
    assert "No report yet." in page.text
    assert "a/rejected/r1.csv" in page.links


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1", headline="<script>alert(1)</script>\"'><img src=x>")
    page = Page(rebuild_catalogue(tmp_path))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    page = Page(rebuild_catalogue(tmp_path))
    assert all(link == "data:," or "//" not in link for link in page.links)
    assert "img" not in page.tags
    assert "default-src 'none'" in (tmp_path / "index.html").read_text("utf-8")


def test_only_the_pages_own_script_and_style_may_run(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    html = rebuild_catalogue(tmp_path).read_text("utf-8")
    policy = unescape(html.split('Content-Security-Policy" content="')[1].split('"')[0])
    for element in ("script", "style"):
        (text,) = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy


def test_hostile_names_units_and_answers_stay_text(tmp_path: Path) -> None:
    evil = "</title></svg><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"
    estimate = {"kind": "slope", "term": evil, "unit": evil, "mean": 1.0, "lower": 0.5, "upper": 1.5}
    for run_id in ("r1", "r2"):
        add_run(tmp_path, "a", run_id, study_title=evil, overview={"answer": evil, "estimates": [estimate]})
    page = Page(rebuild_catalogue(tmp_path))
    assert page.tags.count("script") == page.tags.count("svg") == 1
    assert "img" not in page.tags
    assert "onerror=alert(1)>" in page.text
    assert "\u202e" not in page.text


def test_key_estimates_are_followed_over_the_runs(tmp_path: Path) -> None:
    for number in range(30):
        estimate = {"kind": "slope", "term": "age", "unit": "s per year", "mean": number, "lower": -5, "upper": 35}
        status = "none" if number == 25 else "trust"
        overview = {"answer": f"Answer {number}.", "estimates": [estimate]}
        add_run(tmp_path, "a", f"r{number:02d}", overview=overview, status=status)
    page = Page(rebuild_catalogue(tmp_path))
    assert "Answer 29." in page.text
    assert "Answer 28." not in page.text
    assert "Effect of age over 20 runs" in page.text
    assert "lowest 10, highest 29. In 1 run no model could be trusted." in page.text
    assert "29\u202fs per year (−5 to 35)" in page.text
    (study,) = json.loads((tmp_path / "catalogue.json").read_text("utf-8"))["studies"]
    (trend,) = study["trends"]
    assert study["answer"] == "Answer 29."
    assert study["trend_run_ids"] == [f"r{number:02d}" for number in range(10, 30)]
    assert trend["value"] == list(range(10, 30))
    assert trend["lower"] == [-5] * 20


@pytest.mark.parametrize(
    "overview",
    [{"estimates": [{"kind": "slope"}]}, {"estimates": 7}, {"estimates": [None]}, {"data_age_days": "old"}],
)
def test_run_with_a_broken_overview_is_damaged(tmp_path: Path, overview: dict[str, Any]) -> None:
    add_run(tmp_path, "a", "r1", overview=overview)
    assert [run.folder for run in read_catalogue(tmp_path).damaged] == ["a/r1"]


def test_run_of_an_older_version_has_no_trend_and_is_listed(tmp_path: Path) -> None:
    summary = add_run(tmp_path, "a", "r1") / "summary.json"
    whole = json.loads(summary.read_text("utf-8"))
    del whole["overview"]
    summary.write_text(json.dumps(whole), "utf-8")
    add_run(tmp_path, "b", "r2")
    add_run(tmp_path, "b", "r3")
    catalogue = read_catalogue(tmp_path)
    assert [(study.name, len(study.trends)) for study in catalogue.studies] == [("a", 0), ("b", 5)]
    assert Page(rebuild_catalogue(tmp_path)).tags.count("svg") == 5


def test_a_study_of_one_run_has_its_estimate_without_a_picture(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    page = Page(rebuild_catalogue(tmp_path))
    (study,) = read_catalogue(tmp_path).studies
    assert study.leading_trend is not None
    for words in (study.leading_trend.label, study.leading_trend.newest, study.leading_trend.interval):
        assert words in page.text
    assert "svg" not in page.tags


def test_a_study_whose_newest_run_is_damaged_says_so_until_another_is_published(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1")
    (add_run(tmp_path, "a", "r2") / "summary.json").write_text("{")
    (add_run(tmp_path, "b", "r1") / "summary.json").write_text("{")
    rebuild_catalogue(tmp_path)
    told = json.loads((tmp_path / "catalogue.json").read_text("utf-8"))["studies"]
    found = [(study["name"], study["latest_run_id"], study["damaged_since"]["folder"]) for study in told]
    assert found == [("a", "r1", "a/r2"), ("b", None, "b/r1")]
    add_run(tmp_path, "a", "r3")
    assert read_catalogue(tmp_path).studies[0].damaged_since is None


def test_page_does_not_depend_on_when_it_is_made_and_says_from_when_on_a_study_is_stale(tmp_path: Path) -> None:
    run = {"started_at": "2026-11-22T10:15:00Z"}
    add_run(tmp_path, "a", "r1", run=run, overview={"data_age_days": 1.0, "data_age_limit_days": 3.0})
    page = Page(rebuild_catalogue(tmp_path))
    assert "Stale from 2026-11-24 10:15 on: its data may be at most 3 days old." in page.text
    assert "Newest data of 2026-11-21 10:15" in page.text
    assert " ago" not in page.text.replace(Page.script, "")


def test_many_runs_of_a_study_are_folded_in_parts_and_all_there(tmp_path: Path) -> None:
    first = add_run(tmp_path, "a", "r0000")
    for number in range(1, 250):
        shutil.copytree(first, tmp_path / "a" / f"r{number:04d}")
    page = Page(rebuild_catalogue(tmp_path))
    for words in ("250 runs of a", "100 older runs", "30 older runs"):
        assert words in page.text
    assert len({link for link in page.links if link.endswith("report.html")}) == 250
    assert page.tags.count("details") == 1 + 1 + 3


def test_concurrent_rebuilds_end_complete_and_whole(tmp_path: Path) -> None:
    def publish_and_rebuild(number: int) -> None:
        add_run(tmp_path, "a", f"r{number}")
        rebuild_catalogue(tmp_path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish_and_rebuild, range(12)))
    told = json.loads((tmp_path / "catalogue.json").read_text("utf-8"))
    assert len(told["runs"]) == 12
    assert {path.name for path in tmp_path.iterdir()} == {"a", "index.html", "catalogue.json"}


def test_run_published_during_a_rebuild_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run(tmp_path, "a", "r1")
    real, calls = tasks.reports.catalogue.read_catalogue, []

    def read_then_publish(reports: Path) -> Any:
        calls.append(real(reports))
        if len(calls) == 1:
            add_run(tmp_path, "a", "r2")
        return calls[-1]

    monkeypatch.setattr(tasks.reports.catalogue, "read_catalogue", read_then_publish)
    rebuild_catalogue(tmp_path)
    assert len(json.loads((tmp_path / "catalogue.json").read_text("utf-8"))["runs"]) == 2
    assert len(calls) == 2


def test_fits_of_any_size_are_not_read(tmp_path: Path) -> None:
    folder = add_run(tmp_path, "a", "r1")
    text = (folder / "summary.json").read_text("utf-8")
    (folder / "summary.json").write_text(text[: text.index('"fits"')] + '"fits": ' + "x" * 100_000, "utf-8")
    assert [run.run_id for run in list_runs(tmp_path)] == ["r1"]


def test_other_order_of_keys_is_read_too(tmp_path: Path) -> None:
    folder = add_run(tmp_path, "a", "r1")
    whole = json.loads((folder / "summary.json").read_text("utf-8"))
    reordered = {"padding": "x" * 100_000, **dict(reversed(whole.items()))}
    (folder / "summary.json").write_text(json.dumps(reordered), "utf-8")
    assert [run.run_id for run in list_runs(tmp_path)] == ["r1"]


def test_live_catalogue_reads_each_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = tasks.reports.catalogue.read_head
    monkeypatch.setattr(
        tasks.reports.catalogue, "read_head", lambda folder: (read.append(folder.name), real(folder))[1]
    )
    add_run(tmp_path, "a", "r1")
    live = LiveCatalogue(tmp_path)
    first = live.read()
    assert live.read() is first
    add_run(tmp_path, "a", "r2")
    assert [run.run_id for run in live.read().runs] == ["r2", "r1"]
    assert read == ["r1", "r2"]


def test_live_catalogue_sees_runs_that_went_and_rejections_that_came(tmp_path: Path) -> None:
    live = LiveCatalogue(tmp_path / "reports")
    assert live.read().studies == ()
    shutil.rmtree(add_run(tmp_path / "reports", "a", "r1"))
    assert live.read().runs == ()
    (tmp_path / "reports" / "a" / "rejected").mkdir()
    (tmp_path / "reports" / "a" / "rejected" / "r2.csv").touch()
    (study,) = live.read().studies
    assert study.rejected_since is not None


def test_live_catalogue_tries_a_damaged_run_again_when_its_summary_changed(tmp_path: Path) -> None:
    summary = add_run(tmp_path, "a", "r1") / "summary.json"
    whole = summary.read_bytes()
    summary.write_bytes(whole[:100])
    live = LiveCatalogue(tmp_path)
    damaged = live.read()
    assert [run.folder for run in damaged.damaged] == ["a/r1"]
    assert live.read() is damaged
    summary.write_bytes(whole)
    assert [run.run_id for run in live.read().runs] == ["r1"]


def test_reason_says_nothing_of_the_machine(tmp_path: Path) -> None:
    summary = add_run(tmp_path, "a", "r1") / "summary.json"
    summary.unlink()
    summary.mkdir()
    (damaged,) = read_catalogue(tmp_path).damaged
    assert str(tmp_path) not in damaged.reason


@pytest.mark.parametrize("moment", ["yesterday", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+12:00", None])
def test_run_of_no_moment_is_damaged(tmp_path: Path, moment: str | None) -> None:
    add_run(tmp_path, "a", "r1", run={"started_at": moment})
    assert [run.folder for run in read_catalogue(tmp_path).damaged] == ["a/r1"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "//elsewhere", 7, None])
def test_only_a_web_address_is_a_link(tmp_path: Path, link: object) -> None:
    add_run(tmp_path, "a", "r1", run={"link": link})
    assert list_runs(tmp_path)[0].link == ""


def test_the_run_in_prefect_is_linked_from_the_disk_too(tmp_path: Path) -> None:
    add_run(tmp_path, "a", "r1", run={"link": "http://127.0.0.1:4200/runs/flow-run/1"})
    page = rebuild_catalogue(tmp_path)
    assert "http://127.0.0.1:4200/runs/flow-run/1" in Page(page).links


@pytest.mark.bench
def test_three_thousand_runs_take_under_three_seconds(tmp_path: Path) -> None:
    first = add_run(tmp_path, "a", "r0000")
    for number in range(1, 3000):
        shutil.copytree(first, tmp_path / "abc"[number % 3] / f"r{number:04d}")
    start = time.perf_counter()
    page = rebuild_catalogue(tmp_path)
    assert time.perf_counter() - start < 3
    assert page.stat().st_size < 2e6
