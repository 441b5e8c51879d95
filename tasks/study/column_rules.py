"""What the names of columns in a study have to keep: each once, none of Poolwise's own, and no unknown ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from tasks.study.plain_text import listed, shown
from tasks.study.settings import RESERVED_COLUMNS


def require_date_format(date_format: str) -> None:
    """Raise ValueError unless a date written in this format is read back with the same year."""
    day = datetime(2003, 12, 31, 17, 58, 59)
    try:
        is_one = datetime.strptime(day.strftime(date_format), date_format).year == day.year
    except (ValueError, re.error):  # re.error: the format has a directive twice
        is_one = False
    if not is_one:
        raise ValueError(f'{shown(date_format)} is no format of dates; common ones: "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"')


def each_once(columns: list[str]) -> None:
    """Raise ValueError for a column that is named twice."""
    for column, times in Counter(columns).items():
        if times > 1:
            raise ValueError(
                f"column {shown(column)} is named twice among outcome, group, predictors, trials and exposure"
            )


def not_reserved(columns: tuple[str, ...]) -> None:
    """Raise ValueError for a name that Poolwise's own columns have."""
    for column in columns:
        if column in RESERVED_COLUMNS:
            raise ValueError(f"column {shown(column)} has a name that Poolwise keeps for itself; rename the column")


def known(names: Iterable[str], allowed: tuple[str, ...], where: str) -> None:
    """Raise ValueError for a name that is none of those allowed; `where` is the key that gives it."""
    for name in names:
        if name not in allowed:
            raise ValueError(f"{where} names {shown(name)}, which is none of {listed(allowed) or '(no predictors)'}")
