"""Can partial pooling be trusted here, and what should be used if it cannot?"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.judgement import Judgement
from tasks.stats.records import Flavour, Verdict


def verdict(judgements: Sequence[Judgement], fullest: Flavour) -> Verdict:
    """Recommend the fullest partial-pooling fit if no judgement speaks against it, else the Bayesian fit.

    If a judgement speaks against every model, the status is "none": no model can be trusted as it stands.
    """
    against = {each.against for each in judgements}
    if "every model" in against:
        return Verdict("none", "bayes")
    if "partial_pooling" in against:
        return Verdict("use", "bayes")
    return Verdict("trust", f"partial_pooling.{fullest}")
