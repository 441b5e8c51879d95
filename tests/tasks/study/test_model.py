"""The study model: defaults, what it refuses, and names."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.study.model import Study, study_name

LEAST: dict[str, Any] = {"name": "visits", "title": "t", "outcome": "y", "group": "g"}


def study(**changes: Any) -> Study:
    return Study.model_validate({**LEAST, **changes})


def test_every_predictor_varies_unless_the_study_says_otherwise() -> None:
    assert study(predictors=["a", "b"]).varying == ("a", "b")
    assert study(predictors=["a", "b"], varying=["b"]).varying == ("b",)
    assert study(predictors=["a", "b"], varying=[]).varying == ()
    assert study().varying == ()


def test_terms_begin_with_the_intercept_and_varying_columns_point_into_them() -> None:
    asked = study(predictors=["a", "b", "c"], varying=["c", "a"])
    assert asked.terms == ("intercept", "a", "b", "c")
    assert asked.varying_columns == (1, 3)


def test_columns_are_each_named_once_keys_last() -> None:
    asked = study(predictors=["x"], rules={"unique": ["g", "day"]})
    assert asked.columns == ("y", "g", "x", "day")


def test_a_study_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        study().title = "another"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"predictors": ["y"]}, "'y' is named twice"),
        ({"predictors": ["x", "x"]}, "'x' is named twice"),
        ({"group": "y"}, "'y' is named twice"),
        ({"predictors": ["sigma"]}, "'sigma' names a term"),
        ({"predictors": ["_row"]}, "'_row' has a name that Poolwise keeps"),
        ({"rules": {"unique": ["_file"]}}, "'_file' has a name that Poolwise keeps"),
        ({"predictors": ["x"], "varying": ["z"]}, "varying names 'z'"),
        ({"predictor_units": {"z": "s"}}, "predictor_units names 'z'"),
        ({"rules": {"ranges": {"g": {"min": 0}}}}, "rules.ranges names 'g'"),
        ({"rules": {"ranges": {"y": {"min": 2, "max": 1}}}}, "min 2 is above max 1"),
        ({"rules": {"ranges": {"y": {}}}}, "give min, max or both"),
        ({"priors": {"slopes": {"z": {"sd": 1}}}}, "priors.slopes names 'z'"),
        ({"priors": {"sigma_group_sd": {"z": 1}}}, "priors.sigma_group_sd names 'z'"),
        ({"source": "../elsewhere/*.csv"}, "has to stay within the study's folder"),
        ({"encoding": "utf-9"}, "no known text encoding"),
        ({"encoding": "base64"}, "no known text encoding"),
        ({"outcome_unt": "s"}, "Extra inputs"),
        ({"rules": {"max_rejected_share": 1.5}}, "less than or equal to 1"),
        ({"name": "My study"}, "pattern"),
        ({"family": "gamma"}, "'normal', 'binomial' or 'poisson'"),
        ({"trials": "n"}, 'trials names \'n\', .* belong to family = "binomial", not "normal"'),
        ({"trials": "n", "family": "poisson"}, 'belong to family = "binomial", not "poisson"'),
        ({"exposure": "n", "family": "binomial"}, 'belong to family = "poisson", not "binomial"'),
        ({"exposure": "n", "trials": "m", "family": "binomial"}, "exposure names 'n'"),
        ({"trials": "y", "family": "binomial"}, "'y' is named twice"),
        ({"trials": "g", "family": "binomial"}, "'g' is named twice"),
        ({"exposure": "x", "family": "poisson", "predictors": ["x"]}, "'x' is named twice"),
        ({"exposure": "_row", "family": "poisson"}, "'_row' has a name that Poolwise keeps"),
        ({"rates": {"per": 1000}}, "the table rates is for outcomes that are counted"),
        ({"family": "poisson", "rates": {"per": 0}}, "greater than 0"),
        ({"family": "poisson", "rates": {"margin": float("inf")}}, "finite"),
        ({"family": "poisson", "rates": {"least_size": -1}}, "greater than or equal to 0"),
        ({"family": "poisson", "rates": {"worse": "more"}}, "'higher' or 'lower'"),
        ({"family": "binomial", "targets": {"all": 1}}, "targets.all is 1, but .* above 0 and below 1"),
        ({"family": "binomial", "targets": {"groups": {"a": 5}}}, "targets.groups, 'a', is 5"),
        ({"family": "poisson", "targets": {"groups": {"a": 0}}}, "targets.groups, 'a', is 0, but .* above 0"),
        ({"family": "poisson", "targets": {"all": float("nan")}}, "finite"),
        ({"targets": {"all": 3.5}}, "targets are for outcomes that are counted, .* and this one is measured"),
        ({"targets": {"groups": {"a": 3.5}}}, "targets are for outcomes that are counted"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        study(**changes)


def test_a_counted_outcome_has_a_size_beside_its_predictors() -> None:
    asked = study(family="binomial", trials="n", predictors=["x"], order="t", rules={"ranges": {"n": {"min": 5}}})
    assert (asked.is_counted, asked.size_column, asked.terms) == (True, "n", ("intercept", "x"))
    assert asked.columns == ("y", "g", "x", "n", "t")
    assert asked.numeric_columns == ("y", "x", "n")
    assert asked.is_always_number("n")
    plain = study(predictors=["x"])
    assert (plain.is_counted, plain.size_column, plain.numeric_columns) == (False, None, ("y", "x"))
    assert study(family="poisson", exposure="e").size_column == "e"
    assert study(family="poisson").size_column is None


def test_targets_are_spelt_as_labels_are() -> None:
    asked = study(family="poisson", targets={"all": 12, "groups": {" a\u200b": 0.5}}, rates={"of": "days"})
    assert (asked.targets.all, asked.targets.groups, asked.rates.margin) == (12, {"a": 0.5}, 1.0)


@given(st.text())
def test_any_text_gives_a_name_that_a_study_takes(text: str) -> None:
    assert study(name=study_name(text)).name == study_name(text)


@pytest.mark.parametrize(("text", "name"), [("Bounce Rates", "bounce-rates"), ("Été 2026!", "t-2026"), ("…", "study")])
def test_names_are_lowercase_words(text: str, name: str) -> None:
    assert study_name(text) == name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"categories": {"columns": ["z"]}}, "categories.columns names 'z', which is none of x"),
        ({"categories": {"reference": {"z": "a"}}}, "categories.reference names 'z', which is none of x"),
        ({"categories": {"columns": ["x"], "numbers": ["x"]}}, "categories names 'x', which categories.numbers makes"),
        (
            {"categories": {"columns": ["x"]}, "codes": {"x": {"a": 1.0}}},
            "categories names 'x', which codes makes a number",
        ),
        ({"categories": {"reference": {"x": "a"}}, "dates": {"x": "%Y-%m-%d"}}, "which dates makes a number"),
        (
            {"categories": {"columns": ["x"]}, "rules": {"ranges": {"x": {"min": 0}}}},
            "which rules.ranges makes a number",
        ),
    ],
)
def test_a_predictor_is_a_category_or_a_number(fields: dict[str, object], said: str) -> None:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"]}
    with pytest.raises(ValidationError, match=re.escape(said)):
        Study.model_validate({**least, **fields})


def test_varying_counts_as_set_where_a_study_names_it_only() -> None:
    least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": ["x"]}
    by_default, named = Study.model_validate(least), Study.model_validate({**least, "varying": ["x"]})
    assert by_default.varying == named.varying == ("x",)
    assert ("varying" in by_default.model_fields_set, "varying" in named.model_fields_set) == (False, True)
    assert "varying" not in pickle.loads(pickle.dumps(by_default)).model_fields_set
