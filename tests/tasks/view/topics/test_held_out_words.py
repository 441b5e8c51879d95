"""Influential groups in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.influence import Influence
from tests.factories import hostile_case
from tests.said import by_name


@pytest.mark.parametrize("n_beyond", [1, 2, 5])
def test_many_and_hostile_labels_keep_the_message_short(n_beyond: int) -> None:
    case = hostile_case()
    largest = np.where(np.arange(8) < n_beyond, 3.0 - np.arange(8) / 10, 0.1)
    moves = np.column_stack([largest, np.zeros(8)])
    found = Influence(moves, largest, True, largest, np.zeros((8, 2)))
    judged = replace(case, findings=replace(case.findings, influence=found)).judged()
    check = by_name(judged.context)["influential_groups"]
    assert check.status == "review"
    assert len(check.message) < 400
    assert ("2 more" in check.message) == (n_beyond == 5)
