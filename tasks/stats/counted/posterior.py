"""From what an engine returns, or importance resampling draws, to the posterior of everything reported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tasks.stats.bayes.posterior import SAMPLER_COLUMNS, checked_step, group_thin
from tasks.stats.counted.draws import CountedDraws
from tasks.stats.counted.model import CountedModel
from tasks.stats.records import Floats


def counted_draws(variables: Mapping[str, Floats], model: CountedModel) -> CountedDraws:
    """`variables` are as an engine returns them, chain and draw first: group effects `u` (C, D, J, q) for every draw.

    Group coefficients are kept for every k-th draw where all are too many.
    """
    chains, draws, n_groups, _ = variables["u"].shape
    thin, step = group_thin(chains, draws, n_groups * model.n_own), checked_step(n_groups, model.n_own)
    some = slice(None, None, step)
    checked = None if thin == 1 else _coef(variables["beta"], variables["u"][:, :, some], model, some)
    return _draws(variables, variables["u"][:, ::thin], model, thin, checked)


def resampled_draws(variables: Mapping[str, Floats], effects: Floats, thin: int, model: CountedModel) -> CountedDraws:
    """Draws that no sampler made; `effects` (C, D / thin, J, q) are of every `thin`-th."""
    return _draws(variables, effects, model, thin, None)


def _draws(
    variables: Mapping[str, Floats], effects: Floats, model: CountedModel, thin: int, checked: Floats | None
) -> CountedDraws:
    beta = variables["beta"]
    factor, none = variables["L_group"], np.zeros(beta.shape[:2])
    return CountedDraws(
        beta=beta,
        sigma_group=variables["sigma_group"],
        correlation=factor @ np.swapaxes(factor, -1, -2),
        group_coef=_coef(beta[:, ::thin], effects, model, slice(None)),
        group_thin=thin,
        checked_coef=checked,
        checked_step=checked_step(model.cells.n_groups, model.n_own),
        dispersion=variables["dispersion"][..., 0] if model.is_overdispersed else None,
        from_chains=SAMPLER_COLUMNS["energy"] in variables,
        **{name: variables.get(column, none) for name, column in SAMPLER_COLUMNS.items()},
    )


def _coef(beta: Floats, effects: Floats, model: CountedModel, groups: slice) -> Floats:
    """(C, D, groups, p) of the study's own terms: what added terms contribute is in the intercept."""
    own = model.n_own
    coef = np.repeat(beta[:, :, None, :own], effects.shape[2], axis=2)
    coef[..., 0] += beta[..., own:] @ model.group_values[groups].T
    coef[..., list(model.varying)] += effects
    return coef
