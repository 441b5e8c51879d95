"""Each judgement passes, asks for review or fails, on findings made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.bayes.diagnostics import judge_sampler
from tasks.stats.bayes.loo import judge_pareto_k
from tasks.stats.fits.group_sizes import judge_count, judge_sizes
from tasks.stats.fits.intervals import compare_intervals, judge_intervals
from tasks.stats.fits.partial_pooling import judge_convergence
from tasks.stats.fits.pooling import no_pooling
from tasks.stats.fits.singularity import flat_terms, judge_singularity
from tasks.stats.judged.predictive import judge_predictive, predictive_check, statistics_off
from tasks.stats.judged.simpson import judge_simpson
from tasks.stats.judgement import Judgement
from tasks.stats.records import NoPooling, PredictiveCheck, SimpsonCheck
from tasks.stats.rows.data_findings import DataFindings, judge_freshness, judge_rejected
from tests.datasets import model_of, simulated
from tests.posteriors import Sampled, sampled
from tests.said import by_name, context_of_sampled


def judgements(have: Sampled) -> dict[str, Judgement]:
    made = have.findings.judgements
    assert len({each.name for each in made}) == len(made)
    return {each.name: each for each in made}


def statuses(name: str) -> dict[str, str]:
    return {name: each.status for name, each in judgements(sampled(name)).items() if each.status != "pass"}


def test_bounce_rates_is_singular_and_collapsed() -> None:
    found = statuses("bounce_rates")
    found.pop("prior_sensitivity", None)  # 0.095 +- 0.006 over seeds, its limit 0.1: either is right
    assert found == {
        "singularity": "review",
        "intervals_age": "fail",
        "implied_coverage_age": "review",
    }
    leaning = by_name(context_of_sampled(sampled("bounce_rates")))["prior_sensitivity"]
    assert leaning.value == pytest.approx(0.095, abs=0.03)
    assert "how far groups lie apart in their level" in leaning.message
    assert "With 8 groups" in leaning.message


def test_sleepstudy_passes_but_for_its_outlying_rows() -> None:
    found = statuses("sleepstudy")
    assert set(found) <= {"pareto_k", "posterior_predictive", "loo_pit"}
    assert "fail" not in found.values()


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_every_check_that_does_not_pass_says_what_to_do(name: str) -> None:
    for check in by_name(context_of_sampled(sampled(name))).values():
        assert check.message.endswith(".")
        assert bool(check.advice) is (check.status != "pass")


@pytest.mark.parametrize(("rejected", "status", "value"), [(0, "pass", 0.0), (3, "review", 0.03)])
def test_rejected_rows(rejected: int, status: str, value: float) -> None:
    made = judge_rejected(DataFindings(100 - rejected, rejected), 0.05)
    assert (made.status, made.value, made.limit) == (status, value, 0.05)


def test_a_file_that_could_not_be_used_is_for_review() -> None:
    made = judge_rejected(DataFindings(100, 0, n_set_aside=1), 0.05)
    assert (made.status, made.value) == ("review", 0.0)


@pytest.mark.parametrize(("groups", "status"), [(4, "review"), (5, "pass")])
def test_group_count(groups: int, status: str) -> None:
    made = judge_count(groups, 5)
    assert (made.status, bool(made.against)) == (status, status == "review")


def fits_of(sizes: list[int]) -> NoPooling:
    return no_pooling(model_of(simulated(1, sizes))[0])


@pytest.mark.parametrize(
    ("sizes", "status"), [([5, 6, 7], "pass"), ([1, 6, 7], "review"), ([2, 6, 7], "review"), ([1, 2, 7], "review")]
)
def test_group_sizes(sizes: list[int], status: str) -> None:
    made = judge_sizes(fits_of(sizes))
    assert (made.status, made.value) == (status, min(sizes))


SLOPES = SimpsonCheck(
    "age", 4.0, 0.1, 0.2, 1.0, 0.1, 6.0, 1.0, 5.0, 3.0, 7.0, is_blend=False, is_misleading=False, is_reversed=False
)


@pytest.mark.parametrize(
    ("change", "status", "case"),
    [
        ({}, "pass", "agrees"),
        ({"is_blend": True}, "pass", "blend"),
        ({"is_blend": True, "is_misleading": True}, "review", "misleading"),
        ({"is_blend": True, "is_misleading": True, "is_reversed": True, "within": -1.0}, "fail", "reversed"),
        ({"within": np.nan}, "pass", "not within"),
    ],
)
def test_simpson_paradox(change: dict, status: str, case: str) -> None:
    (made,) = judge_simpson((replace(SLOPES, **change),), None)
    assert (made.name, made.term, made.status, made.case) == ("simpson_age", "age", status, case)
    if "within" not in change:
        assert (made.value, made.limit) == (4.0, 1.0)


def test_convergence_counts_the_fits_that_failed() -> None:
    partial = dict(sampled("sleepstudy").partial)
    assert judge_convergence(partial)[0].status == "pass"
    partial["varying_slope"] = replace(partial["varying_slope"], converged=False)
    made = judge_convergence(partial)[0]
    assert (made.status, made.value, made.against) == ("fail", 1, "partial_pooling")


def test_singularity_says_which_variance_is_gone() -> None:
    have = sampled("dyestuff2")
    made = judge_singularity(have.fullest, 1e-4)[0]
    assert (made.status, made.value, made.limit, made.case) == ("review", 0.0, 1e-4, "no spread")
    assert flat_terms(have.fullest, 1e-4) == (0,)
    limit = sampled("bounce_rates").fullest
    made = judge_singularity(limit, 1e-4)[0]
    assert (made.status, made.case) == ("review", "perfect correlation")
    assert flat_terms(limit, 1e-4) == ()


def test_singularity_follows_the_studys_tolerance() -> None:
    have = sampled("sleepstudy")
    assert judge_singularity(have.fullest, 1e-4)[0].status == "pass"
    made = judge_singularity(replace(have.fullest, is_singular=True), 0.7)[0]
    assert made.value == pytest.approx(np.sqrt(np.linalg.eigvalsh(have.fullest.cov)[0]) / have.fullest.sigma)
    assert flat_terms(have.fullest, 0.7) == (1,)


@pytest.mark.parametrize(
    ("ratio", "status", "case"), [(0.2, "fail", "collapsed"), (0.6, "pass", "narrow"), (0.9, "pass", "as wide")]
)
def test_collapsed_intervals(ratio: float, status: str, case: str) -> None:
    have = sampled("sleepstudy")
    comparison = compare_intervals(have.fullest, have.bayes.groups, have.data.terms, 0.5)[1]
    changed = replace(comparison, ratio=ratio, implied_coverage=0.3, is_collapsed=ratio < 0.5)
    (made,) = judge_intervals((changed,), 0.5)
    assert (made.name, made.status, made.value, made.case) == ("intervals_Days", status, ratio, case)


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({}, set()),
        ({"rhat_max": 1.02}, {"rhat"}),
        ({"ess_bulk_min": 350.0}, {"ess"}),
        ({"ess_tail_min": 350.0}, {"ess"}),
        ({"n_divergent": 1}, {"divergences"}),
        ({"n_max_treedepth": 2}, {"treedepth"}),
        ({"ebfmi_min": 0.2}, {"ebfmi"}),
        ({"rhat_max": np.nan}, {"rhat"}),
    ],
)
def test_sampler(change: dict, failing: set[str]) -> None:
    have = sampled("sleepstudy")
    attempt = have.attempts[-1]
    made = judge_sampler(replace(attempt.diagnostics, **change), have.study.thresholds, attempt.chains)
    assert {each.kind for each in made if each.status == "fail"} == failing
    assert {each.kind for each in made if each.against == "every model"} == failing
    assert [each.kind for each in made] == ["rhat", "ess", "divergences", "treedepth", "ebfmi"]


@pytest.mark.parametrize(("high", "status"), [(0, "pass"), (2, "review")])
def test_pareto_k(high: int, status: str) -> None:
    assert judge_pareto_k(replace(sampled("sleepstudy").bayes.loo, n_high_pareto_k=high))[0].status == status


def predictive(*p_values: float, outside: int = 0) -> PredictiveCheck:
    have = sampled("sleepstudy")
    made = predictive_check(have.data, have.draws, have.scaling, 0.025, 1)
    overall = tuple(replace(s, posterior_predictive_p_value=p) for s, p in zip(made.overall, p_values, strict=False))
    return replace(made, overall=overall, n_groups_outside=outside)


@pytest.mark.parametrize(
    ("p_values", "status", "named"),
    [
        ((0.5, 0.4, 0.3, 0.6), "pass", ()),
        ((0.5, 0.02, 0.98, 0.6), "pass", ()),  # each is held to a quarter of the tail
        ((0.5, 0.001, 0.3, 0.6), "review", ("skewness",)),
        ((0.5, 0.4, 0.001, 0.999), "review", ("minimum", "maximum")),
    ],
)
def test_predictive_statistics(p_values: tuple[float, ...], status: str, named: tuple[str, ...]) -> None:
    found = predictive(*p_values)
    made, _ = judge_predictive(found, 0.025)
    assert (made.status, made.limit) == (status, 0.00625)
    assert made.value == pytest.approx(min(min(p, 1 - p) for p in p_values))
    assert tuple(one.name for one in statistics_off(found, 0.025)) == named


@pytest.mark.parametrize(("outside", "status"), [(0, "pass"), (5, "pass"), (6, "fail"), (18, "fail")])
def test_predictive_groups_of_eighteen(outside: int, status: str) -> None:
    """Up to 5 of 18 are chance; above a quarter of them the model misses the groups."""
    _, made = judge_predictive(predictive(0.5, outside=outside), 0.025)
    assert (made.status, made.limit, made.value) == (status, 5, outside)
    assert (made.against == "every model") is (status == "fail")


def test_predictive_groups_of_many_are_first_for_review() -> None:
    made = predictive(0.5, outside=12)
    many = replace(made, group_p_value=np.full(100, 0.5), n_groups_outside_limit=11)
    assert judge_predictive(many, 0.025)[1].status == "review"


def test_freshness_is_judged_only_where_a_limit_is_set() -> None:
    assert judge_freshness(3.0, None) == ()
    assert judge_freshness(None, 7.0) == ()
    (fresh,), (old,) = judge_freshness(6.96, 7.0), judge_freshness(8.04, 7.0)
    assert (fresh.name, fresh.status, fresh.value, fresh.limit) == ("freshness", "pass", 7.0, 7.0)
    assert (old.status, old.value) == ("review", 8.0)
