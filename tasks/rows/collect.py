"""From the digests of a study's files to the whole study: sums, a sample of rows, and what was rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tasks.disk.natural_order import natural_order
from tasks.opening.studies import OpenedStudy
from tasks.rows.category_columns import require_few_levels, require_references
from tasks.rows.earlier_files import EarlierDigests
from tasks.rows.hints import hint
from tasks.rows.read_files import ReadFiles, read_files
from tasks.rows.sources.of_study import source_of
from tasks.rows.structure import SET_ASIDE, require_enough_rows, require_structure
from tasks.rows.study_files import wait_for_incoming
from tasks.rows.validate import count_by_rule
from tasks.stats.fits.cells import Cells, added_among
from tasks.stats.fits.cross_products import CrossProducts, among, total, with_labels
from tasks.stats.labels import label_notes, spellings
from tasks.stats.past.increments import EarlierRows
from tasks.stats.records import GroupedData
from tasks.stats.rows.categories import categories_in, contrasts, resolved
from tasks.stats.rows.coding import Coding, joined, recoded, recoded_cells, recoded_rows
from tasks.stats.rows.copies import find_copies
from tasks.stats.rows.data_findings import DataNotes
from tasks.stats.rows.digest import FileDigest, coded, merged, with_spelling
from tasks.stats.rows.extremes import Extremes, added
from tasks.stats.rows.missing_codes import missing_codes
from tasks.stats.rows.reading_notes import ReadingNotes
from tasks.stats.rows.totals import totals_rows
from tasks.study.errors import DataRejected, Rejection
from tasks.study.model import Study
from tasks.study.run import SourceFile


@dataclass(frozen=True)
class Collected:
    """The study's good rows as sums, and what became of the other rows. Labels are in natural order."""

    products: CrossProducts  # of all rows
    sample: GroupedData  # all rows if they are few, else a random sample; labels are those of all rows
    rejections: tuple[Rejection, ...]  # by file, row and column; row 0 stands for a file that was set aside
    n_rejected: int  # rows
    files: tuple[SourceFile, ...]
    rejected_by_rule: dict[str, int]  # number of rows by "column: rule", most frequent first
    n_copies: int  # rows dropped as copies of earlier ones, by the study's rule; they are not among the rejected
    notes: DataNotes
    earlier: EarlierRows | None = None  # None if no earlier run was asked for
    cells: Cells | None = None  # of a counted outcome: all rows, with the labels and the terms of `products`

    @property
    def n_rows(self) -> int:
        return self.products.n_rows

    @property
    def n_groups(self) -> int:
        return len(self.products.labels)

    def study(self, asked: Study) -> Study:
        """The study with the terms that its predictors came to (`tasks.stats.rows.categories.resolved`)."""
        return resolved(asked, self.products, self.notes.categories)


def collect(read: ReadFiles, study: Study, earlier: EarlierDigests | None = None) -> Collected:
    """Add the files up. The result depends on their names and contents only, not on the order in which they came.

    `earlier` are digests of rows that earlier runs had; they are added up too, run by run. Raises DataRejected, with
    every rejection, when the rows as a whole cannot carry the study's model.
    """
    files = tuple(_source_files(read))
    rejections = tuple(_rejections(read))
    n_rejected, n_copies = sum(file.n_rejected for file in files), sum(file.n_copies for file in files)
    n_different = sum(file.n_rows for file in files) - n_copies
    _require_a_usable_file(read, rejections)
    require_enough_rows(n_different, n_different - n_rejected, study, rejections)
    rows_by_label = _rows_by_label(read)
    spelling = _spelling(rows_by_label.values(), study)
    coding = _coding(read.digests.values(), study)
    digests = {content: with_spelling(coded(digest, coding), spelling) for content, digest in read.digests.items()}
    products = _sums(digests)
    categories = categories_in(products, coding, study.categories.reference)
    fitted = contrasts(coding, categories)
    products = recoded(products, coding, fitted)
    extremes = added([digest.extremes for digest in read.digests.values()])
    sample = _sample(_in_order(read, digests), products.labels, coding, fitted)
    cells = _cells(digests, products, coding, fitted)
    require_structure(products, sample, extremes, study, categories, rejections, cells)
    sketches = {name: read.digests[read.sha256[name]].sketch for name in rows_by_label}
    copies = replace(find_copies(sketches, rows_by_label, sample), n_dropped=n_copies)
    reading = _reading_notes(read, extremes, study, rejections)
    notes = DataNotes(label_notes(rows_by_label, spelling, study), copies, reading, categories)
    by_rule = count_by_rule(rejections)
    before = None if earlier is None else _earlier_rows(products, cells, earlier, spelling, fitted)
    return Collected(products, sample, rejections, n_rejected, files, by_rule, n_copies, notes, before, cells)


def _coding(digests: Iterable[FileDigest], study: Study) -> Coding:
    """The columns of all files together, levels in natural order. Raises DataRejected."""
    found = joined([Coding(study.predictors), *(digest.coding for digest in digests if digest.products.labels)])
    require_few_levels(found.levels, study, "all files together")
    require_references(found, study)
    return Coding(
        found.predictors,
        {name: tuple(levels[i] for i in natural_order(levels)) for name, levels in found.levels.items()},
    )


def _sample(digests: Sequence[FileDigest], labels: Sequence[str], coding: Coding, fitted: Coding) -> GroupedData:
    found = merged(digests, labels, coding.terms)
    return replace(found, x=recoded_rows(found.x, coding, fitted), terms=fitted.terms)


