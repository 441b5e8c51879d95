"""What is kept of a file once its rows have been read: sums, counts, reasons for rejection and a sample of rows.

Digests add up: the sums of two files are those of their rows together, and so is the sample. Each row
has a priority, a hash of its file's content and its number, which is as good as random; the sample is
the SAMPLE_ROWS rows of the lowest priorities (bottom-k: Cohen & Kaplan 2007). Every set of SAMPLE_ROWS rows is
equally likely to be the sample, and the lowest rows of a union are among the lowest of its parts.
A digest holds no file name: it describes the content, whatever the file is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tasks.stats.fits.cells import Cells, relabelled
from tasks.stats.fits.cells import added as added_cells
from tasks.stats.fits.cross_products import CrossProducts, add, cross_products
from tasks.stats.fits.cross_products import with_spelling as products_with_spelling
from tasks.stats.labels import one_spelling
from tasks.stats.records import Floats, GroupedData, Integers
from tasks.stats.rows.coding import Coding, Levels, joined, recoded, recoded_cells, recoded_rows
from tasks.stats.rows.counted_rows import CodedCells, cells_of_pile, piled
from tasks.stats.rows.cut_short import CutShort
from tasks.stats.rows.extremes import Extremes, added, extremes_of, no_extremes
from tasks.stats.rows.row_sketch import FileSketch, Hashes, extended, finished, no_sketch
from tasks.study.errors import Rejection
from tasks.study.rates import Family

SAMPLE_ROWS = 50_000

Priorities = NDArray[np.uint64]


@dataclass(frozen=True)
class RowHashes:
    """Hashes of the good rows (see `tasks.stats.rows.row_sketch`), and their keys where copies are dropped."""

    asked: Hashes  # (n,)
    rest: Hashes  # (n,)
    others: int
    keys: NDArray[np.void]


@dataclass(frozen=True)
class RowsRead:
    """Some consecutive rows of a file, checked against the study's rules."""

    n_read: int
    good: GroupedData
    row: Integers  # (n,) numbers of the good rows, from 1
    rejections: tuple[Rejection, ...]
    keys: NDArray[np.void]  # of the good rows (see `tasks.rows.row_keys`); empty when no rule needs them
    whole: RowHashes
    n_copies: int = 0  # rows dropped as copies of earlier ones; neither good nor rejected
    order: Integers | None = None  # (n,) what the good rows of a group follow one another by; None: as they stand
    levels: Levels = field(default_factory=dict)  # of the categories; `good` has a 0/1 column for each


@dataclass(frozen=True)
class Sample:
    """Good rows of one file, in the file's order; `group_index` points into the digest's labels."""

    row: Integers  # (n,)
    y: Floats  # (n,)
    x: Floats  # (n, p - 1)
    group_index: Integers  # (n,)
    priority: Priorities  # (n,)
    size: Floats | None = None  # (n,) as in GroupedData


@dataclass(frozen=True)
class FileDigest:
    """`rejections` are of this file's rows. They name files by sha256: this file, and any other that a rule names."""

    sha256: str
    n_read: int
    n_rejected: int  # rows, without copies that were dropped
    products: CrossProducts
    sample: Sample
    rejections: tuple[Rejection, ...]
    keys: NDArray[np.void]  # as in RowsRead
    extremes: Extremes  # of its good rows; last of the size, if the outcome is counted
    copy_keys: NDArray[np.void]  # of whole rows, where copies are dropped
    sketch: FileSketch
    coding: Coding  # of `products`, `sample` and `cells`
    n_copies: int = 0
    cut_short: CutShort | None = None  # None if the file's end seems to be there
    cells: Cells | None = None  # of a counted outcome, with the labels of `products`

    @property
    def n_rows(self) -> int:
        return self.n_read - self.n_rejected - self.n_copies


def with_spelling(digest: FileDigest, spelling: Mapping[str, str]) -> FileDigest:
    """The digest with its labels respelt; groups that get the same label are merged."""
    labels, index = one_spelling(digest.products.labels, spelling)
    if labels == digest.products.labels:
        return digest
    sample = replace(digest.sample, group_index=index[digest.sample.group_index])
    cells = None if digest.cells is None else relabelled(digest.cells, labels, index)
    return replace(digest, products=products_with_spelling(digest.products, spelling), sample=sample, cells=cells)


def coded(digest: FileDigest, coding: Coding) -> FileDigest:
    """The digest with the columns of another coding."""
    sample = replace(digest.sample, x=recoded_rows(digest.sample.x, digest.coding, coding))
    products = recoded(digest.products, digest.coding, coding)
    cells = digest.cells
    if cells is not None and coding.columns != digest.coding.columns:
        cells = added_cells([recoded_cells(cells, digest.coding, coding)])
    return replace(digest, products=products, sample=sample, coding=coding, cells=cells)


