"""Copies are told from rows that are equal by chance, whatever the rows are like.

`python -m tests.tasks.stats.test_copies 100` simulates more and prints how often copies are told.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tasks.stats.rows import copies, row_sketch
from tasks.stats.rows.copies import Copies
from tests.copied import OUTCOMES, PREDICTORS, copies_in, rows

Files = list[pd.DataFrame]
KINDS = tuple(itertools.product(OUTCOMES, PREDICTORS))


def again(file: pd.DataFrame) -> pd.DataFrame:
    return file.reset_index(drop=True)


def parts(file: pd.DataFrame, n: int) -> Files:
    return [again(file.iloc[part]) for part in np.array_split(np.arange(len(file)), n)]


def is_told(found: Copies) -> bool:
    return bool(found.shared or found.repeated)


def without_copies(outcome: str, predictor: str, seed: int) -> Files:
    """Few or many rows, groups and files; as they came, sorted, or each group once a file."""
    rng = np.random.default_rng([OUTCOMES.index(outcome), PREDICTORS.index(predictor), seed])
    n, n_groups, n_files = (
        int(rng.choice([40, 200, 1000, 4000])),
        int(rng.choice([3, 8, 40])),
        int(rng.choice([1, 2, 6])),
    )
    made = parts(rows(rng, n, n_groups, outcome, predictor), n_files)
    how = rng.choice(["as they came", "sorted", "panel"])
    if how == "sorted":
        return [again(file.sort_values(list(file))) for file in made]
    return [again(file.drop_duplicates("g")) for file in made] if how == "panel" else made


def same_design(outcome: str, seed: int) -> Files:
    """Every file has the same groups and predictor in the same order, and an outcome of its own."""
    rng = np.random.default_rng([7, seed])
    made = [rows(rng, 300, 5, outcome, "day") for _ in range(3)]
    return [file.assign(g=made[0]["g"], x=made[0]["x"]) for file in made]


def delivered_twice(file: pd.DataFrame) -> Files:
    return [file, file.copy()]


def shuffled(file: pd.DataFrame) -> Files:
    return [file, again(file.sample(frac=1, random_state=1))]


def a_fifth_shared(file: pd.DataFrame) -> Files:
    half = len(file) // 2
    return [again(file.head(half)), again(file.iloc[half - half // 5 :])]


def cumulative(file: pd.DataFrame) -> Files:
    return [again(file.head(n * len(file) // 4)) for n in range(1, 5)]


def five_doubled(file: pd.DataFrame) -> Files:
    return [again(pd.concat([file, file.iloc[10:15]]))]


WAYS: dict[str, Callable[[pd.DataFrame], Files]] = {
    each.__name__: each for each in (delivered_twice, shuffled, a_fifth_shared, cumulative, five_doubled)
}


def simulated(way: str, outcome: str, predictor: str, seed: int) -> Copies:
    rng = np.random.default_rng([3, seed])
    return copies_in(WAYS[way](rows(rng, 500, 8, outcome, predictor)))


@pytest.mark.parametrize(("outcome", "predictor"), KINDS)
def test_no_alarm_without_copies(outcome: str, predictor: str) -> None:
    for seed in range(3):
        assert not is_told(copies_in(without_copies(outcome, predictor, seed)))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_alarm_where_files_repeat_a_design(outcome: str) -> None:
    assert not is_told(copies_in(same_design(outcome, 1)))


FINE = [kind for kind in KINDS if kind[0] in ("continuous", "cents", "minutes") and kind[1] in ("continuous", "age")]


@pytest.mark.parametrize("way", ["delivered_twice", "shuffled", "a_fifth_shared", "cumulative"])
@pytest.mark.parametrize(("outcome", "predictor"), FINE)
def test_copies_of_fine_rows_are_told_and_counted(way: str, outcome: str, predictor: str) -> None:
    expected = {"delivered_twice": 500, "shuffled": 500, "a_fifth_shared": 50, "cumulative": 125 + 250 + 375}
    found = simulated(way, outcome, predictor, 1)
    assert found.n_rows == pytest.approx(expected[way], rel=0.1)
    assert not found.is_about


@pytest.mark.parametrize("outcome", ["rating", "count", "minutes"])
@pytest.mark.parametrize("predictor", ["none", "day", "age"])
@pytest.mark.parametrize("way", ["delivered_twice", "cumulative"])
def test_copies_of_coarse_rows_are_told_by_their_order(way: str, outcome: str, predictor: str) -> None:
    expected = {"delivered_twice": 500, "cumulative": 750}
    found = simulated(way, outcome, predictor, 1)
    assert found.n_rows == pytest.approx(expected[way], rel=0.05)


@pytest.mark.parametrize("outcome", ["yes or no", "many zeros"])
def test_a_whole_file_of_coarse_rows_delivered_twice_is_told(outcome: str) -> None:
    (shared,) = simulated("delivered_twice", outcome, "none", 1).shared
    assert (shared.earlier, shared.file, shared.n_rows, shared.in_order) == ("0", "1", 500, True)


def test_a_few_doubled_rows_among_fine_ones_are_told() -> None:
    for outcome in ("continuous", "cents"):
        (repeated,) = simulated("five_doubled", outcome, "continuous", 1).repeated
        assert (repeated.n_rows, repeated.n_file, repeated.in_order) == (5, 505, False)


def test_a_chain_of_cumulative_files_names_neighbours() -> None:
    found = simulated("cumulative", "continuous", "none", 1)
    assert [(each.earlier, each.file, each.n_rows) for each in found.shared] == [
        ("2", "3", 375),
        ("1", "2", 250),
        ("0", "1", 125),
    ]


def test_rows_with_ids_of_their_own_are_no_copies() -> None:
    """Equal in the study's columns only; and coarse rows with the same ids are copies in any order."""
    file = rows(np.random.default_rng(5), 400, 8, "continuous", "continuous")
    assert not is_told(
        copies_in([file.assign(id=[f"a{i}" for i in range(400)]), file.assign(id=[f"b{i}" for i in range(400)])])
    )
    coarse = rows(np.random.default_rng(5), 400, 8, "rating", "none").assign(id=[f"a{i}" for i in range(400)])
    (shared,) = copies_in(shuffled(coarse)).shared
    assert (shared.n_rows, shared.in_order) == (400, False)


