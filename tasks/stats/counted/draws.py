"""Draws from the posterior of a counted outcome's model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.stats.draws import Draws
from tasks.stats.records import Floats, SamplingAttempt


@dataclass(frozen=True, kw_only=True)
class CountedDraws(Draws):
    """On the link's scale. `beta` has all terms of the model, added ones last.

    `group_coef` (C, D / group_thin, J, p) has the study's own terms only: a group's linear predictor at the means of
    all rows, with what size and context contribute, then its slopes there.
    """

    dispersion: Floats | None = None  # (C, D) of an overdispersed model; `tasks.stats.counted.overdispersed` says which

    @property
    def scalars(self) -> Mapping[str, Floats]:
        return {} if self.dispersion is None else {"dispersion": self.dispersion}


@dataclass(frozen=True)
class CountedPosterior:
    """The draws, the attempts that led to them, and the engine."""

    draws: CountedDraws
    attempts: tuple[SamplingAttempt, ...]
    engine: str