def digest_of(sha256: str, chunks: Iterable[RowsRead], terms: tuple[str, ...], family: Family = "normal") -> FileDigest:
    """Reduce a file to its digest, chunk by chunk; `terms` are the intercept and the study's predictors.

    Sums are about the means of the first chunk with good rows; those of 0/1 columns about 0.
    """
    coding = Coding(terms[1:])
    products, sample = no_products(terms), no_sample(len(terms) - 1)
    rejections: list[Rejection] = []
    keys: list[NDArray[np.void]] = []
    extremes = no_extremes(len(terms) + (family != "normal"))
    pile: tuple[CodedCells, ...] = ()
    copy_keys: list[NDArray[np.void]] = []
    sketch: FileSketch | None = None
    n_read = n_good = n_copies = 0
    for chunk in chunks:
        n_read += chunk.n_read
        n_good += chunk.good.n_rows
        n_copies += chunk.n_copies
        rejections += chunk.rejections
        keys.append(chunk.keys)
        copy_keys.append(chunk.whole.keys)
        sketch = extended(sketch or no_sketch(chunk.whole.others), chunk.whole.asked, chunk.whole.rest)
        if chunk.good.n_rows:
            of_chunk = Coding(terms[1:], chunk.levels)
            extremes = added([extremes, extremes_of_rows(chunk.good, of_chunk)])
            before, coding = coding, joined([coding, of_chunk])
            here = replace(chunk, good=_recoded_data(chunk.good, of_chunk, coding))
            products = _with_rows(recoded(products, before, coding), here.good, chunk.order, coding)
            sample = replace(sample, x=recoded_rows(sample.x, before, coding))
            sample = lowest(_joined([sample, _sampled(sha256, here, products.labels)]), SAMPLE_ROWS)
            pile = pile if family == "normal" else piled(pile, chunk.good, of_chunk, family)
    return FileDigest(
        sha256,
        n_read,
        n_read - n_good - n_copies,
        products,
        sample,
        tuple(rejections),
        np.concatenate(keys),
        extremes,
        np.concatenate(copy_keys),
        finished(sketch or no_sketch()),
        coding,
        n_copies,
        cells=None if family == "normal" else cells_of_pile(pile, products.labels, coding, family),
    )


def extremes_of_rows(data: GroupedData, coding: Coding) -> Extremes:
    """Of the outcome, of each predictor, and of the size if there is one; a category has none."""
    at = {name: k for k, (name, level) in enumerate(coding.columns) if level is None}
    columns = [data.x[:, at[name]] if name in at else np.empty(0) for name in coding.predictors]
    return extremes_of([data.y, *columns, *([] if data.size is None else [data.size])])


def no_products(terms: tuple[str, ...]) -> CrossProducts:
    p = len(terms)
    none = np.zeros((0, 2 * p, 2 * p))
    return CrossProducts((), terms, np.zeros(p), none, none, none, np.zeros(0))


def no_sample(n_predictors: int) -> Sample:
    whole = np.empty(0, dtype=np.int64)
    return Sample(whole, np.empty(0), np.empty((0, n_predictors)), whole, np.empty(0, dtype=np.uint64))


def priorities(sha256: str, row: Integers) -> Priorities:
    """(n,) splitmix64 (Steele, Lea & Flood 2014), seeded with the content's hash; distinct within a file."""
    with np.errstate(over="ignore"):
        z = np.uint64(int(sha256[:16], 16)) + row.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def lowest(sample: Sample, k: int) -> Sample:
    """At most `k` rows: those of the lowest priorities, in their present order."""
    if sample.row.size <= k:
        return sample
    return take(sample, np.sort(np.argpartition(sample.priority, k)[:k]))


def take(sample: Sample, rows: NDArray[np.generic]) -> Sample:
    """The rows at these positions, or where a mask is true."""
    size = None if sample.size is None else sample.size[rows]
    return Sample(
        sample.row[rows], sample.y[rows], sample.x[rows], sample.group_index[rows], sample.priority[rows], size
    )


def merged(digests: Sequence[FileDigest], labels: Sequence[str], terms: tuple[str, ...]) -> GroupedData:
    """The sample of all files' rows, in the order of the files and then of rows; every row if they are few.

    `labels` are those of all groups; some may have no row in the sample.
    """
    position = {label: j for j, label in enumerate(labels)}
    samples = [no_sample(len(terms) - 1)]
    for digest in digests:
        index = np.array([position[label] for label in digest.products.labels], dtype=np.int64)
        samples.append(replace(digest.sample, group_index=index[digest.sample.group_index]))
    sample = lowest(_joined(samples), SAMPLE_ROWS)
    return GroupedData(sample.y, sample.x, sample.group_index, tuple(labels), terms, sample.size)


def _recoded_data(good: GroupedData, then: Coding, now: Coding) -> GroupedData:
    return replace(good, x=recoded_rows(good.x, then, now), terms=now.terms)


def _with_rows(products: CrossProducts, good: GroupedData, order: Integers | None, coding: Coding) -> CrossProducts:
    if products.labels:
        return add(products, cross_products(good, products.offset, order))
    offset = np.append(np.where(coding.is_level, 0.0, good.x.mean(axis=0)), good.y.mean())
    return replace(cross_products(good, offset, order), categories=coding.categories)


def _sampled(sha256: str, chunk: RowsRead, labels: tuple[str, ...]) -> Sample:
    """All good rows of a chunk; `labels` are the file's labels so far."""
    good, position = chunk.good, {label: j for j, label in enumerate(labels)}
    index = np.array([position[label] for label in good.labels], dtype=np.int64)
    return Sample(chunk.row, good.y, good.x, index[good.group_index], priorities(sha256, chunk.row), good.size)


def _joined(samples: Sequence[Sample]) -> Sample:
    sizes = [sample.size for sample in samples if sample.size is not None]
    row, y, x, group_index, priority = (
        np.concatenate([getattr(sample, name) for sample in samples])
        for name in ("row", "y", "x", "group_index", "priority")
    )
    return Sample(row, y, x, group_index, priority, np.concatenate(sizes) if sizes else None)
