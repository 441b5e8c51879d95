"""From a study's rows to all that its report says, by the family of its outcome."""

from __future__ import annotations

from collections.abc import Callable

from flows.steps.analysis import Analysis
from tasks.study.model import Study


def analysis_of(study: Study) -> Callable[..., Analysis]:
    """How outcomes of the study's family are analysed; `flows.families.normal.analyse` has the arguments."""
    if study.is_counted:
        from flows.families.counted import analyse

        return analyse
    from flows.families.normal import analyse as analyse_normal

    return analyse_normal
