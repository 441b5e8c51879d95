"""Schedules that cannot be kept are refused when the study is read; what is taken, Prefect takes and keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.schedules import Cron, RRule
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from flows.cli.__main__ import command
from tasks.opening.studies import read_study
from tasks.study.errors import StudyError
from tasks.study.schedules import has_ended, schedule_problem
from tasks.study.settings import Schedule

GOOD_CRONS = [
    *("0 6 * * 1", "*/5 * * * *", "@weekly", "@daily", "@midnight", "0 0 29 2 *", "0 0 L * *", "0 0 * * 5#3"),
    *("0 0 * * sun", "0 0 * jan-mar *", "0 0 * * * *", "0 0 1-31/7 * *", "0 0 ? * *", "0 0 * * 7", "30 2 * * *"),
]
BAD_CRONS = [
    *("61 * * * *", "0 0 31 2 *", "0 0 30 2 *", "every monday", "0 0 31 4,6,9,11 *", "", "* * * *", "0 24 * * *"),
    *("0 0 * * 8", "H * * * *", "R R * * *", "r(0-10) * * * *", "@reboot", "*/0 * * * *", "0 0 31 2 1", "a b c d e"),
    *("٠ * * * *", "0 0 * 13 *", "-1 * * * *", "0," * 5000 + "0 * * * *", "@hourly @daily", "0 0 * * * * * *"),
]
GOOD_RULES = [
    *("FREQ=WEEKLY;BYDAY=MO", "RRULE:FREQ=DAILY", "freq=daily", "FREQ=MONTHLY;BYDAY=+5MO", "FREQ=YEARLY;BYEASTER=0"),
    *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "FREQ=YEARLY;INTERVAL=3"),
    *("FREQ=DAILY;UNTIL=20990101", "DTSTART:20260101T060000\nRRULE:FREQ=DAILY", "FREQ=HOURLY;BYHOUR=6,18"),
    "DTSTART;TZID=Europe/London:20260101T060000\nRRULE:FREQ=DAILY;UNTIL=20980101T000000Z",
    "DTSTART:20260101T060000\nRRULE:FREQ=WEEKLY\nEXDATE:20260108T060000",
]
BAD_RULES = [
    *("FREQ=SOMETIMES", "every monday", "BYDAY=MO", "", "FREQ=", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x"),
    *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY"),
    *("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=31", "FREQ=HOURLY;BYMONTH=6;BYMONTHDAY=31", "FREQ=MINUTELY;BYSETPOS=2"),
    *("FREQ=DAILY;COUNT=5", "FREQ=DAILY;UNTIL=20990101T000000Z", "FREQ=DAILY;BYHOUR=25", "FREQ=WEEKLY;BYDAY=XX"),
    *("FREQ=DAILY;FOO=1", "FREQ=DAILY;INTERVAL=99999999999", "FREQ=YEARLY;INTERVAL=9000", "EXRULE:FREQ=DAILY"),
    *("FREQ=DAILY\nFREQ=WEEKLY", "DTSTART:20260101T060000", "DTSTART:soon\nRRULE:FREQ=DAILY", "FREQ=DAILY;BYMONTH=13"),
    *("RDATE:20300101T000000", "DTSTART:99990101T000000\nRRULE:FREQ=DAILY", "FREQ=DAILY;INTERVAL=-1"),
    *("RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY", "FREQ=YEARLY;BYWEEKNO=60", "FREQ=DAILY;" * 2000, "FREQ=DAILY;INTERVAL=٣"),
    "FREQ=MINUTELY;INTERVAL=1440;BYHOUR=5",
]
ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu"]


def next_dates(schedule: Any, n: int = 3) -> list[datetime]:
    """As Prefect's server works them out."""
    return list(asyncio.run(schedule.get_dates(n)))


@pytest.mark.parametrize("text", GOOD_CRONS)
@pytest.mark.parametrize("zone", ZONES)
def test_cron_that_is_taken_is_kept(text: str, zone: str) -> None:
    assert schedule_problem(Schedule(cron=text, timezone=zone)) == ""
    assert Cron(text, timezone=zone)
    assert next_dates(CronSchedule(cron=text, timezone=zone))


@pytest.mark.parametrize("text", BAD_CRONS)
def test_cron_that_cannot_be_kept_is_refused(text: str) -> None:
    problem = schedule_problem(Schedule(cron=text))
    assert problem.startswith("schedule.cron is ")
    assert len(problem) < 400


@pytest.mark.parametrize("text", GOOD_RULES)
@pytest.mark.parametrize("zone", ZONES)
def test_rule_that_is_taken_is_kept(text: str, zone: str) -> None:
    assert schedule_problem(Schedule(rrule=text, timezone=zone)) == ""
    assert RRule(text, timezone=zone)
    assert next_dates(RRuleSchedule(rrule=text, timezone=zone), n=1)


