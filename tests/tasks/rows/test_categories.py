"""Predictors of text, of true and false, and of codes: levels, the reference, and what stops a run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.opening.studies import OpenedStudy
from tasks.rows import csv_files
from tasks.rows.collect import Collected, collect
from tasks.rows.read_files import read_files
from tasks.rows.study_files import hash_files
from tasks.stats.rows.categories import Level, judge_categories
from tasks.study.errors import DataRejected
from tasks.study.model import Study
from tests.at_once import validate_at_once

ODD = ("<b>web</b>", '=HYPERLINK("x")', "🦊 & co", "a\tb", "شارع", "x: y", "it's")


@dataclass
class Place:
    folder: Path

    def put(self, name: str, rows: pd.DataFrame) -> None:
        rows.to_csv(self.folder / name, index=False)

    def study(self, predictors: Sequence[str] = ("x", "c"), **fields: Any) -> Study:
        least = {"name": "s", "title": "t", "outcome": "y", "group": "g", "predictors": predictors}
        return Study.model_validate({**least, **fields})

    def read(self, predictors: Sequence[str] = ("x", "c"), **fields: Any) -> Collected:
        """By the way of a run; all rows at once have to give the same."""
        study = self.study(predictors, **fields)
        opened = OpenedStudy(study, self.folder, "")
        found = collect(read_files(opened, hash_files(opened), self.folder / "reports"), study)
        at_once = validate_at_once(opened)
        assert at_once.rejections == found.rejections
        np.testing.assert_array_equal(at_once.data.x, found.sample.x)
        assert at_once.data.terms == found.sample.terms == found.products.terms
        return found

    def refusal(self, predictors: Sequence[str] = ("x", "c"), **fields: Any) -> str:
        with pytest.raises(DataRejected) as caught:
            self.read(predictors, **fields)
        assert "\n" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def rows(levels: Sequence[str], n: int = 60, seed: int = 0) -> pd.DataFrame:
    """Levels in turn, so that the first has as many rows as the others or one more."""
    rng = np.random.default_rng(seed)
    names = [levels[i % len(levels)] for i in range(n)]
    return pd.DataFrame(
        {"g": [f"g{i % 7}" for i in range(n)], "x": rng.normal(5, 2, n), "y": rng.normal(size=n)}
    ).assign(c=names)


def columns_of(found: Collected) -> Mapping[str, list[float]]:
    return dict(zip(found.products.terms[1:], found.sample.x.T.tolist(), strict=True))


def test_text_is_a_category_beside_its_most_frequent_level(place: Place) -> None:
    data = rows(["web", "app", "shop", "web"])
    place.put("a.csv", data)
    found = place.read()
    assert found.products.terms == ("intercept", "x", "c: app", "c: shop")
    (category,) = found.notes.categories
    assert category.reference == Level("web", 30, 7)
    assert [level.n_rows for level in category.others] == [15, 15]
    assert columns_of(found)["c: shop"] == (data["c"] == "shop").astype(float).tolist()


def test_a_tie_takes_the_first_in_natural_order_and_a_study_may_name_another(place: Place) -> None:
    place.put("a.csv", rows(["ward 10", "ward 9"]))
    assert place.read().products.terms[2:] == ("c: ward 10",)
    assert place.read(categories={"reference": {"c": "ward 10"}}).products.terms[2:] == ("c: ward 9",)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_levels_of_later_chunks_and_files_are_the_same_columns(
    place: Place, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_files, "CHUNK_ROWS", chunk)
    place.put("a.csv", rows(["web"], 20))
    place.put("b.csv", rows(["web", "app"], 20, seed=1))
    place.put("c.csv", rows(["tv", "web"], 30, seed=2))
    found = place.read()
    place.put("all.csv", pd.concat([pd.read_csv(place.folder / name) for name in ("a.csv", "b.csv", "c.csv")]))
    for name in ("a.csv", "b.csv", "c.csv"):
        (place.folder / name).unlink()
    at_once = place.read()
    assert found.products.terms == at_once.products.terms == ("intercept", "x", "c: app", "c: tv")
    assert found.notes.categories == at_once.notes.categories
    np.testing.assert_allclose(found.products.gram[:, 0, 2:4], at_once.products.gram[:, 0, 2:4], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(np.sort(found.sample.y), np.sort(at_once.sample.y))


def test_the_order_in_which_files_come_changes_no_digit(tmp_path: Path) -> None:
    parts = [rows(["web"], 21), rows(["app", "web"], 30, seed=1), rows(["tv"], 12, seed=2)]
    seen = []
    for number, order in enumerate(itertools.permutations(range(3))):
        place = Place(tmp_path / str(number))
        place.folder.mkdir()
        opened = OpenedStudy(place.study(), place.folder, "")
        for at in order:  # the store is filled one file after the other
            place.put(f"{at}.csv", parts[at])
            if at != order[-1]:
                read_files(
                    opened := OpenedStudy(place.study(), place.folder, ""), hash_files(opened), place.folder / "r"
                )
        opened = OpenedStudy(place.study(), place.folder, "")
        seen.append(collect(read_files(opened, hash_files(opened), place.folder / "r"), opened.study))
    for found in seen[1:]:
        assert found.products.terms == seen[0].products.terms
        np.testing.assert_array_equal(found.products.wide, seen[0].products.wide)
        np.testing.assert_array_equal(found.sample.x, seen[0].sample.x)


def test_hostile_levels_are_levels(place: Place) -> None:
    place.put("a.csv", rows(ODD, 70))
    found = place.read()
    (category,) = found.notes.categories
    assert {level.name for level in category.levels} == set(ODD)
    assert len(found.products.terms) == 2 + len(ODD) - 1


def test_levels_that_look_alike_are_kept_apart_and_told(place: Place) -> None:
    place.put("a.csv", rows(["web", "Web", "shop floor", "shop  floor"], 60))
    found = place.read()
    judged = {one.kind: one for one in judge_categories(found.notes.categories, place.study())}
    assert (judged["alike_levels"].case, judged["alike_levels"].value) == ("alike", 2)
    settled = place.study(labels={"distinct": ["web", "Web", "shop floor", "shop  floor"]})
    assert judge_categories(found.notes.categories, settled)[1].case == "distinct"


def test_a_level_of_few_rows_is_told(place: Place) -> None:
    data = rows(["web", "app"], 60)
    data.loc[:8, "c"] = "tv"
    place.put("a.csv", data)
    categories = place.read().notes.categories
    assert judge_categories(categories, place.study())[0].case == "rare"
    assert judge_categories(categories, place.study(categories={"few_rows": 9}))[0].case == "enough"


def test_a_missing_level_is_a_rejected_row_and_none_is_a_level(place: Place) -> None:
    data = rows(["none", "drug"], 60)
    data.loc[[3, 5, 8], "c"] = ["", "NA", "?"]
    place.put("a.csv", data)
    found = place.read(missing=["?"], rules={"max_rejected_share": 0.2})
    assert [(each.row, each.column, each.rule) for each in found.rejections] == [
        (4, "c", "missing"),
        (6, "c", "missing"),
        (9, "c", "missing"),
    ]
    assert {level.name for level in found.notes.categories[0].levels} == {"none", "drug"}


def test_numbers_are_categories_where_the_study_says_so(place: Place) -> None:
    data = rows(["101", "102", "7"], 60)
    place.put("a.csv", data)
    data.assign(c=data["c"].astype(float)).to_parquet(place.folder / "b.parquet")
    assert place.read(source="*").products.terms == ("intercept", "x", "c")
    found = place.read(source="*", categories={"columns": ["c"]})
    assert found.products.terms == ("intercept", "x", "c: 101", "c: 102")
    assert found.notes.categories[0].reference == Level("7", 40, 7)


def test_a_number_in_one_file_is_a_number_in_all(place: Place) -> None:
    data = rows(["1", "2", "3"], 60)
    place.put("a.csv", data)
    place.put("b.csv", rows(["unknown"], 2, seed=1))
    found = place.read()
    assert found.products.terms == ("intercept", "x", "c")
    assert [(each.file, each.row, each.rule) for each in found.rejections] == [
        ("b.csv", 1, "not a number"),
        ("b.csv", 2, "not a number"),
    ]


@pytest.mark.parametrize("dressed", ["12 kg", "1.5%", "2026-01-0{}", "10:3{}"])
def test_what_looks_like_a_number_is_none(place: Place, dressed: str) -> None:
    place.put("a.csv", rows([dressed.format(i) if "{}" in dressed else f"{i}{dressed}" for i in (1, 2, 3)]))
    assert "not a number" in place.refusal()


def test_too_many_levels_are_refused_in_one_file_and_in_all(place: Place) -> None:
    place.put("a.csv", rows([f"page {i}" for i in range(13)], 130))
    message = place.refusal()
    assert "The predictor 'c' has 13 different texts in a.csv (page 0, page 1, page 10 and 10 more)" in message
    assert "at most 12 levels (categories.most_levels)" in message
    assert len(place.read(categories={"most_levels": 13}).products.terms) == 14
    place.put("a.csv", rows([f"page {i}" for i in range(8)], 80))
    place.put("b.csv", rows([f"page {i}" for i in range(6, 14)], 80, seed=1))
    assert "'c' has 14 different texts in all files together" in place.refusal()


def test_a_category_of_one_level_is_refused(place: Place) -> None:
    place.put("a.csv", rows(["web"]))
    assert "The predictor 'c' is 'web' in all 60 usable rows, and a constant explains nothing." in place.refusal()


def test_a_reference_that_no_row_has_is_refused(place: Place) -> None:
    place.put("a.csv", rows(["web", "app"]))
    message = place.refusal(categories={"reference": {"c": "wbe"}})
    assert "categories.reference names 'wbe' for 'c', which is none of its levels in these data: app, web." in message
    assert "which holds numbers in these data" in place.refusal(categories={"reference": {"x": "low"}})


def test_a_level_of_one_group_and_one_level_per_group_are_fitted(place: Place) -> None:
    data = rows(["web", "app"], 84)
    data["region"] = np.where(data["g"].isin(["g0", "g1", "g2"]), "north", "south")
    data.loc[data["g"] == "g6", "c"] = "kiosk"
    place.put("a.csv", data)
    found = place.read(("x", "c", "region"))
    by_name = {each.column: each for each in found.notes.categories}
    assert {level.name: level.n_groups for level in by_name["c"].levels} == {"web": 6, "app": 6, "kiosk": 1}
    assert by_name["region"].has_one_level_per_group(found.n_groups)
    assert found.study(place.study(("x", "c", "region"))).varying == ("x",)


def test_only_numbers_vary_unless_a_category_is_named(place: Place) -> None:
    place.put("a.csv", rows(["web", "app", "tv"], 90))
    found = place.read()
    assert found.study(place.study()).varying == ("x",)
    assert found.study(place.study(varying=["c"])).varying == ("c: tv", "c: web")


def test_what_a_study_says_of_a_category_holds_for_its_levels(place: Place) -> None:
    place.put("a.csv", rows(["web", "app", "tv"], 90))
    priors = {"slopes": {"c": {"sd": 3.0}, "x": {"sd": 1.0}}, "sigma_group_sd": {"c": 2.0, "intercept": 4.0}}
    asked = place.study(varying=["x", "c"], priors=priors)
    study = place.read(varying=["x", "c"], priors=priors).study(asked)
    assert {name: prior.sd for name, prior in study.priors.slopes.items()} == {"c: tv": 3.0, "c: web": 3.0, "x": 1.0}
    assert study.priors.sigma_group_sd == {"c: tv": 2.0, "c: web": 2.0, "intercept": 4.0}
