"""Rows in which everything is noticed that can be, so that every sentence about them can be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tasks.stats.labels import AlikeLabels, JoinedLabels, LabelCount, LabelNotes
from tasks.stats.rows.categories import Category
from tasks.stats.rows.collinearity import Collinearity
from tasks.stats.rows.copies import Copies, RepeatedRows, SharedRows
from tasks.stats.rows.cut_short import CutShort
from tasks.stats.rows.data_findings import DataFindings, DataNotes
from tasks.stats.rows.missing_codes import MissingCode
from tasks.stats.rows.reading_notes import ReadingNotes
from tasks.stats.rows.totals import TotalsRow


def noticed_rows(found: DataFindings, categories: Sequence[Category], together: tuple[int, int]) -> DataFindings:
    """`together` are positions of two terms that go together."""
    pair = AlikeLabels((LabelCount("A", 12, ("a.csv",)), LabelCount("a", 3, ("b.csv",))), ("case",))
    joined = JoinedLabels("Kent", (LabelCount("Kent", 9, ("a.csv",)), LabelCount("KENT", 2, ("a.csv",))))
    notes = DataNotes(
        LabelNotes((pair,), (LabelCount("NA", 4, ("a.csv",)),), (joined,)),
        Copies((SharedRows("jan.csv", "feb.csv", 80, 80, 100),), (RepeatedRows("mar.csv", 5, 505),), n_dropped=3),
        ReadingNotes(
            (MissingCode("age", -99.0, 5, 1.0, 90.0),),
            (TotalsRow("Total", "a.csv", 9, is_sum=True),),
            (("a.csv", CutShort("", "fields")), ("b.csv", CutShort("1.2", "decimals"))),
        ),
        tuple(categories),
    )
    close = Collinearity(together, 900.0, 120.0, 0.996, np.array([1.0, 2.0]), np.array([0.1, 0.2]), (1, 1), 3.0, 0.2)
    return replace(found, notes=notes, n_rejected=3, n_set_aside=1, age_days=9.5, collinearity=close)
