"""Rows with the same values have the same key, others have not; repeats are found among any files."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rows.row_keys import Keys, Repeats, find_repeats, keys_of

number = st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e300, -1.0])
word = st.sampled_from(["", "a", "b", "ab", "é", "1", "\0", "a\0"])


def keys(rows: list[tuple[str, float, str]]) -> Keys:
    g, x, v = zip(*rows, strict=True) if rows else ((), (), ())
    frame = pd.DataFrame(
        {"g": pd.Series(g, dtype="str"), "x": np.array(x, dtype=float), "v": pd.Series(v, dtype="str")}
    )
    return keys_of(frame, np.arange(1, len(rows) + 1))


row = st.tuples(word, number, word)


@settings(deadline=None)
@given(st.lists(st.lists(row, max_size=12), min_size=1, max_size=4))
def test_repeats_are_the_later_rows_of_equal_values(files: list[list[tuple[str, float, str]]]) -> None:
    first: dict[tuple[str, float, str], tuple[str, int]] = {}
    expected: dict[str, list[tuple[int, str, int]]] = {}
    for f, rows in enumerate(files):
        for r, each in enumerate(rows, 1):
            place = first.setdefault(each, (f"file {f}", r))
            if place != (f"file {f}", r):
                expected.setdefault(f"file {f}", []).append((r, *place))
    found = find_repeats({f"file {f}": keys(rows) for f, rows in enumerate(files)})
    assert {
        name: list(zip(each.row.tolist(), each.first_file, each.first_row.tolist(), strict=True))
        for name, each in found.items()
    } == expected


def test_many_keys_do_not_collide() -> None:
    """Numbers that differ in one bit or in their column, and texts that run together."""
    n = 100_000
    near = np.nextafter(1.0, 2.0) ** np.arange(n)
    frame = pd.DataFrame({"a": np.r_[near, np.ones(n)], "b": np.r_[np.ones(n), near + 2]})
    made = keys_of(frame, np.arange(2 * n))
    n_distinct = len(frame.drop_duplicates())
    assert np.unique(made["hash"]).size == n_distinct
    # 32 bits collide now and then, by chance: n² / 2³³ pairs.
    assert np.unique(made["check"]).size > n_distinct - 3 * n_distinct**2 / 2**33


def test_equal_hashes_are_no_repeat_when_their_checks_differ() -> None:
    made = keys([("a", 1.0, "b"), ("c", 1.0, "d")])
    made["hash"] = 7
    assert find_repeats({"f": made}) == {}


def test_the_id_covers_rows_and_places() -> None:
    def repeats(row: list[int], files: tuple[str, ...], first: list[int]) -> Repeats:
        return Repeats(np.array(row), files, np.array(first))

    ids = {
        repeats([2], ("a",), [1]).id,
        repeats([3], ("a",), [1]).id,
        repeats([2], ("b",), [1]).id,
        repeats([2], ("a",), [3]).id,
        repeats([2, 3], ("a", "a"), [1, 1]).id,
    }
    assert len(ids) == 5
