"""Every check that was made."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from tasks.stats.records import Check, Status
from tasks.view.page import kind_and_term
from tasks.view.summary.record import Number, Record


class CheckSummary(Record):
    """One check."""

    name: str = Field(description="stable identifier")
    kind: str = Field(description="what was looked at; `name` is the kind, followed by the term where there is one")
    term: str = Field(description="the term that it is about; empty where it is about no single one")
    status: Status = Field(description="pass, review (read the advice) or fail")
    value: Number | str = Field(description="what was found")
    threshold: Number | str = Field(description="what it was held against")
    message: str = Field(description="the finding in words")
    advice: str = Field(description="what to do; may be empty")


def checks_of(checks: Sequence[Check]) -> list[CheckSummary]:
    return [_check(check) for check in checks]


def _check(check: Check) -> CheckSummary:
    kind, term = kind_and_term(check.name)
    return CheckSummary.of(check, kind=kind, term=term)
