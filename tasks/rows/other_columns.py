"""Hashes of what rows say in columns that the study does not ask for: they tell copies from rows alike by chance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tasks.rows.row_keys import hash_texts

# A name under which R or pandas writes row numbers, then a count from 0 of columns with this name.
ROW_NUMBERS = re.compile(r"(unnamed: ?[0-9]+|__index_level_[0-9]+__)? [0-9]+$", re.IGNORECASE)


def others_of(header: Sequence[str], asked: Sequence[str]) -> dict[str, int]:
    """The positions of the columns not `asked` for, sorted by name.

    Columns without a name are left out, as R and pandas write row numbers so.
    """
    seen: Counter[str] = Counter()
    found = {}
    for at, name in enumerate(header):
        if name not in asked:
            found[f"{name} {seen[name]}"] = at
            seen[name] += 1
    return {name: found[name] for name in sorted(found) if not ROW_NUMBERS.match(name)}


def with_rest(frame: pd.DataFrame, others: Mapping[str, int], rest: Sequence[str] | None) -> pd.DataFrame:
    """The frame with `_rest`, a hash of each row's text in the other columns, and `_others`, a hash of their names."""
    names = hash_texts(["\n".join(others)])[0] if others else np.uint64(0)
    frame["_rest"] = np.zeros(len(frame), dtype=np.uint64) if rest is None else hash_texts(rest)
    frame["_others"] = np.full(len(frame), names, dtype=np.uint64)
    return frame
