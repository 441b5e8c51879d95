from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.records import Verdict
from tasks.view import answers
from tasks.view.checks import checks_of
from tests import factories


@pytest.fixture
def singular():
    return factories.singular_case().context


@pytest.fixture
def regular():
    return factories.regular_case().context


def changed(context, **findings):
    return replace(context, findings=replace(context.findings, **findings))


def with_average(context, **parts):
    quoted = context.findings.recommended
    return changed(context, recommended=replace(quoted, average=replace(quoted.average, **parts)))


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
    unranked = changed(singular, ranks=replace(singular.findings.ranks, terms=()))
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
    mean = singular.findings.recommended.average
    unclear = with_average(singular, lower=-mean.upper)
    assert answers.effect(unclear, 1).startswith("no clear effect of age")
    assert "ms more reaction" in answers.effect(regular, 1)
    mean = regular.findings.recommended.average
    flipped = with_average(regular, estimate=-mean.estimate, lower=-mean.upper, upper=-mean.lower)
    assert "ms less reaction" in answers.effect(flipped, 1)


def test_trust_follows_the_verdict_and_the_checks(singular):
    checks = checks_of(singular)
    failed = changed(singular, verdict=Verdict("none", "bayes"))
    passed = [replace(check, status="pass") for check in checks]
    said = answers.can_i_trust_it(singular, checks)
    assert said.startswith("Yes, the estimates on this page: they are those of the model to use.")
    worst = next(check for check in checks if check.status == "fail")
    assert f"the health card explains “{singular.check_title(worst.kind, worst.term)}”" in said
    assert answers.can_i_trust_it(failed, checks).startswith("No")
    assert answers.what_should_i_do(failed, checks).startswith("Do not act")
    assert answers.can_i_trust_it(singular, passed).startswith("Yes, the estimates on this page: all")


def test_what_could_change_the_answer_is_what_is_open_and_what_is_too_close(singular, regular):
    assert "that show how far groups differ" in answers.what_could_change_it(singular, checks_of(singular))
    told = answers.what_could_change_it(regular, checks_of(regular))
    assert "that show how far groups differ" not in told
    assert ("what is to review" in told.lower()) == any(check.status != "pass" for check in checks_of(regular))
    n_close = regular.n_groups - sum(part.size for part in answers.apart_from_average(regular))
    assert ("too close to call" in told) == (n_close > 0)
    failed = changed(regular, verdict=Verdict("none", "bayes"))
    assert "too close to call" not in answers.what_could_change_it(failed, checks_of(regular))


def test_who_stands_out_is_looked_at_first(singular):
    above, below = answers.apart_from_average(singular)
    told = answers.what_should_i_do(singular, checks_of(singular))
    assert f"Look first at {singular.labels[above[0]]}" in told
    assert f"{singular.labels[below[0]]} " in told.split("Look first")[1]


def test_what_to_do_names_the_mark_of_the_recommended_model_and_what_to_leave(singular):
    advice = answers.what_should_i_do(singular, checks_of(singular))
    assert "“Bayes”" in advice
    assert "usual intervals for the effect of age" in advice
    assert "Do not ignore the groups" not in advice


def test_units_and_names_are_optional():
    sentence = answers.one_sentence(factories.intercept_only_case().context)
    assert "yield" in sentence
    assert "None" not in sentence


def test_one_more_unit_reads_as_english(singular, regular):
    assert singular.one_more(1) == "one more year of age"
    assert regular.one_more(1) == "one more day"
    assert factories.two_predictors_case().context.one_more(2) == "one unit more of severity"


def test_a_group_named_by_a_number_carries_the_groups_name(regular, singular):
    most = answers.apart_from_average(regular)[0][0]
    assert f"subject {regular.labels[most]} (" in answers.which_groups(regular)
    assert "county" not in answers.which_groups(singular)


def test_the_average_counts_each_group_once(singular):
    assert answers.average_of_groups(singular) == pytest.approx(np.mean(singular.recommended.coef[:, 0]))
    assert answers.average_of_groups(singular, 1) == pytest.approx(np.mean(singular.recommended.coef[:, 1]))


def test_where_no_model_can_be_trusted_the_first_sentence_answers_nothing(singular):
    hopeless = changed(singular, verdict=Verdict("none", "bayes"))
    said = answers.one_sentence(hopeless)
    assert said.startswith("No model here answers for bounce time")
    assert answers.is_there_a_difference(hopeless).startswith("Not answered: no model here can say")
    assert answers.which_groups(hopeless) == "Not answered, for the same reason."
    told = f"{said} {answers.is_there_a_difference(hopeless)} {answers.which_groups(hopeless)}"
    assert not any(letter.isdigit() for letter in told)
