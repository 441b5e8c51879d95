"""Brings a mirrored reports folder up to date with its object store. An ordinary folder always is."""

from __future__ import annotations

from pathlib import Path

from tasks.disk.layout import folder_of
from tasks.disk.mirror import mirror_of
from tasks.reports.publish import point_latest
from tasks.reports.run_folders import study_folders


def refresh(reports: Path, study_name: str | None = None) -> None:
    """List the runs that others have published, of one study or of all. Raises PoolwiseError."""
    mirror = mirror_of(reports)
    if mirror is None or not mirror.pull(study_name):
        return
    for study in [folder_of(reports, study_name)] if study_name else study_folders(reports):
        if study.is_dir():
            point_latest(study)


def bring(path: Path, reports: Path, anew: bool = False) -> None:
    """Have the file here, where another machine published it; `anew` also if it is, as it may have changed.

    Raises PoolwiseError.
    """
    mirror = mirror_of(reports)
    if mirror and (anew or not path.exists()):
        mirror.fetch(path)


def refresh_held(reports: Path, study_name: str) -> None:
    """The same for a study that this process holds; what dead runs left in the store is deleted."""
    if mirror := mirror_of(reports):
        mirror.sweep(study_name)
        refresh(reports, study_name)
