"""What is known of one run: of which data and study, when, with what."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceFile:
    name: str
    sha256: str
    n_rows: int
    n_rejected: int
    set_aside: str = ""  # why none of it could be used; empty when it was read
    n_copies: int = 0  # dropped as copies of earlier rows; rejected ones are others
    n_bytes: int = 0  # the file's size; 0 if it is not known


@dataclass(frozen=True)
class RunRecord:
    id: str
    started_at: str  # ISO 8601, UTC
    fingerprint: str  # of data, study and program: equal means nothing new to publish
    data_sha256: str
    study_sha256: str
    n_rows: int  # used, after rejection
    n_groups: int
    n_rejected: int
    seed: int
    engine: str
    versions: dict[str, str]
    files: tuple[SourceFile, ...]
    rejected_by_rule: dict[str, int] = field(default_factory=dict)
    link: str = ""  # the run's page in Prefect's UI, when there is a server
    look_sha256: str = ""  # hash of the look of the study's own that its report has; empty for Poolwise's
    n_copies: int = 0  # rows dropped as copies of earlier ones; neither used nor counted as rejected
