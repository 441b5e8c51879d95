"""Parts of a study's rows read ahead of its run, anywhere: the run finds their digests in the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tasks.opening.studies import OpenedStudy
from tasks.rows.reduce import reduce_rows
from tasks.rows.sources.of_study import source_of
from tasks.rows.store import Store
from tasks.study.errors import PoolwiseError


def not_kept(opened: OpenedStudy, sha256: Mapping[str, str], reports: Path) -> dict[str, str]:
    """Those of the parts, sha256 by name, whose digests the store does not have here."""
    store = Store(reports, opened.study)
    return {name: content for name, content in sha256.items() if not store.has(content)}


def bytes_in(opened: OpenedStudy, names: Mapping[str, str]) -> int:
    """Of the parts that are files on this machine; 0 of others."""
    paths = filter(None, map(source_of(opened).path_of, names))
    return sum(path.stat().st_size for path in paths if path.exists())


def keep_digest(opened: OpenedStudy, name: str, content: str, reports: Path) -> bool:
    """Read a part and keep its digest in the store; False where it cannot be, which the run meets again and tells."""
    store = Store(reports, opened.study)
    try:
        if store.get(content) is None:
            with source_of(opened).rows(name, content) as rows:
                store.put(reduce_rows(rows, content, opened.study))
    except (PoolwiseError, OSError):
        return False
    return store.has(content)
