"""Many parts of one study's rows, read side by side: in processes here, or by the workers of a Dask cluster.

Whoever reads a part leaves its digest in the store. Digests add up, so who read what makes no difference; and what
nobody could read ahead, the run reads itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from flows.steps.cluster import cluster_at
from flows.steps.processes import ProcessDied, cores, processes
from tasks.opening.reports_folder import place_of_reports
from tasks.opening.studies import STUDY_FILE, OpenedStudy
from tasks.opening.studies_elsewhere import reference_of
from tasks.portfolio.member import Member
from tasks.rows.read_ahead import bytes_in, keep_digest, not_kept

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger("poolwise")

Progress = Callable[[float], None]
FEWEST_PARTS = 2
FEWEST_BYTES = 50_000_000  # new in all: starting processes takes as long as reading so much
MOST_AT_ONCE = 4  # as each holds memory of its own


def read_ahead(
    opened: OpenedStudy, sha256: Mapping[str, str], reports: Path, dask: str | None, progress: Progress
) -> frozenset[str]:
    """Read what is new, if it is much, on the Dask cluster at this address, or here; returns the names of the parts.

    Raises PoolwiseError where no cluster answers.
    """
    place = place_of_reports(reports)
    new = not_kept(opened, sha256, reports)
    if len(new) < FEWEST_PARTS:
        return frozenset()
    if dask:
        with cluster_at(dask) as cluster:
            return _names(_on_workers(cluster, _member(opened), new, place), len(new), progress)
    at_once = min(cores(), MOST_AT_ONCE, len(new))
    if at_once < 2 or bytes_in(opened, new) < FEWEST_BYTES:
        return frozenset()
    with processes(at_once) as here, ThreadPoolExecutor(at_once) as waiting:

        def read(part: tuple[str, str]) -> str:
            try:
                return here.run(keep_part, _member(opened), *part, place)
            except ProcessDied:
                log.warning("a process that read %s ended each time; the run reads it itself", part[0])
                return ""

        return _names(waiting.map(read, new.items()), len(new), progress)


def keep_part(member: Member, name: str, content: str, place: str) -> str:
    """`keep_digest` in another process, with the study opened there; returns the name if the digest is kept."""
    from tasks.opening.origin import under_its_name
    from tasks.opening.reports_folder import folder_of_reports

    reports = folder_of_reports(place)
    return name if keep_digest(under_its_name(member.open(), reports), name, content, reports) else ""


def _on_workers(cluster: Client, member: Member, new: Mapping[str, str], place: str) -> Iterator[str]:
    from distributed import as_completed

    reading = [cluster.submit(keep_part, member, *part, place, pure=False) for part in new.items()]
    for future in as_completed(reading, loop=cluster.loop):
        if future.status == "error":
            log.warning("the cluster could not read a part of %s: %r", member.name, future.exception())
        yield "" if future.status == "error" else future.result()


def _names(read: Iterable[str], n: int, progress: Progress) -> frozenset[str]:
    names = []
    for number, name in enumerate(read, 1):
        names.append(name)
        progress(number / n)
    return frozenset(filter(None, names))


def _member(opened: OpenedStudy) -> Member:
    """The study in a form that another process can open: without the secrets that it is filled with here."""
    folder = reference_of(opened.folder.resolve())
    text = opened.text if opened.is_of_flags or not (opened.folder / STUDY_FILE).exists() else ""
    return Member(opened.study.name, opened.study.name, folder, text)
