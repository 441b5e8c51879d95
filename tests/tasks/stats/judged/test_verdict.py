"""Which model is recommended, and with what reservations."""

from __future__ import annotations

import pytest

from tasks.stats.judged.verdict import verdict
from tasks.stats.judgement import Judgement, Status
from tasks.stats.records import Verdict
from tests.posteriors import sampled

FULLEST = "varying_intercept_slope"


def judged(kind: str, status: Status = "pass", against: str = "") -> Judgement:
    return Judgement(kind, status, "", against=against)  # type: ignore[arg-type]


def concluded(*judgements: Judgement, is_answered: bool = False) -> Verdict:
    return verdict((judged("rhat"), *judgements), FULLEST, is_answered=is_answered)


def test_a_regular_fit_is_trusted() -> None:
    assert concluded(judged("pareto_k")) == Verdict("trust", f"partial_pooling.{FULLEST}")


def test_a_study_without_predictors_recommends_the_model_it_has() -> None:
    assert sampled("dyestuff").findings.verdict.recommended_model == "partial_pooling.varying_intercept"


@pytest.mark.parametrize("status", ["review", "fail"])
def test_points_that_speak_against_no_model_are_to_review(status: Status) -> None:
    assert concluded(judged("pareto_k", status)) == Verdict("trust", f"partial_pooling.{FULLEST}")


@pytest.mark.parametrize("status", ["review", "fail"])
def test_what_speaks_against_partial_pooling_makes_it_give_way_to_bayes(status: Status) -> None:
    assert concluded(judged("singularity", status, "partial_pooling")) == Verdict("use", "bayes")


def test_what_was_answered_makes_it_give_way_to_the_answer() -> None:
    against = judged("curve", "review", "partial_pooling")
    assert concluded(against, is_answered=True) == Verdict("use", "bayes_extended")


def test_an_answer_to_what_speaks_against_nothing_is_not_needed() -> None:
    assert concluded(judged("curve"), is_answered=True) == Verdict("trust", f"partial_pooling.{FULLEST}")


def test_an_answer_does_not_help_against_what_speaks_against_every_model() -> None:
    against = judged("curve", "review", "partial_pooling"), judged("serial", "fail", "every model")
    assert concluded(*against, is_answered=True) == Verdict("none", "bayes_extended")


def test_no_model_is_trusted_when_something_speaks_against_every_one() -> None:
    made = concluded(judged("singularity", "review", "partial_pooling"), judged("ess", "fail", "every model"))
    assert made == Verdict("none", "bayes")


def test_a_singular_fit_with_collapsed_intervals_gives_way() -> None:
    assert sampled("bounce_rates").findings.verdict == Verdict("use", "bayes")
