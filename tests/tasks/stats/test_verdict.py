"""Which model is recommended, and with what reservations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.stats.intervals import compare_intervals
from tasks.stats.records import Check, Status, Verdict
from tasks.stats.verdict import OWN_CHECKS, verdict
from tests.posteriors import Sampled, sampled


def check(name: str, status: Status = "pass") -> Check:
    return Check(name, status, None, None, f"About {name}.", "")


def judged(have: Sampled, *checks: Check, **change: object) -> Verdict:
    partial = dict(have.partial)
    flavour = list(partial)[-1]
    partial[flavour] = replace(partial[flavour], **change)  # type: ignore[arg-type]
    intervals = compare_intervals(partial[flavour], have.bayes, have.data.terms, 0.5)
    return verdict(have.study, replace(have.findings, partial=partial, intervals=intervals), checks)


def test_a_regular_fit_is_trusted() -> None:
    made = judged(sampled("sleepstudy"), check("rhat"), check("pareto_k"))
    assert made.status == "trust"
    assert made.recommended_model == "partial_pooling.varying_intercept_slope"
    assert made.headline == "Partial pooling can be trusted here."
    assert "Simpson" not in made.reason


def test_a_study_without_predictors_recommends_the_model_it_has() -> None:
    assert judged(sampled("dyestuff")).recommended_model == "partial_pooling.varying_intercept"


def test_points_to_review_are_announced() -> None:
    made = judged(sampled("sleepstudy"), check("rhat"), check("pareto_k", "review"))
    assert made.status == "trust"
    assert made.recommended_model == "partial_pooling.varying_intercept_slope"
    assert "review" in made.headline


def test_a_singular_fit_gives_way_to_bayes() -> None:
    made = judged(sampled("bounce_rates"), check("rhat"))
    assert (made.status, made.recommended_model) == ("use", "bayes")
    assert "singular" in made.reason
    assert "its intervals for age by group have collapsed" in made.reason
    assert "Simpson's paradox" in made.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [({"is_singular": True}, "The REML fit is singular"), ({"converged": False}, "The REML fit did not converge")],
)
def test_either_flag_alone_is_a_reason(change: dict[str, object], words: str) -> None:
    made = judged(sampled("sleepstudy"), check("rhat"), **change)
    assert (made.status, made.recommended_model) == ("use", "bayes")
    assert words in made.reason


def test_few_groups_are_a_reason() -> None:
    have = sampled("sleepstudy")
    study = have.study.model_copy(update={"thresholds": have.study.thresholds.model_copy(update={"few_groups": 19})})
    made = judged(replace(have, study=study))
    assert made.recommended_model == "bayes"
    assert "18 groups are too few" in made.reason


@pytest.mark.parametrize("name", OWN_CHECKS)
def test_no_model_is_trusted_when_the_posterior_itself_fails(name: str) -> None:
    made = judged(sampled("sleepstudy"), check(name, "fail"), check("singularity"))
    assert (made.status, made.recommended_model) == ("none", "bayes")
    assert made.reason == f"About {name}."


@pytest.mark.parametrize("name", ["intervals_age", "simpson_age", "convergence"])
def test_failures_of_other_models_are_points_to_review(name: str) -> None:
    assert judged(sampled("sleepstudy"), check(name, "fail")).status == "trust"
