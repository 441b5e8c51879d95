from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judgement import Judgement
from tasks.view.overview import overview_of
from tasks.view.words import numbers
from tests.factories import intercept_only_case, regular_case, singular_case, two_predictors_case


def found(overview):
    return {(entry["kind"], entry["term"]): entry for entry in overview["estimates"]}


@pytest.mark.parametrize("make", [singular_case, regular_case, two_predictors_case])
def test_slopes_and_their_spread_are_per_raw_unit(make):
    case = make()
    bayes, scaling, entries = case.findings.bayes, case.findings.scaling, found(overview_of(case.context))
    for position, name in enumerate(case.study.predictors, start=1):
        scale = scaling.scale[position - 1]
        for part in ("mean", "median", "lower", "upper"):
            assert entries["slope", name][part] == pytest.approx(getattr(bayes.fixef, part)[position] / scale)
    for position, term in enumerate(case.findings.fullest.varying):
        scale = scaling.scale[term - 1] if term else 1.0
        name = case.findings.terms[term]
        assert entries["group_sd", name]["mean"] == pytest.approx(bayes.sigma_group.mean[position] / scale)
        assert entries["group_sd", name]["median"] == pytest.approx(bayes.sigma_group.median[position] / scale)
    assert entries["icc", ""]["mean"] == pytest.approx(float(bayes.icc.mean))
    assert entries["icc", ""]["median"] == pytest.approx(float(bayes.icc.median))


def test_study_without_predictors_has_level_spread_and_share():
    case = intercept_only_case()
    assert list(found(overview_of(case.context))) == [
        ("level", "intercept"),
        ("group_sd", "intercept"),
        ("icc", ""),
    ]


def test_units_and_answer():
    case = singular_case()
    overview = overview_of(case.context)
    assert found(overview)["slope", "age"]["unit"] == "s per year"
    spread = numbers.fixed(float(case.findings.bayes.sigma_group.median[0]), 1)
    assert overview["answer"].startswith(f"Groups differ in bounce time, typically by {spread}")


def test_age_of_the_data_comes_from_the_check():
    case = singular_case()
    assert overview_of(case.context)["data_age_days"] is None
    judged = Judgement("freshness", "review", "stale", value=9.5, limit=7.0)
    old = replace(case.findings, judgements=(*case.findings.judgements, judged))
    overview = overview_of(replace(case, findings=old).context)
    assert (overview["data_age_days"], overview["data_age_limit_days"]) == (9.5, 7.0)


def test_what_is_not_finite_is_null():
    case = singular_case()
    bayes = replace(case.findings.bayes, icc=replace(case.findings.bayes.icc, lower=np.float64("nan")))
    overview = overview_of(replace(case, findings=replace(case.findings, bayes=bayes)).context)
    assert found(overview)["icc", ""]["lower"] is None
