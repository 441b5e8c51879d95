"""Did the sampler explore the posterior: R-hat, ESS, E-BFMI, divergences, tree depth.

Draws that were resampled by importance have a Pareto k and effective sizes instead.

Rank-normalised split R-hat and bulk and tail ESS: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021),
arXiv:1903.08008; E-BFMI: Betancourt (2016), arXiv:1604.00695. The arithmetic is ArviZ's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.stats.bayes.resampling import HIGHEST_K, Resampled
from tasks.stats.draws import Draws
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, SamplerDiagnostics
from tasks.study.settings import Thresholds

DiagnosticName = Literal["rhat", "ess_bulk", "ess_tail", "divergences", "treedepth", "ebfmi", "weights"]


@dataclass(frozen=True)
class Diagnostic:
    """One diagnostic beside its limit."""

    name: DiagnosticName
    value: float
    limit: float
    holds: bool


def against_limits(found: SamplerDiagnostics, limits: Thresholds, chains: int) -> tuple[Diagnostic, ...]:
    """Each diagnostic beside its limit.

    R-hat must be below its limit, ESS and E-BFMI at least theirs; divergences and trees of full depth must be 0.
    Draws that were resampled have a Pareto k, which must be below its limit, and effective sizes.
    """
    ess = limits.ess_per_chain * chains
    if found.pareto_k is not None:
        return (
            Diagnostic("weights", found.pareto_k, HIGHEST_K, found.pareto_k < HIGHEST_K),
            Diagnostic("ess_bulk", found.ess_bulk_min, ess, found.ess_bulk_min >= ess),
            Diagnostic("ess_tail", found.ess_tail_min, ess, found.ess_tail_min >= ess),
        )
    return (
        Diagnostic("rhat", found.rhat_max, limits.rhat, found.rhat_max < limits.rhat),
        Diagnostic("ess_bulk", found.ess_bulk_min, ess, found.ess_bulk_min >= ess),
        Diagnostic("ess_tail", found.ess_tail_min, ess, found.ess_tail_min >= ess),
        Diagnostic("divergences", found.n_divergent, 0, found.n_divergent == 0),
        Diagnostic("treedepth", found.n_max_treedepth, 0, found.n_max_treedepth == 0),
        Diagnostic("ebfmi", found.ebfmi_min, limits.ebfmi, found.ebfmi_min >= limits.ebfmi),
    )


def judge_sampler(found: SamplerDiagnostics, limits: Thresholds, chains: int) -> tuple[Judgement, ...]:
    """One judgement per diagnostic; ESS is the smaller of bulk and tail.

    A report is published only if all diagnostics hold, so they pass; their values show by how much.
    """
    first, bulk, tail, *others = against_limits(found, limits, chains)
    least = min(bulk, tail, key=lambda one: one.value)
    return (_judgement(first.name, first), _judgement("ess", least), *(_judgement(one.name, one) for one in others))


def _judgement(kind: str, one: Diagnostic) -> Judgement:
    if one.holds:
        return Judgement(kind, "pass", "holds", value=one.value, limit=one.limit)
    return Judgement(kind, "fail", "missed", value=one.value, limit=one.limit, against="every model")


def diagnose(
    draws: Draws,
    labels: tuple[str, ...],
    terms: tuple[str, ...],
    thresholds: Thresholds,
    max_treedepth: int,
) -> SamplerDiagnostics:
    """Diagnostics of every reported quantity, and which of the thresholds do not hold."""
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
    chains = draws.beta.shape[0]
    missed = tuple(one.name for one in against_limits(found, thresholds, chains) if not one.holds)
    return replace(found, failures=missed)


def diagnose_resampled(
    found: Resampled, draws: Draws, terms: tuple[str, ...], thresholds: Thresholds
) -> SamplerDiagnostics:
    """What resampled draws are worth, and which of the thresholds do not hold."""
    names = [name for name, _ in _parameters(draws, terms)][: found.ess_bulk.size]
    made = SamplerDiagnostics(
        rhat_max=float("nan"),
        ess_bulk_min=float(found.ess_bulk.min()),
        ess_tail_min=float(found.ess_tail.min()),
        n_divergent=0,
        n_max_treedepth=0,
        ebfmi_min=float("nan"),
        worst=names[int(np.minimum(found.ess_bulk, found.ess_tail).argmin())],
        n_quantities=found.ess_bulk.size,
        n_reported=_n_parameters(draws) + draws.group_coef[0, 0].size,
        failures=(),
        pareto_k=found.pareto_k,
    )
    missed = tuple(one.name for one in against_limits(made, thresholds, draws.beta.shape[0]) if not one.holds)
    return replace(made, failures=missed)


def ebfmi_by_chain(draws: Draws) -> Floats:
    """(C,) energy Bayesian fraction of missing information."""
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.bfmi(draws.energy, chain_axis=0, draw_axis=1), dtype=float)


def _n_parameters(draws: Draws) -> int:
    q = draws.sigma_group.shape[-1]
    return draws.beta.shape[-1] + q + q * (q - 1) // 2 + len(draws.scalars)


def _quantities(draws: Draws, labels: tuple[str, ...], terms: tuple[str, ...]) -> Iterator[tuple[str, Floats]]:
    yield from _parameters(draws, terms)
    # Given the parameters, group coefficients are exact independent draws, so some of them stand for all.
    step = draws.checked_step
    checked = draws.group_coef[:, :, ::step] if draws.checked_coef is None else draws.checked_coef
    for j, label in enumerate(labels[::step]):
        for k, term in enumerate(terms[: checked.shape[-1]]):
            yield f"{term} of {label}", checked[:, :, j, k]


def _parameters(draws: Draws, terms: tuple[str, ...]) -> Iterator[tuple[str, Floats]]:
    """Fixed effects, group SDs, correlations, and what else the model has."""
    for k, term in enumerate(terms):
        yield term, draws.beta[..., k]
    q = draws.sigma_group.shape[-1]
    for k in range(q):
        yield f"group SD {k + 1}", draws.sigma_group[..., k]
    for k in range(q):
        for m in range(k):
            yield f"group correlation {m + 1}, {k + 1}", draws.correlation[..., k, m]
    yield from draws.scalars.items()
