"""Can partial pooling be trusted here, and what should be used if it cannot?"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.judgement import Judgement
from tasks.stats.records import Flavour, Verdict


def verdict(judgements: Sequence[Judgement], fullest: Flavour, *, is_answered: bool) -> Verdict:
    """Recommend the fullest partial-pooling fit if no judgement speaks against it, else a Bayesian fit.

    That is the extended one if what was found has been answered by one. If a judgement speaks against every model, the
    status is "none": no model can be trusted as it stands.
    """
    against = {each.against for each in judgements}
    bayes = "bayes_extended" if is_answered else "bayes"
    if "every model" in against:
        return Verdict("none", bayes)
    if "partial_pooling" in against:
        return Verdict("use", bayes)
    return Verdict("trust", f"partial_pooling.{fullest}")
