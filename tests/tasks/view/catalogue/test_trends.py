from dataclasses import replace

import pytest

from tasks.stats.past.earlier import Question
from tasks.view.catalogue.trends import RUNS, KeyEstimate, RunEstimates, trends_of

QUESTION = Question("time", "s", "county", ("age",), {"age": "year"})
SLOPE = KeyEstimate("slope", "age", "s per year", 1.2345, 0.5, 2.0)


def run(number, *estimates, **changes):
    day = f"2026-01-{number % 28 + 1:02d}"
    return replace(RunEstimates(f"r{number:03d}", day, "trust", QUESTION, estimates or (SLOPE,)), **changes)


def newest_first(*runs):
    return runs[::-1]


def test_no_runs_no_trends():
    assert trends_of([]) == ()
    assert trends_of([replace(run(1), estimates=())]) == ()


def test_oldest_first_and_at_most_the_newest_twenty():
    (trend,) = trends_of(newest_first(*(run(number) for number in range(50))))
    assert trend.run_ids == tuple(f"r{number:03d}" for number in range(50 - RUNS, 50))


def test_runs_that_asked_something_else_are_left_out():
    other = replace(QUESTION, outcome_unit="min")
    (trend,) = trends_of(newest_first(run(1), run(2, question=other), run(3)))
    assert trend.run_ids == ("r001", "r003")


def test_an_estimate_that_a_run_lacks_is_a_gap():
    level = KeyEstimate("level", "intercept", "s", 200.0, 190.0, 210.0)
    (trend,) = trends_of(newest_first(run(1), run(2, level), run(3)))
    assert trend.value == (SLOPE.value, None, SLOPE.value)
    assert len(trend.picture.dots) == 2  # neither has a neighbour
    assert trend.picture.line == ""


def test_numbers_are_told_to_what_the_interval_supports():
    (trend,) = trends_of([run(1)])
    assert trend.now == "1.23\u202fs per year (0.50 to 2.00)"


@pytest.mark.parametrize(
    ("values", "is_drawn"), [([1.0], False), ([1.0, 2.0], True), ([None, 2.0], False), ([1.0, None, 2.0], True)]
)
def test_a_picture_takes_two_estimates(values, is_drawn):
    runs = [run(number, replace(SLOPE, value=value)) for number, value in enumerate(values)]
    (trend,) = trends_of(newest_first(*runs))
    assert (trend.picture is not None) == is_drawn == bool(trend.alternative)


def test_alternative_says_what_the_picture_shows():
    first = replace(SLOPE, value=-0.5, lower=-1.0, upper=0.1)
    (trend,) = trends_of(newest_first(run(1, first), run(2, replace(SLOPE, value=3.0), status="none"), run(3)))
    assert trend.alternative == (
        "Effect of age over 3 runs, 2026-01-02 to 2026-01-04: from −0.50 to 1.23\u202fs per year (0.50 to 2.00), "
        "95 % interval in brackets; lowest −0.50, highest 3.00. In 1 run no model could be trusted."
    )


@pytest.mark.parametrize(
    ("kind", "term", "label"),
    [
        ("level", "intercept", "Level of the average group"),
        ("slope", "body_mass", "Effect of body mass"),
        ("group_sd", "intercept", "Spread of groups’ levels"),
        ("group_sd", "age", "Spread of groups’ effects of age"),
        ("icc", "", "Share of variation between groups"),
    ],
)
def test_labels(kind, term, label):
    (trend,) = trends_of([run(1, replace(SLOPE, kind=kind, term=term))])
    assert trend.label == label


def test_a_share_is_told_in_per_cent():
    (trend,) = trends_of([run(1, KeyEstimate("icc", "", "", 0.254, 0.1, 0.4))])
    assert trend.now == "25\u202f% (10\u202f% to 40\u202f%)"


def test_missing_numbers_are_dashes():
    (trend,) = trends_of([run(1, replace(SLOPE, value=None, lower=None, upper=None))])
    assert trend.now == "–"


def test_the_median_ratio_of_a_counted_outcome_is_named_by_its_ratio():
    ratio = KeyEstimate("median_ratio", "", "odds ratio", 1.52, 1.3, 1.9)
    (trend,) = trends_of([run(1, ratio)])
    assert (trend.label, trend.now) == ("Median odds ratio of two groups", "1.52 (1.30 to 1.90)")


def test_rates_that_were_shown_per_another_number_are_not_followed():
    per_cent, per_thousand = (
        KeyEstimate("level", "intercept", unit, 4.0, 3.0, 5.0) for unit in ("%", "per 1,000 stays")
    )
    (trend,) = trends_of(newest_first(run(1, per_cent), run(2, per_thousand)))
    assert trend.value == (None, 4.0)
