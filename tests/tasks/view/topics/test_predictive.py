"""Posterior predictive checks and LOO-PIT in words and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.stats.judged.pit import loo_pit
from tasks.view import answers
from tasks.view.checks import checks_of
from tasks.view.topics import predictive
from tests.factories import regular_case, singular_case
from tests.said import block, by_name, changed, section


def test_the_finding_names_what_is_missed() -> None:
    case = singular_case()
    first, *rest = case.findings.predictive.overall
    off = replace(first, posterior_predictive_p_value=0.9999)
    missed = changed(case, predictive=replace(case.findings.predictive, overall=(off, *rest)))
    assert f"do not reproduce the {first.name}" in predictive.TOPIC.finding(missed)
    assert "look like the data" in predictive.TOPIC.finding(case.context)


def test_the_calibration_figure_says_what_its_curve_says() -> None:
    case = singular_case()
    made = section(predictive.TOPIC, case.context)
    assert predictive.CURVES["calibrated"] in str(made.blocks)
    assert by_name(case.context)["loo_pit"].message in str(made.blocks)
    assert block(made, "figure-pit").alternative.startswith("0 of 99 points")
    assert "figure-pit" not in str(section(predictive.TOPIC, changed(case, loo_pit=None)).blocks)


def test_a_curve_that_leaves_the_band_is_told_with_its_check() -> None:
    narrow = loo_pit(np.random.default_rng(2).beta(0.4, 0.4, 500), 1)
    context = changed(singular_case(), loo_pit=narrow)
    blocks = str(section(predictive.TOPIC, context).blocks)
    assert predictive.CURVES["too_narrow"] in blocks
    check = by_name(context)["loo_pit"]
    assert check.status == "review"
    assert check.message in blocks


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
