"""The alarm over several reports: what one leaves to the next, and that a group begins anew after it rang."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from tasks.stats.fits.cross_products import CrossProducts, cross_products
from tasks.stats.past.evidence import EFFECTS, GroupEvidence
from tasks.stats.past.increments import EarlierRows
from tasks.stats.past.moves import Moves, moves
from tasks.stats.records import GroupedData
from tests.factories import Case, intercept_only_case, regular_case, singular_case, two_predictors_case
from tests.past_runs import EARLIER_ID, earlier, grown

CASES = [singular_case, regular_case, intercept_only_case, two_predictors_case]


def found(
    case: Case, rows: EarlierRows, evidence: Mapping[str, GroupEvidence] = MappingProxyType({}), *, same: bool = True
) -> Moves:
    previous = replace(earlier(case), evidence=evidence)
    return moves(case.study, previous, case.findings, rows, is_same_question=same)


@pytest.mark.parametrize("make", CASES)
def test_one_group_that_moved_by_two_sds_or_more_rings_alone(make) -> None:
    case = make()
    label = case.findings.labels[-1]
    se = float(found(case, grown(case)).found.se[-1])
    by = max(2.0 * float(case.findings.bayes.sigma_group.mean[0]), 12.0 * se)
    seen = found(case, grown(case, label, by))
    moved = [case.findings.labels[position] for position in seen.found.positions[seen.rings]]
    assert moved == [label]
    assert seen.evidence[label] == GroupEvidence((0.0,) * EFFECTS.size, case.findings.run.id)
    still = found(case, grown(case))
    assert not still.rings.any()
    assert seen.found.shift[-1] - still.found.shift[-1] == pytest.approx(by)
    assert seen.found.shift[:-1] == pytest.approx(still.found.shift[:-1])


def test_small_moves_add_up_over_reports() -> None:
    case = singular_case()
    thresholds = case.study.thresholds.model_copy(update={"change_margin": 0.0})
    case = replace(case, study=case.study.model_copy(update={"thresholds": thresholds}))
    kent = case.findings.labels.index("kent")
    start = found(case, grown(case))
    by = 2.5 * float(start.found.se[kent]) - float(start.found.shift[kent])
    rows, evidence, rang = grown(case, "kent", by), {}, []
    for _ in range(9):
        seen = found(case, rows, evidence)
        evidence = dict(seen.evidence)
        rang.append(bool(seen.rings[kent]))
        if rang[-1]:
            break
    assert len(rang) > 1
    assert rang[-1]


def test_after_an_alarm_only_rows_that_came_later_foretell() -> None:
    case = singular_case()
    rows = grown(case, "kent", 30.0)
    kent = case.findings.labels.index("kent")
    evidence = {"kent": GroupEvidence((0.0,) * EFFECTS.size, "r1")}
    first = _first_rows(case.data, 10)
    later = replace(
        rows,
        sums={**rows.sums, "r1": replace(rows.now, wide=first.wide, lag=first.lag, ends=first.ends, rises=first.rises)},
    )
    seen = found(case, later, evidence)
    at = seen.found.positions.tolist().index(kent)
    assert seen.found.n_before[at] == round(float(rows.sums[EARLIER_ID].gram[kent, 0, 0] - first.gram[kent, 0, 0]))
    assert seen.evidence["kent"].since in ("r1", case.findings.run.id)
    just_rung = {"kent": GroupEvidence((0.0,) * EFFECTS.size, EARLIER_ID)}
    waiting = found(case, rows, just_rung)
    assert kent not in waiting.found.positions
    assert waiting.evidence["kent"] == just_rung["kent"]
    gone = found(case, rows, {"kent": GroupEvidence((0.0,) * EFFECTS.size, "a run that is gone")})
    assert gone.rings[gone.found.positions.tolist().index(kent)]


def _first_rows(data: GroupedData, n: int) -> CrossProducts:
    """Of earlier rows: `n` of the last ones of each group, which `grown` does not take for new."""
    after = np.bincount(data.group_index)[data.group_index] - (
        np.arange(data.n_rows) - np.searchsorted(data.group_index, data.group_index)
    )
    few = after <= np.minimum(n, np.bincount(data.group_index)[data.group_index] // 3)
    rows = replace(data, y=data.y[few], x=data.x[few], group_index=data.group_index[few])
    return cross_products(rows, cross_products(data).offset)


def test_evidence_of_another_question_is_not_carried_on() -> None:
    case = singular_case()
    evidence = {label: GroupEvidence((0.15,) * EFFECTS.size) for label in case.findings.labels}
    carried, afresh = (found(case, grown(case), evidence, same=same) for same in (True, False))
    assert afresh.total.sum() < carried.total.sum()


def test_where_nothing_is_new_evidence_stays_and_groups_that_are_gone_are_forgotten() -> None:
    case = singular_case()
    evidence = {"kent": GroupEvidence((0.01,) * EFFECTS.size, "r0"), "gone": GroupEvidence((0.1,) * EFFECTS.size)}
    seen = found(case, grown(case, n_new=0), evidence)
    assert seen.n_new_rows == 0
    assert not seen.found.positions.size
    assert seen.evidence == {"kent": evidence["kent"]}


def test_without_the_earlier_rows_nothing_is_compared_and_evidence_stays() -> None:
    case = singular_case()
    evidence = {"kent": GroupEvidence((0.01,) * EFFECTS.size)}
    seen = found(case, replace(grown(case), sums={}, lost={EARLIER_ID: ("a.csv",)}), evidence)
    assert (seen.is_comparable, seen.lost, seen.rings.size) == (False, ("a.csv",), 0)
    assert seen.evidence == evidence
