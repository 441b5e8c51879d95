"""Bayesian models that answer what was found: other terms in the mean, or other ways in which rows scatter.

Each is given to one of the Stan programs: terms to the same marginal program, a residual SD per group to
partial_pooling_spreads.stan, Student-t rows to partial_pooling_student.stan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tasks.stats.bayes.parameter_units import ParameterUnits, parameter_units
from tasks.stats.bayes.posterior import (
    SAMPLER_COLUMNS,
    conditional_moments,
    estimate,
    group_thin,
    intraclass_correlation,
    posterior_draws,
)
from tasks.stats.bayes.priors import ResolvedPriors
from tasks.stats.bayes.stan_data import StanData, marginal_data, prior_data, rows_data, unit_data
from tasks.stats.fits.cross_products import residual_sum_of_squares
from tasks.stats.fits.mean_structure import Added, Fitted, MeanStructure, with_terms
from tasks.stats.fits.meta_regression import meta_regression
from tasks.stats.records import Floats, GroupedData, MedianEstimate, PosteriorDraws, Scaling

Program = Literal["partial_pooling_marginal", "partial_pooling_spreads", "partial_pooling_student"]

SPREAD_SD = 1.0  # half-normal scale of the SD of the groups' log residual SDs: a factor of e between groups is usual
LEAST_SPREAD = 0.1  # that the sampler's units are made for
LEAST_SHARE = 0.3  # of an SD between groups: so far down its posterior may reach, and there groups are non-centred
ROWS_LIMIT = 20_000  # of a program on rows


@dataclass(frozen=True)
class Answer:
    """What a model has that the plain Bayesian one has not."""

    added: tuple[Added, ...] = ()
    is_unequal: bool = False  # a residual SD per group
    is_heavy: bool = False  # Student-t rows
    serial: float = 0.0  # correlation of a row with the one before

    @property
    def is_needed(self) -> bool:
        return bool(self.added) or self.is_unequal or self.is_heavy or self.serial > 0

    @property
    def is_possible(self) -> bool:
        """Whether there is a program for it: Student-t rows that follow one another have none."""
        return not (self.is_heavy and self.serial)

    @property
    def program(self) -> Program:
        if self.is_heavy:
            return "partial_pooling_student"
        return "partial_pooling_spreads" if self.is_unequal else "partial_pooling_marginal"


@dataclass(frozen=True)
class AnswerModel:
    """An answer on the study's data: what a sampler needs, and how its draws are read."""

    answer: Answer
    structure: MeanStructure
    varying: tuple[int, ...]
    scaling: Scaling  # of the study's predictors and the outcome
    priors: ResolvedPriors  # of all terms
    inputs: StanData

    def draws(self, variables: Mapping[str, Floats], seed: int) -> PosteriorDraws:
        """Draws on the structure's terms, from what an engine returns.

        Where rows follow one another, programs see what is new in each row: a row's own SD is larger.
        """
        if self.answer.is_heavy:
            return _student_draws(variables, self.structure, self.varying, self.scaling)
        draws = posterior_draws(variables, self.structure.products, self.varying, self.scaling, seed)
        whole = 1.0 / np.sqrt(1.0 - self.structure.serial**2)
        group_sigma = None if draws.group_sigma is None else whole * draws.group_sigma
        return replace(draws, sigma=whole * draws.sigma, group_sigma=group_sigma)

    def on_own_terms(self, draws: PosteriorDraws) -> PosteriorDraws:
        """The draws of the study's own terms: groups as `fits.mean_structure` describes them."""
        own = self.structure.n_own
        return replace(draws, beta=draws.beta[..., :own], group_coef=self.group_draws(draws), checked_coef=None)

    def group_draws(self, draws: PosteriorDraws) -> Floats:
        """(C, D, J, p) each group's level and slopes, as `fits.mean_structure` describes a group."""
        own, g = self.structure.n_own, self.structure.group_values.shape[1]
        coef = draws.group_coef[..., :own].copy()
        if g:
            beta = draws.beta[:, :: draws.group_thin, -g:]
            coef[..., 0] += np.einsum("cdg,jg->cdj", beta, self.structure.group_values)
        return coef


def answer_model(
    answer: Answer, fit: Fitted, data: GroupedData, priors: ResolvedPriors, scaling: Scaling, seed: int
) -> AnswerModel:
    """The model on all rows' sums, or with Student-t rows on at most ROWS_LIMIT of the rows `data`.

    `fit` is the REML fit with the answer's added terms and serial correlation.
    """
    wide = _with_added(priors, fit.structure, scaling)
    inputs = _inputs(answer, fit, data, wide, scaling, seed)
    return AnswerModel(answer, fit.structure, fit.varying, scaling, wide, inputs)


