from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.records import Check, Verdict
from tasks.view import answers, wording
from tasks.view.context import Context
from tests import factories


def context_of(case):
    return Context(case.study, case.findings, case.data, case.draws, case.rejections)


@pytest.fixture
def singular():
    return context_of(factories.singular_case())


@pytest.fixture
def regular():
    return context_of(factories.regular_case())


def changed(context, **findings):
    return replace(context, findings=replace(context.findings, **findings))


def with_bayes(context, **parts):
    return changed(context, bayes=replace(context.findings.bayes, **parts))


def test_groups_apart_are_named_and_every_group_is_counted_once(singular):
    above, below = answers.apart_from_average(singular)
    probability = singular.findings.ranks.terms[0].above
    said = answers.which_groups(singular)
    for group, label in enumerate(singular.labels):
        assert (group in above) == (probability[group] >= 0.975)
        assert (group in below) == (probability[group] <= 0.025)
        apart, _, close = said.partition("Too close to call: ")
        assert (label in apart) is (group in {*above, *below})
        assert (label in close) is (group not in {*above, *below})


def test_without_ranks_a_group_is_called_different_only_when_its_whole_interval_is(singular):
    unranked = changed(singular, ranks=None)
    above, below = answers.apart_from_average(unranked)
    bands, average = singular.recommended, answers.average_of_groups(singular)
    for group in range(singular.n_groups):
        inside = bands.lower[group, 0] <= average <= bands.upper[group, 0]
        assert (group in {*above, *below}) is not inside


def test_where_nobody_is_clearly_apart_no_group_is_named(singular):
    ranked = singular.findings.ranks
    level = replace(ranked.terms[0], above=np.full(singular.n_groups, 0.9))
    wide = changed(singular, ranks=replace(ranked, terms=(level, *ranked.terms[1:])))
    assert answers.which_groups(wide).startswith("None stands out")
    assert answers.is_there_a_difference(wide).startswith("Not clearly")
    assert "no clear sign" in answers.one_sentence(wide)


def test_an_effect_is_claimed_only_when_its_interval_leaves_out_zero(singular, regular):
    assert answers.effect(singular, 1).startswith("no clear effect of age")
    assert "ms more reaction" in answers.effect(regular, 1)
    fixef = regular.findings.bayes.fixef
    flipped = with_bayes(regular, fixef=replace(fixef, mean=-fixef.mean, lower=-fixef.upper, upper=-fixef.lower))
    assert "ms less reaction" in answers.effect(flipped, 1)


def test_trust_follows_the_verdict_and_the_checks(singular):
    failed = changed(singular, verdict=Verdict("none", "No.", "Sampler.", "bayes"))
    passed = changed(singular, checks=tuple(replace(c, status="pass") for c in singular.findings.checks))
    assert answers.can_i_trust_it(singular).startswith("Yes, the estimates of the Bayesian")
    assert answers.can_i_trust_it(failed).startswith("No")
    assert answers.what_should_i_do(failed).startswith("Do not act")
    assert answers.can_i_trust_it(passed).startswith("Yes: all")


def test_what_to_do_names_the_recommended_model_and_what_to_leave(singular):
    advice = answers.what_should_i_do(singular)
    assert "Bayesian" in advice
    assert "usual intervals for the effect of age" in advice
    assert "Do not ignore the groups" in advice


def test_collapsed_intervals_are_named_with_their_coverage(singular, regular):
    sentence = wording.singularity_finding(singular)
    comparison = next(c for c in singular.findings.intervals if c.is_collapsed)
    assert "is singular" in sentence
    assert f"effect of {comparison.term} by group have collapsed" in sentence
    assert f"{100 * comparison.implied_coverage:.0f}" in sentence
    assert "collapsed" not in wording.singularity_finding(regular)
    assert "not singular" in wording.singularity_finding(regular)


def test_simpson_says_reversed_misleading_or_neither(singular):
    check = singular.findings.simpson[0]
    assert "would mislead" in wording.simpson_sentence(singular, check)
    assert "sign turns round" in wording.simpson_sentence(singular, replace(check, is_reversed=True))
    fine = replace(check, is_misleading=False)
    assert "no sign that ignoring the groups misleads" in wording.simpson_sentence(singular, fine)
    constant = replace(check, within=np.nan, is_misleading=False)
    assert "does not vary within groups" in wording.simpson_sentence(singular, constant)


def test_predictive_sentence_names_what_is_missed(singular):
    first, *rest = singular.findings.predictive.overall
    off = replace(first, posterior_predictive_p_value=0.999)
    missed = changed(singular, predictive=replace(singular.findings.predictive, overall=(off, *rest)))
    assert f"do not reproduce the {first.name}" in wording.predictive_finding(missed)
    assert "look like the data" in wording.predictive_finding(singular)


def test_sampler_sentence_names_failures(singular):
    last = singular.findings.bayes.attempts[-1]
    failed = replace(last, diagnostics=replace(last.diagnostics, failures=("7 divergent transitions",)))
    assert "7 divergent transitions" in wording.sampler_finding(with_bayes(singular, attempts=(failed,)))
    assert "every threshold" in wording.sampler_finding(singular)


def test_units_and_names_are_optional():
    sentence = answers.one_sentence(context_of(factories.intercept_only_case()))
    assert "yield" in sentence
    assert "None" not in sentence


def test_one_more_unit_reads_as_english(singular, regular):
    assert singular.one_more(1) == "one more year of age"
    assert regular.one_more(1) == "one more day"
    assert context_of(factories.two_predictors_case()).one_more(2) == "one unit more of severity"


def test_rejected_rows_are_counted(singular, regular):
    assert "3 rows" in wording.data_finding(singular)
    assert "no row was rejected" in wording.data_finding(regular)


def test_a_group_named_by_a_number_carries_the_groups_name(regular, singular):
    most = answers.apart_from_average(regular)[0][0]
    assert f"subject {regular.labels[most]} (" in answers.which_groups(regular)
    assert "county" not in answers.which_groups(singular)


def test_the_oddest_row_is_named_by_group_and_outcome(regular):
    bayes, data = regular.findings.bayes, regular.data
    odd = int(np.flatnonzero(data.group_index == 3)[2])
    pareto_k = np.where(bayes.loo.rows == odd, 0.9, 0.1)
    check = Check("pareto_k", "review", 0.9, 0.7, "Odd.", "Look.")
    for n, words in ((1, "it is far"), (3, "2 more rows like it")):
        loo = replace(bayes.loo, pareto_k=pareto_k, n_high_pareto_k=n)
        said = answers.what_should_i_do(changed(with_bayes(regular, loo=loo), checks=(check,)))
        assert regular.named(3) in said
        assert f"{data.y[odd]:.1f}" in said
        assert words in said


def test_the_average_counts_each_group_once(singular):
    assert answers.average_of_groups(singular) == pytest.approx(np.mean(singular.recommended.coef[:, 0]))
    assert answers.average_of_groups(singular, 1) == pytest.approx(np.mean(singular.recommended.coef[:, 1]))
