"""What the steps of a family of outcomes come to, for those that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.stats.concluded import Concluded
from tasks.stats.draws import Draws
from tasks.view.report_context import ReportContext


@dataclass(frozen=True)
class Analysis:
    findings: Concluded
    draws: Draws  # of the plain Bayesian fit
    answer_draws: Draws | None  # of the model that answers what was found, on the study's own terms
    context_of: Callable[..., ReportContext]  # as `tasks.view.context.context_of`
