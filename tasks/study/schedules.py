"""Refuses schedules that cannot be kept: those that Prefect refuses, and those that never fire.

Prefect's server accepts some of them, and then its scheduler fails or searches for ever, for every study. So they are
refused when the study is read, with the parsers that Prefect itself uses.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from tasks.study.errors import StudyError
from tasks.study.settings import Schedule
from tasks.study.toml_text import toml_value

LONGEST_CRON, LONGEST_RRULE = 500, 6_500
LEAST_MINUTES = 0.1
MOST_MINUTES = 50 * 365.25 * 24 * 60
# Names of the system's own files, which Prefect does not know as time zones.
NO_TIME_ZONES = ("Factory", "localtime")
RULE_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
RULE_LINES = ("RRULE", "DTSTART", "RDATE", "EXDATE")
RULE_EXAMPLE = 'as in: rrule = "FREQ=WEEKLY;BYDAY=MO"'
CRON_EXAMPLE = 'as in: cron = "0 6 * * 1" for Mondays at 6:00'
# Prefect counts from here if a rule has no DTSTART.
PREFECT_BEGINS = datetime(2020, 1, 1)
MOST_COUNTED = 10_000


def schedule_problem(schedule: Schedule) -> str:
    """A sentence with key, value and why the schedule cannot be kept, else empty. Does not depend on today's date."""
    if schedule.timezone in NO_TIME_ZONES:
        return _sentence("timezone", schedule.timezone, "it is no time zone; use a name such as Europe/London")
    if schedule.cron is not None:
        return _sentence("cron", schedule.cron, _cron_refusal(schedule.cron))
    if schedule.rrule is not None:
        return _sentence("rrule", schedule.rrule, _rule_refusal(schedule.rrule))
    minutes = schedule.interval_minutes or 0.0
    return _sentence("interval_minutes", minutes, _interval_refusal(minutes))


def has_ended(schedule: Schedule, now: datetime) -> bool:
    """Whether no run is to come after `now`. Only rules with COUNT or UNTIL, and cron with a year, ever end."""
    if schedule.cron is not None:
        return _next_cron(schedule.cron, now) is None
    return schedule.rrule is not None and _rule_has_ended(schedule.rrule, now.astimezone(ZoneInfo(schedule.timezone)))


def refuse_ended(schedule: Schedule | None, place: str) -> None:
    """Raises StudyError if no run is to come. Such a study can still be run by hand or by new data."""
    if schedule and has_ended(schedule, datetime.now(UTC)):
        key, value = ("cron", schedule.cron) if schedule.cron is not None else ("rrule", schedule.rrule or "")
        raise StudyError(
            f"{place}: {_sentence(key, value, 'it is over: no run is to come; give a later end, or none')}"
        )


def _sentence(key: str, value: str | float, why: str) -> str:
    if not why:
        return ""
    shown = toml_value(value)
    return f"schedule.{key} is {shown if len(shown) <= 80 else shown[:77] + '...'}, but {why}."


def _interval_refusal(minutes: float) -> str:
    if minutes < LEAST_MINUTES:
        return f"it has to be at least {LEAST_MINUTES:g}, which is six seconds"
    return f"it may be at most {MOST_MINUTES:.0f}, which is fifty years" if minutes > MOST_MINUTES else ""


def _cron_refusal(text: str) -> str:
    from croniter import croniter

    if len(text) > LONGEST_CRON:
        return f"it is longer than {LONGEST_CRON} characters"
    if not text.isascii() or not croniter.is_valid(text):
        return f"that is no cron expression: minute, hour, day of the month, month, day of the week, {CRON_EXAMPLE}"
    if any(part[:1] in "rRhH" for part in text.split()):
        return "Prefect takes no times at random (R, H); name the minute and the hour"
    never = "no such day ever comes; change the day of the month or the month"
    return "" if _next_cron(text, PREFECT_BEGINS) else never


def _next_cron(text: str, after: datetime) -> datetime | None:
    """When the cron expression fires next; None if never."""
    from croniter import CroniterError, croniter

    try:
        return croniter(text, after.replace(tzinfo=None)).get_next(datetime)
    except (CroniterError, OverflowError, ValueError):
        return None


