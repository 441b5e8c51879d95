"""All cases, in one list."""

from __future__ import annotations

from tests.corpus import commands, groups, models, shapes, study_files, values
from tests.corpus.cases import Case

CASES: list[Case] = [
    *study_files.CASES,
    *shapes.CASES,
    *values.CASES,
    *groups.CASES,
    *models.CASES,
    *commands.CASES,
]