def test_files_with_other_columns_are_compared_in_the_study_s() -> None:
    file = rows(np.random.default_rng(6), 300, 8, "continuous", "age")
    (shared,) = copies_in([file, file.assign(id="2024-02-01")], [0, 1]).shared
    assert (shared.n_rows, shared.by_study) == (300, True)


@pytest.mark.parametrize("n_limit", [10_000, 1_000])
def test_of_large_files_about_as_many_are_told_as_there_are(monkeypatch: pytest.MonkeyPatch, n_limit: int) -> None:
    monkeypatch.setattr(row_sketch, "SKETCH_ROWS", 800)
    monkeypatch.setattr(row_sketch, "SKETCH_RUNS", 300)
    monkeypatch.setattr(copies, "MOST_HASHES", n_limit)
    file = rows(np.random.default_rng(8), 9_000, 30, "cents", "continuous")
    (shared,) = copies_in([again(file.head(6_000)), again(file.iloc[3_000:])]).shared
    assert shared.is_about
    assert shared.n_rows == pytest.approx(3_000, rel=0.3)


def test_one_file_and_one_row_are_nothing_to_compare() -> None:
    one = rows(np.random.default_rng(9), 1, 1, "rating", "none")
    assert not is_told(copies_in([one]))
    assert not is_told(copies_in([one, one]))


def main(n: int) -> None:
    alarms = sum(is_told(copies_in(without_copies(*kind, seed))) for kind in KINDS for seed in range(n))
    print(f"alarms without copies: {alarms} of {len(KINDS) * n}")
    designs = sum(is_told(copies_in(same_design(outcome, seed))) for outcome in OUTCOMES for seed in range(n))
    print(f"alarms where files repeat a design: {designs} of {len(OUTCOMES) * n}")
    print(f"{'told, of ' + str(n):28}" + "".join(f"{way:>17}" for way in WAYS))
    for kind in KINDS:
        told = (sum(is_told(simulated(way, *kind, seed)) for seed in range(n)) for way in WAYS)
        print(f"{kind[0] + ', ' + kind[1]:28}" + "".join(f"{each:17}" for each in told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
