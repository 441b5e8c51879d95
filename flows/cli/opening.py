"""Opens the study that a command names: a folder or file of a study, or a data file whose columns the options name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from tasks.opening.studies import OpenedStudy, read_study, study_from_flags
from tasks.rows.study_files import SUFFIXES
from tasks.study.errors import StudyError
from tasks.study.plain_text import shown
from tasks.study.setting_words import OPTIONS, merged, values_of


@dataclass(frozen=True)
class Flags:
    """The options that say for a data file what a study file says for a study."""

    outcome: str | None = None
    group: str | None = None
    predictors: Sequence[str] = ()
    max_rejected_share: float | None = None
    settings: Sequence[str] = ()  # KEY=VALUE
    order: str | None = None
    family: str | None = None
    trials: str | None = None
    exposure: str | None = None

    @property
    def are_given(self) -> bool:
        texts = (self.outcome, self.group, *self.predictors, *self.further.values(), *self.settings)
        return self.max_rejected_share is not None or any(text is not None for text in texts)

    @property
    def further(self) -> dict[str, str | None]:
        """Those that a data file can do without, by key of a study file."""
        return {"order": self.order, "family": self.family, "trials": self.trials, "exposure": self.exposure}


def open_study(study: str, flags: Flags) -> OpenedStudy:
    """The study at this path, or of this data file. Raises StudyError if it is wrong, or the options do not suit it."""
    if Path(study).suffix.lower() not in SUFFIXES or Path(study).is_dir():
        if flags.are_given:
            raise StudyError(
                f"{', '.join(OPTIONS.values())} and --set are for data files; {study} is a study, whose study.toml "
                "says all that. Leave the options out, or give a .csv or .parquet file."
            )
        return read_study(study)
    if flags.outcome is None or flags.group is None:
        raise StudyError(
            f"{study} is a data file, so --outcome and --group have to name its columns. To keep the choice in "
            f"a file, use `poolwise new {study}`."
        )
    return study_from_flags(study, flags.outcome, flags.group, flags.predictors, **_further(flags))


def _further(flags: Flags) -> dict[str, Any]:
    """Further keys of a study file, from the other options and --set. Raises StudyError."""
    share = flags.max_rejected_share
    named = {key: value for key, value in flags.further.items() if value is not None}
    allowed = {} if share is None else {"rules": {"max_rejected_share": share}}
    return reduce(merged, [named, allowed, *map(_setting, flags.settings)])


def _setting(text: str) -> dict[str, Any]:
    """The keys that one --set gives, nested as in a study file. Raises StudyError."""
    try:
        values = values_of(text)
    except ValueError:
        raise StudyError(
            f"--set takes KEY=VALUE, and {shown(text)} is none. Name a key of a study file, as in: --set decimal=, or "
            "--set rules.min_rows=10"
        ) from None
    for key in ("outcome", "group", "predictors", "source"):
        if key in values:
            raise StudyError(f"--set cannot set {key}. Use {OPTIONS.get(key, 'another data file')} instead.")
    return values
