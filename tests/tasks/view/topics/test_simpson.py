"""Simpson's paradox: both slopes per raw unit, and no more said than was found."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.records import SimpsonCheck
from tasks.view.records import Paragraph
from tasks.view.topics import simpson
from tests.factories import singular_case
from tests.posteriors import sampled
from tests.said import block, by_name, changed, context_of_sampled, section


def said(**parts: object) -> str:
    """Of the singular case, had its check found something else."""
    case = singular_case()
    check: SimpsonCheck = replace(case.findings.simpson[0], **parts)  # type: ignore[arg-type]
    context = changed(case, simpson=(check,))
    message = by_name(context)["simpson_age"].message
    assert simpson.TOPIC.finding(context).startswith(message)
    return message


def test_it_says_no_more_than_was_found() -> None:
    """Bounce rates: both slopes are clearly positive, and the contextual effect's interval includes 0."""
    assert said().endswith(
        "It is a blend of the slope within groups and of differences between groups: quote the one within."
    )
    assert "paradox" not in said()
    assert "only one of the two slopes differs from 0" in said(is_misleading=True)
    misled = changed(singular_case(), simpson=(replace(singular_case().findings.simpson[0], is_misleading=True),))
    assert by_name(misled)["simpson_age"].step.startswith("Do not ignore the groups when you ask about age")
    assert "sign turns round" in said(is_misleading=True, is_reversed=True)
    assert "no clear sign that ignoring the groups misleads" in said(is_blend=False)
    constant = said(within=np.nan, is_blend=False)
    assert "is the same throughout each group: there is no slope within groups" in constant


def test_the_slope_over_all_rows_has_both_standard_errors() -> None:
    context = context_of_sampled(sampled("bounce_rates"))
    rows, check = block(section(simpson.TOPIC, context), "table-simpson").rows, context.findings.simpson[0]
    assert rows[0][2].detail == f"SE {check.complete_se:.2f}, clustered by group {check.complete_robust_se:.2f}"
    assert check.complete_robust_se > 2 * check.complete_se


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


@pytest.mark.parametrize("name", ["bounce_rates", "curved"])
def test_the_contextual_effect_is_one_number_in_sentence_and_table(name: str) -> None:
    context = context_of_sampled(sampled(name))
    cells = block(section(simpson.TOPIC, context), "table-simpson").rows[1]
    pattern = r"within groups by ([−\d.]+)\D.*? interval is ([−\d.]+) to ([−\d.]+)\."
    said = re.search(pattern, section(simpson.TOPIC, context).finding)
    assert said is not None
    value, low, high = (float(part.replace("−", "-")) for part in said.groups())
    shown = float(cells[5].text.replace("−", "-"))
    ends = [float(end.replace("−", "-")) for end in cells[5].detail.split(" to ")]
    assert [shown, *ends] == pytest.approx([value, low, high], abs=0.051)
