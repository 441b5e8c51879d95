"""Do the levels of a category differ at all? A Wald test of all its contrasts together, by posterior draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from tasks.stats.judged.joint_test import CHANCE
from tasks.stats.records import Floats
from tasks.stats.rows.categories import Category


@dataclass(frozen=True)
class JointWald:
    """Of one category; chi-squared is the posterior mean's squared distance from 0 in posterior SDs."""

    terms: tuple[str, ...]
    chi_squared: float
    df: int  # contrasts
    p_value: float

    @property
    def is_clear(self) -> bool:
        return self.p_value < CHANCE


def joint_wald_tests(beta: Floats, terms: tuple[str, ...], categories: tuple[Category, ...]) -> tuple[JointWald, ...]:
    """One for each category, of draws `beta` (S, p) of the average group's coefficients."""
    return tuple(_test(beta[:, [terms.index(term) for term in each.terms]], each.terms) for each in categories)


def _test(draws: Floats, terms: tuple[str, ...]) -> JointWald:
    mean, cov = draws.mean(axis=0), np.atleast_2d(np.cov(draws, rowvar=False))
    chi_squared = float(mean @ np.linalg.solve(cov, mean))
    return JointWald(terms, chi_squared, len(terms), float(chdtrc(len(terms), chi_squared)))
