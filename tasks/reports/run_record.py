"""A run's identity: its id, its fingerprint, its seed, and the versions that made it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from tasks.engines.engines import MARGINAL
from tasks.reports.run_folders import new_run_id, now_after
from tasks.study.model import Study
from tasks.study.run import RunRecord

if TYPE_CHECKING:  # importing it would load everything that reads rows
    from tasks.rows.collect import Collected

PACKAGES = (
    "poolwise",
    "numpy",
    "scipy",
    "pandas",
    "pandera",
    "stanli",
    "cmdstanpy",
    "arviz-stats",
    "plotly",
    "prefect",
)

# When to run and whom to tell do not change what a report says; its look is hashed by content.
NOT_ASKED = {"schedule", "trigger", "notify", "report"}


def open_run(study: Study, sha256: Mapping[str, str], look_sha256: str = "", after: str = "") -> RunRecord:
    """The record of a new run of `study` on files of these hashes, before its rows are read.

    It begins later than the run `after`, its study's newest, by whose id readers tell which report is the latest.
    The fingerprint covers what decides the numbers – the data, the study, Poolwise and its Stan program – and the look.
    The seed follows from the study's name and the data, never from the clock: the same input gives the same numbers.
    """
    started = now_after(after)
    data = _sha256("\n".join(sorted(sha256.values())))
    asked = _sha256(json.dumps(study.model_dump(mode="json", exclude=NOT_ASKED), sort_keys=True))
    program = _sha256(MARGINAL.read_text(encoding="utf-8"))
    fingerprint = _sha256("\n".join([data, asked, program, version("poolwise"), *filter(None, [look_sha256])]))
    return RunRecord(
        id=new_run_id(started, fingerprint),
        started_at=started.isoformat(timespec="seconds"),
        fingerprint=fingerprint,
        data_sha256=data,
        study_sha256=asked,
        n_rows=0,
        n_groups=0,
        n_rejected=0,
        seed=study.sampler.seed or derived_seed(study.name, data),
        engine="",
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        files=(),
        look_sha256=look_sha256,
    )


def derived_seed(study_name: str, data_sha256: str) -> int:
    """A seed between 1 and 2**31 - 1000, so that the next few are valid too."""
    return 1 + int(_sha256(f"{study_name}\n{data_sha256}")[:12], 16) % (2**31 - 1000)


def with_rows(run: RunRecord, rows: Collected, engine: str, link: str) -> RunRecord:
    """The record with what is known once rows are read and sampled."""
    return replace(
        run,
        n_rows=rows.n_rows,
        n_groups=rows.n_groups,
        n_rejected=rows.n_rejected,
        n_copies=rows.n_copies,
        engine=engine,
        files=rows.files,
        rejected_by_rule=rows.rejected_by_rule,
        link=link,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
