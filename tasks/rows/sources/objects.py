"""Objects in a store (S3, Google, Azure and what else fsspec knows): listed by etag, copied, then read as files.

An object is copied to a temporary file, and is the one that was listed before and after: it is never half-read.
Credentials are the environment's, or come from a block of Prefect's; an address holds none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from tasks.disk.object_store import ADVICE, store_of
from tasks.disk.reaching import reaching
from tasks.disk.scratch import scratch_folder
from tasks.rows.sources.source import FileRows, Rows
from tasks.rows.study_files import SUFFIXES
from tasks.study.errors import DataRejected, PoolwiseError
from tasks.study.model import Study

ETAGS = ("ETag", "etag", "content_md5", "md5Hash")
MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "created")
MAGIC = frozenset("*?[")


class Objects:
    """A part's content is a hash of the object's etag and size; its name is its address."""

    def __init__(self, study: Study) -> None:
        self._study, self._address = study, str(study.source)

    def parts(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for name, found in self._listed().items():
            names.setdefault(_content(found), name)
        return {name: content for content, name in names.items()}

    @contextmanager
    def rows(self, name: str, content: str) -> Iterator[Rows]:
        with scratch_folder() as folder:
            path = folder / f"rows{PurePosixPath(name).suffix}"  # a key may be longer than a disk's names
            with reaching(name, ADVICE):
                self._require(name, content)
                self._store().get_file(name, str(path))
                self._require(name, content, path.stat().st_size)
            yield FileRows(path, name, self._study)

    def path_of(self, name: str) -> Path | None:
        return None

    def newest(self) -> datetime | None:
        modified = filter(None, map(_modified, self._listed().values()))
        return max(modified, default=None)

    def goes_on_without(self, name: str, problem: DataRejected) -> bool:
        return False

    def _store(self) -> Any:
        try:
            return store_of(self._address)
        except ValueError as unknown:
            raise DataRejected(f'source = "{self._address}" cannot be read: {unknown}. Known are s3, gs, az.') from None

    def _listed(self) -> dict[str, Mapping[str, Any]]:
        """What the store says of each object, by address, sorted. Raises DataRejected if there is none."""
        with reaching(self._address, ADVICE):
            store = self._store()
            store.invalidate_cache()
            found = self._found(store)
        files = {
            store.unstrip_protocol(path): said
            for path, said in sorted(found.items())
            if said["type"] == "file" and PurePosixPath(path).suffix.lower() in SUFFIXES
        }
        if not files:
            kinds = ", ".join(SUFFIXES)
            raise DataRejected(
                f'No object matches source = "{self._address}". Put one there ({kinds}), or correct source.'
            )
        return files

    def _found(self, store: Any) -> dict[str, Mapping[str, Any]]:
        if MAGIC.intersection(self._address):
            return dict(store.glob(self._address, detail=True))
        try:
            said = store.info(self._address)
        except FileNotFoundError:
            return {}
        return {said["name"]: said}

    def _require(self, name: str, content: str, n_bytes: int | None = None) -> None:
        """Raise PoolwiseError unless the object is, at this moment, the one that was listed."""
        store = self._store()
        store.invalidate_cache()
        try:
            said = store.info(name)
        except FileNotFoundError:
            said = {}
        if _content(said) != content or n_bytes not in (None, said["size"]):
            raise PoolwiseError(f"{name} changed while it was read. Run again when it is complete.")


def _content(said: Mapping[str, Any]) -> str:
    """The id of what the store says of an object: by its etag, else by all that may change with it."""
    etag = next((str(said[key]) for key in ETAGS if said.get(key)), None)
    about = [etag or str(sorted((key, str(value)) for key, value in said.items())), said.get("size")]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _modified(said: Mapping[str, Any]) -> datetime | None:
    value = next((said[key] for key in MODIFIED if said.get(key)), None)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
