"""Singularity and collapsed intervals: words, table and figure."""

from __future__ import annotations

import pytest

from tasks.view.topics import singularity
from tasks.view.words import numbers
from tests.factories import regular_case, singular_case
from tests.posteriors import sampled
from tests.said import block, by_name, context_of_sampled, section


def test_collapsed_intervals_are_named_with_their_coverage() -> None:
    singular, regular = singular_case().context, regular_case().context
    sentence = singularity.TOPIC.finding(singular)
    comparison = next(c for c in singular.findings.intervals if c.is_collapsed)
    assert "is singular" in sentence
    assert f"effect of {comparison.term} by group have collapsed" in sentence
    assert f"{100 * comparison.implied_coverage:.0f}" in sentence
    assert "collapsed" not in singularity.TOPIC.finding(regular)
    assert "not singular" in singularity.TOPIC.finding(regular)


def test_collapsed_intervals_are_marked() -> None:
    made = section(singularity.TOPIC, context_of_sampled(sampled("bounce_rates")))
    slopes = block(made, "figure-intervals-1")
    marked = [trace for trace in slopes.spec["data"] if "collapsed" in trace.get("name", "")]
    assert [trace["marker"]["color"] for trace in marked] == ["#CC3311"] * 2  # the points and their key
    assert "collapsed" in str(marked[0]["hovertemplate"])


@pytest.mark.parametrize("name", ["bounce_rates", "sleepstudy"])
def test_the_table_of_widths_judges_as_the_checks_do(name: str) -> None:
    context = context_of_sampled(sampled(name))
    checks, table = by_name(context), block(section(singularity.TOPIC, context), "table-widths")
    for row, found in zip(table.rows, context.findings.intervals, strict=True):
        check = checks[f"intervals_{found.term}"]
        assert row[-1].status == check.status
        assert row[5].text == numbers.fixed(check.value, 2)


def test_words_claim_no_more_than_the_numbers() -> None:
    singular, regular = (context_of_sampled(sampled(name)) for name in ("bounce_rates", "sleepstudy"))
    assert "do not show" in by_name(singular)["variance_component"].message
    assert "do not show" not in by_name(regular)["variance_component"].message
    assert "worse by only" in block(section(singularity.TOPIC, singular), "figure-profile-1").caption
    assert "only" not in block(section(singularity.TOPIC, regular), "figure-profile-1").caption
