"""What needs a look comes first, on every page alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.view.catalogue.catalogue import DamagedRun, RejectedRun, RunEntry, StudyEntry
from tasks.view.catalogue.order import ORDERS, STANDINGS, counted, in_order, places, standing

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = RunEntry("", "Title", "", NOW.isoformat(), "trust", "Fine.", "bayes", 613, 8, 3, "embedded", "")


def study(name, status="trust", *, day=1, is_stale=False, is_rejected=False, is_damaged=False) -> StudyEntry:
    """Its newest report is of that day in November; `status` is None without one."""
    run_id = f"202611{day:02d}"
    age = 8.0 if is_stale else 0.0
    started = (NOW - timedelta(hours=1)).isoformat()
    fields = {"run_id": run_id, "started_at": started, "data_age_days": age, "data_age_limit_days": 7.0}
    runs = (replace(RUN, study=name, status=status, **fields),) if status else ()
    rejected = RejectedRun(name, f"{run_id}-r", "file") if is_rejected else None
    damaged = DamagedRun(f"{name}/{run_id}-d", "why") if is_damaged or not (status or is_rejected) else None
    return StudyEntry(name, runs, rejected, damaged)


STUDIES = st.lists(
    st.builds(
        study,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["trust", "use", "none", None]),
        day=st.integers(1, 5),
        is_stale=st.booleans(),
        is_rejected=st.booleans(),
        is_damaged=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: one.name,
)


def names(studies, *order, **now) -> str:
    return "".join(one.name for one in in_order(studies, *order, **now))


def test_each_standing_has_its_place():
    a, b, c = study("a", is_rejected=True), study("b", "none", is_damaged=True), study("c", "none", is_stale=True)
    d, e, f = study("d", is_stale=True), study("e", "use"), study("f")
    for studies in ([a, b, c, d, e, f], [f, e, d, c, b, a], [d, a, f, c, b, e]):
        assert names(studies, now=NOW) == "abcdef"


def test_of_equals_the_newest_comes_first_then_the_name():
    assert names([study("a", day=3), study("b", day=7), study("c", day=3), study("d", day=9)]) == "dbac"


def test_a_run_that_left_no_report_is_new_too():
    assert names([study("a", day=3, is_rejected=True), study("b", None, day=4, is_rejected=True)]) == "ba"


def test_without_a_clock_nothing_is_stale():
    stale, other = study("a", is_stale=True, day=1), study("b", "use", day=2)
    assert names([stale, other], now=NOW) == "ab"
    assert names([stale, other]) == "ba"


@pytest.mark.parametrize(("order", "expected"), [("look", "bca"), ("newest", "acb"), ("worst", "cab"), ("name", "abc")])
def test_the_orders(order, expected):
    a, b, c = study("a", day=9), study("b", None, day=1), study("c", "none", day=2)
    assert names([c, a, b], order) == expected


@given(STUDIES, st.sampled_from(list(ORDERS)), st.randoms())
def test_the_same_studies_have_one_order(studies, order, random):
    shuffled = random.sample(studies, len(studies))
    assert in_order(studies, order, NOW) == in_order(shuffled, order, NOW)
    assert sorted(in_order(studies, order, NOW), key=lambda one: one.name) == sorted(studies, key=lambda one: one.name)


@given(STUDIES)
def test_no_study_stands_before_one_that_needs_a_look_more(studies):
    ranks = list(STANDINGS)
    for before, after in pairwise(in_order(studies, now=NOW)):
        first, second = (ranks.index(standing(one, is_stale=one.is_stale(NOW))) for one in (before, after))
        assert (first, "" if first < second else after.newest_id) <= (second, before.newest_id)


@given(STUDIES)
def test_places_give_the_script_the_same_order(studies):
    """As the script sorts: by the urgency that holds now, then newest; by a rank alone in every other order."""
    place = places(studies)

    def look(one: StudyEntry) -> tuple[int, int]:
        its = place[one.name]
        return (its.urgency_if_stale if one.is_stale(NOW) else its.urgency), its.newest

    assert tuple(sorted(studies, key=look)) == in_order(studies, "look", NOW)
    for order in ("newest", "worst", "name"):
        assert tuple(sorted(studies, key=lambda one: getattr(place[one.name], order))) == in_order(studies, order)


def test_every_study_is_counted_once_worst_first():
    studies = [study("a"), study("b", is_rejected=True), study("c", "none"), study("d", is_stale=True)]
    assert counted(studies) == "1 “Data rejected”, 1 “None can be trusted”, 2 “Can be trusted”"
