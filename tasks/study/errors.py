"""What can go wrong for a user, each with the exit code that the command line returns.

A message is one short paragraph: the rule, the value received, the place, what to do next.
Statistical findings (a singular fit, a high Pareto k) are values, never errors.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rejection:
    """One reason against one row. `row` counts data rows of its file from 1 (the header is not one)."""

    file: str
    row: int
    column: str
    value: str
    rule: str


class PoolwiseError(Exception):
    """Anything Poolwise can explain to its user."""

    exit_code = 1


class StudyError(PoolwiseError):
    """The study file, or the command line standing in for one, is not usable."""

    exit_code = 2


class DataRejected(PoolwiseError):
    """The rows cannot carry a report: structure wrong, or too many rows rejected.

    `rejections` are the rows that failed and why; empty when no row could be read.
    """

    exit_code = 3

    def __init__(self, message: str, rejections: tuple[Rejection, ...] = ()) -> None:
        super().__init__(message)
        self.rejections = rejections


class SamplingFailed(PoolwiseError):
    """The posterior could not be sampled to the diagnostics' thresholds."""

    exit_code = 4
