from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tasks.view.catalogue.catalogue import RunEntry
from tasks.view.catalogue.feed import MOST_ENTRIES, atom_feed

BASE = "http://127.0.0.1:8765/"
MOMENT = "2026-11-22T12:00:00+02:00"
RUN = RunEntry("a", "A question", "r1", MOMENT, "use", "Half an answer.", "bayes", 613, 8, 3, "embedded", "a/r1")
ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(*arguments, **options):
    """The feed, checked against what RFC 4287 requires (sections 4.1.1, 4.1.2, 4.2)."""
    feed = ElementTree.fromstring(atom_feed(*arguments, **options))
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            (found,) = element.findall(ATOM + name)
            assert found.text
        assert urlsplit(element.findtext(f"{ATOM}id")).scheme
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo
        assert len([link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]) == 1
        assert all(link.get("href").startswith("http://") for link in element.findall(f"{ATOM}link"))
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    return feed, entries


def href(element, relation):
    return next(link.get("href") for link in element.findall(f"{ATOM}link") if link.get("rel") == relation)


def test_entry_says_what_the_report_says():
    feed, (entry,) = parsed("Reports", [RUN], BASE)
    assert entry.findtext(f"{ATOM}title") == "A question – use another model"
    assert entry.findtext(f"{ATOM}summary") == "Half an answer. 613 rows in 8 groups, 3 rejected."
    assert entry.findtext(f"{ATOM}updated") == feed.findtext(f"{ATOM}updated") == "2026-11-22T10:00:00Z"
    assert href(entry, "alternate") == f"{BASE}a/r1/report.html"
    assert href(feed, "self") == f"{BASE}feed.atom"
    assert [category.get("term") for category in entry.findall(f"{ATOM}category")] == ["a", "use"]


def test_feed_of_a_study_has_its_own_address_and_id():
    whole, _ = parsed("Reports", [RUN], BASE)
    feed, _ = parsed("Reports", [RUN], BASE, "a b")
    assert href(feed, "self") == f"{BASE}a%20b/feed.atom"
    assert href(feed, "alternate") == f"{BASE}a%20b/"
    assert feed.findtext(f"{ATOM}id") != whole.findtext(f"{ATOM}id")


def test_ids_do_not_depend_on_the_address():
    def ids(base):
        feed, entries = parsed("Reports", [RUN, replace(RUN, run_id="r0")], base)
        return [element.findtext(f"{ATOM}id") for element in (feed, *entries)]

    assert ids(BASE) == ids("http://reports.example.org/team/")


def test_newest_fifty():
    runs = [replace(RUN, run_id=f"r{number}") for number in reversed(range(80))]
    _, entries = parsed("Reports", runs, BASE)
    assert len(entries) == MOST_ENTRIES == 50


def test_feed_without_reports():
    _, entries = parsed("Reports", [], BASE)
    assert entries == []


@pytest.mark.parametrize("text", ["<script>&amp;]]>", "\x00\x08\x1b", "\ud800", "\ufffe\uffff", "שלום\u202e", "a\nb"])
def test_any_text_makes_a_feed(text):
    _, (entry,) = parsed(f"Reports {text}", [replace(RUN, title=f"x{text}", headline=f"y{text}")], BASE)
    assert entry.findtext(f"{ATOM}title").startswith("x")
    assert "script" not in {element.tag for element in entry.iter()}


def test_below_a_path_of_a_proxy():
    feed, (entry,) = parsed("Reports", [RUN], "http://reports.example.org/team/", "a")
    assert href(feed, "self") == "http://reports.example.org/team/a/feed.atom"
    assert href(entry, "alternate") == "http://reports.example.org/team/a/r1/report.html"