def _with_added(priors: ResolvedPriors, structure: MeanStructure, scaling: Scaling) -> ResolvedPriors:
    """The priors, and normal(0, 2.5 s) per SD of each added column, as for the study's own predictors."""
    sums, own = structure.products.xtx.sum(axis=0), structure.n_own
    n = sums[0, 0]
    sd = np.sqrt(np.maximum(np.diag(sums) / n - (sums[0] / n) ** 2, 1e-12))[own:]
    return ResolvedPriors(
        np.append(priors.beta_mean, np.zeros(sd.size)),
        np.append(priors.beta_sd, 2.5 * scaling.outcome_scale / sd),
        priors.sigma_group_sd,
        priors.sigma_mean,
        priors.lkj,
    )


def _inputs(
    answer: Answer, fit: Fitted, data: GroupedData, priors: ResolvedPriors, scaling: Scaling, seed: int
) -> StanData:
    if answer.is_heavy:
        return student_data(answer, fit, data, priors, scaling, seed)
    if answer.is_unequal:
        return spreads_data(fit, priors, scaling)
    return {**marginal_data(fit.structure.products, fit.varying, priors, scaling), "N": fit.structure.n_rows}


def spreads_data(fit: Fitted, priors: ResolvedPriors, scaling: Scaling) -> StanData:
    """Data of partial_pooling_spreads.stan."""
    s, columns, products = scaling.outcome_scale, list(fit.varying), fit.structure.products
    beta = np.linalg.solve(products.xtx.sum(axis=0), products.xty.sum(axis=0))
    xtr = products.xty - products.xtx @ beta
    units = unit_data(parameter_units(products, fit.varying, priors), s)
    del units["sigma_unit"]
    return {
        "J": len(products.labels),
        "p": products.p,
        "q": len(columns),
        "n": fit.structure.n,
        "beta_complete": beta / s,
        "rss": residual_sum_of_squares(products, beta) / s**2,
        "xtr": xtr / s,
        "xtx": np.swapaxes(products.xtx, 0, 1),
        "ztz": np.swapaxes(products.gram[:, columns][:, :, columns], 0, 1),
        "ztx": np.swapaxes(products.gram[:, columns, :-1], 0, 1),
        "ztr_complete": xtr[:, columns] / s,
        "spread_sd": SPREAD_SD,
        **units,
        **_log_sigma_units(fit, s),
        **prior_data(priors, scaling),
    }


def _log_sigma_units(fit: Fitted, s: float) -> StanData:
    """About where the groups' log residual SDs lie, and how wide their posterior is.

    Between centred and non-centred each group goes by how much of its posterior precision its own rows give.
    """
    has_own = np.nan_to_num(fit.residual_sd) > 0
    said = np.where(has_own, 2.0 * (fit.structure.n - 1.0), 0.0)  # a log SD of n rows has a variance of 1 / (2 (n - 1))
    log_own = np.log(np.where(has_own, fit.residual_sd, fit.at.sigma) / s)
    all_own = meta_regression(log_own[has_own], 1.0 / said[has_own], np.ones((int(has_own.sum()), 1)))
    spread, mean = max(all_own.tau, LEAST_SPREAD), float(all_own.coef[0])
    precision = said + spread**-2
    return {
        "log_sigma_center": mean + said / precision * (log_own - mean),
        "log_sigma_unit": precision**-0.5,
        "sigma_own": said / (said + (LEAST_SHARE * spread) ** -2),
        "log_sigma_mean_center": mean,
        "log_sigma_mean_unit": float(all_own.se[0]),
        "spread_unit": spread,
    }


def student_data(
    answer: Answer, fit: Fitted, data: GroupedData, priors: ResolvedPriors, scaling: Scaling, seed: int
) -> StanData:
    """Data of partial_pooling_student.stan."""
    rows = np.arange(data.n_rows)
    if rows.size > ROWS_LIMIT:
        rows = np.sort(np.random.default_rng([seed, 12]).choice(rows, ROWS_LIMIT, replace=False))
    kept = GroupedData(data.y[rows], data.x[rows], data.group_index[rows], data.labels, data.terms)
    wide, wide_scaling = with_terms(kept, scaling, fit.structure)
    s = scaling.outcome_scale
    units = parameter_units(fit.structure.products, fit.varying, priors)
    return {
        **rows_data(wide, fit.varying, priors, wide_scaling),
        "varying": np.array(fit.varying) + 1,
        "unequal": int(answer.is_unequal),
        "spread_sd": SPREAD_SD,
        **unit_data(units, s),
        **_effect_units(fit, units, s),
        **_spread_units(fit, s, is_unequal=answer.is_unequal),
    }


