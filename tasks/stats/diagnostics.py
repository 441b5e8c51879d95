"""Did the sampler explore the posterior: R-hat, ESS, E-BFMI, divergences, tree depth.

Rank-normalised split R-hat and bulk and tail ESS: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021),
arXiv:1903.08008; E-BFMI: Betancourt (2016), arXiv:1604.00695. The arithmetic is ArviZ's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tasks.stats.posterior import intraclass_correlation
from tasks.stats.records import Floats, PosteriorDraws, SamplerDiagnostics
from tasks.stats.study import Thresholds


def diagnose(
    draws: PosteriorDraws,
    labels: tuple[str, ...],
    terms: tuple[str, ...],
    thresholds: Thresholds,
    max_treedepth: int,
) -> SamplerDiagnostics:
    """Diagnostics of every reported quantity, and in words which thresholds do not hold."""
    from arviz_stats.base import array_stats

    names, values = zip(*_quantities(draws, labels, terms), strict=True)
    axes = {"chain_axis": 0, "draw_axis": 1}
    rhat = np.array([float(array_stats.rhat(v, **axes)) for v in values])
    bulk = min(float(array_stats.ess(v, method="bulk", **axes)) for v in values)
    tail = min(float(array_stats.ess(v, method="tail", prob=(0.025, 0.975), **axes)) for v in values)
    found = SamplerDiagnostics(
        rhat_max=float(rhat.max()),
        ess_bulk_min=bulk,
        ess_tail_min=tail,
        n_divergent=int(draws.divergent.sum()),
        n_max_treedepth=int((draws.treedepth >= max_treedepth).sum()),
        ebfmi_min=float(ebfmi_by_chain(draws).min()),
        worst=names[int(rhat.argmax())],
        n_quantities=len(names),
        n_reported=_n_parameters(draws) + draws.group_coef[0, 0].size,
        failures=(),
    )
    return _with_failures(found, thresholds, chains=draws.sigma.shape[0])


def ebfmi_by_chain(draws: PosteriorDraws) -> Floats:
    """(C,) energy Bayesian fraction of missing information."""
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.bfmi(draws.energy, chain_axis=0, draw_axis=1), dtype=float)


def _n_parameters(draws: PosteriorDraws) -> int:
    q = draws.sigma_group.shape[-1]
    return draws.beta.shape[-1] + q + q * (q - 1) // 2 + 2


def _quantities(draws: PosteriorDraws, labels: tuple[str, ...], terms: tuple[str, ...]) -> Iterator[tuple[str, Floats]]:
    for k, term in enumerate(terms):
        yield term, draws.beta[..., k]
    q = draws.sigma_group.shape[-1]
    for k in range(q):
        yield f"group SD {k + 1}", draws.sigma_group[..., k]
        for m in range(k):
            yield f"group correlation {m + 1}, {k + 1}", draws.correlation[..., k, m]
    yield "residual SD", draws.sigma
    yield "ICC", intraclass_correlation(draws)
    # Given the parameters above, group coefficients are exact independent draws: some of them tell of all.
    step = draws.checked_step
    checked = draws.group_coef[:, :, ::step] if draws.checked_coef is None else draws.checked_coef
    for j, label in enumerate(labels[::step]):
        for k, term in enumerate(terms):
            yield f"{term} of {label}", checked[:, :, j, k]


def _with_failures(found: SamplerDiagnostics, thresholds: Thresholds, chains: int) -> SamplerDiagnostics:
    least_ess = thresholds.ess_per_chain * chains
    rules = [
        (found.rhat_max < thresholds.rhat, f"R-hat {found.rhat_max:.3f} is not below {thresholds.rhat:g}"),
        (found.ess_bulk_min >= least_ess, f"bulk ESS {found.ess_bulk_min:.0f} is below {least_ess:g}"),
        (found.ess_tail_min >= least_ess, f"tail ESS {found.ess_tail_min:.0f} is below {least_ess:g}"),
        (found.ebfmi_min >= thresholds.ebfmi, f"E-BFMI {found.ebfmi_min:.2f} is below {thresholds.ebfmi:g}"),
        (found.n_divergent == 0, f"{found.n_divergent} divergent transition{'s'[: found.n_divergent != 1]}"),
        (found.n_max_treedepth == 0, f"{found.n_max_treedepth} transitions at the largest tree depth"),
    ]
    failures = tuple(words for holds, words in rules if not holds)
    return SamplerDiagnostics(**{**vars(found), "failures": failures})
