"""What a run of any family of outcomes comes to: all that its catalogue, its history and its notices ask for."""

from __future__ import annotations

from typing import Protocol

from tasks.stats.judgement import Judgement
from tasks.stats.records import Estimate, Integers, SamplerDiagnostics, SamplingAttempt, Scaling, Verdict
from tasks.stats.rows.data_findings import DataFindings
from tasks.study.run import RunRecord


class Posteriors(Protocol):
    """The plain Bayesian fit."""

    @property
    def groups(self) -> Estimate: ...  # (J, p)
    @property
    def fixef(self) -> Estimate: ...  # (p,)
    @property
    def diagnostics(self) -> SamplerDiagnostics: ...
    @property
    def attempts(self) -> tuple[SamplingAttempt, ...]: ...


class Concluded(Protocol):
    """Findings with their judgements and the verdict, as `tasks.stats.records` and its like describe them."""

    @property
    def run(self) -> RunRecord: ...
    @property
    def rows(self) -> DataFindings: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def group_sizes(self) -> Integers: ...  # (J,) rows
    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def scaling(self) -> Scaling: ...
    @property
    def bayes(self) -> Posteriors: ...
    @property
    def answer_attempts(self) -> tuple[SamplingAttempt, ...]: ...
    @property
    def judgements(self) -> tuple[Judgement, ...]: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def timings(self) -> dict[str, float]: ...
