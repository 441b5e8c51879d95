"""Complete pooling (one line for all rows) and no pooling (a line per group), by least squares."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from tasks.stats.fits.cross_products import ModelCrossProducts, residual_sum_of_squares
from tasks.stats.records import CompletePooling, Floats, Gap, NoPooling

# Smallest eigenvalue of a group's X'X, scaled to a unit diagonal, that still counts as full rank.
RANK_TOLERANCE = 1e-11


def complete_pooling(products: ModelCrossProducts) -> CompletePooling:
    """Ordinary least squares on all rows, the groups ignored. Intervals are 95 % t intervals.

    Robust standard errors are those of Liang & Zeger (1986), Biometrika 73, times sqrt(J / (J - 1) (N - 1) / (N - p)).
    """
    xtx, xty = products.xtx.sum(axis=0), products.xty.sum(axis=0)
    inverse = np.linalg.inv(xtx)
    coef = inverse @ xty
    rss = float(residual_sum_of_squares(products, coef).sum())
    df = products.n_rows - products.p
    sigma = np.sqrt(rss / df) if df > 0 else np.nan
    se = sigma * np.sqrt(np.diag(inverse))
    robust_se = _clustered_se(products, coef, inverse)
    coef[0] += products.outcome_center
    half = _t_half_width(se, np.asarray(df))
    return CompletePooling(
        coef, se, robust_se, coef - half, coef + half, float(sigma), df, np.sqrt(rss / products.n_rows)
    )


def _clustered_se(products: ModelCrossProducts, coef: Floats, inverse: Floats) -> Floats:
    n_groups, n, p = len(products.labels), products.n_rows, products.p
    if n_groups < 2 or n <= p:
        return np.full(p, np.nan)
    score = (products.xty - products.xtx @ coef) @ inverse
    return np.asarray(np.sqrt((score**2).sum(axis=0) * n_groups / (n_groups - 1) * (n - 1) / (n - p)))


def no_pooling(products: ModelCrossProducts) -> NoPooling:
    """A least-squares fit per group, with its own residual SD and n_j - p degrees of freedom.

    A group of deficient rank gets NaN and the reason in `gap`; one without residual degrees of freedom
    gets an estimate but no interval.
    """
    n = np.rint(products.n).astype(np.int64)
    fits = has_full_rank(products.xtx)
    coef, inverse_diagonal = _solve_where(fits, products)
    rss = residual_sum_of_squares(products, np.where(fits[:, None], coef, 0.0))
    df = n - products.p
    sigma = np.where(fits & (df > 0), np.sqrt(rss / np.maximum(df, 1)), np.nan)
    se = sigma[:, None] * np.sqrt(inverse_diagonal)
    coef[:, 0] += products.outcome_center
    half = _t_half_width(se, df[:, None])
    rmse = np.sqrt(rss[fits].sum() / n[fits].sum()) if fits.any() else np.nan
    gap = tuple(_gap(int(rows), bool(full), products.p) for rows, full in zip(n, fits, strict=True))
    return NoPooling(n, coef, se, coef - half, coef + half, sigma, gap, float(rmse))


def has_full_rank(xtx: Floats) -> np.ndarray:
    """(J,) whether each X'X (J, p, p) identifies all p coefficients."""
    diagonal = np.sqrt(np.diagonal(xtx, axis1=1, axis2=2))
    scale = np.where(diagonal > 0, diagonal, 1.0)
    correlation = xtx / (scale[:, :, None] * scale[:, None, :])
    return np.linalg.eigvalsh(correlation)[:, 0] > RANK_TOLERANCE


def _solve_where(fits: np.ndarray, products: ModelCrossProducts) -> tuple[Floats, Floats]:
    coef = np.full(products.xty.shape, np.nan)
    inverse_diagonal = np.full(products.xty.shape, np.nan)
    inverse = np.linalg.inv(products.xtx[fits])
    coef[fits] = (inverse @ products.xty[fits][..., None])[..., 0]
    inverse_diagonal[fits] = np.diagonal(inverse, axis1=1, axis2=2)
    return coef, inverse_diagonal


def _t_half_width(se: Floats, df: np.ndarray) -> Floats:
    return stdtrit(np.maximum(df, 1), 0.975) * se


def _gap(n: int, full_rank: bool, p: int) -> Gap:
    if full_rank:
        return "" if n > p else "no interval"
    return "few rows" if n < p else "no spread"
