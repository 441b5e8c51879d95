"""Can partial pooling be trusted here, and what should be used when it cannot?"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.judgement import Judgement
from tasks.stats.records import Flavour, Verdict


def verdict(judgements: Sequence[Judgement], fullest: Flavour) -> Verdict:
    """The fullest partial-pooling fit where nothing speaks against it, else the Bayesian fit, which has the last word.

    Where something speaks against every model, none of them can be trusted as it stands.
    """
    against = {each.against for each in judgements}
    if "every model" in against:
        return Verdict("none", "bayes")
    if "partial_pooling" in against:
        return Verdict("use", "bayes")
    return Verdict("trust", f"partial_pooling.{fullest}")
