"""What passes between rooms: frozen records of data, fits, checks and the verdict.

Sizes: N rows, J groups, p fixed effects (intercept first), q varying effects, S posterior draws.
Fits are on centre-scaled predictors and in the outcome's unit: the intercept is the expected outcome
at the predictors' means, a slope is outcome units per standard deviation of its predictor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.stats.draws import Draws
from tasks.stats.draws import Floats as Floats

Integers = NDArray[np.int64]

# Why a group's own least-squares fit is missing (fewer rows than coefficients; predictors that do not vary enough) or
# has no interval (as many rows as coefficients). Empty if the fit is complete.
Gap = Literal["", "few rows", "no spread", "no interval"]
Flavour = Literal["varying_intercept", "varying_slope", "varying_intercept_slope"]
VerdictStatus = Literal["trust", "use", "none"]  # in order: partial pooling by REML, another model, no model


@dataclass(frozen=True)
class GroupedData:
    """Validated rows, or a random sample of them, in raw units. `group_index` points into `labels`.

    In a sample some of the groups may have no row.
    """

    y: Floats  # (N,)
    x: Floats  # (N, p - 1)
    group_index: Integers  # (N,)
    labels: tuple[str, ...]  # J
    terms: tuple[str, ...]  # p, "intercept" first
    size: Floats | None = None  # (N,) trials or exposure of a counted outcome, 1 where the study names none

    @property
    def n_rows(self) -> int:
        return self.y.size

    @property
    def n_groups(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Scaling:
    """Means and standard deviations (ddof 1) of the predictors and of the outcome, in raw units."""

    predictors: tuple[str, ...]
    center: Floats  # (p - 1,)
    scale: Floats  # (p - 1,)
    outcome_center: float
    outcome_scale: float

    @property
    def to_raw(self) -> Floats:
        """(p, p): coefficients on raw predictors = `to_raw` @ coefficients on centre-scaled ones."""
        matrix = np.diag(np.concatenate(([1.0], 1.0 / self.scale)))
        matrix[0, 1:] = -self.center / self.scale
        return matrix


@dataclass(frozen=True)
class CompletePooling:
    coef: Floats  # (p,)
    se: Floats  # (p,)
    robust_se: Floats  # (p,) clustered by group; NaN for a single one
    lower: Floats  # (p,) 95 % t interval, of `se`
    upper: Floats  # (p,)
    sigma: float
    df: int
    rmse: float


@dataclass(frozen=True)
class NoPooling:
    """One least-squares fit per group. NaN where a group cannot carry one; `gap` then says why."""

    n: Integers  # (J,)
    coef: Floats  # (J, p)
    se: Floats  # (J, p)
    lower: Floats  # (J, p) 95 % t interval with the group's own n_j - p degrees of freedom
    upper: Floats  # (J, p)
    sigma: Floats  # (J,)
    gap: tuple[Gap, ...]  # J
    rmse: float  # over the rows of the groups that were fitted

    @property
    def is_fitted(self) -> NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.coef).any(axis=1))


@dataclass(frozen=True)
class PartialPooling:
    """A linear mixed model fitted by REML (or ML): the model of lme4's `lmer`, from cross-products.

    `varying` holds the positions, among the p terms, of those whose effect differs by group. `coef` is the group
    estimate, fixed effect plus conditional mode. `coef_se` is from the joint covariance of fixed and
    group effects; `lower`, `upper` are its 95 % interval, with the variance parameters taken as known.
    """

    flavour: Flavour
    varying: tuple[int, ...]  # q
    criterion: Literal["reml", "ml"]
    criterion_value: float  # of the coefficients on raw predictors; lme4's for `y ~ x + (x | group)`
    criterion_value_scaled: float  # on centre-scaled ones; lme4's for `y ~ scale(x) + (scale(x) | group)`
    theta: Floats  # (q (q + 1) / 2,) column-major lower triangle of the relative factor
    fixef: Floats  # (p,)
    se: Floats  # (p,) of the fixed effects
    fixef_cov: Floats  # (p, p)
    cov: Floats  # (q, q) covariance of the varying effects
    sigma: float  # residual SD
    is_singular: bool
    converged: bool
    gradient_norm: float  # of the criterion in theta, projected on the bounds
    coef: Floats  # (J, p)
    conditional_sd: Floats  # (J, p); 0 for terms that do not vary
    coef_se: Floats  # (J, p)
    lower: Floats  # (J, p)
    upper: Floats  # (J, p)
    shrinkage_factor: Floats  # (J, q); 1 = fully pooled
    rmse: float

    @property
    def sigma_group(self) -> Floats:
        """(q,) SDs of the varying effects."""
        return np.sqrt(np.diag(self.cov))

    @property
    def correlation(self) -> Floats:
        """(q, q) correlations of the varying effects; NaN for an effect with an SD of 0."""
        sd = self.sigma_group
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.cov / np.outer(sd, sd)


@dataclass(frozen=True)
class Estimate:
    """A posterior mean, SD and central 95 % interval; arrays share one shape."""

    mean: Floats
    sd: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class MedianEstimate(Estimate):
    """An estimate with its median, which is what is quoted of SDs and shares: their posteriors are skewed."""

    median: Floats


@dataclass(frozen=True)
class SamplerDiagnostics:
    rhat_max: float
    ess_bulk_min: float
    ess_tail_min: float
    n_divergent: int
    n_max_treedepth: int
    ebfmi_min: float
    worst: str  # the quantity with the largest R-hat
    n_quantities: int  # how many quantities R-hat and ESS were computed for
    n_reported: int  # how many are reported in all
    failures: tuple[str, ...]  # names of the thresholds missed (`tasks.stats.bayes.diagnostics`)
    # Of the importance weights, where draws were resampled instead of sampled; R-hat and E-BFMI are NaN then, and
    # `worst` is the quantity with the smallest effective size.
    pareto_k: float | None = None


@dataclass(frozen=True)
class SamplingAttempt:
    chains: int
    warmup: int
    draws: int
    adapt_delta: float
    seed: int
    diagnostics: SamplerDiagnostics
    n_proposed: int = 0  # proposals of importance resampling, which has no warm-up and no acceptance; 0: sampled

    @property
    def is_resampled(self) -> bool:
        return self.n_proposed > 0


@dataclass(frozen=True)
class LooResult:
    """Leave-one-row-out: predicts a new row of a known group (`tasks.stats.bayes.loo`). Scores are for all N rows."""

    elpd_loo: float
    se: float
    p_loo: float
    pareto_k_max: float
    n_high_pareto_k: int
    pareto_k_threshold: float
    n_rows_used: int  # fewer than N when rows were thinned
    elpd_by_group: Floats  # (J,) sums over the rows used
    pareto_k: Floats  # (n_rows_used,)
    rows: Integers  # (n_rows_used,) positions of the rows used, among those given
    pointwise: Floats  # (n_rows_used,) log predictive densities
    pit: Floats | None = None  # (n_rows_used,) probability of a smaller outcome, given all other rows


@dataclass(frozen=True)
class PlainBayes:
    """What is quoted of the plain Bayesian fit."""

    groups: MedianEstimate  # (J, p)
    average: MedianEstimate  # (p,)
    sigma_group: MedianEstimate  # (q,)
    sigma: MedianEstimate  # ()
    icc: MedianEstimate  # ()


@dataclass(frozen=True)
class BayesFit:
    engine: str
    attempts: tuple[SamplingAttempt, ...]  # the last one is reported
    fixef: MedianEstimate  # (p,)
    sigma_group: MedianEstimate  # (q,)
    correlation: MedianEstimate  # (q, q)
    sigma: MedianEstimate  # () residual SD
    icc: MedianEstimate  # () at the predictors' means
    groups: Estimate  # (J, p)
    rmse: float
    loo: LooResult

    @property
    def diagnostics(self) -> SamplerDiagnostics:
        return self.attempts[-1].diagnostics


@dataclass(frozen=True, kw_only=True)
class PosteriorDraws(Draws):
    """Draws of a model of normal rows, or of Student-t ones, in the outcome's unit."""

    sigma: Floats  # (C, D)
    group_sigma: Floats | None = None  # (C, D, J) residual SDs, where each group has its own
    spread: Floats | None = None  # (C, D) SD of the groups' log residual SDs, where each group has its own
    nu: Floats | None = None  # (C, D) degrees of freedom, where rows are Student-t; `sigma` is then their scale

    @property
    def icc(self) -> Floats:
        """(C, D) share of a row's variance that lies between groups, at the predictors' means."""
        between = self.sigma_group[..., 0] ** 2
        return np.asarray(between / (between + self.sigma**2))

    @property
    def scalars(self) -> Mapping[str, Floats]:
        return {"residual SD": self.sigma, "ICC": self.icc}


