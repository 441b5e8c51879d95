"""K-fold cross-validation of every model: its error on new rows of the known groups.

Rows are dealt out to folds at random within groups. Each model is fitted to all rows but a fold's (from
cross-products: those of all rows less the fold's) and predicts the fold. If the rows at hand are a
sample, only they are held out in turn; the models still learn from all other rows of the study. The
Bayesian models are not sampled again: draws are weighted by p(rows but the fold's) / p(all rows), smoothed
(see `tasks.stats.bayes.importance`), and the group effects' expectations are taken given all rows but the fold's.

How rows were dealt decides some of the error, so they are dealt anew MOST_REPEATS times, fewer where groups are many,
and each row's squared errors are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.stats.bayes.group_likelihood import expected_effects, group_log_lik, parameter_draws
from tasks.stats.bayes.importance import highest_good_k, importance_weights
from tasks.stats.bayes.stan_data import design_matrix
from tasks.stats.fits.batched_reml import batch_of_several, fit_in_blocks
from tasks.stats.fits.cross_products import ModelCrossProducts, centre_scaled, cross_products
from tasks.stats.fits.pooling import has_full_rank
from tasks.stats.records import Flavour, Floats, GroupedData, PartialPooling, PosteriorDraws, Scaling

TARGET = "a new row in a known group"
MOST_FOLDS, FEWER_FOLDS = 10, 5
MOST_REPEATS = 3
REPEATED_WORK = 8000  # groups times squared varying effects, times folds and repeats
# With more groups times squared varying effects than this, refits are so slow that there are FEWER_FOLDS.
LARGE = 20_000
# Most likelihoods computed, draws times groups times folds; if there would be more, draws are thinned.
VALUES_LIMIT = 20_000_000
DRAWS_LIMIT, FEWEST_DRAWS = 4000, 200


@dataclass(frozen=True)
class ModelError:
    """One model's out-of-sample error in the outcome's unit."""

    model: str  # a path under `fits` in summary.json
    rmse: float
    difference: float  # from the best model's RMSE; 0 for the best
    difference_se: float  # from the paired differences in squared error, row by row


@dataclass(frozen=True)
class CrossValidation:
    models: tuple[ModelError, ...]
    best: str  # model of the smallest error
    n_folds: int
    n_rows: int  # predicted by every model, once per repeat
    n_fallback_rows: int  # whose group cannot carry its own fit, so that no pooling uses complete pooling's line
    pareto_k_max: float  # of the folds' importance weights, the largest of both Bayesian models
    pareto_k_threshold: float
    n_draws_used: int
    n_repeats: int  # how often rows were dealt into folds; each row's squared errors are averaged

    def has(self, model: str) -> bool:
        return any(error.model == model for error in self.models)

    def of(self, model: str) -> ModelError:
        return next(error for error in self.models if error.model == model)


@dataclass(frozen=True)
class BayesModel:
    """A Bayesian model on the same rows, with terms of its own, its rows normal and independent given the groups."""

    data: GroupedData
    products: ModelCrossProducts
    scaling: Scaling
    varying: tuple[int, ...]
    draws: PosteriorDraws


@dataclass(frozen=True)
class _Folds:
    fold: np.ndarray  # (N,)
    held_out: Floats  # (K, J, p + 1, p + 1) cross-products of each fold's rows
    others: Floats  # (J, p + 1, p + 1) of rows that are in no fold

    def training(self, products: ModelCrossProducts, fold: int) -> ModelCrossProducts:
        """The cross-products of all rows but the fold's.

        They are summed, not subtracted, so that those of a group without rows left are exactly 0.
        """
        kept = np.delete(self.held_out, fold, axis=0).sum(axis=0)
        return replace(products, gram=self.others + kept)


@dataclass(frozen=True)
class _Repeat:
    squared_errors: dict[str, Floats]  # (N,) by model
    is_fallback: np.ndarray  # (N,) predicted by complete pooling's line for want of the group's own
    pareto_k_max: float
    n_draws_used: int


def cross_validation(
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    partial: Mapping[Flavour, PartialPooling],
    bayes: Mapping[str, BayesModel],
    pareto_k_threshold: float | None,
    seed: int,
) -> CrossValidation | None:
    """Every model's error; None if there are too few rows to leave any out.

    `products` are of all the study's rows, `data` may be a sample. `bayes` holds the Bayesian models by name.
    """
    work = data.n_groups * max(len(fit.varying) for fit in partial.values()) ** 2
    n_folds = _n_folds(data.n_rows, work)
    repeats = []
    for repeat in range(_n_repeats(work * n_folds)):
        folds = _folds(data, products, scaling, n_folds, [seed, repeat])
        training = [folds.training(products, k) for k in range(n_folds)]
        if not _can_be_fitted(training, products.p):
            return None
        predicted = {name: _bayes(model, n_folds, [seed, repeat]) for name, model in bayes.items()}
        repeats.append(_repeat(data, products, scaling, partial, predicted, folds, training))
    models = compare(
        {name: np.mean([each.squared_errors[name] for each in repeats], axis=0) for name in repeats[0].squared_errors}
    )
    return CrossValidation(
        models=models,
        best=min(models, key=lambda error: error.rmse).model,
        n_folds=n_folds,
        n_rows=data.n_rows,
        n_fallback_rows=int(np.any([each.is_fallback for each in repeats], axis=0).sum()),
        pareto_k_max=max(each.pareto_k_max for each in repeats),
        pareto_k_threshold=highest_good_k(repeats[0].n_draws_used, pareto_k_threshold),
        n_draws_used=repeats[0].n_draws_used,
        n_repeats=len(repeats),
    )


def _can_be_fitted(training: list[ModelCrossProducts], p: int) -> bool:
    """Whether the rows outside each fold are enough, and differ enough, for one line through them all."""
    if min(rows.n_rows for rows in training) <= p + 1:
        return False
    return bool(has_full_rank(np.array([rows.xtx.sum(axis=0) for rows in training])).all())


def _repeat(
    data: GroupedData,
    products: ModelCrossProducts,
    scaling: Scaling,
    partial: Mapping[Flavour, PartialPooling],
    bayes: Mapping[str, _Predicted],
    folds: _Folds,
    training: list[ModelCrossProducts],
) -> _Repeat:
    """Every row's squared error by every model, with one way of dealing the rows."""
    complete = [_complete(rows) for rows in training]
    own = [_no_pooling(rows, fallback) for rows, fallback in zip(training, complete, strict=True)]
    coefficients: dict[str, Sequence[Floats] | Floats] = {
        "complete_pooling": complete,
        "no_pooling": [coef for coef, _ in own],
        **{f"partial_pooling.{name}": _partial(training, fit) for name, fit in partial.items()},
    }
    errors = {name: _squared_errors(data, products, scaling, folds, coef) for name, coef in coefficients.items()}
    return _Repeat(
        errors | {name: each.squared_errors for name, each in bayes.items()},
        np.array([~is_fitted for _, is_fitted in own])[folds.fold, data.group_index],
        max(each.pareto_k_max for each in bayes.values()),
        min(each.n_draws for each in bayes.values()),
    )


