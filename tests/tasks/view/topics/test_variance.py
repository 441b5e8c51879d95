"""Spreads are quoted as medians, one number wherever they stand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judged.effect_shape import EffectShape
from tasks.view import answers
from tasks.view.document import summary_of
from tasks.view.overview import key_estimates
from tasks.view.topics import remedies, variance
from tests import factories
from tests.posteriors import sampled
from tests.said import block, by_name, changed, context_of_sampled, section


def test_the_spread_of_the_groups_is_one_median_everywhere() -> None:
    """Of eight counties the posterior of the SD is skewed: its mean is 0.6 s above its median."""
    have = sampled("bounce_rates")
    study = have.study.model_copy(update={"outcome_unit": "s", "predictor_units": {"age": "years"}})
    context = context_of_sampled(replace(have, study=study))
    draws = have.draws.sigma_group[..., 0]
    median, slope = float(np.median(draws)), float(np.median(have.draws.sigma_group[..., 1]))
    assert draws.mean() - median > 0.3
    shown = f"{median:.1f}\u202fs"
    assert f"typically by {shown} from their average" in answers.one_sentence(context)
    assert f"typically lie {shown} from the average group" in variance.TOPIC.finding(context)
    rows = {
        (row[0].text, row[1].text): row[3].text
        for row in block(section(variance.TOPIC, context), "table-components").rows
    }
    assert rows["Groups: level", "s"] == f"{median:.1f}"
    assert rows["Groups: effect of age", "s per year"] == f"{slope / have.scaling.scale[0]:.3f}"
    ways = [
        row for row in block(section(remedies.TOPIC, context), "table-route-numbers").rows if row[0].text == "Bayes"
    ]
    assert ways[0][3].text == f"{median:.1f}"
    told = summary_of(context)["fits"]["bayes"]
    assert told["sd_group"][0] == told["sd_group_posterior"]["median"][0] == median
    assert told["sd_group_posterior"]["mean"][0] == pytest.approx(draws.mean())
    spread = next(entry for entry in key_estimates(context) if entry["kind"] == "group_sd")
    assert spread["estimate"] == median


def test_the_share_between_groups_has_its_interval() -> None:
    have = sampled("bounce_rates")
    context = context_of_sampled(have)
    between = have.draws.sigma_group[..., 0] ** 2
    icc = between / (between + have.draws.sigma**2)
    low, median, high = (f"{100 * share:.0f}" for share in np.quantile(icc, [0.025, 0.5, 0.975]))
    found = re.search(
        r"about (\d+) %.*\(95 % interval (\d+) % to (\d+) %\)",
        answers.is_there_a_difference(context).replace("\u202f", " "),
    )
    assert found
    assert found.groups() == (median, low, high)


def test_of_a_percentage_differences_are_percentage_points() -> None:
    have = sampled("sleepstudy")
    study = have.study.model_copy(update={"outcome_unit": "%", "predictor_units": {"Days": "days"}})
    context = context_of_sampled(replace(have, study=study))
    sentence = answers.one_sentence(context).replace("\u202f", " ")
    assert re.search(r"typically by [\d.]+ percentage points from their average", sentence)
    assert re.search(r"goes with [\d.]+ percentage points more", sentence)
    assert "percentage points per day" in variance.TOPIC.finding(context)
    assert "percentage points" not in answers.which_groups(context)


@pytest.mark.parametrize(("groups", "said"), [((2,), "devon lies"), ((2, 0), "devon and cheshire lie")])
def test_groups_far_out_are_named(groups: tuple[int, ...], said: str) -> None:
    case = factories.singular_case()
    found = case.findings.screening
    shape = EffectShape("intercept", np.zeros(8), groups, (4, 4), 0.6, 0.5)
    context = changed(case, screening=replace(found, effects=(shape,)))
    expected = f"In their level {said} farther out than one normal population has its groups."
    assert by_name(context)["group_effects_intercept"].message == expected
    assert expected in variance.TOPIC.finding(context)
