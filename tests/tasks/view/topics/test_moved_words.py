from dataclasses import replace

import numpy as np
import pytest

from tasks.view.topics import moved_words
from tests import factories
from tests.posteriors import sampled
from tests.said import context_of_sampled


def context_of(name):
    return context_of_sampled(sampled(name))


@pytest.fixture(scope="module")
def subjects():
    return context_of("sleepstudy")


def no_pooling(context, **parts):
    """The context with parts of the separate fits replaced."""
    found = replace(context.findings.no_pooling, **parts)
    return replace(context, findings=replace(context.findings, no_pooling=found))


def test_those_who_moved_most_come_first_and_groups_without_a_fit_of_their_own_are_left_out(subjects):
    own = subjects.findings.no_pooling.coef.copy()
    own[3] = np.nan
    context = no_pooling(subjects, coef=own)
    moves = np.abs(subjects.findings.bayes.groups.mean[:, 0] - own[:, 0])
    chosen = moved_words.most_moved(context, 0, 18)
    assert chosen.size == 17
    assert 3 not in chosen
    assert (np.diff(moves[chosen]) <= 0).all()
    assert moved_words.most_moved(context, 0, 4).tolist() == chosen[:4].tolist()
    assert "1 group without an estimate of its own" in moved_words.note(context, 0, 4)


def test_without_any_fit_of_its_own_nothing_moves(subjects):
    blank = np.full_like(subjects.findings.no_pooling.coef, np.nan)
    context = no_pooling(subjects, coef=blank)
    assert moved_words.most_moved(context, 0, 6).size == 0
    assert "No group has a level of its own" in moved_words.sentence(context, 0)


def test_the_sentence_quotes_the_largest_and_the_median_move_per_raw_unit(subjects):
    scale = subjects.raw_scale(1)
    moves = np.abs(subjects.findings.bayes.groups.mean[:, 1] - subjects.findings.no_pooling.coef[:, 1]) / scale
    said = moved_words.sentence(subjects, 1)
    assert subjects.labels[int(moves.argmax())] in said
    assert f"by {moves.max():.1f}\u202f" in said
    assert f"less than {np.median(moves):.1f}\u202f" in said


def test_spread_of_the_predictor_is_that_of_the_groups_rows(subjects):
    """Every subject of sleepstudy has days 0 to 9: SD 3.028 days."""
    np.testing.assert_allclose(moved_words.spread(subjects, 1), np.std(np.arange(10), ddof=1), rtol=1e-6)


def test_few_rows_little_spread_and_distance_are_named_only_where_they_hold(subjects):
    sizes, own = subjects.findings.group_sizes.copy(), subjects.findings.no_pooling
    sizes[2] = 3
    se, coef = own.se.copy(), own.coef.copy()
    se[2, 1] *= 3
    coef[2, 1] = subjects.findings.bayes.fixef.mean[1] + 100 * subjects.raw_scale(1)
    changed = no_pooling(subjects, se=se, coef=coef)
    context = replace(changed, findings=replace(changed.findings, group_sizes=sizes))
    odd = moved_words.why(context, 1, 2)
    assert odd.startswith("Few rows; its rows differ little in")
    assert "far from the average group’s, 100.0\u202f" in odd
    assert odd.endswith("above")
    near = int(np.argmin(np.abs(own.coef[:, 1] - subjects.findings.bayes.fixef.mean[1])))
    plain = moved_words.why(subjects, 1, near)
    assert "few rows" not in plain.lower()
    assert "differ little" not in plain
    assert "far from" not in plain


def test_a_level_read_far_from_the_rows_is_called_so():
    """County cumbria of the article: 7 rows aged 46 to 60 where the average is 44."""
    context = context_of("bounce_rates")
    cumbria = context.findings.labels.index("cumbria")
    assert "lie away from the average age" in moved_words.why(context, 0, cumbria)
    london = context.findings.labels.index("london")
    assert "lie away" not in moved_words.why(context, 0, london)


def test_full_shrinkage_is_told_as_groups_that_are_not_seen_to_differ():
    context = context_of("bounce_rates")
    assert "hardly seen to differ in their effect of age" in moved_words.note(context, 1, 8)
    assert "hardly seen to differ" not in moved_words.note(context, 0, 8)


def test_an_intercept_only_study_has_reasons_too():
    context = context_of("dyestuff")
    assert all(moved_words.why(context, 0, group) for group in range(context.n_groups))
    assert moved_words.finding(context) == moved_words.sentence(context, 0)


def test_groups_of_one_row_are_no_trouble():
    context = factories.regular_case().context
    assert all(moved_words.why(context, term, 0) for term in context.varying)