def deal(group_index: np.ndarray, n_folds: int, seed: int | list[int]) -> np.ndarray:
    """(N,) each row's fold. Every group's rows are spread evenly over the folds, whatever the groups' order.

    Rows are put in random order, and groups in the order of their first row. Rows are then dealt group by group
    without starting anew, so that folds are of equal size too.
    """
    priority = np.random.default_rng(seed).permutation(group_index.size)
    first = np.full(int(group_index.max()) + 1, group_index.size)
    np.minimum.at(first, group_index, priority)
    order = np.lexsort((priority, first[group_index]))
    fold = np.empty(group_index.size, dtype=np.int64)
    fold[order] = np.arange(group_index.size) % n_folds
    return fold


def compare(squared_errors: Mapping[str, Floats]) -> tuple[ModelError, ...]:
    """RMSE per model, and its difference from the best's. `squared_errors` are (N,), of the same rows in one order.

    RMSE_a - RMSE_b = (MSE_a - MSE_b) / (RMSE_a + RMSE_b); the standard error is that of the mean paired difference,
    over the same sum, as if rows were independent (their predictions share fits: Bengio & Grandvalet 2004).
    """
    rmse = {name: float(np.sqrt(squared.mean())) for name, squared in squared_errors.items()}
    best = min(rmse, key=lambda name: rmse[name])

    def difference_se(name: str) -> float:
        paired = squared_errors[name] - squared_errors[best]
        both = rmse[name] + rmse[best]
        return float(paired.std(ddof=1) / np.sqrt(paired.size) / both) if both > 0 else 0.0

    return tuple(ModelError(name, rmse[name], rmse[name] - rmse[best], difference_se(name)) for name in rmse)


