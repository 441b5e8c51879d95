"""The digests of the rows that an earlier run had, as long as these rows are all still there.

An earlier run's file is there if its content is among today's, under whatever name, or if today's file of its name
begins with it, byte for byte, as a file does to which rows are appended; its own digest is then in the store, or made
again. A file that was replaced, edited or removed is lost: which of today's rows are new cannot be told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from tasks.opening.studies import OpenedStudy
from tasks.rows.read_files import ReadFiles
from tasks.rows.reduce import reduce_rows
from tasks.rows.sources.of_study import source_of
from tasks.rows.sources.source import FileRows
from tasks.rows.store import Store
from tasks.rows.study_files import is_parquet
from tasks.stats.rows.digest import FileDigest
from tasks.study.errors import PoolwiseError
from tasks.study.run import SourceFile

LINE_ENDS = (b"\n", b"\r")
BLOCK = 1 << 20


@dataclass(frozen=True)
class EarlierDigests:
    """Digests by run id, of the runs whose rows are all there; of the others, the names of the files lost."""

    by_run: Mapping[str, Sequence[FileDigest]]
    lost: Mapping[str, tuple[str, ...]]


def earlier_digests(
    opened: OpenedStudy, read: ReadFiles, reports: Path, runs: Mapping[str, Iterable[SourceFile]]
) -> EarlierDigests:
    """What is left of the rows of these runs, given by the files that each of them used."""
    store = Store(reports, opened.study)
    found: dict[str, Sequence[FileDigest]] = {}
    lost: dict[str, tuple[str, ...]] = {}
    for run, files in runs.items():
        used = [file for file in files if not file.set_aside]
        digests = {file.sha256: _digest(opened, read, store, file) for file in used}
        there = [digest for digest in digests.values() if digest]
        if used and len(there) == len(digests):
            found[run] = there
        else:
            lost[run] = tuple(file.name for file in used if digests[file.sha256] is None)
    return EarlierDigests(found, lost)


def _digest(opened: OpenedStudy, read: ReadFiles, store: Store, then: SourceFile) -> FileDigest | None:
    if then.sha256 in read.digests:
        return read.digests[then.sha256]
    path = source_of(opened).path_of(then.name)
    if path is None or read.sha256.get(then.name) not in read.digests or not is_continued(path, then):
        return None
    digest = store.get(then.sha256) or _made_again(path, then, opened, store)
    return digest if digest and _is_as_used(digest, then) else None


def _made_again(path: Path, then: SourceFile, opened: OpenedStudy, store: Store) -> FileDigest | None:
    """The digest of the file's beginning, for the store too; `None` if that cannot be read by itself."""
    with suppress(OSError, PoolwiseError), TemporaryDirectory() as folder:
        beginning = Path(folder, path.name)
        with path.open("rb") as source, beginning.open("wb") as target:
            target.writelines(_blocks(source, then.n_bytes))
        digest = reduce_rows(FileRows(beginning, then.name, opened.study), then.sha256, opened.study)
        store.put(digest)
        return digest
    return None


def _is_as_used(digest: FileDigest, then: SourceFile) -> bool:
    """Whether the earlier run used the rows of this digest; it may have dropped some as copies of other files'."""
    counts = (digest.n_read, digest.n_rejected, digest.n_copies)
    return counts == (then.n_rows, then.n_rejected, then.n_copies)


def is_continued(path: Path, then: SourceFile) -> bool:
    """Whether the file begins with all that was in it, and goes on with a line of its own."""
    if not then.n_bytes or is_parquet(path):
        return False
    with suppress(OSError), path.open("rb") as stream:
        found, last = hashlib.sha256(), b""
        for block in _blocks(stream, then.n_bytes):
            found.update(block)
            last = block[-1:]
        return found.hexdigest() == then.sha256 and (last in LINE_ENDS or stream.read(1) in LINE_ENDS)
    return False


def _blocks(stream: BinaryIO, n_bytes: int) -> Iterator[bytes]:
    """The first bytes of a file, as many as it has."""
    while n_bytes and (block := stream.read(min(n_bytes, BLOCK))):
        yield block
        n_bytes -= len(block)
