"""Can partial pooling be trusted here, and what should be used when it cannot?"""

from __future__ import annotations

from tasks.stats.checks import ABOUT_AS_WIDE, FLAVOUR_WORDS, flat_terms
from tasks.stats.records import (
    Check,
    Findings,
    IntervalComparison,
    PartialPooling,
    SimpsonCheck,
    Status,
    Verdict,
)
from tasks.stats.study import Study

# Checks of the recommended model itself: when one of these fails, no model here can be trusted.
OWN_CHECKS = ("rhat", "ess", "divergences", "treedepth", "ebfmi", "predictive_groups")


def verdict(study: Study, found: Findings, checks: tuple[Check, ...]) -> Verdict:
    """The fullest partial-pooling fit when it is regular, the Bayesian fit when it is not."""
    flavour, fit = list(found.partial.items())[-1]
    intervals, simpson = found.intervals, found.simpson
    n_groups = len(fit.coef)
    reasons = _reasons_against(fit, intervals, n_groups, study)
    worst = _status(checks)
    if worst == "fail":
        return Verdict("none", "No model here can be trusted as it stands.", _failed(checks), "bayes")
    simpson_words = _simpson_words(simpson)
    if reasons:
        instead = "The Bayesian fit keeps that uncertainty and has intervals for every group."
        headline = "Use the Bayesian fit: partial pooling by REML cannot be trusted here."
        return Verdict("use", headline, f"{_sentence(reasons)} {simpson_words}{instead}", "bayes")
    reason = (
        f"The model with {FLAVOUR_WORDS[flavour]} is regular, converged, and its intervals {_as_wide(intervals)}. "
        f"{simpson_words}"
    ).strip()
    headline = "Partial pooling can be trusted here."
    if worst == "review":
        headline = "Partial pooling can be trusted here; read the points marked review first."
    return Verdict("trust", headline, reason, f"partial_pooling.{flavour}")


def _as_wide(intervals: tuple[IntervalComparison, ...]) -> str:
    narrowest = min((comparison.ratio for comparison in intervals), default=1.0)
    if narrowest >= ABOUT_AS_WIDE:
        return "are about as wide as the Bayesian ones"
    return f"have not collapsed, though they are only {narrowest:.0%} as wide as the Bayesian ones"


def _reasons_against(
    fit: PartialPooling, intervals: tuple[IntervalComparison, ...], n_groups: int, study: Study
) -> list[str]:
    collapsed = [comparison.term for comparison in intervals if comparison.is_collapsed]
    reasons = []
    if not fit.converged:
        reasons.append("the REML fit did not converge")
    if fit.is_singular:
        reasons.append(f"the REML fit is singular ({singular_words(fit, study)})")
    if collapsed:
        reasons.append(f"its intervals for {' and '.join(collapsed)} by group have collapsed (far too narrow)")
    if n_groups < study.thresholds.few_groups:
        reasons.append(f"{n_groups} groups are too few to estimate how much groups differ")
    return reasons


def singular_words(fit: PartialPooling, study: Study) -> str:
    """What a singular fit takes for certain."""
    flat = flat_terms(fit, study)
    if flat:
        return f"it takes the groups' differences in {' and '.join(flat)} to be exactly 0"
    return "it takes two effects of a group to go together perfectly"


def _sentence(reasons: list[str]) -> str:
    text = reasons[0] if len(reasons) == 1 else f"{', '.join(reasons[:-1])} and {reasons[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _simpson_words(simpson: tuple[SimpsonCheck, ...]) -> str:
    misleading = [check.term for check in simpson if check.is_misleading]
    if not misleading:
        return ""
    return f"Looking at all rows at once misleads about {' and '.join(misleading)} (Simpson's paradox). "


def _status(checks: tuple[Check, ...]) -> Status:
    if any(check.status == "fail" and check.name in OWN_CHECKS for check in checks):
        return "fail"
    return "pass" if all(check.status == "pass" for check in checks) else "review"


def _failed(checks: tuple[Check, ...]) -> str:
    return " ".join(check.message for check in checks if check.status == "fail" and check.name in OWN_CHECKS)
