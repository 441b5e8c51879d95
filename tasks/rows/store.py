"""The store: digests of files that were read, so that a run reads new files only.

    reports/.store/<study>/hashes.json                     sha256 of files that have not changed since
    reports/.store/<study>/<key>/<sha256>.npz              one digest per content
    reports/.store/<study>/<key>/<sha256>-<repeats>.npz    the same without rows that repeat earlier files'

`key` is a hash of all that decides what a file's rows come down to. The store saves time and nothing else:
whatever is missing, damaged or foreign in it is made again, and a disk that refuses it is no trouble.
Where reports go to an object store, digests do too, and the machines share them.
Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from tasks.disk.atomic import write_whole
from tasks.disk.layout import digests_folder, hashes_file
from tasks.disk.mirror import mirror_of
from tasks.opening.studies import OpenedStudy
from tasks.rows import csv_files
from tasks.rows.cells_file import packed_cells, unpacked_cells
from tasks.rows.file_stamps import FileStamp, stamp_of
from tasks.rows.sources.of_study import source_of
from tasks.rows.study_files import hash_file
from tasks.stats.fits.cross_products import SUMS, CrossProducts
from tasks.stats.rows import digest as digests
from tasks.stats.rows import row_sketch
from tasks.stats.rows.coding import Coding
from tasks.stats.rows.cut_short import CutShort
from tasks.stats.rows.digest import FileDigest, Sample, priorities
from tasks.stats.rows.extremes import Extremes
from tasks.stats.rows.row_sketch import FileSketch, RowSketch
from tasks.study.errors import PoolwiseError, Rejection
from tasks.study.model import Study

FORMAT = 5
# The settings that, with most rules, decide how the files of a study are read.
READING = {
    *("outcome", "family", "trials", "exposure", "group", "predictors", "order"),
    *("encoding", "delimiter", "comment"),
    *("decimal", "thousands", "affixes", "missing", "codes", "dates"),
}
SKETCHED = ("asked", "rest", "count")
# Digests also depend on what these packages compute.
PACKAGES = ("poolwise", "numpy", "pandas", "pandera", "pyarrow")
# Digests under keys that were not used for this long are removed.
KEPT_SECONDS = 30 * 24 * 3600
# If a file changed less than this before it was hashed, another change could leave its stamp the same.
CLOCK_SECONDS = 2.0

log = logging.getLogger("poolwise")


class Store:
    """The digests of one study, as its settings are now."""

    def __init__(self, reports: Path, study: Study) -> None:
        self._study, self._mirror = study, mirror_of(reports)
        self.folder = digests_folder(reports, study.name, store_key(study))

    def has(self, sha256: str) -> bool:
        """Whether the digest of this content is on this machine."""
        return self._path(sha256, "").exists()

    def get(self, sha256: str, repeats: str = "") -> FileDigest | None:
        """The digest of this content, without the repeats of this id; None if it has to be made."""
        path = self._path(sha256, repeats)
        if self._mirror and not path.exists():
            with _worth_a_warning("get a digest"):
                self._mirror.fetch(path)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return _unpacked(arrays, (self.folder.name, sha256, repeats), self._study.predictors)
        except FileNotFoundError:
            return None
        except Exception as error:  # of any kind: whatever is wrong with the file, the digest can be made again
            log.warning("%s is damaged and is made again: %s", path, error)
            return None

    def put(self, digest: FileDigest, repeats: str = "") -> None:
        """Keep the digest. A disk that refuses costs a warning only."""
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **_packed(digest, self.folder.name, repeats))
        with _worth_a_warning("keep a digest"):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path := self._path(digest.sha256, repeats), content.getvalue())
            if self._mirror:
                self._mirror.push(path)

    def tidy(self) -> None:
        """Mark this key as in use; remove digests under keys that have not been used for KEPT_SECONDS."""
        with suppress(OSError):
            os.utime(self.folder)
            for other in self.folder.parent.iterdir():
                if other.is_dir() and time.time() - other.stat().st_mtime > KEPT_SECONDS:
                    rmtree(other, ignore_errors=True)

    def _path(self, sha256: str, repeats: str) -> Path:
        return self.folder / f"{sha256}{'-' if repeats else ''}{repeats}.npz"


def store_key(study: Study) -> str:
    """A hash of what decides what a file comes down to: equal keys, equal digests."""
    asked = study.model_dump(mode="json", include=READING)
    rules = study.rules.model_dump(mode="json", exclude={"max_rejected_share", "min_rows", "copies"})
    categories = study.categories.model_dump(mode="json", include={"columns", "numbers", "most_levels"})
    made = {
        "format": FORMAT,
        "drops_copies": study.rules.copies == "drop",
        "sample_rows": digests.SAMPLE_ROWS,
        "sketch_rows": [row_sketch.SKETCH_ROWS, row_sketch.SKETCH_RUNS],
        "chunk_rows": csv_files.CHUNK_ROWS,
        "versions": {name: version(name) for name in PACKAGES},
    }
    joined = study.labels.model_dump(mode="json") if _labels_decide(study) else None
    decisive = [asked, categories, rules, joined, made]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:32]


def _labels_decide(study: Study) -> bool:
    """Whether the settings for labels decide which rows are good; if not, they matter only when files are added up."""
    return study.rules.groups is not None or study.group in study.rules.unique


def identify(opened: OpenedStudy, reports: Path) -> dict[str, str]:
    """What a study's rows come from, as `Source.parts`; files that have not changed are not hashed again."""
    with _known_hashes(hashes_file(reports, opened.study.name)) as known:

        def hash_of(path: Path, name: str) -> str:
            before = stamp_of(path)
            if before is None:
                return hash_file(path, name)  # raises an error that says what is wrong
            kept = known.get(str(path))
            if isinstance(kept, list) and kept[:-1] == [*before]:
                return str(kept[-1])
            sha256 = hash_file(path, name)
            known.pop(str(path), None)
            if _changed_long_ago(before) and stamp_of(path) == before:
                known[str(path)] = [*before, sha256]
            return sha256

        return source_of(opened, hash_of).parts()


