"""Rows of a group follow one another by the column that the study names, however the file has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.opening.studies import read_study
from tasks.rows.collect import Collected, collect_afresh
from tasks.rows.reduce import ranks
from tasks.study.toml_text import toml_text
from tests.worlds.simulate import Design, simulate


@pytest.mark.parametrize(
    ("values", "places"),
    [
        (["10", "9", "10", "-1"], [2, 1, 2, 0]),
        (["2026-W10", "2026-W9", "2025-W52"], [2, 1, 0]),
        (["2026-02-01", "2026-01-31"], [1, 0]),
        ([], []),
    ],
)
def test_values_are_ranked_in_natural_order(values: list[str], places: list[int]) -> None:
    assert ranks(pd.Series(values, dtype="str")).tolist() == places


def test_numbers_are_ranked_by_size() -> None:
    """A predictor can be what rows follow one another by; it is read as numbers."""
    assert ranks(pd.Series([1e-5, 3.0, -2.0, 1e-5])).tolist() == [1, 2, 0, 1]


def collected(folder: Path, rows: pd.DataFrame, **keys: str) -> Collected:
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)
    asked = {"title": "t", "outcome": "y", "group": "g", "predictors": ["x"], **keys}
    (folder / "study.toml").write_text(toml_text(asked), "utf-8")
    return collect_afresh(read_study(folder))


def test_a_shuffled_file_with_its_order_is_the_file_in_order(tmp_path: Path) -> None:
    data = simulate(Design(serial=0.8), (1,)).data
    week = np.concatenate([np.arange(n) for n in np.bincount(data.group_index)])
    names = [data.labels[j] for j in data.group_index]
    rows = pd.DataFrame({"y": data.y, "x": data.x[:, 0], "g": names, "week": [f"W{at}" for at in week]})
    shuffled = rows.sample(frac=1.0, random_state=3)
    plain = collected(tmp_path / "plain", rows).products
    named = collected(tmp_path / "named", shuffled, order="week").products
    lost = collected(tmp_path / "lost", shuffled).products
    at = [named.labels.index(label) for label in plain.labels]
    np.testing.assert_allclose(named.offset, plain.offset)
    np.testing.assert_allclose(named.lag[at], plain.lag, atol=1e-8)
    np.testing.assert_array_equal(named.rises[at], plain.rises)
    assert not np.allclose(lost.lag, plain.lag, atol=1e-2)


def test_a_row_without_its_order_is_rejected(tmp_path: Path) -> None:
    data = simulate(Design(), (1,)).data
    rows = pd.DataFrame({"y": data.y, "x": data.x[:, 0], "g": [data.labels[j] for j in data.group_index]})
    found = collected(tmp_path / "s", rows.assign(week=[""] + ["W1"] * (len(rows) - 1)), order="week")
    assert [(one.column, one.rule) for one in found.rejections] == [("week", "missing")]
