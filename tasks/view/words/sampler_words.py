"""Which of the sampler's thresholds were missed, in words, each with its value and its limit."""

from __future__ import annotations

from tasks.stats.bayes.diagnostics import Diagnostic, against_limits
from tasks.stats.records import SamplerDiagnostics
from tasks.study.settings import Thresholds


def missed_in_words(found: SamplerDiagnostics, limits: Thresholds, chains: int) -> list[str]:
    """A clause per missed threshold; empty if all thresholds hold."""
    return [_in_words(one) for one in against_limits(found, limits, chains) if not one.holds]


def _in_words(one: Diagnostic) -> str:
    n = int(one.value) if one.name in ("divergences", "treedepth") else 0
    return {
        "rhat": f"R-hat {one.value:.3f} is not below {one.limit:g}",
        "ess_bulk": f"bulk ESS {one.value:.0f} is below {one.limit:g}",
        "ess_tail": f"tail ESS {one.value:.0f} is below {one.limit:g}",
        "divergences": f"{n} divergent transition{'s'[: n != 1]}",
        "treedepth": f"{n} transition{'s'[: n != 1]} at the largest tree depth",
        "weights": f"Pareto k {one.value:.2f} is not below {one.limit:g}",
        "ebfmi": f"E-BFMI {one.value:.2f} is below {one.limit:g}",
    }[one.name]
