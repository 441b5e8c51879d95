"""Can partial pooling be trusted here, and what should be used when it cannot?"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.stats.judgement import Judgement, Status
from tasks.stats.records import Flavour, Verdict


def verdict(judgements: Sequence[Judgement], fullest: Flavour) -> Verdict:
    """The fullest partial-pooling fit where nothing speaks against it, else the Bayesian fit, which has the last word.

    Where something speaks against every model, none of them can be trusted as it stands.
    """
    against = {each.against for each in judgements}
    if "every model" in against:
        return Verdict("fail", "bayes")
    if "partial_pooling" in against:
        return Verdict("review", "bayes")
    status: Status = "pass" if all(each.status == "pass" for each in judgements) else "review"
    return Verdict(status, f"partial_pooling.{fullest}")