def _rule_refusal(text: str) -> str:
    if len(text) > LONGEST_RRULE:
        return f"it is longer than {LONGEST_RRULE} characters"
    lines = _lines(text)
    odd = next((name for name, _ in lines if name not in RULE_LINES), None)
    rules = [value for name, value in lines if name == "RRULE"]
    if odd is not None or len(rules) != 1:
        return f"it has to be one iCalendar rule, {RULE_EXAMPLE}"
    return _parts_refusal(_parts(rules[0]), has_beginning="DTSTART" in dict(lines)) or _parsing_refusal(text, rules[0])


def _parts_refusal(parts: dict[str, str], has_beginning: bool) -> str:
    """Why the rule is refused, or empty: the parser would never return, or Prefect would accept it and never run it."""
    frequency = parts.get("FREQ", "")
    if frequency not in RULE_FREQUENCIES:
        said = f"FREQ is {frequency}" if frequency else "FREQ is missing"
        return f"{said}; it has to be one of {', '.join(RULE_FREQUENCIES)}, {RULE_EXAMPLE}"
    if not _is_count(parts.get("INTERVAL", "1")):
        return f"INTERVAL is {parts['INTERVAL']}; it has to be a whole number from 1 on"
    if "BYSETPOS" in parts and frequency in ("HOURLY", "MINUTELY"):
        return "BYSETPOS goes with YEARLY, MONTHLY, WEEKLY and DAILY only"
    if "COUNT" in parts and not has_beginning:
        return 'COUNT needs a beginning to count from, as in: rrule = "DTSTART:20300107T060000\\nRRULE:FREQ=…"'
    return ""


def _parsing_refusal(text: str, rule: str) -> str:
    """Why the rule is refused, or empty: it cannot be parsed, or never fires again."""
    from dateutil.rrule import rrulestr

    try:
        rrulestr(text)
        rrulestr(text, dtstart=PREFECT_BEGINS)
        late = rrulestr(_without_end(rule), dtstart=_same_year_late(_beginning(text)))
        n_found = len(list(islice(late, 2)))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return f"it cannot be understood ({str(error) or type(error).__name__}); write it {RULE_EXAMPLE}"
    return "" if n_found == 2 else "no such day ever comes again; change its BY… parts or its INTERVAL"


def _lines(text: str) -> list[tuple[str, str]]:
    """Name and value of each line; a line without a name is a rule."""
    found = [line.upper().rpartition(":") for line in text.split()]
    return [(name.split(";")[0] or "RRULE", value) for name, _, value in found]


def _parts(rule: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in rule.split(";"))}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0


def _without_end(rule: str) -> str:
    return ";".join(part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL=")))


def _beginning(text: str) -> datetime:
    """DTSTART without its time zone, or PREFECT_BEGINS. Raises ValueError unless it lies between 1970 and 2099."""
    given = dict(_lines(text)).get("DTSTART")
    if given is None:
        return PREFECT_BEGINS
    beginning = datetime.strptime(given.removesuffix("Z"), "%Y%m%dT%H%M%S" if "T" in given else "%Y%m%d")
    if not 1970 <= beginning.year <= 2099:
        raise ValueError("DTSTART has to lie between 1970 and 2099")
    return beginning


def _same_year_late(moment: datetime) -> datetime:
    """The same moment in a year near 9999, where the parser's calendar ends; dates fall on the same weekdays.

    The parser searches to the end of the calendar for a rule that never fires: from there, less than a century.
    """
    like = next(year for year in range(9904, 9932) if _kind_of_year(year) == _kind_of_year(moment.year))
    return moment.replace(year=like)


def _kind_of_year(year: int) -> tuple[int, int]:
    """(weekday of 1 January, number of days): equal for years whose dates fall on the same weekdays."""
    return date(year, 1, 1).weekday(), date(year, 12, 31).timetuple().tm_yday


def _rule_has_ended(text: str, now: datetime) -> bool:
    parts = _parts(dict(_lines(text))["RRULE"])
    today = now.replace(tzinfo=None)
    if "UNTIL" in parts and parts["UNTIL"][:8] < f"{today:%Y%m%d}":
        return "RDATE" not in dict(_lines(text))
    return "COUNT" in parts and _last_counted(text) < today


def _last_counted(text: str) -> datetime:
    """When a rule with COUNT fires last; datetime.max if it fires more than MOST_COUNTED times."""
    from dateutil.rrule import rrulestr

    moments = [moment.replace(tzinfo=None) for moment in islice(rrulestr(text), MOST_COUNTED + 1)]
    return datetime.max if len(moments) > MOST_COUNTED else max(moments, default=datetime.min)
