"""Does the mean lack a term: group size, a predictor's group mean, a curve?

Each is added to the fullest mixed model in turn and fitted by REML. It is clear if its Wald test says so at 1 %, that
of size also where levels alone vary; and it matters if it would move what is said about the groups: if the plain
model's intervals would then cover a hundredth less (the smallest groups' levels, two hundredths), or at least one group
in twenty would move by half of its margin; a curve also if it explains at least 2 % of the residual variance, and size
if it sets large groups apart from small ones by as many group SDs as the study says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from tasks.stats.fits.cross_products import ModelCrossProducts
from tasks.stats.fits.intervals import Z_95, root_or_nan
from tasks.stats.fits.mean_structure import Added, Fitted, MeanStructure, fitted, mean_structure, refit, refit_near
from tasks.stats.judged.implied_coverage import ImpliedCoverage, by_normal
from tasks.stats.judgement import Judgement
from tasks.stats.records import PartialPooling
from tasks.stats.rows.left_over import within_groups

CHANCE = 0.01
HINTED = 0.05  # as by chance in one test of twenty
SHARE_MOVED = 0.05
LOST = 0.01  # of the coverage of 95 % intervals
LOST_SMALLEST = 0.02  # of that of the smallest groups' levels
CURVE_SHARE = 0.02  # of the residual variance
FEWEST_GROUPS = 5
# Share of a predictor's sum of squares that has to lie between groups, and within them, to tell the two apart.
LEAST_SHARE = 1e-8


@dataclass(frozen=True)
class MissingTerm:
    """One term added to the fullest model: outcome units per unit of its column (`fits.mean_structure`)."""

    added: Added
    coef: float
    se: float
    df: float
    p_value: float
    share_moved: float  # of the groups: level or a slope moves by at least half of its margin
    implied: ImpliedCoverage  # of the plain model's intervals if this term belongs in it
    explained: float  # share of the residual variance that it explains
    span: float  # of size: by how many group SDs large groups (90th percentile) differ from small ones (10th)
    span_limit: float

    @property
    def half_width(self) -> float:
        """Of the 95 % interval of `coef`."""
        return float(stdtrit(self.df, 0.975)) * self.se

    @property
    def is_clear(self) -> bool:
        return self.p_value < CHANCE

    @property
    def is_material(self) -> bool:
        curved = self.added.kind == "curve" and self.explained >= CURVE_SHARE
        lost = bool((self.implied.terms < 0.95 - LOST).any()) or self.implied.smallest < 0.95 - LOST_SMALLEST
        wide = self.added.kind == "size" and self.span >= self.span_limit
        return curved or lost or wide or self.share_moved >= SHARE_MOVED

    @property
    def is_missing(self) -> bool:
        """Clear, and large enough to matter."""
        return self.is_clear and self.is_material


def missing_terms(products: ModelCrossProducts, fullest: PartialPooling, span_limit: float) -> tuple[MissingTerm, ...]:
    """Every term that the data can tell, tested alone against the plain model."""
    plain = fitted(mean_structure(products), fullest.varying, fullest.theta)
    found = []
    for added in _candidates(products):
        structure = mean_structure(products, (added,))
        if structure.is_estimable:
            found.append(_tested(plain, structure, added, span_limit))
    return tuple(found)


def with_missing(products: ModelCrossProducts, varying: tuple[int, ...], found: Sequence[MissingTerm]) -> Fitted:
    """The REML fit with the terms that are missing, without those at the end that data cannot tell from the others."""
    added = tuple(one.added for one in found if one.is_missing)
    while not (structure := mean_structure(products, added)).is_estimable:
        added = added[:-1]
    return refit(structure, varying)


def _candidates(products: ModelCrossProducts) -> Iterator[Added]:
    n_groups, p = len(products.labels), products.p
    within = np.diag(within_groups(products))[:-1]
    total = np.diag(products.gram.sum(axis=0))[1:-1]
    inside, between = within > LEAST_SHARE * total, total - within > LEAST_SHARE * total
    if n_groups >= FEWEST_GROUPS and products.n.min() < products.n.max():
        yield Added("size")
    for k in range(1, p):
        if inside[k - 1] and between[k - 1] and n_groups >= FEWEST_GROUPS:
            yield Added("context", k)
        if inside[k - 1]:
            yield Added("curve", k)


def _tested(plain: Fitted, structure: MeanStructure, added: Added, span_limit: float) -> MissingTerm:
    sums, sizes = structure.products, np.rint(structure.n).astype(np.int64)
    with_it = refit_near(structure, plain.varying, plain.theta)
    at, last = with_it.at, sums.p - 1
    coef, se = float(at.fixef[last]), float(at.sigma * root_or_nan(at.unscaled_cov[last, last]))
    df = float(sizes.size - 2 if added.kind != "curve" else max(sums.n_rows - sizes.size * len(plain.varying) - 1, 1))
    half = Z_95 * plain.se
    moved = (np.abs(with_it.coef - plain.coef) >= half / 2.0) & (half > 0)
    return MissingTerm(
        added,
        coef,
        se,
        df,
        _p_value(plain, structure, added, coef / se, df),
        float(moved.any(axis=1).mean()),
        by_normal(plain.coef - half, plain.coef + half, with_it.coef, with_it.se, sizes),
        1.0 - (at.sigma / plain.at.sigma) ** 2,
        _span(plain, structure, coef) if added.kind == "size" else 0.0,
        span_limit,
    )


def _p_value(plain: Fitted, structure: MeanStructure, added: Added, t: float, df: float) -> float:
    """Of the Wald test; of size the larger one of two, as standard errors of a singular fit are too small.

    The other is of the model whose levels alone vary.
    """
    p_value = float(2.0 * stdtr(df, -abs(t)))
    if added.kind != "size" or plain.varying == (0,) or not p_value < CHANCE:
        return p_value
    at, last = refit(structure, (0,)).at, structure.products.p - 1
    levels = at.fixef[last] / (at.sigma * root_or_nan(at.unscaled_cov[last, last]))
    return max(p_value, float(2.0 * stdtr(df, -abs(levels))))


def _span(plain: Fitted, structure: MeanStructure, per_doubling: float) -> float:
    small, large = np.quantile(structure.n, [0.1, 0.9])
    group_sd = float(np.std(plain.coef[:, 0]))
    return float(abs(per_doubling) * np.log2(large / small) / group_sd) if group_sd > 0 else np.inf


def judge_missing(found: Sequence[MissingTerm], terms: Sequence[str]) -> tuple[Judgement, ...]:
    """One judgement per predictor whose context, and one per predictor whose curve was looked at.

    Size has a judgement of its own, `size_trend.judge_size_trend`.
    """
    return tuple(_judgement(one, terms[one.added.column]) for one in found if one.added.kind != "size")


def _judgement(one: MissingTerm, term: str) -> Judgement:
    value = one.p_value
    if one.is_missing:
        return Judgement(one.added.kind, "review", "missing", term, value, CHANCE, against="partial_pooling")
    case = "little" if one.is_clear else "hinted" if value < HINTED else "none"
    return Judgement(one.added.kind, "pass", case, term, value, CHANCE)