def _n_folds(n_rows: int, work: int) -> int:
    return min(MOST_FOLDS if work <= LARGE else FEWER_FOLDS, n_rows)


def _n_repeats(work: int) -> int:
    """MOST_REPEATS, or as many as keep all refits within REPEATED_WORK; one at least.

    With many groups there are many rows, so that it hardly matters how they were dealt.
    """
    return int(np.clip(REPEATED_WORK // work, 1, MOST_REPEATS))


def _folds(data: GroupedData, products: ModelCrossProducts, scaling: Scaling, n_folds: int, seed: list[int]) -> _Folds:
    fold = deal(data.group_index, n_folds, seed)
    by_fold = replace(data, group_index=fold * data.n_groups + data.group_index, labels=data.labels * n_folds)
    held_out = centre_scaled(cross_products(by_fold), scaling).gram
    held_out = held_out.reshape(n_folds, data.n_groups, *held_out.shape[1:])
    others = products.gram - held_out.sum(axis=0)
    others[np.rint(others[:, 0, 0]) == 0] = 0.0
    return _Folds(fold, held_out, others)


def _complete(training: ModelCrossProducts) -> Floats:
    """(J, p)"""
    coef = np.linalg.solve(training.xtx.sum(axis=0), training.xty.sum(axis=0))
    return np.tile(coef, (len(training.labels), 1))


def _no_pooling(training: ModelCrossProducts, fallback: Floats) -> tuple[Floats, np.ndarray]:
    """Coefficients (J, p), and (J,) whether a group's own rows carry them; if not, they are from `fallback`."""
    is_fitted = (np.rint(training.n) >= training.p) & has_full_rank(training.xtx)
    coef = fallback.copy()
    coef[is_fitted] = np.linalg.solve(training.xtx[is_fitted], training.xty[is_fitted][..., None])[..., 0]
    return coef, is_fitted


def _partial(training: list[ModelCrossProducts], fit: PartialPooling) -> Floats:
    """(K, J, p) fitted by REML to each fold's training rows, started from the fit to all rows."""
    found = fit_in_blocks(batch_of_several(training, fit.varying), fit.cov / fit.sigma**2)
    coef = np.repeat(found.fixef[:, None], len(training[0].labels), axis=1)
    coef[:, :, list(fit.varying)] += np.swapaxes(found.modes, 1, 2)
    return coef


@dataclass(frozen=True)
class _Predicted:
    squared_errors: Floats  # (N,)
    pareto_k_max: float
    n_draws: int


def _bayes(model: BayesModel, n_folds: int, seed: list[int]) -> _Predicted:
    """Rows predicted by posterior mean coefficients given all rows but those of their fold."""
    folds, varying = _folds(model.data, model.products, model.scaling, n_folds, seed), model.varying
    training = [folds.training(model.products, k) for k in range(n_folds)]
    limit = int(np.clip(VALUES_LIMIT // (len(model.products.labels) * n_folds), FEWEST_DRAWS, DRAWS_LIMIT))
    at = parameter_draws(model.draws, model.products.outcome_center, limit)
    whole = group_log_lik(model.products.gram, varying, at).sum(axis=1)
    log_ratio = np.column_stack([group_log_lik(rows.gram, varying, at).sum(axis=1) - whole for rows in training])
    log_weights, pareto_k = importance_weights(log_ratio)
    coefficients = []
    for rows, weights in zip(training, np.exp(log_weights), strict=True):
        coef = np.tile(weights @ at.beta, (len(rows.labels), 1))
        coef[:, list(varying)] += expected_effects(rows.gram, varying, at, weights)
        coefficients.append(coef)
    errors = _squared_errors(model.data, model.products, model.scaling, folds, coefficients)
    return _Predicted(errors, float(pareto_k.max()), len(at.sigma))


def _squared_errors(
    data: GroupedData, products: ModelCrossProducts, scaling: Scaling, folds: _Folds, coef: Sequence[Floats] | Floats
) -> Floats:
    """(N,) squared errors of the rows, each predicted by the coefficients (J, p) of its own fold."""
    chosen = np.array(coef)[folds.fold, data.group_index]
    expected = (design_matrix(data, scaling) * chosen).sum(axis=1)
    return np.asarray((data.y - products.outcome_center - expected) ** 2)
