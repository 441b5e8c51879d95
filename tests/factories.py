"""Findings for tests of what readers see: plausible, quick to make, the same every time.

Group estimates are best linear predictions under stated variances (no variance is estimated and no
sampler runs), so the numbers hang together as a real run's do: partial pooling lies between no
pooling and the overall estimate, and a singular covariance collapses the conditional intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, wraps
from typing import Any, ParamSpec

import numpy as np

from tasks.stats.bayes.priors import resolve_priors
from tasks.stats.findings import Findings, concluded
from tasks.stats.fits.cross_products import ModelCrossProducts, centre_scaled, cross_products
from tasks.stats.fits.likelihood_profile import LikelihoodProfile
from tasks.stats.judged.assumptions import assumptions
from tasks.stats.judged.cross_validation import CrossValidation, ModelError
from tasks.stats.judged.funnel import funnel
from tasks.stats.judged.held_out import LeaveOneGroupOut
from tasks.stats.judged.influence import Influence
from tasks.stats.judged.likelihood_ratio_test import LikelihoodRatioTest
from tasks.stats.judged.pit import loo_pit
from tasks.stats.judged.prior_predictive import prior_predictive
from tasks.stats.judged.prior_sensitivity import prior_sensitivity
from tasks.stats.judged.ranks import ranks
from tasks.stats.judged.size_trend import size_trend
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import (
    BayesFit,
    CompletePooling,
    Estimate,
    Flavour,
    Floats,
    Gap,
    GroupedData,
    IntervalComparison,
    LooResult,
    MedianEstimate,
    NoPooling,
    PartialPooling,
    PosteriorDraws,
    PredictiveCheck,
    PredictiveStatistic,
    SamplerDiagnostics,
    SamplingAttempt,
    Scaling,
    SimpsonCheck,
    VarianceComponents,
)
from tasks.stats.rows.data_findings import data_findings
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.run import RunRecord, SourceFile
from tasks.view.context import Context, context_of

HOSTILE_LABELS = (
    "<script>alert('group')</script>",
    "</script><img src=x onerror=alert(1)>",
    "<b>bold</b> & <a href='javascript:alert(2)'>link</a>",
    "{{ 7 * 7 }} %{y} $x^2$",
    "מחוז ירושלים",
    "🏥 clinic 🚑",
    "L" * 500,
    "line\u2028separator\u202eoverride",
)
COUNTIES = (
    "cheshire",
    "cumbria",
    "devon",
    "dorset",
    "essex",
    "kent",
    "london",
    "norfolk",
)

P = ParamSpec("P")


@dataclass(frozen=True)
class Case:
    study: Study
    findings: Findings
    data: GroupedData
    draws: PosteriorDraws | None
    rejections: tuple[Rejection, ...]

    changes: Changes | None = None
    history: History | None = None

    @property
    def context(self) -> Context:
        return context_of(
            self.study,
            self.findings,
            self.data,
            self.draws,
            self.rejections,
            changes=self.changes,
            history=self.history,
        )

    def judged(self) -> Case:
        """Judged anew, after something in the findings was changed."""
        return replace(self, findings=concluded(self.study, self.findings))


def made_once(make: Callable[P, Case]) -> Callable[P, Case]:
    """The same case for the same arguments; nobody can write into its arrays."""

    @cache
    def made(*args: P.args, **kwargs: P.kwargs) -> Case:
        case = make(*args, **kwargs)
        _protect(case)
        return case

    return wraps(make)(made)


def _protect(value: object) -> None:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif is_dataclass(value):
        for part in fields(value):
            _protect(getattr(value, part.name))
    elif isinstance(value, dict | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            _protect(part)


@made_once
def singular_case(labels: tuple[str, ...] = COUNTIES, title: str = "Does age change the time on site?") -> Case:
    """Eight counties whose slopes hardly differ: singular, Simpson's paradox, Bayes recommended."""
    study = Study(
        name="bounce_rates",
        title=title,
        outcome="bounce_time",
        outcome_unit="s",
        group="county",
        predictors=("age",),
        predictor_units={"age": "year"},
    )
    sizes = (150, 7, 22, 90, 75, 112, 120, 37)
    data = _simulate(study, labels, sizes, mean=200, group_sd=14, slopes=(1.3,), slope_sd=0.25, sigma=8)
    cov = np.array([[14.0**2, 14 * 0.25], [14 * 0.25, 0.25**2]])
    case = _case(study, data, cov=cov, cov_bayes=np.diag([15.5**2, 0.9**2]), sigma=7.9)
    rejections = (
        Rejection("bounce_rates.csv", 12, "age", "abc", "not a number"),
        Rejection("bounce_rates.csv", 40, "bounce_time", "", "missing"),
        Rejection("bounce_rates.csv", 41, "bounce_time", "", "missing"),
    )
    run = replace(case.findings.run, n_rejected=3, rejected_by_rule={"missing": 2, "not a number": 1})
    return replace(case, findings=replace(case.findings, run=run), rejections=rejections)