@contextmanager
def _known_hashes(path: Path) -> Iterator[dict[str, Any]]:
    """The hashes in this file; changes made to them in the block are written back, without files that are gone."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        known = known if isinstance(known, dict) else {}
    except (OSError, ValueError):
        known = {}
    before = dict(known)
    yield known
    if known != before:
        present = {name: stamp for name, stamp in known.items() if Path(name).exists()}
        with _worth_a_warning("keep hashes"):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(present))


def _changed_long_ago(stamp: FileStamp) -> bool:
    """Whether the next change cannot fall into the same tick of the file system's clock, and so will be seen."""
    return time.time_ns() - max(stamp.modified, stamp.changed) > CLOCK_SECONDS * 1e9


@contextmanager
def _worth_a_warning(doing: str) -> Iterator[None]:
    """Log that a disk or an object store failed in the block."""
    try:
        yield
    except (OSError, PoolwiseError) as error:
        log.warning("the store could not %s, which costs the next run time: %s", doing, error)


def _packed(digest: FileDigest, key: str, repeats: str) -> dict[str, np.ndarray]:
    """The digest as arrays, with a checksum of everything in it."""
    sample = digest.sample
    rejections = [(each.row, each.column, each.value, each.rule) for each in digest.rejections]
    arrays = {
        "labels": _json(digest.products.labels),
        "levels": _json(digest.coding.levels),
        "offset": digest.products.offset,
        **{name: getattr(digest.products, name) for name in SUMS},
        "row": sample.row,
        "y": sample.y,
        "x": sample.x,
        "group_index": sample.group_index,
        "rejections": _json(rejections),
        "keys": digest.keys,
        **{f"extremes_{name}": array for name, array in vars(digest.extremes).items()},
        "cut_short": _json(vars(digest.cut_short) if digest.cut_short else None),
        "copy_keys": digest.copy_keys,
        **_packed_sketch(digest.sketch),
        **packed_cells(digest.cells, sample.size),
    }
    head = [key, digest.sha256, repeats, digest.n_read, digest.n_rejected, digest.n_copies]
    return {**arrays, "head": _json([*head, _checksum(head, arrays)])}


def _checksum(head: list[Any], arrays: Mapping[str, np.ndarray]) -> str:
    """A hash of everything in a digest, as an archive's own checksums are not always checked."""
    found = hashlib.sha256(json.dumps(head).encode())
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return found.hexdigest()


def _unpacked(arrays: Any, asked: tuple[str, str, str], predictors: tuple[str, ...]) -> FileDigest:
    """The digest in these arrays. Raises some error if it is not that of `asked`: store key, content, repeats."""
    found = {name: arrays[name] for name in arrays.files if name != "head"}
    *head, checksum = _of_json(arrays["head"])
    if checksum != _checksum(head, found) or tuple(head[:3]) != asked:
        raise ValueError("it is not what was kept under this name")
    _, sha256, _, n_read, n_rejected, n_copies = head
    offset, sums = found["offset"], {name: found[name] for name in SUMS}
    coding = Coding(predictors, {name: tuple(levels) for name, levels in _of_json(found["levels"]).items()})
    labels = tuple(_of_json(found["labels"]))
    products = CrossProducts(labels, coding.terms, offset, **sums, categories=coding.categories)
    rejections = tuple(Rejection(sha256, *each) for each in _of_json(found["rejections"]))
    row = found["row"]
    sample = Sample(
        row, found["y"], found["x"], found["group_index"], priorities(sha256, row), found.get("sample_size")
    )
    extremes = Extremes(*(found[f"extremes_{each.name}"] for each in fields(Extremes)))
    end = _of_json(found["cut_short"])
    return FileDigest(
        sha256,
        n_read,
        n_rejected,
        products,
        sample,
        rejections,
        found["keys"],
        extremes,
        found["copy_keys"],
        _unpacked_sketch(found),
        coding,
        n_copies,
        CutShort(**end) if end else None,
        unpacked_cells(found, labels, coding.terms),
    )


def _packed_sketch(sketch: FileSketch) -> dict[str, np.ndarray]:
    numbers = [sketch.others, sketch.sequence, sketch.n_like_before, sketch.rows.n_rows, sketch.runs.n_rows]
    arrays = {f"{part}_{name}": getattr(getattr(sketch, part), name) for part in ("rows", "runs") for name in SKETCHED}
    return {**arrays, "sketch": _json(numbers)}


def _unpacked_sketch(found: Mapping[str, np.ndarray]) -> FileSketch:
    others, sequence, n_like_before, *n_rows = _of_json(found["sketch"])
    rows, runs = (
        RowSketch(found[f"{part}_asked"], found[f"{part}_rest"], found[f"{part}_count"], n)
        for part, n in zip(("rows", "runs"), n_rows, strict=True)
    )
    return FileSketch(others, rows, runs, sequence, n_like_before, np.empty(0, dtype=np.uint64))


def _json(value: Any) -> np.ndarray:
    """The value as bytes of JSON, escaped, so that any text survives."""
    return np.frombuffer(json.dumps(value).encode("ascii"), dtype=np.uint8)


def _of_json(array: np.ndarray) -> Any:
    return json.loads(array.tobytes())
