"""Publishing a run: its folder appears whole or not at all and is never changed afterwards.

Files are written into a staging folder beside, flushed to disk, and the folder is renamed. The writer
holds a lock on its staging folder; the system drops the lock when the process dies, however it dies,
so a staging folder that nobody holds is a dead run's and is swept by the next run of the study.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from tasks.disk.atomic import encoded, explained, sync, write_whole
from tasks.disk.layout import LATEST, REPORT, STAGING, folder_of, kept_rejections, shared_plotly, staging_folder
from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.locks import opened_folder, try_lock
from tasks.disk.mirror import REDIRECT, mirror_of
from tasks.reports.run_folders import UnreadableRun, read_head, read_verdict, run_folders
from tasks.study.errors import PoolwiseError

Content = bytes | str | Callable[[Path], object]

# A staging folder younger than this may not be locked yet.
GRACE_SECONDS = 60
# Where folders cannot be locked, a staging folder older than this counts as a dead run's.
DEAD_AFTER_SECONDS = 24 * 3600


def publish(
    reports: Path,
    study_name: str,
    run_id: str,
    files: Mapping[str, Content],
    confirm: Callable[[], object] = lambda: None,
) -> Path:
    """Publish the run and point `latest` at it; returns its folder.

    A file's content is bytes, text, or a function that writes the file at the path it is given. `confirm` is called
    right before the run can be seen; what it raises stops that. Where the folder mirrors an object store, the run goes
    there first. Raises PoolwiseError, with nothing left behind, when disk or store refuse or the run id is taken.
    """
    mirror = mirror_of(reports)
    study_folder = folder_of(reports, study_name)
    run_folder = study_folder / run_id
    with explained("publish the report", study_folder):
        study_folder.mkdir(parents=True, exist_ok=True)
        sweep(study_folder)
        plotly = share_plotly(reports)
        if mirror:
            mirror.push_once(plotly)
        with _staging(study_folder, run_id) as staging:
            for name, content in files.items():
                _write(staging / name, content)
            sync(staging)
            if mirror:
                mirror.push_run(staging, run_folder, confirm)
                _appear_or_complete(staging, run_folder)
            else:
                confirm()
                _appear(staging, run_folder)
        sync(study_folder)
        point_latest(study_folder)
    return run_folder


def keep_rejections(reports: Path, study_name: str, run_id: str, csv_text: str) -> Path:
    """Keep the rejected rows of a run that publishes no report: `reports/<study>/rejected/<run_id>.csv`."""
    path = kept_rejections(folder_of(reports, study_name), run_id)
    with explained("keep the rejected rows", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, csv_text)
    if mirror := mirror_of(reports):
        mirror.push(path)
    return path


def is_published(reports: Path, study_name: str, fingerprint: str) -> Path | None:
    """The newest run's folder if it has this fingerprint, else None.

    Only the newest counts: data that return to an earlier state are news to readers of the latest report.
    """
    for folder in run_folders(folder_of(reports, study_name)):
        with suppress(UnreadableRun, KeyError, TypeError):
            is_same = read_head(folder)["run"]["fingerprint"] == fingerprint
            read_verdict(folder)  # whoever is told of the report is told its verdict: one without it is damaged
            return folder if is_same else None
    return None


def plotly_from_a_run() -> str:
    """The address of the shared plotly.js, relative to a run's files."""
    return f"../../{shared_plotly(Path(), plotly_version()).name}"


def plotly_version() -> str:
    """The version of the plotly.js that the plotly package carries."""
    from plotly.offline import get_plotlyjs_version

    return str(get_plotlyjs_version())


def share_plotly(reports: Path) -> Path:
    """Put plotly.js into the reports folder unless it is there; returns its path."""
    path = shared_plotly(reports, plotly_version())
    if not path.exists():
        write_whole(path, (resources.files("plotly") / "package_data" / "plotly.min.js").read_bytes())
    return path


def sweep(study_folder: Path) -> None:
    """Remove the staging folders of dead runs; a living run holds the lock of its own."""
    for folder in study_folder.glob(f"{STAGING}*"):
        with suppress(OSError):
            age = time.time() - folder.stat().st_mtime
            with _held(folder) as is_ours:
                is_dead = age > (DEAD_AFTER_SECONDS if is_ours is None else GRACE_SECONDS)
                if is_ours is not False and is_dead:
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _staging(study_folder: Path, run_id: str) -> Iterator[Path]:
    """A new staging folder, locked while the block lasts; removed afterwards unless it was renamed."""
    staging = staging_folder(study_folder, run_id)
    staging.mkdir()
    with _held(staging), undone_if_cut_short(lambda: shutil.rmtree(staging, ignore_errors=True)):
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool | None]:
    """True while we hold the folder's lock, False if another process does, None where the disk knows no locks."""
    with opened_folder(folder) as descriptor:
        try:
            is_ours = try_lock(descriptor)
        except OSError:
            is_ours = None
        yield is_ours


def _write(path: Path, content: Content) -> None:
    if callable(content):
        content(path)
    else:
        path.write_bytes(encoded(content))
    sync(path)


def _appear(staging: Path, run_folder: Path) -> None:
    """Rename the staging folder. Raises PoolwiseError if the run exists."""
    if run_folder.exists():
        raise PoolwiseError(f"{run_folder} is published already; a run folder is never changed.")
    os.rename(staging, run_folder)


def _appear_or_complete(staging: Path, run_folder: Path) -> None:
    """Rename the staging folder of a run that the store has; where another process has brought that, complete it."""
    try:
        os.rename(staging, run_folder)
    except OSError:
        if not run_folder.is_dir():
            raise
        for path in staging.iterdir():
            os.replace(path, run_folder / path.name)


def point_latest(study_folder: Path) -> None:
    """Point `latest` at the newest run; again if a newer one appeared meanwhile. Nothing if there is no run."""
    pointed = None
    while (runs := run_folders(study_folder)) and (newest := runs[0].name) != pointed:
        _replace_link(study_folder, newest)
        pointed = newest


def _replace_link(study_folder: Path, run_id: str) -> None:
    """Point `latest` at this run at once; where the disk knows no links, by a page."""
    latest = study_folder / LATEST
    beside = study_folder / f".{LATEST}-{secrets.token_hex(4)}"
    try:
        beside.symlink_to(run_id, target_is_directory=True)
        os.replace(beside, latest)
    except OSError:
        _write_redirect(latest, run_id)
    finally:
        beside.unlink(missing_ok=True)


def _write_redirect(latest: Path, run_id: str) -> None:
    """Make `latest` a folder with a page that leads to the run."""
    if latest.is_symlink():  # Writing through the link would change a published run.
        latest.unlink()
    latest.mkdir(exist_ok=True)
    write_whole(latest / REPORT, REDIRECT.format(run=run_id, report=REPORT))
