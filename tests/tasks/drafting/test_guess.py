"""Which columns are guessed to be what, on published data sets and files of their shape."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm

from tasks.drafting.draft import draft_study
from tasks.opening.studies import read_study
from tasks.study.model import Study
from tests.at_once import validate_at_once
from tests.datasets import classic
from tests.shapes import contraception, exam_scores, growing_pigs, high_school_and_beyond, hospital_stays

Source = Callable[[], pd.DataFrame]


def lme4(name: str) -> Source:
    return lambda: classic(name)


def published(name: str) -> Source:
    return lambda: getattr(sm.datasets, name).load_pandas().data


# The groups and outcomes that the field's own analyses use; several where more than one is sensible.
KNOWN: list[tuple[str, Source, set[str], set[str]]] = [
    ("high_school_and_beyond", high_school_and_beyond, {"school"}, {"mathach"}),
    ("growing_pigs", growing_pigs, {"Pig"}, {"Weight"}),
    ("contraception", contraception, {"district"}, {"use"}),
    ("exam_scores", exam_scores, {"school"}, {"normexam"}),
    ("hospital_stays", hospital_stays, {"hospital"}, {"los"}),
    ("sleepstudy", lme4("sleepstudy"), {"Subject"}, {"Reaction"}),
    ("dyestuff", lme4("dyestuff"), {"Batch"}, {"Yield"}),
    ("dyestuff2", lme4("dyestuff2"), {"Batch"}, {"Yield"}),
    ("cake", lme4("cake"), {"replicate"}, {"angle"}),
    ("penicillin", lme4("penicillin"), {"plate", "sample"}, {"diameter"}),
    ("pastes", lme4("pastes"), {"batch", "sample"}, {"strength"}),
    ("arabidopsis", lme4("arabidopsis"), {"gen", "popu"}, {"total.fruits", "total_fruits"}),
    ("cbpp", lme4("cbpp"), {"herd"}, {"incidence"}),
    ("grouseticks", lme4("grouseticks"), {"BROOD", "LOCATION"}, {"TICKS"}),
    ("insteval", lme4("insteval"), {"s", "d"}, {"y"}),
    ("verbagg", lme4("verbagg"), {"id"}, {"r2"}),
    ("grunfeld", published("grunfeld"), {"firm"}, {"invest"}),
    ("modechoice", published("modechoice"), {"individual"}, {"gc", "invt", "ttme", "invc", "choice"}),
]
NO_PREDICTORS = {"student", "patient_id", "woman", "d", "s", "INDEX", "cTICKS", "total_fruits", "cHEIGHT", "Litter"}


@pytest.mark.parametrize(("name", "source", "groups", "outcomes"), KNOWN, ids=[known[0] for known in KNOWN])
def test_published_data_are_guessed_right_and_the_draft_validates(
    tmp_path: Path, name: str, source: Source, groups: set[str], outcomes: set[str]
) -> None:
    frame = source()
    frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "study.toml").write_text(draft_study(tmp_path / f"{name}.csv"), encoding="utf-8")
    opened = read_study(tmp_path)
    study = opened.study
    assert study.group in groups
    assert study.outcome in outcomes
    assert not NO_PREDICTORS & {*study.predictors}
    same = frame.groupby(study.group)[list(study.predictors)].nunique().max()
    assert (same > 1).all(), "what is the same throughout each group has no slope within them"
    rows = validate_at_once(opened)
    if pd.api.types.is_numeric_dtype(frame[study.outcome]) and not rows.n_rejected:
        assert rows.data.y.tolist() == frame[study.outcome].tolist()


@pytest.mark.parametrize("seed", range(4))
def test_shapes_are_guessed_right_whatever_their_numbers_and_order(tmp_path: Path, seed: int) -> None:
    for make, group, outcome in (
        (high_school_and_beyond, "school", "mathach"),
        (growing_pigs, "Pig", "Weight"),
        (exam_scores, "school", "normexam"),
        (hospital_stays, "hospital", "los"),
    ):
        frame = make(10 + seed).sample(frac=1.0, random_state=seed)
        frame[list(frame.columns[::-1])].to_csv(tmp_path / "data.csv", index=False)
        guessed = Study.model_validate({"name": "s", **tomllib.loads(draft_study(tmp_path / "data.csv"))})
        assert (guessed.group, guessed.outcome) == (group, outcome)


def test_a_draft_says_why_the_group_was_guessed_and_what_is_the_groups_own(tmp_path: Path) -> None:
    high_school_and_beyond().to_csv(tmp_path / "data.csv", index=False)
    text = draft_study(tmp_path / "data.csv")
    assert 'group = "school" # guess: 160 different values, about 4' in text
    assert "; its name; " in text
    assert "of the outcome's variance lies between its values" in text
    assert '# the same throughout each school: ["size", "sector", "meanses"]' in text
