"""Drafts propose the family of an outcome that is counted, say why, and the drafted study runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.drafting.draft import draft_study
from tasks.opening.studies import OpenedStudy, read_study
from tasks.rows.collect import Collected, collect_afresh
from tests.datasets import classic

N = 240


def drafted(folder: Path, frame: pd.DataFrame) -> tuple[str, OpenedStudy, Collected]:
    """The draft for a file with these rows, the study that it is, and what a run makes of the rows."""
    frame.to_csv(folder / "rows.csv", index=False)
    text = draft_study(folder / "rows.csv")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    opened = read_study(folder)
    return text, opened, collect_afresh(opened)


def frame(**columns: Sequence[object]) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    ward = np.repeat([f"ward {c}" for c in "abcdefgh"], N // 8)
    return pd.DataFrame({"ward": ward, "age": rng.normal(60, 9, N).round(1), **columns})


def events(rng: np.random.Generator) -> np.ndarray:
    return (rng.uniform(size=N) < np.repeat(np.linspace(0.1, 0.8, 8), N // 8)).astype(int)


@pytest.mark.parametrize(
    "words", [("0", "1"), ("false", "true"), ("FALSE", "TRUE"), ("no", "yes"), ("N", "Y"), ("0.0", "1.0")]
)
def test_two_values_are_binomial(tmp_path: Path, words: tuple[str, str]) -> None:
    died = events(np.random.default_rng(1))
    text, opened, rows = drafted(tmp_path, frame(died=[words[i] for i in died]))
    assert (opened.study.outcome, opened.study.family, opened.study.trials) == ("died", "binomial", None)
    assert 'family = "binomial" # guess: it has two values, 0 and 1' in text
    assert rows.n_rejected == 0
    assert rows.sample.y.sum() == died.sum()


@pytest.mark.parametrize(
    ("event", "trial"),
    [
        ("deaths", "admissions"),
        ("events", "n"),
        ("Bounces", "Visits"),
        ("successes", "trials"),
        ("nClicks", "sessions"),
    ],
)
def test_events_of_trials_are_binomial_with_the_trials(tmp_path: Path, event: str, trial: str) -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(20, 200, N)
    chance = np.repeat(np.linspace(0.1, 0.4, 8), N // 8)
    text, opened, rows = drafted(tmp_path, frame(**{trial: n, event: rng.binomial(n, chance)}))
    assert (opened.study.outcome, opened.study.family, opened.study.trials) == (event, "binomial", trial)
    assert f'trials = "{trial}" # guess: its name, and never less than the outcome' in text
    assert trial not in opened.study.predictors
    assert rows.cells is not None
    assert rows.cells.size.sum() == n.sum()


def test_a_row_for_each_group_is_drafted_where_trials_tell_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n = rng.integers(20, 900, 40)
    table = pd.DataFrame({"hospital": [f"H {i}" for i in range(40)], "deaths": rng.binomial(n, 0.1), "admissions": n})
    text, opened, rows = drafted(tmp_path, table.assign(age=rng.normal(60, 5, 40).round(1)))
    assert (opened.study.group, opened.study.predictors) == ("hospital", ("age",))
    assert 'group = "hospital" # guess: 40 different values, a row each' in text
    assert (rows.n_rows, rows.n_groups) == (40, 40)


def test_how_trials_are_written_is_drafted_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(2_000, 9_000, N)
    deaths = rng.binomial(n, np.repeat(np.linspace(0.01, 0.04, 8), N // 8))
    text, opened, rows = drafted(tmp_path, frame(admissions=[f"{each:,}" for each in n], deaths=deaths))
    assert (opened.study.trials, opened.study.thousands) == ("admissions", ",")
    assert f"# admissions = {{ min = {n.min()}, max = {n.max()} }} # as seen" in text
    assert rows.cells is not None
    assert rows.cells.size.sum() == n.sum()


def test_trials_that_are_ever_exceeded_are_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(20, 200, N)
    deaths = rng.binomial(n, 0.3)
    n[7] = deaths[7] - 1
    _, opened, _ = drafted(tmp_path, frame(admissions=n, deaths=deaths))
    assert (opened.study.outcome, opened.study.family) == ("deaths", "poisson")


@pytest.mark.parametrize("exposure", ["person_years", "Expected", "days", "population"])
def test_counts_are_poisson_with_their_exposure(tmp_path: Path, exposure: str) -> None:
    rng = np.random.default_rng(4)
    over = rng.uniform(1, 30, N).round(1)
    count = rng.poisson(over * np.repeat(np.linspace(0.05, 0.3, 8), N // 8))
    text, opened, rows = drafted(tmp_path, frame(infections=count, **{exposure: over}))
    assert (opened.study.outcome, opened.study.family, opened.study.exposure) == ("infections", "poisson", exposure)
    assert f'exposure = "{exposure}" # guess: its name, and above 0' in text
    assert "times their mean; its name" in text
    assert rows.n_rejected == 0


def test_an_exposure_that_is_ever_0_is_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    count = rng.poisson(np.repeat(np.linspace(0.5, 4, 8), N // 8))
    _, opened, _ = drafted(tmp_path, frame(infections=count, days=rng.integers(0, 9, N)))
    assert (opened.study.family, opened.study.exposure) == ("poisson", None)


def test_small_counts_need_no_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    count = rng.poisson(np.repeat(np.linspace(0.5, 4, 8), N // 8))
    table = pd.DataFrame({"ward": frame()["ward"], "resp": count})
    _, opened, _ = drafted(tmp_path, table)
    assert (opened.study.outcome, opened.study.family) == ("resp", "poisson")


def test_whole_numbers_that_may_be_measured_are_a_question(tmp_path: Path) -> None:
    classic("cake").to_csv(tmp_path / "cake.csv", index=False)
    text = draft_study(tmp_path / "cake.csv")
    assert '# family = "poisson" # if it is a count: whole numbers, whose variance is 2.1 times their mean' in text
    assert "\nfamily" not in text


@pytest.mark.parametrize("name", ["sleepstudy", "penicillin", "pastes"])
def test_measurements_are_left_alone(tmp_path: Path, name: str) -> None:
    classic(name).to_csv(tmp_path / "rows.csv", index=False)
    assert "family" not in draft_study(tmp_path / "rows.csv")


def test_two_values_other_than_0_and_1_are_left_to_the_reader(tmp_path: Path) -> None:
    rows = frame(died=1 + events(np.random.default_rng(1)))[["ward", "died"]]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    assert "\nfamily" not in draft_study(tmp_path / "rows.csv")
