"""What every section of a report reads, whatever its outcome's family: the run's records, with names and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tasks.stats.concluded import Concluded
from tasks.stats.draws import Draws
from tasks.stats.past.changes import Changes
from tasks.stats.past.over_time import History
from tasks.stats.records import GroupedData
from tasks.study.errors import Rejection
from tasks.view.row_context import RowContext
from tasks.view.words import text

CLEARLY = 0.975  # probability on one side: both tails together leave 5 %, as for 95 % intervals


@dataclass(frozen=True)
class ReportContext(RowContext):
    findings: Concluded
    data: GroupedData  # all rows, or a random sample of them
    draws: Draws | None = None  # of the plain Bayesian fit
    answer_draws: Draws | None = None  # of the model that answers what was found, on the study's own terms
    rejections: Sequence[Rejection] = ()
    changes: Changes | None = None  # since the previous report; None on the first
    history: History | None = None  # over the newest runs; None if none was read
    study_text: str = ""
    check_titles: Mapping[str, str] = field(default_factory=dict)  # by kind

    def check_title(self, kind: str, term: str = "") -> str:
        """`Usual intervals: level`; a kind that no topic knows is turned into words."""
        title = self.check_titles.get(kind) or text.sentence_case(text.readable(kind))
        return f"{title}: {'level' if term == 'intercept' else text.readable(term)}" if term else title

    @property
    def seen_changes(self) -> Changes | None:
        """The changes with estimates as readers see them."""
        return self.changes

    @property
    def seen_history(self) -> History | None:
        """The history with estimates as readers see them."""
        return self.history

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """(J,) group labels as shown."""
        return tuple(text.label(label) for label in self.findings.labels)

    def named(self, group: int) -> str:
        """A group's name in a sentence; a number gets the word for groups in front, or it would read as an amount.

        A full stop within it ends no sentence: the space after it does not break.
        """
        label = self.labels[group].replace(". ", ".\u00a0")
        return f"{self.group} {label}" if label.isdecimal() else label

    @property
    def varying(self) -> tuple[int, ...]:
        """Positions of the terms that differ by group."""
        return (0, *self.study.varying_columns)

    def change_unit(self, term: int) -> str:
        """Of the difference of two estimates of a term."""
        return self.raw_unit(term) if term else self.difference_unit

    @property
    def margin_place(self) -> str:
        """Where the margin of moves is as large as said; empty if it is so everywhere."""
        return ""

    @property
    def n_groups(self) -> int:
        return self.findings.run.n_groups

    @property
    def sample_note(self) -> str:
        """A note on the sample of rows that figures and checks of single rows use; empty if they use all rows."""
        shown, total = self.data.n_rows, self.findings.run.n_rows
        return f"Of a random {shown:,} of {total:,} rows." if shown < total else ""

    @cached_property
    def has_rows(self) -> np.ndarray:
        """(J,) whether a group has rows to show: in a sample some groups may have none."""
        return np.bincount(self.data.group_index, minlength=self.n_groups) > 0

    def rows_of(self, group: int) -> np.ndarray:
        """Positions of a group's rows."""
        ends = self._row_ends
        return self._row_order[(ends[group - 1] if group else 0) : ends[group]]

    @cached_property
    def _row_order(self) -> np.ndarray:
        return np.argsort(self.data.group_index, kind="stable")

    @cached_property
    def _row_ends(self) -> np.ndarray:
        return np.cumsum(np.bincount(self.data.group_index, minlength=self.n_groups))
