from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.judgement import Judgement
from tasks.view.document.overview import overview_of as overview_record
from tasks.view.words import numbers
from tests.factories import intercept_only_case, regular_case, singular_case, two_predictors_case


def overview_of(context):
    return overview_record(context).told()


def found(overview):
    return {(entry["kind"], entry["term"]): entry for entry in overview["estimates"]}


@pytest.mark.parametrize("make", [singular_case, regular_case, two_predictors_case])
def test_slopes_and_their_spread_are_per_raw_unit(make):
    case = make()
    quoted, scaling, entries = case.findings.recommended, case.findings.scaling, found(overview_of(case.context))
    for position, name in enumerate(case.study.predictors, start=1):
        scale = scaling.scale[position - 1]
        for part in ("estimate", "lower", "upper"):
            assert entries["slope", name][part] == pytest.approx(getattr(quoted.average, part)[position] / scale)
    for position, term in enumerate(case.findings.fullest.varying):
        scale = scaling.scale[term - 1] if term else 1.0
        for part in ("estimate", "lower", "upper"):
            told = entries["group_sd", case.findings.terms[term]][part]
            assert told == pytest.approx(getattr(quoted.sigma_group, part)[position] / scale)
    assert entries["icc", ""]["estimate"] == pytest.approx(float(quoted.icc.estimate))


def test_a_posterior_s_spreads_are_told_by_their_medians():
    case = singular_case()
    bayes, entries = case.findings.bayes, found(overview_of(case.context))
    assert case.findings.verdict.recommended_model == "bayes"
    assert entries["level", "intercept"]["estimate"] == pytest.approx(bayes.fixef.mean[0])
    assert entries["group_sd", "intercept"]["estimate"] == pytest.approx(bayes.sigma_group.median[0])
    assert entries["icc", ""]["estimate"] == pytest.approx(float(bayes.icc.median))


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
    quoted = case.findings.recommended
    quoted = replace(quoted, icc=replace(quoted.icc, lower=np.float64("nan")))
    overview = overview_of(replace(case, findings=replace(case.findings, recommended=quoted)).context)
    assert found(overview)["icc", ""]["lower"] is None
