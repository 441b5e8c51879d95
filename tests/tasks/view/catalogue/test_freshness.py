from datetime import UTC, datetime, timedelta

import pytest

from tasks.view.catalogue.freshness import StaleFrom, ago, stale_from

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=-60), "dated in the future"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=59), "8 weeks ago"),
        (timedelta(days=61), "2 months ago"),
        (timedelta(days=729), "23 months ago"),
        (timedelta(days=731), "2 years ago"),
        (timedelta(days=3653), "10 years ago"),
    ],
)
def test_words(passed, words):
    assert ago(NOW - passed, NOW) == words


def test_never_says_one_of_many_nor_zero():
    said = [ago(NOW - timedelta(hours=hours), NOW) for hours in range(1, 20_000, 7)]
    assert not any(words.startswith("0 ") for words in said)
    assert all(words.split()[1].endswith("s") != words.startswith("1 ") for words in said)


def test_stale_by_the_studys_own_limit():
    found = stale_from([NOW], data_age_days=2.0, limit_days=7.0)
    assert found == StaleFrom(NOW + timedelta(days=5), "its data may be at most 7 days old")
    assert stale_from([NOW], data_age_days=9.0, limit_days=7.0).moment == NOW - timedelta(days=2)


def test_limit_beyond_the_calendar_is_never_reached():
    assert stale_from([NOW], data_age_days=1.0, limit_days=1e300) is None


def test_stale_by_habit_from_five_reports_on():
    weekly = [NOW - timedelta(days=7 * week) for week in range(6)]
    assert stale_from(weekly[:4], None, None) is None
    assert stale_from(weekly, None, None) == StaleFrom(
        NOW + timedelta(days=21), "a new report usually comes after 7 days"
    )


def test_habit_is_a_median_of_the_newest_reports_and_patience_a_week_at_least():
    hourly = [NOW - timedelta(hours=hour) for hour in range(30)]
    with_a_pause = [*hourly[:25], *(moment - timedelta(days=400) for moment in hourly[25:])]
    for reports in (hourly, with_a_pause):
        assert stale_from(reports, None, None).moment == NOW + timedelta(days=7)


def test_runs_by_hand_within_a_minute_are_no_habit():
    assert stale_from([NOW - timedelta(seconds=second) for second in range(8)], None, None) is None