def _spread_units(fit: Fitted, s: float, *, is_unequal: bool) -> StanData:
    """`_log_sigma_units` as arrays, which are empty where groups share a residual scale."""
    if not is_unequal:
        names = "sigma_own", "log_sigma_center", "log_sigma_unit", "log_sigma_mean_center", "spread_unit"
        return dict.fromkeys(names, np.empty(0))
    return {name: np.atleast_1d(value) for name, value in _log_sigma_units(fit, s).items()}


def _effect_units(fit: Fitted, units: ParameterUnits, s: float) -> StanData:
    """About where the groups' effects lie, how wide their posterior is, and how much their own rows say of them."""
    sd, columns = units.sigma_group, list(fit.varying)
    gram = fit.structure.products.gram[:, columns]
    given = units.beta_center[None], np.diag(sd)[None], np.array([units.sigma])
    mean, root = (values[0] for values in conditional_moments(gram, columns, *given))
    variance = (root**2).sum(axis=-1)
    said = np.maximum(1.0 / variance - sd**-2, 0.0)  # the precision of what a group's own rows say
    return {
        "u_own": said / (said + (LEAST_SHARE * sd) ** -2),
        "u_center": mean[..., 0] / s,
        "u_unit": np.sqrt(variance) / s,
    }


def _student_draws(
    variables: Mapping[str, Floats], structure: MeanStructure, varying: tuple[int, ...], scaling: Scaling
) -> PosteriorDraws:
    s, center = scaling.outcome_scale, structure.products.outcome_center
    beta = variables["beta"] * s
    chains, draws, p = beta.shape
    thin = group_thin(chains, draws, len(structure.products.labels) * p)
    coef = np.repeat(beta[:, ::thin, None, :], len(structure.products.labels), axis=2)
    coef[..., list(varying)] += variables["u"][:, ::thin] * s
    coef[..., 0] += center
    beta = beta + center * np.eye(p)[0]
    spread = variables.get("spread", np.empty(0))  # an engine may leave an empty array out
    sampler: dict[str, Any] = {name: variables[column] for name, column in SAMPLER_COLUMNS.items()}
    return PosteriorDraws(
        beta=beta,
        sigma_group=variables["sigma_group"] * s,
        correlation=variables["L_group"] @ np.swapaxes(variables["L_group"], -1, -2),
        sigma=variables["sigma"] * s,
        group_coef=coef,
        group_thin=thin,
        group_sigma=variables["group_sigma"] * s if spread.size else None,
        spread=spread[..., 0] if spread.size else None,
        nu=variables["nu"],
        **sampler,
    )


@dataclass(frozen=True)
class AnswerFit:
    """The posterior of an answer; groups as `fits.mean_structure` describes them."""

    answer: Answer
    terms: tuple[str, ...]  # of `fixef`
    fixef: MedianEstimate  # (p + added,)
    groups: MedianEstimate  # (J, p)
    sigma_group: MedianEstimate  # (q,)
    spread_of_groups: MedianEstimate  # (q,) the same, the first with what size and context account for between groups
    sigma: MedianEstimate  # () residual SD, of the typical group where groups differ; the scale of Student-t rows
    icc: MedianEstimate  # () at the predictors' means, of `spread_of_groups`
    spread: MedianEstimate | None  # () SD of the groups' log residual SDs
    nu: MedianEstimate | None  # ()

    @property
    def average(self) -> MedianEstimate:
        """(p,) of the average group: of average size, with the predictors' means in the group as over all rows."""
        p = self.groups.mean.shape[1]
        return MedianEstimate(*(getattr(self.fixef, part)[:p] for part in ("mean", "sd", "lower", "upper", "median")))


def answer_fit(model: AnswerModel, draws: PosteriorDraws) -> AnswerFit:
    apart = _spread_of_groups(model, draws)
    return AnswerFit(
        model.answer,
        model.structure.products.terms,
        estimate(draws.beta),
        estimate(model.group_draws(draws)),
        estimate(draws.sigma_group),
        estimate(apart),
        estimate(draws.sigma),
        estimate(intraclass_correlation(replace(draws, sigma_group=apart))),
        None if draws.spread is None else estimate(draws.spread),
        None if draws.nu is None else estimate(draws.nu),
    )


def _spread_of_groups(model: AnswerModel, draws: PosteriorDraws) -> Floats:
    """(C, D, q) how far groups lie apart: in their level, whether a group-level term accounts for it or not."""
    values, apart = model.structure.group_values, draws.sigma_group.copy()
    if values.shape[1] and model.varying[0] == 0:
        explained = draws.beta[..., -values.shape[1] :] @ values.T
        apart[..., 0] = np.sqrt(apart[..., 0] ** 2 + explained.var(axis=-1))
    return apart
