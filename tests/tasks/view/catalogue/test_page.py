"""The page of 300 studies is light, and holds all of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tasks.look.render import render_plain
from tasks.reports.catalogue import catalogue_page
from tasks.view.catalogue.catalogue import Catalogue
from tasks.view.catalogue.search import Query, reading_list
from tasks.view.words.verdict_labels import LABELS
from tests.catalogues import catalogue_of_many

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def many() -> Catalogue:
    return catalogue_of_many(300, NOW)


def served(catalogue: Catalogue) -> str:
    return render_plain("reading_list.html.j2", page=reading_list(catalogue, Query(), NOW), statuses=LABELS)


def titles(html: str) -> list[str]:
    return re.findall(r"<h3[^>]*>(?:<a [^>]*>)?([^<]*)", html)


def test_three_hundred_studies_are_on_one_light_page(many: Catalogue) -> None:
    html = catalogue_page(many)
    assert len(titles(html)) == 300
    assert html.count("report.html") == 299 + many.n_runs  # a link in each line, one for every run in the folds
    assert len(html.encode()) < 3e6


def test_three_hundred_studies_are_on_one_served_page(many: Catalogue) -> None:
    html = served(many)
    assert len(titles(html)) == 300
    assert "Pages of studies" not in html
    assert len(html.encode()) < 1.8e6


def test_both_pages_have_one_order_where_nothing_is_stale(many: Catalogue) -> None:
    fresh = Catalogue(tuple(study for study in many.studies if not study.is_stale(NOW)), many.damaged)
    assert len(fresh.studies) < 300
    assert titles(catalogue_page(fresh)) == titles(served(fresh))


def test_a_line_says_all_that_keeps_a_study_from_being_trusted(many: Catalogue) -> None:
    lines = catalogue_page(many).split('<li class="study"')[1:]
    (rejected, bare), damaged = lines[:2] if "region: 001" in lines[0] else lines[1::-1], lines[2]
    for words in ("Data rejected", "Can be trusted", "A later run stopped because of its data"):
        assert words in rejected
    assert "No report yet." in bare
    assert "Its run stopped because of its data" in bare
    assert "Cannot be read" in damaged
    assert "Its newest run cannot be read: summary.json is damaged" in damaged
