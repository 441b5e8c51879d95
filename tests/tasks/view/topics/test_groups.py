"""Groups beside each other in words."""

from __future__ import annotations

import re

import pytest

from tasks.view.topic import Topic
from tasks.view.topics import groups, variance
from tests.posteriors import sampled
from tests.said import block, context_of_sampled, section


def test_slopes_are_told_per_raw_unit() -> None:
    """sleepstudy: separate slopes run from -2.88 (335) to 21.8 ms per day (308), as `lmList` has them (Bates et al.
    2015), and the slopes' SD by REML is 5.922 ms per day."""
    context = context_of_sampled(sampled("sleepstudy"))
    assert "effects of Days run from −2.9 to 21.8" in groups.TOPIC.finding(context)
    assert context.findings.verdict.status == "trust"
    assert "The effect of Days differs by about 5.9" in variance.TOPIC.finding(context)


@pytest.mark.parametrize("topic", [groups.TOPIC, variance.TOPIC], ids=lambda topic: topic.id)
def test_an_intercept_only_study_speaks_of_levels_alone(topic: Topic) -> None:
    assert "effect" not in topic.finding(context_of_sampled(sampled("dyestuff")))


def test_every_model_s_estimates_have_the_same_decimals_in_table_and_sentence() -> None:
    context = context_of_sampled(sampled("bounce_rates"))
    made = section(groups.TOPIC, context)
    for name in ("table-estimates-0", "table-estimates-1-raw", "table-estimates-1"):
        cells = [cell for row in block(made, name).rows for cell in row[2:]]
        shown = re.findall(r"\d+\.(\d+)", " ".join(f"{cell.text} {cell.detail}" for cell in cells))
        assert len({len(decimals) for decimals in shown}) == 1, name
    ends = re.findall(r"\d+\.(\d+)", groups.TOPIC.finding(context).partition("effects")[0])
    assert len(ends) == 4
    assert len({len(decimals) for decimals in ends}) == 1
