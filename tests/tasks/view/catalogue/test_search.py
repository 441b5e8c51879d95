from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.view.catalogue.catalogue import DamagedRun, RejectedRun, RunEntry, catalogue_of
from tasks.view.catalogue.search import (
    MOST_DAMAGED,
    RUNS_PER_PAGE,
    STUDIES_PER_PAGE,
    Query,
    reading_list,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = RunEntry("a", "Title", "r", NOW.isoformat(), "trust", "Fine.", "bayes", 613, 8, 3, "embedded", "a/r")


def run(study, number, **changes):
    run_id = f"r{number:05d}"
    started = (NOW - timedelta(days=100_000 - number)).isoformat()
    return replace(RUN, study=study, run_id=run_id, started_at=started, folder=f"{study}/{run_id}", **changes)


def shown(catalogue, **asked):
    return reading_list(catalogue, Query.of(asked), NOW)


def run_ids(page):
    return [dated.run.run_id for dated in page.runs.items]


CATALOGUE = catalogue_of(
    [
        run("a", 1, title="Straße und Ärger", headline="Intervals collapsed", status="use"),
        run("a", 2, title="Straße und Ärger", headline="Fine again"),
        run("b", 3, title="Hospitals", headline="Not converged", status="none"),
    ],
    [RejectedRun("c", "r9", "c/rejected/r9.csv")],
    [],
)


@pytest.mark.parametrize(
    ("asked", "studies", "runs"),
    [
        ({}, "cba", ["r00003", "r00002", "r00001"]),
        ({"q": "  "}, "cba", ["r00003", "r00002", "r00001"]),
        ({"q": "STRASSE"}, "a", ["r00002", "r00001"]),
        ({"q": "collapsed intervals"}, "", ["r00001"]),
        ({"q": "r00003"}, "b", ["r00003"]),
        ({"q": "c"}, "cba", ["r00003", "r00002", "r00001"]),  # “Can be trusted” has one too
        ({"q": "conver"}, "b", ["r00003"]),
        ({"q": "nowhere"}, "", []),
        ({"status": "none"}, "b", ["r00003"]),
        ({"status": "nonsense"}, "cba", ["r00003", "r00002", "r00001"]),
        ({"order": "name"}, "abc", ["r00003", "r00002", "r00001"]),
        ({"order": "worst"}, "bac", ["r00003", "r00002", "r00001"]),
        ({"order": "nonsense"}, "cba", ["r00003", "r00002", "r00001"]),
        ({"study": "a"}, "a", ["r00002", "r00001"]),
        ({"study": "a", "status": "use"}, "", ["r00001"]),
        ({"study": "c"}, "c", []),
        ({"study": "none"}, "", []),
    ],
)
def test_what_answers_a_question(asked, studies, runs):
    page = shown(CATALOGUE, **asked)
    assert "".join(line.study.name for line in page.studies.items) == studies
    assert run_ids(page) == runs
    assert page.runs.total == len(runs)


def test_dates_are_in_words_and_the_newest_report_is_told():
    page = shown(catalogue_of([replace(RUN, started_at=(NOW - timedelta(hours=2)).isoformat())], [], []))
    assert page.newest == "2 hours ago"
    assert page.runs.items[0].ago == page.studies.items[0].ago == "2 hours ago"


def test_freshness_is_told_and_asked_for():
    started = [(NOW - timedelta(days=days)).isoformat() for days in (1, 30)]
    limit = {"data_age_days": 0.5, "data_age_limit_days": 7.0}
    runs = [replace(run(name, 1, **limit), started_at=moment) for name, moment in zip("ab", started, strict=True)]
    catalogue = catalogue_of([*runs, run("c", 1)], [], [])
    told = [(line.study.name, line.is_stale) for line in shown(catalogue).studies.items]
    assert told == [("b", True), ("a", False), ("c", False)]
    assert [line.study.name for line in shown(catalogue, freshness="stale").studies.items] == ["b"]
    assert [dated.run.study for dated in shown(catalogue, freshness="fresh").runs.items] == ["c", "a"]
    assert shown(catalogue, freshness="<b>").studies.total == 3


def test_pages_hold_every_run_once_and_lead_to_each_other():
    catalogue = catalogue_of([run("a", number) for number in range(120)], [], [])
    page, seen, hrefs = shown(catalogue), [], []
    for number in range(1, page.runs.n_pages + 1):
        page = shown(catalogue, page=str(number), q="title")
        assert len(page.runs.items) <= RUNS_PER_PAGE
        seen += run_ids(page)
        hrefs.append((page.runs.previous, page.runs.next))
    assert seen == [f"r{number:05d}" for number in reversed(range(120))]
    assert hrefs == [(None, "?q=title&page=2"), ("?q=title", "?q=title&page=3"), ("?q=title&page=2", None)]


def test_studies_are_paged_on_their_own():
    catalogue = catalogue_of([run(f"s{number:03d}", number) for number in range(2 * STUDIES_PER_PAGE + 1)], [], [])
    page = shown(catalogue, studies="2", page="2", order="name")
    assert page.studies.items[0].study.name == f"s{STUDIES_PER_PAGE:03d}"
    assert (page.studies.previous, page.studies.next) == ("?order=name&page=2", "?order=name&page=2&studies=3")


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1e3", "²", "9" * 40, "1_0"])
def test_a_number_that_is_none_is_the_first_page(number):
    assert Query.of({"page": number}).page == 1


def test_a_page_past_the_last_is_the_last():
    assert shown(CATALOGUE, page="999").runs.page == 1


@pytest.mark.parametrize("words", ["a&b=c#d?e", "100 %", "é ☃ שלום", "<script>", "+"])
def test_address_of_a_question_asks_it_again(words):
    from urllib.parse import parse_qsl

    query = Query(words=words, status="none", study="a b", freshness="stale", order="worst", page=3, studies_page=2)
    assert Query.of(dict(parse_qsl(query.href.removeprefix("?")))) == query


def test_very_long_questions_are_cut():
    assert len(Query.of({"q": "x" * 10_000}).words) == 200


def test_damaged_runs_are_counted_and_the_first_shown():
    catalogue = catalogue_of([], [], [DamagedRun(f"a/{number:03d}", "is missing") for number in range(100)])
    page = shown(catalogue)
    assert (len(page.damaged), page.n_damaged) == (MOST_DAMAGED, 100)


def test_empty_catalogue():
    page = shown(catalogue_of([], [], []))
    assert (page.n_studies, page.n_runs, page.newest, page.runs.items) == (0, 0, "", ())