@made_once
def regular_case() -> Case:
    """Eighteen subjects by ten days: a regular fit."""
    study = Study(
        name="sleepstudy",
        title="Does lack of sleep slow reactions?",
        outcome="reaction",
        outcome_unit="ms",
        group="subject",
        predictors=("days",),
        predictor_units={"days": "days"},
    )
    labels = tuple(str(number) for number in range(308, 326))
    data = _simulate(study, labels, (10,) * 18, mean=298, group_sd=35, slopes=(30,), slope_sd=17, sigma=25)
    cov = np.diag([36.0**2, 17.0**2])
    return _case(study, data, cov=cov, cov_bayes=1.1 * cov, sigma=25.6)


@made_once
def intercept_only_case() -> Case:
    """Six batches, no predictor, no unit."""
    study = Study(name="dyestuff", title="Do batches differ?", outcome="yield", group="batch")
    data = _simulate(study, tuple("ABCDEF"), (5,) * 6, mean=1527, group_sd=42, slopes=(), slope_sd=0, sigma=50)
    return _case(study, data, cov=np.array([[42.0**2]]), cov_bayes=np.array([[50.0**2]]), sigma=49.5)


@made_once
def two_predictors_case() -> Case:
    """Twelve clinics (one with two rows, so no fit of its own), two predictors of which one varies."""
    study = Study(
        name="clinics",
        title="What shortens the stay?",
        outcome="stay",
        outcome_unit="days",
        group="clinic",
        predictors=("age", "severity"),
        predictor_units={"age": "year"},
        varying=("severity",),
    )
    labels = tuple(f"clinic {letter}" for letter in "ABCDEFGHIJKL")
    sizes = (2, 8, 12, 20, 25, 30, 40, 45, 50, 60, 80, 100)
    data = _simulate(study, labels, sizes, mean=9, group_sd=1.5, slopes=(0.4, 1.1), slope_sd=0.5, sigma=2)
    return _case(study, data, cov=np.diag([1.5**2, 0.5**2]), cov_bayes=np.diag([1.6**2, 0.5**2]), sigma=2.0)


@made_once
def many_groups_case(n_groups: int = 10_000) -> Case:
    """As many groups as a report has to carry; without draws, as their array would be."""
    study = Study(name="many", title="Many groups", outcome="score", group="school", predictors=("hours",))
    labels = tuple(f"school {number:05d}" for number in range(n_groups))
    sizes = tuple(3 + (7 * index) % 25 for index in range(n_groups))
    data = _simulate(study, labels, sizes, mean=50, group_sd=5, slopes=(2,), slope_sd=1, sigma=8)
    cov = np.diag([25.0, 1.0])
    return replace(_case(study, data, cov=cov, cov_bayes=cov, sigma=8.0), draws=None)


@made_once
def hostile_case() -> Case:
    """Labels, names and a title that would break a page which trusts them."""
    case = singular_case(HOSTILE_LABELS, title="</title><script>alert('title')</script>")
    renamed = case.study.model_copy(update={"outcome": "<i>y</i>%{x}", "outcome_unit": "<s>"})
    rejections = (Rejection("<svg onload=alert(3)>.csv", 1, "age", "</td><script>alert(4)</script>", "missing"),)
    return replace(case, study=renamed, rejections=rejections)


