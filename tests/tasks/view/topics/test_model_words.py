"""Where a logarithm is advised, the percentages that its model gives are told, and are those of a logged outcome."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from tasks.stats.judged.outcome_kind import OutcomeKind
from tasks.study.model import StudyOfFlags
from tests.factories import regular_case
from tests.posteriors import sampled_of, study_of
from tests.said import by_name, changed, context_of_sampled
from tests.worlds.simulate import Design, simulate

MULTIPLIED = Design(groups=20, rows=(15, 40), outcome="positive", shape=0.4)


def test_the_percentages_are_those_of_the_logged_outcome() -> None:
    data = simulate(MULTIPLIED, (8, 0)).data
    study = study_of(data, outcome="cost", predictor_units={"x1": "year"}, varying=())
    said = by_name(context_of_sampled(sampled_of(data, study)))["mean_spread"].message
    assert said.startswith("Within groups, rows scatter ")
    assert "The logarithm of cost scatters evenly" in said
    number = r"([\d.]+) %"
    found = re.search(rf"by {number} \(95 % interval {number} to {number}\) with one more year of x1", said)
    assert found is not None, said
    frame = pd.DataFrame({"y": np.log(data.y), "x": data.x[:, 0], "g": data.group_index})
    fitted = smf.mixedlm("y ~ x", frame, groups="g").fit(reml=True)
    slope, se = fitted.fe_params["x"], fitted.bse_fe["x"]
    expected = 100.0 * np.expm1([slope, slope - 1.959964 * se, slope + 1.959964 * se])
    assert [float(each) for each in found.groups()] == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("found", "family"),
    [(OutcomeKind("two values", 0.3, float("nan")), "binomial"), (OutcomeKind("counts", 2.0, 1.1), "poisson")],
)
def test_the_setting_for_a_counted_outcome_is_advised_as_it_is_typed(found: OutcomeKind, family: str) -> None:
    case = regular_case()
    screening = replace(case.findings.screening, outcome=found)
    advice = by_name(changed(case, screening=screening))["outcome_kind"].advice
    assert f'set family = "{family}" in the study file' in advice
    of_flags = replace(case, study=StudyOfFlags.model_construct(**dict(case.study)))
    assert f"add `--family {family}`" in by_name(changed(of_flags, screening=screening))["outcome_kind"].advice
