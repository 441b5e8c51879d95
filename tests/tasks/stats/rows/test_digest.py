"""Digests add up: chunks to a file, files to a study; and the sample is a fair one of all rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from tasks.stats.fits.cross_products import cross_products, total, with_labels
from tasks.stats.records import GroupedData
from tasks.stats.rows import digest as digests
from tasks.stats.rows.digest import FileDigest, RowHashes, RowsRead, digest_of, merged, priorities
from tasks.study.errors import Rejection
from tests.datasets import simulated

TERMS = ("intercept", "x1")
NO_KEYS = np.empty(0)
NO_HASHES = RowHashes(np.empty(0, np.uint64), np.empty(0, np.uint64), 0, NO_KEYS)


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def part(data: GroupedData, rows: np.ndarray) -> GroupedData:
    """Some rows, their labels as they are met."""
    index = data.group_index[rows]
    met = list(dict.fromkeys(index.tolist()))
    labels = tuple(data.labels[j] for j in met)
    position = {j: i for i, j in enumerate(met)}
    return GroupedData(data.y[rows], data.x[rows], np.array([position[j] for j in index], np.int64), labels, data.terms)


def digest(data: GroupedData, cuts: Sequence[int] = (), name: object = "a") -> FileDigest:
    """Of a file with these rows, read in chunks that end at `cuts`."""
    chunks = [
        RowsRead(rows.size, part(data, rows), rows + 1, (), NO_KEYS, NO_HASHES)
        for rows in np.split(np.arange(data.n_rows), sorted(cuts))
    ]
    return digest_of(sha(name), chunks, data.terms)


DATA = simulated(5, [7, 1, 12, 20, 3], beta=(1e6, 2.0))


@settings(deadline=None)
@given(st.lists(st.integers(0, DATA.n_rows), max_size=6))
def test_any_chunks_add_up_to_the_file(cuts: list[int]) -> None:
    made = digest(DATA, cuts)
    assert (made.n_read, made.n_rejected, made.n_rows) == (43, 0, 43)
    whole = cross_products(DATA, made.products.offset)
    np.testing.assert_allclose(with_labels(made.products, DATA.labels).gram, whole.gram, rtol=1e-9, atol=1e-6)
    np.testing.assert_array_equal(made.sample.y, DATA.y)
    np.testing.assert_array_equal(made.sample.row, np.arange(1, 44))
    assert [made.products.labels[j] for j in made.sample.group_index] == [DATA.labels[j] for j in DATA.group_index]


def test_one_chunk_gives_the_very_sums_of_its_rows() -> None:
    made = with_labels(digest(DATA).products, DATA.labels)
    np.testing.assert_array_equal(made.gram, cross_products(DATA).gram)
    np.testing.assert_array_equal(total([made]).gram, made.gram)


def test_rejected_rows_are_counted_and_kept() -> None:
    reason = Rejection(sha("a"), 2, "y", "?", "not a number")
    empty = part(DATA, np.empty(0, np.int64))
    chunks = [
        RowsRead(1, empty, np.empty(0, np.int64), (), NO_KEYS, NO_HASHES),
        RowsRead(6, part(DATA, np.arange(5)), np.array([1, 3, 4, 5, 6]), (reason,), NO_KEYS, NO_HASHES),
    ]
    made = digest_of(sha("a"), chunks, TERMS)
    assert (made.n_read, made.n_rejected, made.rejections) == (7, 2, (reason,))
    nothing = digest_of(sha("a"), chunks[:1], TERMS)
    assert (nothing.n_read, nothing.n_rejected, nothing.products.labels) == (1, 1, ())
    assert merged([nothing, made], ("g00000",), TERMS).y.tolist() == DATA.y[:5].tolist()


def test_sums_far_apart_keep_their_digits() -> None:
    """A few rows far off do not spoil the many: sums are about the many's mean."""
    many, few = simulated(1, [500, 500]), simulated(2, [3], beta=(1e9, 2.0))
    parts = [digest(few, name="few").products, digest(many, name="many").products]
    summed = total(parts)
    np.testing.assert_array_equal(summed.offset, parts[1].offset)
    np.testing.assert_array_equal(with_labels(summed, many.labels).gram[1], parts[1].gram[1])


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 40), st.randoms())
def test_samples_of_files_merge_into_the_sample_of_their_rows(sizes: list[int], k: int, random) -> None:
    """In the order of files and rows, whatever the chunks; every row where there are few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "SAMPLE_ROWS", k)
        data = [simulated(seed, [size]) for seed, size in enumerate(sizes)]
        made = [digest(each, random.choices(range(each.n_rows + 1), k=2), i) for i, each in enumerate(data)]
        got = merged(made, ("g00000",), TERMS)
    priority = np.concatenate([priorities(sha(i), np.arange(1, n + 1)) for i, n in enumerate(sizes)])
    kept = np.sort(np.argsort(priority)[:k])
    np.testing.assert_array_equal(got.y, np.concatenate([each.y for each in data])[kept])
    np.testing.assert_array_equal(got.x, np.concatenate([each.x for each in data])[kept])


def test_every_row_is_as_likely_to_be_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a small, a large and a middling file, over 2,000 contents."""
    monkeypatch.setattr(digests, "SAMPLE_ROWS", 10)
    sizes = [5, 60, 35]
    data = [simulated(seed, [size]) for seed, size in enumerate(sizes)]
    where = {float(y): i for i, y in enumerate(np.concatenate([each.y for each in data]))}
    drawn = np.zeros(100)
    for turn in range(2000):
        made = [digest(each, name=(turn, i)) for i, each in enumerate(data)]
        drawn[[where[y] for y in merged(made, ("g00000",), TERMS).y.tolist()]] += 1
    assert drawn.sum() == 20_000
    # Without replacement the counts vary a little less than a multinomial's: by 1 - 10/100.
    assert chisquare(drawn).statistic / 0.9 < 99 + 4 * np.sqrt(2 * 99)


def test_priorities_are_uniform_and_distinct() -> None:
    made = [priorities(sha(name), np.arange(1, 50_001)) for name in range(3)]
    for each in made:
        assert np.unique(each).size == each.size
        assert kstest(each / 2.0**64, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef([each.astype(float) for each in made])[np.triu_indices(3, 1)]).max() < 0.02


def test_groups_without_a_sampled_row_keep_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "SAMPLE_ROWS", 3)
    got = merged([digest(DATA)], DATA.labels, TERMS)
    assert (got.n_rows, got.labels) == (3, DATA.labels)
    for y, j in zip(got.y, got.group_index, strict=True):
        assert DATA.group_index[np.flatnonzero(DATA.y == y)[0]] == j
