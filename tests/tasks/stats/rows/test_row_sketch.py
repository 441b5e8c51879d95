"""Sketches of rows: the same for any chunks, whole for few rows, a fair part of many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stats.rows import row_sketch
from tasks.stats.rows.row_sketch import RUN, FileSketch, below
from tests.copied import rows, sketch_of

ROWS = rows(np.random.default_rng(1), 60, 3, "rating", "none").assign(id=[str(i % 7) for i in range(60)])


def everything(sketch: FileSketch) -> list[object]:
    arrays = (part for one in (sketch.rows, sketch.runs) for part in (one.asked, one.rest, one.count))
    return [*(array.tobytes() for array in arrays), sketch.rows.n_rows, sketch.sequence, sketch.n_like_before]


@given(st.lists(st.integers(0, 60), max_size=6), st.sampled_from([5, 20_000]))
def test_chunks_do_not_matter(cuts: list[int], k: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_sketch, "SKETCH_ROWS", k)
        patch.setattr(row_sketch, "SKETCH_RUNS", k)
        assert everything(sketch_of(ROWS, cuts=cuts)) == everything(sketch_of(ROWS))


def test_few_rows_are_all_there_equal_ones_together() -> None:
    found = sketch_of(ROWS).rows
    assert found.is_whole
    assert sorted(found.count.tolist()) == sorted(ROWS.groupby(list(ROWS)).size().tolist())


def test_neither_order_nor_text_of_numbers_changes_a_row() -> None:
    turned = ROWS.iloc[::-1].reset_index(drop=True)
    assert everything(sketch_of(turned))[:3] == everything(sketch_of(ROWS))[:3]
    assert sketch_of(turned).sequence != sketch_of(ROWS).sequence


def test_of_many_rows_files_keep_the_same_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sketch, "SKETCH_ROWS", 500)
    rng = np.random.default_rng(2)
    every = rows(rng, 9_000, 20, "continuous", "continuous")
    one, other = (
        sketch_of(every.iloc[part].reset_index(drop=True)).rows for part in (slice(0, 6_000), slice(3_000, None))
    )
    assert not one.is_whole
    limit = min(one.asked[-1], other.asked[-1])
    shared = np.intersect1d(below(one, limit).asked, below(other, limit).asked).size
    assert shared / min(one.share, other.share) == pytest.approx(3_000, rel=0.2)


def test_runs_are_of_consecutive_rows_without_monotonous_ones() -> None:
    assert sketch_of(ROWS.head(RUN - 1)).runs.n_rows == 0
    assert sketch_of(rows(np.random.default_rng(3), 40, 3, "continuous", "none")).runs.n_rows == 40 - RUN + 1
    same = pd.DataFrame({"g": pd.Series(["a"] * 40, dtype="str"), "y": np.ones(40)})
    assert sketch_of(same).runs.n_rows == 0
    assert sketch_of(same).n_like_before == 39
