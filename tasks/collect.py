"""From the digests of a study's files to the whole study: sums, a sample of rows, and what was rejected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.load import hash_files, wait_for_incoming
from tasks.natural_order import natural_order
from tasks.read_files import ReadFiles, read_files
from tasks.stats.cross_products import CrossProducts, total, with_labels
from tasks.stats.digest import FileDigest, merged
from tasks.stats.errors import DataRejected
from tasks.stats.records import GroupedData, Rejection, SourceFile
from tasks.stats.study import Study
from tasks.structure import SET_ASIDE, require_enough_rows, require_structure
from tasks.studies import OpenedStudy
from tasks.validate import count_by_rule


@dataclass(frozen=True)
class Collected:
    """The study's good rows as sums, and what became of the others. Labels are in natural order."""

    products: CrossProducts  # of all rows
    sample: GroupedData  # all rows if they are few, else some at random; it has the same labels
    rejections: tuple[Rejection, ...]  # by file, row and column; row 0 stands for a file that was set aside
    n_rejected: int  # rows
    files: tuple[SourceFile, ...]
    rejected_by_rule: dict[str, int]  # "column: rule" to rows, most frequent first

    @property
    def n_rows(self) -> int:
        return self.products.n_rows

    @property
    def n_groups(self) -> int:
        return len(self.products.labels)


def collect(read: ReadFiles, study: Study) -> Collected:
    """Add the files up. The result depends on the files' names and contents only, not on how they came.

    Raises DataRejected, with every rejection, when the rows as a whole cannot carry the study's model.
    """
    files = tuple(_source_files(read))
    rejections = tuple(_rejections(read))
    n_read, n_rejected = sum(file.n_rows for file in files), sum(file.n_rejected for file in files)
    _require_a_usable_file(read, rejections)
    require_enough_rows(n_read, n_read - n_rejected, study, rejections)
    products = _sums(read)
    require_structure(products, study, rejections)
    sample = merged(_in_order(read), products.labels, study.terms)
    return Collected(products, sample, rejections, n_rejected, files, count_by_rule(rejections))


def collect_afresh(opened: OpenedStudy) -> Collected:
    """The study's files as a run would read them, nothing kept."""
    wait_for_incoming(opened)
    with TemporaryDirectory() as store:
        return collect(read_files(opened, hash_files(opened), Path(store)), opened.study)


def _in_order(read: ReadFiles) -> list[FileDigest]:
    return [read.digests[content] for name, content in read.sha256.items() if name not in read.set_aside]


def _sums(read: ReadFiles) -> CrossProducts:
    """Added in the order of the contents' hashes, so that a file's name does not change a digit."""
    parts = [digest.products for _, digest in sorted(read.digests.items())]
    products = total(parts)
    return with_labels(products, [products.labels[i] for i in natural_order(products.labels)])


def _source_files(read: ReadFiles) -> Iterator[SourceFile]:
    for name, content in read.sha256.items():
        digest = read.digests.get(content)
        n_rows, n_rejected = (digest.n_read, digest.n_rejected) if digest else (0, 0)
        yield SourceFile(name, content, n_rows, n_rejected, read.set_aside.get(name, ""))


def _rejections(read: ReadFiles) -> Iterator[Rejection]:
    """With the files' names for their hashes."""
    names = {content: name for name, content in read.sha256.items()}
    for name, content in read.sha256.items():
        if name in read.set_aside:
            yield Rejection(name, 0, "", "", f"{SET_ASIDE}: {read.set_aside[name]}")
            continue
        for each in read.digests[content].rejections:
            yield Rejection(name, each.row, each.column, each.value, _named(each.rule, names))


def _named(rule: str, names: dict[str, str]) -> str:
    before, place, content = rule.rpartition(" in ")
    return f"{before}{place}{names[content]}" if place else rule


def _require_a_usable_file(read: ReadFiles, rejections: tuple[Rejection, ...]) -> None:
    if not read.digests:
        first = next(iter(read.set_aside.values()))
        raise DataRejected(f"None of the files can be used. {first}", rejections)