@pytest.mark.parametrize("text", BAD_RULES)
def test_rule_that_cannot_be_kept_is_refused(text: str) -> None:
    problem = schedule_problem(Schedule(rrule=text))
    assert problem.startswith("schedule.rrule is ")
    assert len(problem) < 400


@pytest.mark.parametrize("minutes", [0.1, 1.0, 90.0, 525_600.0, 26_298_000.0])
def test_interval_that_is_taken_is_kept(minutes: float) -> None:
    assert schedule_problem(Schedule(interval_minutes=minutes)) == ""
    assert len(next_dates(IntervalSchedule(interval=timedelta(minutes=minutes)), 100)) == 100


@pytest.mark.parametrize("minutes", [0.0001, 1e-300, 1e300, 1e10, 26_298_001.0])
def test_interval_that_cannot_be_kept_is_refused(minutes: float) -> None:
    assert schedule_problem(Schedule(interval_minutes=minutes)).startswith(f"schedule.interval_minutes is {minutes}")


@pytest.mark.parametrize("zone", ["localtime", "Factory"])
def test_files_among_the_time_zones_are_none(zone: str) -> None:
    problem = schedule_problem(Schedule.model_construct(cron="0 6 * * *", timezone=zone))
    assert problem.startswith(f'schedule.timezone is "{zone}"')


FIELDS = st.one_of(
    st.sampled_from(["*", "0", "7", "31", "60", "L", "1-5", "5-1", "*/2", "1,2", "sun", "feb", "?", "5#6", "L3", "2W"]),
    st.integers(-1, 70).map(str),
)
PARTS = st.dictionaries(
    st.sampled_from(["INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYYEARDAY", "BYWEEKNO"]),
    st.one_of(st.integers(-2, 370).map(str), st.sampled_from(["MO", "+1FR", "-1SU", "x", ""])),
    max_size=3,
)


def given_dates(make: Callable[[], Any]) -> bool:
    try:
        return bool(next_dates(make(), 1))
    except Exception:
        return False


@settings(deadline=None)
@given(st.lists(FIELDS, min_size=4, max_size=6).map(" ".join))
def test_any_cron_is_taken_only_where_prefect_keeps_it(text: str) -> None:
    if not schedule_problem(Schedule(cron=text)):
        assert given_dates(lambda: CronSchedule(cron=text, timezone="UTC"))


@settings(deadline=None)
@given(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]), PARTS)
def test_any_rule_is_taken_only_where_prefect_keeps_it(frequency: str, parts: dict[str, str]) -> None:
    text = ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items())])
    if not schedule_problem(Schedule(rrule=text)):
        assert given_dates(lambda: RRuleSchedule(rrule=text, timezone="UTC"))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    schedule_problem(Schedule(cron=text))
    schedule_problem(Schedule(rrule=text))


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "is_over"),
    [
        ({"cron": "0 6 * * 1"}, False),
        ({"cron": "0 0 * * * 0 2025"}, True),
        ({"interval_minutes": 5}, False),
        ({"rrule": "FREQ=DAILY;UNTIL=20200101"}, True),
        ({"rrule": "FREQ=DAILY;UNTIL=20300101"}, False),
        ({"rrule": "DTSTART:20260101T060000\nRRULE:FREQ=DAILY;COUNT=5"}, True),
        ({"rrule": "DTSTART:20261125T060000\nRRULE:FREQ=DAILY;COUNT=5"}, False),
    ],
)
def test_a_schedule_that_is_over_still_opens(given: dict[str, Any], is_over: bool) -> None:
    schedule = Schedule(**given)
    assert schedule_problem(schedule) == "", "its study can still be run"
    assert has_ended(schedule, NOW) == is_over


@pytest.mark.parametrize("line", ['cron = "61 * * * *"', 'rrule = "FREQ=SOMETIMES"', "interval_minutes = 1e300"])
def test_reading_the_study_names_file_key_and_value(tmp_path: Path, line: str) -> None:
    (tmp_path / "study.toml").write_text(f'title = "t"\noutcome = "y"\ngroup = "g"\n[schedule]\n{line}\n')
    with pytest.raises(StudyError) as refused:
        read_study(tmp_path)
    key, value = line.split(" = ")
    assert str(refused.value).startswith(f"{tmp_path / 'study.toml'}: schedule.{key} is {value.replace('1e', '1e+')}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [('cron = "0 0 31 2 *"', "no such day ever comes"), ('rrule = "FREQ=DAILY;UNTIL=20200101"', "no run is to come")],
)
def test_validate_refuses_what_never_fires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    (tmp_path / "all.csv").write_text("g,y\n" + "a,1\nb,2\n" * 10)
    (tmp_path / "study.toml").write_text(f'title = "t"\noutcome = "y"\ngroup = "g"\n[schedule]\n{line}\n')
    assert command(["validate", str(tmp_path)]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