@dataclass(frozen=True)
class PredictiveStatistic:
    """One test statistic of the data beside its posterior predictive distribution."""

    name: str
    observed: float
    replicated: Floats  # (R,)
    posterior_predictive_p_value: float

    @property
    def extremeness(self) -> float:
        """The smaller tail probability."""
        return min(self.posterior_predictive_p_value, 1.0 - self.posterior_predictive_p_value)


@dataclass(frozen=True)
class PredictiveCheck:
    overall: tuple[PredictiveStatistic, ...]
    group_median_observed: Floats  # (J,) here and below: NaN for groups without a row in the sample
    group_median_lower: Floats  # (J,) central 95 % of the replicates
    group_median_upper: Floats  # (J,)
    group_p_value: Floats  # (J,)
    n_groups_outside: int
    n_groups_outside_by_chance: float  # how many are to be expected if the model is right
    n_groups_outside_limit: int  # more than this many is surprising (99.9 % binomial)
    n_replicates: int

    @property
    def n_groups_compared(self) -> int:
        return int(np.isfinite(self.group_p_value).sum())


@dataclass(frozen=True)
class SimpsonCheck:
    """Slopes of one predictor: over all rows, within groups, between group means (Mundlak)."""

    term: str
    complete: float
    complete_se: float
    complete_robust_se: float  # clustered by group
    within: float
    within_se: float
    between: float
    between_se: float
    contextual: float  # between - within
    contextual_lower: float
    contextual_upper: float
    is_blend: bool  # the slope over all rows lies outside the 95 % interval of the one within groups
    is_misleading: bool  # the two differ in truth, and whoever ignores the groups concludes otherwise
    is_reversed: bool  # misleading, and with the opposite sign


@dataclass(frozen=True)
class IntervalComparison:
    """Median widths, over groups, of three 95 % intervals for the group estimates of one varying term."""

    term: str
    conditional: float
    joint: float
    calibrated: float  # marginal posterior
    ratio: float  # conditional / calibrated
    implied_coverage: float  # of the conditional interval, if the calibrated one covers 95 %
    is_collapsed: bool


@dataclass(frozen=True)
class VarianceComponents:
    """REML point values beside posterior intervals, for the fullest model."""

    names: tuple[str, ...]  # q varying terms, then "residual"
    reml_sd: Floats  # (q + 1,)
    bayes_sd: MedianEstimate  # (q + 1,)
    icc_reml: float
    icc_bayes: MedianEstimate  # ()


@dataclass(frozen=True)
class Verdict:
    status: VerdictStatus
    recommended_model: str  # a path under `fits` in summary.json
