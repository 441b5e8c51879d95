from tasks.view import group_words
from tasks.view.context import Context
from tasks.view.wording import simpson_sentence
from tests.posteriors import sampled


def context_of(name):
    have = sampled(name)
    return Context(have.study, have.findings, have.data, have.draws, ())


def test_slopes_are_told_per_raw_unit():
    """sleepstudy: separate slopes run from -2.88 (335) to 21.8 ms per day (308), as `lmList` has them (Bates et al.
    2015); the slopes' SD is about 6 ms per day."""
    context = context_of("sleepstudy")
    assert "effects of Days run from −2.9 to 21.8" in group_words.poolings_finding(context)
    sd = context.findings.bayes.sigma_group.mean[1] / context.raw_scale(1)
    assert f"The effect of Days differs by about {sd:.1f}" in group_words.variance_finding(context)


def test_an_intercept_only_study_speaks_of_levels_alone():
    context = context_of("dyestuff")
    assert "effect" not in group_words.poolings_finding(context) + group_words.variance_finding(context)


def test_simpsons_slopes_are_per_raw_unit():
    context = context_of("bounce_rates")
    check = context.findings.simpson[0]
    assert f"slope of age is {check.complete / context.raw_scale(1):.3f}" in simpson_sentence(context, check)
