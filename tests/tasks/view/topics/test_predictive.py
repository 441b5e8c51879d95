"""Posterior predictive checks and LOO-PIT in words and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, norm

from tasks.stats.judged.pit import loo_pit
from tasks.view import answers
from tasks.view.checks import checks_of
from tasks.view.records import Paragraph, Section
from tasks.view.topics import predictive
from tasks.view.topics.pit_words import CURVES
from tests.factories import regular_case, singular_case
from tests.said import block, by_name, changed, section


def paragraphs(made: Section) -> list[str]:
    return [block.text for block in made.blocks if isinstance(block, Paragraph)]


def test_the_finding_names_what_is_missed() -> None:
    case = singular_case()
    first, *rest = case.findings.predictive.overall
    off = replace(first, posterior_predictive_p_value=0.9999)
    missed = changed(case, predictive=replace(case.findings.predictive, overall=(off, *rest)))
    assert f"do not reproduce the {first.name}" in predictive.TOPIC.finding(missed)
    assert "look like the data" in predictive.TOPIC.finding(case.context)


def test_the_first_picture_lays_the_datas_density_over_the_models() -> None:
    context = singular_case().context
    found, made = context.findings.predictive_density, section(predictive.TOPIC, context)
    assert made.blocks[made.n_open - 1] is block(made, "figure-density")
    *_, upper, _, observed = block(made, "figure-density").spec["data"]
    assert upper["fill"] == "tonexty"
    assert np.array(observed["y"]) == pytest.approx(found.observed, abs=1e-3 * found.observed.max())
    assert "in 500 data sets that the model made" in block(made, "figure-density").caption
    assert "beyond" not in block(made, "figure-density").caption
    far = changed(singular_case(), predictive_density=replace(found, n_beyond=2))
    assert "2 rows beyond the picture." in block(section(predictive.TOPIC, far), "figure-density").caption


def test_rows_that_are_not_calibrated_are_not_passed_over() -> None:
    narrow = loo_pit(np.random.default_rng(2).beta(0.4, 0.4, 500), 1)
    made = section(predictive.TOPIC, changed(singular_case(), loo_pit=narrow))
    assert made.lead == "The data look like the model’s as a whole, but not row by row."
    assert "look like the data" in made.rest


def test_the_calibration_figure_says_what_its_curve_says() -> None:
    case = singular_case()
    made = section(predictive.TOPIC, case.context)
    assert f"{CURVES['calibrated']} {by_name(case.context)['loo_pit'].message}" in paragraphs(made)
    assert block(made, "figure-pit").alternative.startswith("0 of 99 points")
    assert "figure-pit" not in str(section(predictive.TOPIC, changed(case, loo_pit=None)).blocks)


def test_a_curve_that_leaves_the_band_is_told_with_its_check() -> None:
    narrow = loo_pit(np.random.default_rng(2).beta(0.4, 0.4, 500), 1)
    context = changed(singular_case(), loo_pit=narrow)
    check = by_name(context)["loo_pit"]
    assert check.status == "review"
    assert f"{CURVES['too_narrow']} {check.message}" in paragraphs(section(predictive.TOPIC, context))


def test_the_oddest_row_is_named_by_group_and_outcome() -> None:
    case = regular_case()
    bayes, data = case.findings.bayes, case.data
    odd = int(np.flatnonzero(data.group_index == 3)[2])
    pareto_k = np.where(bayes.loo.rows == odd, 0.9, 0.1)
    for n, words in ((1, "it is far"), (3, "2 more rows like it")):
        loo = replace(bayes.loo, pareto_k=pareto_k, n_high_pareto_k=n)
        context = changed(case, bayes=replace(bayes, loo=loo))
        said = answers.what_should_i_do(context, checks_of(context))
        assert context.named(3) in said
        assert f"{data.y[odd]:.1f}" in said
        assert words in said


def plain(message: str) -> str:
    return message.replace("\u202f", " ")


def test_widths_are_told_level_by_level() -> None:
    """Light tails: rows bunch on both sides of the middle, and hardly any lies far out."""
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.uniform(0.03, 0.25, 900), rng.uniform(0.25, 0.75, 900), rng.uniform(0.75, 0.97, 900)])
    found = loo_pit(values, 1)
    assert found is not None
    message = plain(by_name(changed(singular_case(), loo_pit=found))["loo_pit"].message)
    middle, most = (np.mean((values >= p) & (values <= 1 - p)) for p in (0.25, 0.025))
    assert f"In their 50 % intervals lie {100 * middle:.1f} % of the rows (too narrow)" in message
    assert f"in their 95 % intervals {100 * most:.1f} % (too wide)" in message


def test_skewed_rows_are_no_biased_predictions() -> None:
    """Exponential rows about their mean, predicted by a normal of the same mean and SD: right on average."""
    rows = np.random.default_rng(3).exponential(size=3000) - 1
    found = loo_pit(norm.cdf(rows), 1)
    assert found is not None
    skewed = replace(found, shape="too_high")
    message = plain(by_name(changed(singular_case(), loo_pit=skewed))["loo_pit"].message)
    assert f"{100 * np.mean(rows < 0):.1f} % of the rows lie below the middle of their prediction" in message
    assert "hold on average" in message
    assert "predictions are too" not in message


def test_groups_outside_stand_beside_the_number_that_would_be_too_many() -> None:
    case = singular_case()
    many = replace(
        case.findings.predictive, n_groups_outside=21, n_groups_outside_by_chance=15.0, n_groups_outside_limit=28
    )
    message = by_name(changed(case, predictive=many))["predictive_groups"].message
    assert "more than 28 would say that it misses groups" in message
    assert "21 of 8 groups have" in message
    assert binom.sf(28, 300, 0.05) < 0.001 < binom.sf(27, 300, 0.05)
    one = replace(many, n_groups_outside=1, n_groups_outside_by_chance=0.4, n_groups_outside_limit=3)
    message = by_name(changed(case, predictive=one))["predictive_groups"].message
    assert message.startswith("1 of 8 groups has")
    assert "more than 3 would" in message


def test_the_hover_of_a_median_tells_the_interval_of_its_group_and_groups_stand_in_their_order() -> None:
    context = singular_case().context
    found = block(section(predictive.TOPIC, context), "figure-medians")
    (points,) = [t for t in found.spec["data"] if t.get("name") == "Observed median" and t["x"] != [None]]
    order, check = points["meta"]["groups"], context.findings.predictive
    assert (np.diff(check.group_median_observed[order]) <= 0).all()
    ends = np.column_stack([check.group_median_lower[order], check.group_median_upper[order]])
    np.testing.assert_allclose([row[1:] for row in points["customdata"]], ends, rtol=1e-3)
