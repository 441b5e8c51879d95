"""What can go wrong for a user, each with the exit code that the command line answers.

A message is one short paragraph: the rule, the value received, the place, what to do next.
Statistical findings (a singular fit, a high Pareto k) are values, never one of these.
"""

from __future__ import annotations


class PoolwiseError(Exception):
    """Anything Poolwise can explain to its user."""

    exit_code = 1


class StudyError(PoolwiseError):
    """The study file, or the command line standing in for one, is not usable."""

    exit_code = 2


class DataRejected(PoolwiseError):
    """The rows cannot carry a report: structure wrong, or too many rows rejected."""

    exit_code = 3


class SamplingFailed(PoolwiseError):
    """The posterior could not be sampled to the diagnostics' thresholds."""

    exit_code = 4