def _simulate(
    study: Study,
    labels: tuple[str, ...],
    sizes: tuple[int, ...],
    *,
    mean: float,
    group_sd: float,
    slopes: tuple[float, ...],
    slope_sd: float,
    sigma: float,
) -> GroupedData:
    """Group means of the predictors follow the group effects, which is what misleads complete pooling."""
    rng = np.random.default_rng(20_261_122)
    index = np.repeat(np.arange(len(sizes)), sizes)
    effects = group_sd * _standardised(rng.normal(size=len(sizes)))
    x = rng.normal(size=(index.size, len(slopes))) + 0.25 * effects[index, None] / max(group_sd, 1)
    varying = np.zeros((len(sizes), len(slopes)))
    if slopes:
        varying[:, -1] = slope_sd * rng.normal(size=len(sizes))
    y = mean + effects[index] + ((np.asarray(slopes) + varying[index]) * x).sum(axis=1)
    y = y + sigma * rng.normal(size=index.size)
    return GroupedData(y=y, x=40 + 12 * x, group_index=index, labels=labels, terms=study.terms)


def _standardised(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()


def _case(study: Study, data: GroupedData, *, cov: Floats, cov_bayes: Floats, sigma: float) -> Case:
    findings = _findings(study, data, cov, cov_bayes, sigma)
    return Case(study, findings, data, _draws(findings.bayes), ())


def _findings(study: Study, data: GroupedData, cov: Floats, cov_bayes: Floats, sigma: float) -> Findings:
    scaling = _scaling(study, data)
    design = np.column_stack([np.ones(data.n_rows), (data.x - scaling.center) / scaling.scale])
    varying = (0, *study.varying_columns)
    partial = {
        flavour: _partial(flavour, data, design, chosen, cov[np.ix_(kept, kept)], sigma)
        for flavour, chosen, kept in _flavours(varying)
    }
    bayes = _bayes(data, design, varying, cov_bayes, sigma)
    fullest = partial.get("varying_intercept_slope") or partial["varying_intercept"]
    simpson = tuple(_simpson(term, k, data, design) for k, term in enumerate(study.predictors, start=1))
    intervals = tuple(_interval(data.terms[k], k, fullest, bayes) for k in varying)
    products = centre_scaled(cross_products(data), scaling)
    fitted = _Fitted(
        study=study, data=data, scaling=scaling, products=products, partial=partial, fullest=fullest, bayes=bayes
    )
    complete, no_pooling = _complete(data, design), _no_pooling(data, design)
    run = run_record(study, data)
    found = Findings(
        run=run,
        rows=data_findings(products, scaling, run.n_rejected),
        labels=data.labels,
        group_sizes=np.bincount(data.group_index, minlength=data.n_groups),
        terms=data.terms,
        scaling=scaling,
        complete=complete,
        no_pooling=no_pooling,
        partial=partial,
        bayes=bayes,
        variance_components=_components(study, fullest, bayes),
        simpson=simpson,
        intervals=intervals,
        predictive=_predictive(data, bayes),
        likelihood_ratio_test=LikelihoodRatioTest(("intercept",), "complete_pooling", 12.5, 0.001, 999, 0, 0.6),
        likelihood_profiles=tuple(
            _profile(data.terms[k], float(sd)) for k, sd in zip(varying, fullest.sigma_group, strict=True)
        ),
        remedies=None,
        **_assumed(fitted),
        **_compared(fitted, simpson),
        **_held_out(fitted, complete, no_pooling),
        timings={"load": 0.12, "partial pooling": 0.03, "sample": 0.41, "render": 0.2},
    )
    return concluded(study, found)


@dataclass(frozen=True)
class _Fitted:
    study: Study
    data: GroupedData
    scaling: Scaling
    products: ModelCrossProducts
    partial: dict[Flavour, PartialPooling]
    fullest: PartialPooling
    bayes: BayesFit

    @property
    def draws(self) -> PosteriorDraws:
        """Of every group's coefficients; of many groups few draws, and some groups' checked by all."""
        draws = _draws(self.bayes)
        lower = np.tril(0.9 * draws.correlation, -1)
        draws = replace(draws, correlation=lower + np.swapaxes(lower, -1, -2) + np.eye(lower.shape[-1]))
        if draws.group_coef.shape[2] == self.data.n_groups:
            return draws
        around, sd, rng = self.bayes.groups.mean, self.bayes.groups.sd, np.random.default_rng(4)
        step = self.data.n_groups // 24
        checked = around[::step] + sd[::step] * rng.normal(size=(*draws.sigma.shape, *around[::step].shape))
        few = around + sd * rng.normal(size=(4, 25, *around.shape))
        thin = draws.sigma.shape[1] // 25
        return replace(draws, group_coef=few, group_thin=thin, checked_coef=checked, checked_step=step)


def _profile(term: str, sd: float) -> LikelihoodProfile:
    at = np.linspace(0.0, 3.0 * max(sd, 0.1), 31)
    deviance = 10.0 * (at / max(sd, 0.1) - 1.0) ** 2
    return LikelihoodProfile(term, at, deviance, sd, float(deviance[0]), 0.4 * sd, 1.6 * sd)


def _assumed(at: _Fitted) -> dict[str, Any]:
    """What the model takes for granted."""
    varying, limits = at.fullest.varying, at.study.thresholds
    priors = resolve_priors(at.study, at.scaling)
    return {
        "prior_predictive": prior_predictive(at.data, varying, priors, at.scaling, limits.prior_predictive_tail, 1),
        "prior_sensitivity": prior_sensitivity(at.products, varying, at.draws, priors, limits.prior_sensitivity),
        "assumptions": assumptions(at.data, at.products, varying, at.bayes, at.scaling, limits),
    }


def _compared(at: _Fitted, simpson: tuple[SimpsonCheck, ...]) -> dict[str, Any]:
    """Groups beside each other, as a real run compares them; many are ranked by few draws."""
    limits, levels = at.study.thresholds, funnel(at.products, simpson, at.partial)
    draws = at.draws
    return {
        "ranks": ranks(draws, at.products, at.fullest.varying, limits.rankability),
        "funnel": levels,
        "size_trend": size_trend(levels, at.fullest, at.data, at.products, at.scaling, limits.size_trend, 1),
    }


def _held_out(at: _Fitted, complete: CompletePooling, no_pooling: NoPooling) -> dict[str, Any]:
    """Errors on new rows somewhat above those on old ones; the first group is hard to leave out."""
    rng, n = np.random.default_rng(6), at.products.n
    in_sample = {
        "complete_pooling": complete.rmse,
        "no_pooling": 1.1 * no_pooling.rmse,
        **{f"partial_pooling.{name}": 1.03 * fit.rmse for name, fit in at.partial.items()},
        "bayes": 1.02 * at.bayes.rmse,
    }
    best = min(in_sample, key=lambda name: in_sample[name])
    errors = tuple(
        ModelError(name, rmse, rmse - in_sample[best], 0.01 * rmse * (name != best)) for name, rmse in in_sample.items()
    )
    k = np.append(0.83, rng.uniform(0, 0.5, n.size - 1))
    elpd, rmse = -(3.6 + 0.3 * rng.random(n.size)) * n, complete.rmse * rng.uniform(0.9, 1.3, n.size)
    moves = rng.normal(0, 0.2, (n.size, at.products.p))
    moves[0] = 1.4
    largest = np.abs(moves).max(axis=1)
    return {
        "cross_validation": CrossValidation(errors, best, 10, at.data.n_rows, 2, 0.31, 0.7, 4000, 5),
        "leave_one_group_out": LeaveOneGroupOut(
            float(elpd.sum()), 30.5, elpd, k, 0.83, 0.7, 1, 1.2 * complete.rmse, rmse, 4000
        ),
        "loo_pit": loo_pit(rng.random(200), 1),
        "influence": Influence(moves, 0.5 * largest**2, n.size < 100, largest, np.full(moves.shape, 0.9)),
    }


def _flavours(varying: tuple[int, ...]) -> list[tuple[Flavour, tuple[int, ...], list[int]]]:
    if len(varying) == 1:
        return [("varying_intercept", varying, [0])]
    slopes = list(range(1, len(varying)))
    return [
        ("varying_intercept", varying[:1], [0]),
        ("varying_slope", varying[1:], slopes),
        ("varying_intercept_slope", varying, [0, *slopes]),
    ]


def _scaling(study: Study, data: GroupedData) -> Scaling:
    return Scaling(
        predictors=study.predictors,
        center=data.x.mean(axis=0),
        scale=data.x.std(axis=0, ddof=1),
        outcome_center=float(data.y.mean()),
        outcome_scale=float(data.y.std(ddof=1)),
    )


def _least_squares(design: Floats, y: Floats) -> tuple[Floats, Floats, float]:
    """Coefficients, their standard errors and the residual SD."""
    coef = np.linalg.lstsq(design, y, rcond=None)[0]
    sigma = float(np.sqrt(((y - design @ coef) ** 2).sum() / max(y.size - coef.size, 1)))
    return coef, sigma * np.sqrt(np.diag(np.linalg.inv(design.T @ design))), sigma


def _complete(data: GroupedData, design: Floats) -> CompletePooling:
    coef, se, sigma = _least_squares(design, data.y)
    rmse = float(np.sqrt(np.mean((data.y - design @ coef) ** 2)))
    df = data.n_rows - design.shape[1]
    return CompletePooling(coef, se, coef - 1.96 * se, coef + 1.96 * se, sigma, df, rmse)


def _no_pooling(data: GroupedData, design: Floats) -> NoPooling:
    n, p = np.bincount(data.group_index, minlength=data.n_groups), design.shape[1]
    coef, se, sigma = np.full((n.size, p), np.nan), np.full((n.size, p), np.nan), np.full(n.size, np.nan)
    for group in np.flatnonzero(n > p):
        rows = data.group_index == group if data.n_groups < 1000 else _rows_of(data, group)
        coef[group], se[group], sigma[group] = _least_squares(design[rows], data.y[rows])
    fitted = np.nan_to_num((design * coef[data.group_index]).sum(axis=1), nan=data.y.mean())
    gap = tuple[Gap, ...]("" if size > p else "few rows" for size in n)
    rmse = float(np.sqrt(np.mean((data.y - fitted) ** 2)))
    return NoPooling(n, coef, se, coef - 2.1 * se, coef + 2.1 * se, sigma, gap, rmse)


def _rows_of(data: GroupedData, group: int) -> slice:
    """Simulated rows are sorted by group."""
    start, stop = np.searchsorted(data.group_index, [group, group + 1])
    return slice(int(start), int(stop))


def _predictions(
    data: GroupedData, design: Floats, varying: tuple[int, ...], cov: Floats, sigma: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Fixed effects, their covariance, and per group the deviations (J, p) and their conditional SDs."""
    columns, p = list(varying), design.shape[1]
    weights, precision, moment = [], np.zeros((p, p)), np.zeros(p)
    for group in range(data.n_groups):
        x = design[_rows_of(data, group)]
        z, y = x[:, columns], data.y[_rows_of(data, group)]
        inverse = (
            np.eye(y.size) - z @ np.linalg.solve(sigma**2 * np.eye(len(columns)) + cov @ z.T @ z, cov @ z.T)
        ) / sigma**2
        precision += x.T @ inverse @ x
        moment += x.T @ inverse @ y
        weights.append((cov @ z.T @ inverse, cov - cov @ z.T @ inverse @ z @ cov))
    fixed = np.linalg.solve(precision, moment)
    modes, spread = np.zeros((data.n_groups, p)), np.zeros((data.n_groups, p))
    for group, (weight, conditional) in enumerate(weights):
        rows = _rows_of(data, group)
        modes[group, columns] = weight @ (data.y[rows] - design[rows] @ fixed)
        spread[group, columns] = np.sqrt(np.maximum(np.diag(conditional), 0))
    return fixed, np.linalg.inv(precision), modes, spread


def _shrinkage(data: GroupedData, cov: Floats, sigma: float) -> Floats:
    n = np.bincount(data.group_index, minlength=data.n_groups)
    return sigma**2 / (sigma**2 + np.outer(n, np.diag(cov)))


def _joint_se(spread: Floats, fixed_var: Floats, varying: tuple[int, ...], factor: Floats) -> Floats:
    """Roughly: a group leans on the fixed effect as far as it is shrunk to it."""
    weight = np.ones_like(spread)
    weight[:, list(varying)] = factor
    return np.sqrt(spread**2 + weight**2 * fixed_var)


def _partial(
    flavour: Flavour, data: GroupedData, design: Floats, varying: tuple[int, ...], cov: Floats, sigma: float
) -> PartialPooling:
    fixed, fixed_cov, modes, spread = _predictions(data, design, varying, cov, sigma)
    coef, factor = fixed + modes, _shrinkage(data, cov, sigma)
    se = _joint_se(spread, np.diag(fixed_cov), varying, factor)
    residual = data.y - (design * coef[data.group_index]).sum(axis=1)
    return PartialPooling(
        flavour=flavour,
        varying=varying,
        criterion="reml",
        criterion_value=4313.0042,
        criterion_value_scaled=4318.2,
        theta=np.ones(len(varying) * (len(varying) + 1) // 2),
        fixef=fixed,
        se=np.sqrt(np.diag(fixed_cov)),
        fixef_cov=fixed_cov,
        cov=cov,
        sigma=sigma,
        is_singular=bool(np.linalg.matrix_rank(cov, tol=1e-8) < len(varying)),
        converged=True,
        gradient_norm=1e-7,
        coef=coef,
        conditional_sd=spread,
        coef_se=se,
        lower=coef - 1.96 * se,
        upper=coef + 1.96 * se,
        shrinkage_factor=factor,
        rmse=float(np.sqrt(np.mean(residual**2))),
    )


def _estimate(mean: object, sd: object) -> MedianEstimate:
    centre, spread = np.asarray(mean, dtype=float), np.asarray(sd, dtype=float)
    return MedianEstimate(centre, spread, centre - 1.96 * spread, centre + 1.96 * spread, centre - 0.05 * spread)


def _bayes(data: GroupedData, design: Floats, varying: tuple[int, ...], cov: Floats, sigma: float) -> BayesFit:
    fixed, fixed_cov, modes, spread = _predictions(data, design, varying, cov, sigma)
    sd, q = np.sqrt(np.diag(cov)), len(varying)
    coef, factor = fixed + modes, _shrinkage(data, cov, sigma)
    icc = cov[0, 0] / (cov[0, 0] + sigma**2)
    residual = data.y - (design * coef[data.group_index]).sum(axis=1)
    return BayesFit(
        engine="embedded",
        attempts=_attempts(q),
        fixef=_estimate(fixed, 1.05 * np.sqrt(np.diag(fixed_cov))),
        sigma_group=MedianEstimate(sd, 0.3 * sd, 0.5 * sd, 1.7 * sd, 0.94 * sd),
        correlation=MedianEstimate(np.eye(q), 0.3 * (1 - np.eye(q)), 2 * np.eye(q) - 1, np.eye(q) * 0 + 1, np.eye(q)),
        sigma=_estimate(sigma, 0.03 * sigma),
        icc=MedianEstimate(*map(np.array, (icc, 0.06, icc - 0.15, min(icc + 0.1, 0.99), icc - 0.02))),
        groups=_estimate(coef, 1.08 * _joint_se(spread, np.diag(fixed_cov), varying, factor)),
        rmse=float(np.sqrt(np.mean(residual**2))),
        loo=_loo(data),
    )


def _attempts(q: int) -> tuple[SamplingAttempt, ...]:
    missed = ("rhat", "ess_bulk", "ess_tail", "divergences")
    poor = SamplerDiagnostics(1.02, 320, 290, 3, 0, 0.7, "sigma_group[slope]", 30, 30, missed)
    good = SamplerDiagnostics(1.004, 2100, 1900, 0, 0, 0.92, "sigma_group[slope]", 30, 30, ())
    first = SamplingAttempt(4, 1000, 1000, 0.8, 11, poor)
    last = SamplingAttempt(4, 1000, 1000, 0.95, 12, good)
    return (first, last) if q > 1 else (last,)


def _loo(data: GroupedData) -> LooResult:
    rows = np.arange(min(data.n_rows, 20_000))
    k = np.abs(np.random.default_rng(5).normal(0.05, 0.15, size=rows.size))
    k[0] = 0.81
    share = np.bincount(data.group_index, minlength=data.n_groups)
    return LooResult(-2142.3, 18.4, 10.2, float(k.max()), int((k > 0.7).sum()), 0.7, rows.size, -3.5 * share, k, rows)


def _components(study: Study, fit: PartialPooling, bayes: BayesFit) -> VarianceComponents:
    def joined(part: str) -> Floats:
        return np.append(getattr(bayes.sigma_group, part), getattr(bayes.sigma, part))

    icc = fit.cov[0, 0] / (fit.cov[0, 0] + fit.sigma**2)
    return VarianceComponents(
        names=("intercept", *study.varying, "residual"),
        reml_sd=np.append(fit.sigma_group, fit.sigma),
        bayes_sd=MedianEstimate(*map(joined, ("mean", "sd", "lower", "upper", "median"))),
        icc_reml=float(icc),
        icc_bayes=bayes.icc,
    )


def _simpson(term: str, column: int, data: GroupedData, design: Floats) -> SimpsonCheck:
    n = np.bincount(data.group_index)
    x, y = design[:, column], data.y
    mean_x = (np.bincount(data.group_index, x) / n)[data.group_index]
    ones = np.ones_like(x)
    pooled, pooled_se, _ = _least_squares(np.column_stack([ones, x]), y)
    split, split_se, _ = _least_squares(np.column_stack([ones, x - mean_x, mean_x]), y)
    gap = split[2] - split[1]
    return SimpsonCheck(
        term=term,
        complete=pooled[1],
        complete_se=pooled_se[1],
        within=split[1],
        within_se=split_se[1],
        between=split[2],
        between_se=split_se[2],
        contextual=gap,
        contextual_lower=gap - 2 * split_se[2],
        contextual_upper=gap + 2 * split_se[2],
        is_misleading=bool(abs(gap) > 2 * split_se[2]),
        is_reversed=bool(pooled[1] * split[1] < 0),
    )


def _interval(term: str, column: int, fit: PartialPooling, bayes: BayesFit) -> IntervalComparison:
    conditional = float(np.median(2 * 1.96 * fit.conditional_sd[:, column]))
    joint = float(np.median(fit.upper[:, column] - fit.lower[:, column]))
    calibrated = float(np.median(bayes.groups.upper[:, column] - bayes.groups.lower[:, column]))
    ratio = conditional / calibrated
    return IntervalComparison(term, conditional, joint, calibrated, ratio, min(0.95, 0.8 * ratio), ratio < 0.5)


def _predictive(data: GroupedData, bayes: BayesFit) -> PredictiveCheck:
    rng = np.random.default_rng(3)
    spread = float(data.y.std())
    observed = {
        "median": np.median(data.y),
        "skewness": 0.1,
        "minimum": data.y.min(),
        "maximum": data.y.max(),
    }
    overall = tuple(
        PredictiveStatistic(name, float(value), value + 0.02 * spread * rng.normal(size=400), 0.46)
        for name, value in observed.items()
    )
    median = bayes.groups.mean[:, 0]
    return PredictiveCheck(
        overall=overall,
        group_median_observed=median + 0.5,
        group_median_lower=median - 4,
        group_median_upper=median + 4,
        group_p_value=np.full(median.size, 0.4),
        n_groups_outside=0,
        n_groups_outside_by_chance=0.05 * median.size,
        n_groups_outside_limit=2,
        n_replicates=400,
    )


def run_record(study: Study, data: GroupedData) -> RunRecord:
    return RunRecord(
        id="20261122T101500Z-1a2b3c4d",
        started_at="2026-11-22T10:15:00Z",
        fingerprint="f" * 64,
        data_sha256="d" * 64,
        study_sha256="5" * 64,
        n_rows=data.n_rows,
        n_groups=data.n_groups,
        n_rejected=0,
        seed=1234,
        engine="embedded",
        versions={"poolwise": "0.1.0", "python": "3.11.7", "stanli": "0.24"},
        files=(SourceFile(f"{study.name}.csv", "a" * 64, data.n_rows, 0),),
    )


def _draws(bayes: BayesFit) -> PosteriorDraws:
    """Four chains of 250 independent normal draws around the estimates."""
    rng, shape = np.random.default_rng(9), (4, 250)

    def around(estimate: Estimate) -> Floats:
        return estimate.mean + estimate.sd * rng.normal(size=(*shape, *estimate.mean.shape))

    count = np.zeros(shape)
    return PosteriorDraws(
        beta=around(bayes.fixef),
        sigma_group=np.abs(around(bayes.sigma_group)),
        correlation=np.clip(around(bayes.correlation), -1, 1),
        sigma=around(bayes.sigma),
        group_coef=around(bayes.groups)
        if len(bayes.groups.mean) < 1000
        else np.zeros((*shape, 0, bayes.fixef.mean.size)),
        divergent=count,
        energy=rng.normal(2100, 3, size=shape),
        treedepth=count + 3,
        acceptance=count + 0.9,
        n_leapfrog=count + 7,
    )
