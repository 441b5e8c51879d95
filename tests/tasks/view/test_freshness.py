from datetime import UTC, datetime, timedelta

import pytest

from tasks.view.freshness import ago

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