def _earlier_rows(
    now: CrossProducts, cells: Cells | None, earlier: EarlierDigests, spelling: Mapping[str, str], fitted: Coding
) -> EarlierRows:
    """Sums by run, without those of a run that turns out to have had other rows than are among today's.

    Other rows are also those that were read as a number where today's are a category, or the other way round.
    """
    labels = {label for digests in earlier.by_run.values() for each in digests for label in each.products.labels}
    known = {label: spelling.get(label, label) for label in labels}
    alike = {
        run: {each.sha256: with_spelling(coded(each, fitted), known) for each in digests}
        for run, digests in earlier.by_run.items()
        if all(each.coding.levels.keys() == fitted.levels.keys() for each in digests if each.products.labels)
    }
    found = {run: among(_sums(digests), now) for run, digests in alike.items()}
    sums = {run: each for run, each in found.items() if each is not None}
    if cells is None:
        return EarlierRows(now, sums, earlier.lost)
    counted = {run: _cells(alike[run], now, fitted, fitted) for run in sums}
    return EarlierRows(now, sums, earlier.lost, cells, {run: each for run, each in counted.items() if each is not None})


def _reading_notes(
    read: ReadFiles, extremes: Extremes, study: Study, rejections: tuple[Rejection, ...]
) -> ReadingNotes:
    digests = {name: read.digests[content] for name, content in read.sha256.items() if name not in read.set_aside}
    return ReadingNotes(
        missing_codes=missing_codes(extremes, study.numeric_columns),
        totals=tuple(row for name, digest in digests.items() for row in totals_rows(digest, name)),
        cut_short=tuple((name, digest.cut_short) for name, digest in digests.items() if digest.cut_short),
        hint=hint(rejections, study).strip(),
    )


def collect_afresh(opened: OpenedStudy) -> Collected:
    """Read and add up the files as a run would, without its store. Raises DataRejected."""
    wait_for_incoming(opened)
    with TemporaryDirectory() as store:
        return collect(read_files(opened, source_of(opened).parts(), Path(store)), opened.study)


def _in_order(read: ReadFiles, digests: Mapping[str, FileDigest]) -> list[FileDigest]:
    """The digests of the files that could be used, in the order of the files."""
    return [digests[content] for name, content in read.sha256.items() if name not in read.set_aside]


def _rows_by_label(read: ReadFiles) -> dict[str, dict[str, int]]:
    """Rows used per label, as the file writes it, by the file's name."""
    found = {}
    for name, content in read.sha256.items():
        if name not in read.set_aside:
            products = read.digests[content].products
            found[name] = dict(zip(products.labels, np.rint(products.gram[:, 0, 0]).astype(int).tolist(), strict=True))
    return found


def _spelling(files: Iterable[Mapping[str, int]], study: Study) -> dict[str, str]:
    """For each label as the files write it, the spelling under which the study joins it."""
    counts: Counter[str] = Counter()
    for rows in files:
        counts.update(rows)
    labels = list(counts)
    return spellings({labels[i]: counts[labels[i]] for i in natural_order(labels)}, study)


def _sums(digests: Mapping[str, FileDigest]) -> CrossProducts:
    """The sums of all files, added in the order of the contents' hashes: a file's name changes no digit."""
    parts = [digest.products for _, digest in sorted(digests.items())]
    products = total(parts)
    return with_labels(products, [products.labels[i] for i in natural_order(products.labels)])


def _cells(digests: Mapping[str, FileDigest], products: CrossProducts, coding: Coding, fitted: Coding) -> Cells | None:
    """The cells of all files, added in the order of the contents' hashes; None if the outcome is measured."""
    cells = [each.cells for _, each in sorted(digests.items()) if each.cells is not None]
    return added_among([recoded_cells(part, coding, fitted) for part in cells], products.labels) if cells else None


def _source_files(read: ReadFiles) -> Iterator[SourceFile]:
    """What became of each file, in their order."""
    for name, content in read.sha256.items():
        digest = read.digests.get(content)
        if digest:
            size = read.n_bytes.get(name, 0)
            yield SourceFile(name, content, digest.n_read, digest.n_rejected, n_copies=digest.n_copies, n_bytes=size)
        else:
            yield SourceFile(name, content, 0, 0, read.set_aside[name])


def _rejections(read: ReadFiles) -> Iterator[Rejection]:
    """Every rejection, with the files' names in place of their hashes."""
    names = {content: name for name, content in read.sha256.items()}
    for name, content in read.sha256.items():
        if name in read.set_aside:
            yield Rejection(name, 0, "", "", f"{SET_ASIDE}: {read.set_aside[name]}")
            continue
        for each in read.digests[content].rejections:
            yield Rejection(name, each.row, each.column, each.value, _named(each.rule, names))


def _named(rule: str, names: dict[str, str]) -> str:
    """The rule of a repeated row with the name of the earlier row's file in place of its hash."""
    before, place, content = rule.rpartition(" in ")
    return f"{before}{place}{names[content]}" if content in names else rule


def _require_a_usable_file(read: ReadFiles, rejections: tuple[Rejection, ...]) -> None:
    """Raises DataRejected when every file was set aside."""
    if not read.digests:
        first = next(iter(read.set_aside.values()))
        raise DataRejected(f"None of the files can be used. {first}", rejections)
