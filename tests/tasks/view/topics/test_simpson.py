"""Simpson's paradox: both slopes per raw unit, and no more said than was found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.records import SimpsonCheck
from tasks.view.records import Paragraph
from tasks.view.topics import simpson
from tests.factories import singular_case
from tests.posteriors import sampled
from tests.said import by_name, changed, context_of_sampled, section


def said(**parts: object) -> str:
    """Of the singular case, had its check found something else."""
    case = singular_case()
    check: SimpsonCheck = replace(case.findings.simpson[0], **parts)  # type: ignore[arg-type]
    context = changed(case, simpson=(check,))
    message = by_name(context)["simpson_age"].message
    assert simpson.TOPIC.finding(context).startswith(message)
    return message


def test_it_says_reversed_misleading_or_neither() -> None:
    assert "would mislead" in said()
    assert "sign turns round" in said(is_reversed=True)
    assert "no clear sign that ignoring the groups misleads" in said(is_misleading=False)
    constant = said(within=np.nan, is_misleading=False)
    assert "is the same throughout each group: there is no slope within groups" in constant


def test_slopes_are_per_raw_unit() -> None:
    context = context_of_sampled(sampled("bounce_rates"))
    check = context.findings.simpson[0]
    assert f"slope of age is {check.complete / context.raw_scale(1):.3f}" in simpson.TOPIC.finding(context)


def test_the_two_slopes_within_and_of_the_average_group_are_explained() -> None:
    context = context_of_sampled(sampled("bounce_rates"))
    told = " ".join(one.text for one in section(simpson.TOPIC, context).blocks if isinstance(one, Paragraph))
    per_year = sampled("bounce_rates").draws.beta[..., 1].mean() / context.data.x[:, 0].std(ddof=1)
    assert f"The slope of age in the average group is {per_year:.3f}" in told
    assert "the more they differ, the less the rows of a group count" in told
