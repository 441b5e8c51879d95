"""Every check that was made."""

from __future__ import annotations

from pydantic import Field

from tasks.stats.judgement import Status
from tasks.view import checks
from tasks.view.report_context import ReportContext
from tasks.view.summary.record import Number, Record


class CheckSummary(Record):
    """One check."""

    name: str = Field(description="stable identifier")
    kind: str = Field(description="what was looked at; `name` is the kind, followed by the term where there is one")
    term: str = Field(description="the term that it is about; empty where it is about no single one")
    status: Status = Field(description="pass, review (read the advice) or fail")
    value: Number = Field(description="what was found")
    threshold: Number = Field(description="what it was held against")
    message: str = Field(description="the finding in words")
    advice: str = Field(description="what to do; may be empty")


def checks_of(context: ReportContext) -> list[CheckSummary]:
    return [CheckSummary.of(check) for check in checks.checks_of(context)]
