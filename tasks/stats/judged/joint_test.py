"""Do the levels of a category differ at all? A Wald F test of all its contrasts together.

It is of the fullest REML fit. Degrees of freedom of the denominator are those of nlme (Pinheiro & Bates 2000,
Mixed-Effects Models in S and S-PLUS, section 2.4.2): a category that varies within groups is estimated among the rows,
one that has one level per group among the groups. They are exact in balanced designs and an approximation elsewhere.
The test takes the variance parameters as known, so it is too sure of itself where a singular fit leaves one out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.records import PartialPooling
from tasks.stats.rows.usable_varying import group_level_terms

CHANCE = 0.05


@dataclass(frozen=True)
class JointTest:
    """Of one category; the p-value is NaN without degrees of freedom."""

    terms: tuple[str, ...]
    f: float
    df: int  # contrasts
    df_residual: int
    p_value: float

    @property
    def is_clear(self) -> bool:
        return self.p_value < CHANCE


def joint_tests(products: ModelCrossProducts, fit: PartialPooling) -> tuple[JointTest, ...]:
    """One for each category, in the order of the terms."""
    fixed = set(group_level_terms(products))
    return tuple(_test(products, fit, list(category), fixed) for category in products.categories)


def _test(products: ModelCrossProducts, fit: PartialPooling, at: list[int], fixed: set[str]) -> JointTest:
    terms = tuple(products.terms[k] for k in at)
    effect = fit.fixef[at]
    f = float(effect @ np.linalg.solve(fit.fixef_cov[np.ix_(at, at)], effect)) / len(at)
    df_residual = _df_residual(products, is_within=not fixed.issuperset(terms), fixed=fixed)
    p_value = float(fdtrc(len(at), df_residual, f)) if df_residual > 0 else np.nan
    return JointTest(terms, f, len(at), df_residual, p_value)


def _df_residual(products: ModelCrossProducts, *, is_within: bool, fixed: set[str]) -> int:
    """Rows less groups and what is estimated within groups; or groups less the intercept and what has one value each.

    A category counts as one term: its columns are all within groups if one of them is.
    """
    of_category = {products.terms[k]: category for category in products.categories for k in category}
    within = [term for term in products.terms[1:] if not _is_fixed(products, term, of_category, fixed)]
    n_between = products.p - 1 - len(within)
    if is_within:
        return products.n_rows - len(products.labels) - len(within)
    return len(products.labels) - 1 - n_between


def _is_fixed(
    products: ModelCrossProducts, term: str, of_category: dict[str, tuple[int, ...]], fixed: set[str]
) -> bool:
    return all(products.terms[k] in fixed for k in of_category[term]) if term in of_category else term in fixed
