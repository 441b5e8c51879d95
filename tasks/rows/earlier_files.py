"""The digests of the rows that an earlier run had, as long as these rows are all still there.

An earlier run's file is there if its content is among today's, under whatever name, or if today's file of its name
begins with it, byte for byte, as a file does to which rows are appended; its own digest is then in the store. A file
that was replaced, edited or removed is lost: which of today's rows are new cannot be told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.read_files import ReadFiles
from tasks.rows.store import Store
from tasks.rows.study_files import file_path, is_parquet
from tasks.stats.rows.digest import FileDigest
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
    path = file_path(then.name, opened.folder)
    if read.sha256.get(then.name) not in read.digests or not is_continued(path, then):
        return None
    kept = store.get(then.sha256)
    return kept if kept and _is_as_used(kept, then) else None


def _is_as_used(digest: FileDigest, then: SourceFile) -> bool:
    """Whether the earlier run used the rows of this digest; it may have dropped some as copies of other files'."""
    counts = (digest.n_read, digest.n_rejected, digest.n_copies)
    return counts == (then.n_rows, then.n_rejected, then.n_copies)


def is_continued(path: Path, then: SourceFile) -> bool:
    """Whether the file begins with all that was in it, and goes on with a line of its own."""
    if not then.n_bytes or is_parquet(path):
        return False
    with suppress(OSError), path.open("rb") as stream:
        found, left, last = hashlib.sha256(), then.n_bytes, b""
        while left and (block := stream.read(min(left, BLOCK))):
            found.update(block)
            left, last = left - len(block), block[-1:]
        is_line_end = last in LINE_ENDS or stream.read(1) in LINE_ENDS
        return not left and is_line_end and found.hexdigest() == then.sha256
    return False
