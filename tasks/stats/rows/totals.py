"""Rows that seem to add up the others: a group called Total with one row, a single row that is the sum of the rest.

Of a counted outcome, events and trials (or exposure) have to be such sums.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.stats.fits.cells import Cells
from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats
from tasks.stats.rows.digest import FileDigest

WORDS = frozenset(
    re.findall(
        r"\w+",
        """total totals subtotal sum all overall mean average
        gesamt gesamtsumme zwischensumme summe insgesamt alle mittelwert durchschnitt
        totaux somme ensemble moyenne suma totales promedio media totale totali somma totaal som gemiddelde soma média
        razem łącznie średnia celkem součet průměr spolu összesen átlag yhteensä summa keskiarvo totalt medel
        gjennomsnitt ukupno skupaj toplam ortalama итого всего сумма среднее разом σύνολο 合计 总计 合計 総計 합계""",
    )
)
LEAST_OTHERS = 3  # fewest other rows from which a row can be called their sum
RELATIVE = 1e-9
RELATIVE_SIZE = 1e-3  # exposures are rounded where they are added up


@dataclass(frozen=True)
class TotalsRow:
    """One row of `file`. `row` is its number, 0 if not kept; `is_sum` tells that its outcome is the others' sum."""

    label: str
    file: str
    row: int
    is_sum: bool


def totals_rows(digest: FileDigest, file: str) -> tuple[TotalsRow, ...]:
    """The totals rows of one file: groups of one row that are called a total, or are the sum of the others."""
    n, y = digest.products.gram[:, 0, 0], digest.products.gram[:, 0, -1]
    y = y + n * digest.products.offset[-1]
    is_single = np.rint(n) == 1
    is_sum = is_single & (n.sum() > LEAST_OTHERS) & _is_half(y) & (y != 0)
    if digest.cells is not None and (digest.cells.family == "binomial" or not _has_one_size(digest.cells)):
        is_sum &= _is_half(digest.cells.of_groups(digest.cells.size), RELATIVE_SIZE)
    labels = digest.products.labels
    return tuple(
        TotalsRow(labels[j], file, _row(digest, j), bool(is_sum[j]))
        for j in np.flatnonzero(is_single).tolist()
        if is_sum[j] or _is_called_so(labels[j])
    )


def _is_half(values: Floats, relative: float = RELATIVE) -> np.ndarray:
    """(J,) whether a group's value is the sum of all others'."""
    return np.asarray(np.abs(values.sum() - 2 * values) <= relative * np.abs(values))


def _has_one_size(cells: Cells) -> bool:
    """Whether every row has an exposure of 1, as where none is named."""
    return bool(np.all(cells.size == cells.n_rows))


def _is_called_so(label: str) -> bool:
    """Whether the label's first or last word means a total, as in Excel's "Kent Total"."""
    words = re.findall(r"\w+", label.casefold())
    return bool(words) and bool({words[0], words[-1]} & WORDS)


def _row(digest: FileDigest, group: int) -> int:
    rows = digest.sample.row[digest.sample.group_index == group]
    return int(rows[0]) if rows.size else 0


def judge_totals(found: Sequence[TotalsRow]) -> tuple[Judgement, ...]:
    """One judgement if there is a totals row, else none."""
    return (Judgement("totals_row", "review", "found", value=len(found)),) if found else ()
