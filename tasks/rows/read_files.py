"""Gets the digests of a study's files: from the store if it has them, else by reading the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tasks.opening.studies import OpenedStudy
from tasks.rows.file_stamps import stamp_of
from tasks.rows.reduce import reduce_rows
from tasks.rows.row_keys import NO_KEYS, Dropped, Keys, find_dropped
from tasks.rows.sources.of_study import source_of
from tasks.rows.sources.source import Source
from tasks.rows.store import Store
from tasks.stats.rows import digest as digests
from tasks.stats.rows.copies import limited
from tasks.stats.rows.digest import FileDigest, Priorities, take
from tasks.study.errors import DataRejected
from tasks.study.model import Study

Progress = Callable[[float], None]
FILES_BETWEEN = 100  # memory is freed after this many files


@dataclass(frozen=True)
class ReadFiles:
    """The digests of a study's files, each row counted once.

    `sha256` names all files, in their order. `digests`, by sha256, are of those that could be used; `set_aside` says,
    by name, why the others could not. `names_read` are those that were read now.
    """

    sha256: Mapping[str, str]
    digests: Mapping[str, FileDigest]
    set_aside: Mapping[str, str]
    names_read: frozenset[str]
    n_bytes: Mapping[str, int] = field(default_factory=dict)  # by name


def read_files(
    opened: OpenedStudy, sha256: Mapping[str, str], reports: Path, progress: Progress = lambda share: None
) -> ReadFiles:
    """Digests of the files of these hashes, by name, in this order.

    Where `rules.unique` or `rules.copies` ask for it, rows that repeat an earlier row are found from the
    files' kept keys; only the files that lose rows by it are read for it, once.
    A predictor that is a number in one file and a category in another is a number in all.
    Raises DataRejected for a file that cannot be used, unless it was dropped into the incoming folder.
    """
    read = _read(opened, sha256, reports, progress)
    if numbers := _numbers_in_one(read.digests.values(), opened.study):
        settings = opened.study.categories
        as_numbers = settings.model_copy(update={"numbers": (*settings.numbers, *numbers)})
        study = opened.study.model_copy(update={"categories": as_numbers})
        again = _read(replace(opened, study=study), sha256, reports, progress)
        return replace(again, names_read=again.names_read | read.names_read)
    return read


def _numbers_in_one(found: Iterable[FileDigest], study: Study) -> tuple[str, ...]:
    """Predictors that good rows of some files have as a number, and those of others as a category."""
    kinds = [digest.coding.levels for digest in found if digest.products.labels]
    categories = {name for levels in kinds for name in levels}
    return tuple(name for name in study.predictors if name in categories and not all(name in each for each in kinds))


def _read(opened: OpenedStudy, sha256: Mapping[str, str], reports: Path, progress: Progress) -> ReadFiles:
    reader = _Reader(opened.study, source_of(opened), Store(reports, opened.study))
    rules = opened.study.rules
    dropped = find_dropped(*reader.keys(sha256)) if rules.unique or rules.copies == "drop" else {}
    found: dict[str, FileDigest] = {}
    thinned = _Thinned()
    for number, (name, content) in enumerate(sha256.items(), 1):
        if name in reader.set_aside:
            continue
        with reader.setting_aside(name):
            digest = reader.digest(name, content, dropped.get(content))
            found[content] = thinned.digest(replace(digest, keys=NO_KEYS, copy_keys=NO_KEYS))
        if number % FILES_BETWEEN == 0:
            found = _lighter(found)
        progress(number / len(sha256))
    reader.store.tidy()
    sizes = {name: _size(reader.source.path_of(name)) for name in sha256}
    return ReadFiles(sha256, found, reader.set_aside, frozenset(reader.names_read), sizes)


def _size(path: Path | None) -> int:
    """Bytes in the file, 0 if it is gone. One that grew since it was hashed is later not taken for its beginning."""
    stamp = stamp_of(path) if path else None
    return stamp.size if stamp else 0


def _lighter(found: Mapping[str, FileDigest]) -> dict[str, FileDigest]:
    """The same digests with smaller sketches, no more in all than can be compared at once."""
    sketches = limited([digest.sketch for digest in found.values()])
    pairs = zip(found.items(), sketches, strict=True)
    return {content: replace(digest, sketch=sketch) for (content, digest), sketch in pairs}


@dataclass
class _Reader:
    study: Study
    source: Source
    store: Store
    set_aside: dict[str, str] = field(default_factory=dict)
    names_read: set[str] = field(default_factory=set)

    def keys(self, sha256: Mapping[str, str]) -> tuple[dict[str, Keys], dict[str, Keys]]:
        """The keys of all good rows by sha256: of whole rows, and of the columns in `rules.unique`."""
        copy_keys: dict[str, Keys] = {}
        keys: dict[str, Keys] = {}
        for name, content in sha256.items():
            with self.setting_aside(name):
                digest = self.digest(name, content)
                copy_keys[content], keys[content] = digest.copy_keys, digest.keys
        return copy_keys, keys

    def digest(self, name: str, content: str, dropped: Dropped | None = None) -> FileDigest:
        """The digest of this content without the rows `dropped`, from the store or by reading the file."""
        id_of_dropped = dropped.id if dropped else ""
        kept = self.store.get(content, id_of_dropped)
        if kept:
            return kept
        with self.source.rows(name, content) as rows:
            digest = reduce_rows(rows, content, self.study, dropped)
        self.names_read.add(name)
        self.store.put(digest, id_of_dropped)
        return digest

    @contextmanager
    def setting_aside(self, name: str) -> Iterator[None]:
        """Set the file aside if it cannot be used and a run may go on without it. Raises DataRejected otherwise."""
        try:
            yield
        except DataRejected as problem:
            if not self.source.goes_on_without(name, problem):
                raise
            self.set_aside[name] = str(problem)


class _Thinned:
    """Drops from each digest's sample the rows that cannot be in the study's sample, so that memory does not grow."""

    def __init__(self) -> None:
        self._lowest: Priorities = np.empty(0, dtype=np.uint64)

    def digest(self, digest: FileDigest) -> FileDigest:
        """The digest, its sample thinned by what earlier ones have shown."""
        k = digests.SAMPLE_ROWS
        lowest = np.concatenate([self._lowest, digest.sample.priority])
        if lowest.size <= k:
            self._lowest = lowest
            return digest
        self._lowest = np.partition(lowest, k - 1)[:k]
        can_stay = digest.sample.priority <= self._lowest.max()
        return replace(digest, sample=take(digest.sample, can_stay))
