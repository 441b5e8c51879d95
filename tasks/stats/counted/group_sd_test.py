"""Do effects differ between groups at all? The likelihood-ratio test of `judged.likelihood_ratio_test` for counts.

The maximum likelihood without the variance in question, and with it. Of up to FEWEST_ASYMPTOTIC groups the null
distribution comes from data drawn from the smaller fit. With more, that would take long, and is not needed: a variance
of 0 lies on the boundary, so that half of the statistics have a degree of freedom less (Self & Liang 1987; Stram & Lee
1994, Biometrics 50(4)). Of more than one varying slope that mixture is approximate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import chi2

from tasks.stats.counted.design import Basis, Design, basis_of, design_of
from tasks.stats.counted.dispersion import simulated_events
from tasks.stats.counted.exact_intervals import clopper_pearson
from tasks.stats.counted.likelihood_search import Search, ascend, search_of, with_covariance
from tasks.stats.counted.links import mean_of
from tasks.stats.counted.maximum_likelihood import maximise
from tasks.stats.counted.model import CountedModel
from tasks.stats.counted.quadrature import POINTS
from tasks.stats.counted.starts import fixed_alone
from tasks.stats.judged.likelihood_ratio_test import SAME, LikelihoodRatioTest
from tasks.stats.records import Floats

FEWEST_ASYMPTOTIC = 2000  # groups; a tenth of them where cells are more than MOST_CELLS
MOST_CELLS = 20_000
CELLS_AFFORDED = 100_000  # cells times replicates, if these are not the fewest
FEWEST_REPLICATES, MOST_REPLICATES = 39, 199
REPLICATE_POINTS = {1: 9, 2: 5}  # per effect: replicates have small variances, for which few nodes are exact
BEGUN = 0.09  # variance from which the larger model's search begins
SMALL = 1e-2  # added to the smaller model's, so that its search can part from 0


@dataclass(frozen=True)
class GroupSdTest(LikelihoodRatioTest):
    """`n_replicates` is 0 of an asymptotic test. Limits are of the p-value that ever more replicates would give."""

    lower: float
    upper: float

    @property
    def is_asymptotic(self) -> bool:
        return self.n_replicates == 0


@dataclass(frozen=True)
class _Null:
    design: Design  # with the varying intercept, or with the tested effect held at 0
    fixed: Floats  # (m,)
    covariance: Floats  # (1, 1)
    log_lik: float


def group_sd_test(model: CountedModel, seed: int, n_replicates: int | None = None) -> GroupSdTest:
    """Test all varying slopes against none; if but one effect varies, it against none."""
    basis = basis_of(model.design, model.cells.n_rows)
    larger = _design(model, basis, model.varying)
    null = _null(model, basis)
    statistic = max(2.0 * (maximise(larger, POINTS.get(larger.q, 1))[0].log_lik - null.log_lik), 0.0)
    if n_replicates is None and _is_asymptotic(larger):
        return _asymptotic(model, statistic)
    r = n_replicates or int(np.clip(CELLS_AFFORDED // larger.events.size, FEWEST_REPLICATES, MOST_REPLICATES))
    rng = np.random.default_rng([seed, 3])
    replicated = np.array([_statistic(larger, null, _events(model, null, rng)) for _ in range(r)])
    n_as_large = int((replicated >= statistic - SAME).sum())
    lower, upper = clopper_pearson(np.array(n_as_large), np.array(r))
    return GroupSdTest(
        **_tested(model),
        statistic=statistic,
        p_value=(1 + n_as_large) / (r + 1),
        n_replicates=r,
        n_as_large=n_as_large,
        share_zero=float((replicated <= SAME).mean()),
        lower=float(lower),
        upper=float(upper),
    )


def _tested(model: CountedModel) -> dict[str, Any]:
    has_null_intercept = len(model.varying) > 1
    return {
        "terms": tuple(model.cells.terms[k] for k in model.varying if k or not has_null_intercept),
        "null": "varying_intercept" if has_null_intercept else "complete_pooling",
    }


def _is_asymptotic(larger: Design) -> bool:
    fewest = FEWEST_ASYMPTOTIC / 10 if larger.events.size > MOST_CELLS else FEWEST_ASYMPTOTIC
    return larger.n_groups > fewest


def _asymptotic(model: CountedModel, statistic: float) -> GroupSdTest:
    q = len(model.varying)
    most = q * (q + 1) // 2 - (1 if q > 1 else 0)  # degrees of freedom where the variance is not 0
    less = float(chi2.sf(statistic, most - 1)) if most > 1 else float(statistic <= SAME)
    p_value = 0.5 * (float(chi2.sf(statistic, most)) + less)
    return GroupSdTest(
        **_tested(model),
        statistic=statistic,
        p_value=p_value,
        n_replicates=0,
        n_as_large=0,
        share_zero=float("nan"),
        lower=p_value,
        upper=p_value,
    )


def _design(model: CountedModel, basis: Basis, varying: tuple[int, ...]) -> Design:
    return design_of(model.cells, basis, np.ascontiguousarray(model.design[:, list(varying)].T))


def _null(model: CountedModel, basis: Basis) -> _Null:
    if len(model.varying) > 1:
        design = _design(model, basis, (0,))
        found, search = maximise(design, POINTS[design.q])
        factor = search.factor(found.parameters)
        return _Null(design, found.parameters[: design.m], factor @ factor.T, found.log_lik)
    design = _design(model, basis, model.varying)
    value, fixed = _without_variance(search_of(design, 1))
    return _Null(design, fixed, np.zeros((1, 1)), value)


def _without_variance(search: Search) -> tuple[float, Floats]:
    """The highest log likelihood without group effects, and its fixed effects."""
    fixed = fixed_alone(search.design)
    return search.value(np.append(fixed, 0.0)), fixed


def _events(model: CountedModel, null: _Null, rng: np.random.Generator) -> Floats:
    """(C,) drawn from the null."""
    design = null.design
    effects = np.sqrt(null.covariance[0, 0]) * rng.standard_normal(design.n_groups)
    eta = design.basis @ null.fixed + design.z[0] * design.spread(effects)
    return simulated_events(model.cells, mean_of(design.family, eta), rng)


def _statistic(larger: Design, null: _Null, events: Floats) -> float:
    """The deviance by which the larger model is better on these events."""
    small = search_of(replace(null.design, events=events), REPLICATE_POINTS[1])
    large = search_of(replace(larger, events=events), REPLICATE_POINTS.get(larger.q, 1))
    if larger.q > 1:
        (reached,) = ascend(small, [with_covariance(small, np.append(null.fixed, 0.0), null.covariance + SMALL)])
        value, fixed, covariance = small.value(reached), reached[: small.m], small.factor(reached)[0, 0] ** 2
    else:
        (value, fixed), covariance = _without_variance(small), BEGUN
    start = np.diag(np.append(covariance, np.full(larger.q - 1, BEGUN)))
    begun = np.append(fixed, np.zeros(larger.q * (larger.q + 1) // 2))
    (reached,) = ascend(large, [with_covariance(large, begun, start)])
    return max(2.0 * (large.value(reached) - value), 0.0)
