"""Finds rows that say the same in certain columns, from hashes, without the rows themselves.

A row's key is 96 bits of hash of its parsed values; equal keys are taken for equal values (among 10^9 rows, one chance
in 10^11 that any two differ). Each file's keys are kept with its digest, so that a new file is compared with all older
ones without reading these again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.stats.records import Integers

KEY = np.dtype([("hash", "<u8"), ("check", "<u4"), ("row", "<u4")])
Keys = NDArray[np.void]  # of dtype KEY
NO_KEYS: Keys = np.empty(0, dtype=KEY)

SEEDS = ("poolwise key one", "poolwise key two")  # 16 bytes each


@dataclass(frozen=True)
class Repeats:
    """Rows of one file, each with the place of the first row that has the same key."""

    row: Integers  # (n,) ascending
    first_file: tuple[str, ...]  # n sha256
    first_row: Integers  # (n,)

    @property
    def id(self) -> str:
        """A hash of all of it: a file's digest without its repeats depends on the file and on this."""
        digest = hashlib.sha256("".join(self.first_file).encode())
        for rows in (self.row, self.first_row):
            digest.update(rows.astype("<i8").tobytes())
        return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Dropped:
    """Rows of one file that do not count: copies of earlier rows, and rows whose key an earlier one has."""

    copies: Repeats
    repeats: Repeats

    @property
    def id(self) -> str:
        """As of `Repeats`."""
        return hashlib.sha256(f"{self.copies.id} {self.repeats.id}".encode()).hexdigest()[:32]


_NONE = Repeats(np.empty(0, dtype=np.int64), (), np.empty(0, dtype=np.int64))


def keys_of(columns: pd.DataFrame, row: Integers) -> Keys:
    """(n,) keys of the rows of parsed `columns`, which hold no nulls; `row` (n,) are their numbers."""
    keys = np.empty(len(columns), dtype=KEY)
    keys["hash"] = _hashed(columns, SEEDS[0])
    keys["check"] = _hashed(columns, SEEDS[1]) >> np.uint64(32)
    keys["row"] = row
    return keys


def hash_rows(columns: pd.DataFrame) -> NDArray[np.uint64]:
    """(n,) 64 bits per row of parsed columns, for `tasks.stats.rows.row_sketch`."""
    return _hashed(columns, SEEDS[0])


def hash_texts(texts: Sequence[str]) -> NDArray[np.uint64]:
    """(n,) 64 bits per text, by SipHash."""
    return pd.util.hash_array(np.array(texts, dtype=object), hash_key=SEEDS[0], categorize=False)


def find_dropped(copy_keys: Mapping[str, Keys], keys: Mapping[str, Keys]) -> dict[str, Dropped]:
    """The rows to drop by sha256 of their file, from keys of whole rows and of `rules.unique`.

    Both are in the order of the files. A row that is a copy is not also compared by `rules.unique`. Files that lose no
    row are left out.
    """
    copies = find_repeats(copy_keys)
    rows = {name: found.row for name, found in copies.items()}
    kept = {name: each[~np.isin(each["row"], rows.get(name, ()))] for name, each in keys.items()}
    repeats = find_repeats(kept)
    return {
        name: Dropped(copies.get(name, _NONE), repeats.get(name, _NONE)) for name in dict.fromkeys([*copies, *repeats])
    }


def find_repeats(keys: Mapping[str, Keys]) -> dict[str, Repeats]:
    """The rows that repeat an earlier one, by sha256 of their file; files without such rows are left out.

    `keys` are by sha256, in the order of the files. The first row of a key is the first in the order of files, then
    rows.
    """
    shared = _met_twice([each["hash"] for each in keys.values()])
    if not shared.size:
        return {}
    candidates = [each[_is_in(each["hash"], shared)] for each in keys.values()]
    file = np.repeat(np.arange(len(keys)), [len(each) for each in candidates])
    found = np.concatenate(candidates)
    order = np.lexsort((found["row"], file, found["check"], found["hash"]))
    file, found = file[order], found[order]
    row = found["row"].astype(np.int64)
    is_first = np.r_[True, (found["hash"][1:] != found["hash"][:-1]) | (found["check"][1:] != found["check"][:-1])]
    first = np.maximum.accumulate(np.where(is_first, np.arange(row.size), 0))
    files, repeats = list(keys), {}
    for number in np.unique(file[~is_first]):
        at = np.flatnonzero(~is_first & (file == number))
        at = at[np.argsort(row[at])]
        firsts = first[at]
        repeats[files[number]] = Repeats(row[at], tuple(files[i] for i in file[firsts]), row[firsts])
    return repeats


def _met_twice(hashes: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """The hashes that occur more than once, in one file or several, ascending."""
    ascending = np.sort(np.concatenate([np.empty(0, dtype=np.uint64), *hashes]))
    return np.unique(ascending[1:][ascending[1:] == ascending[:-1]])


def _is_in(values: NDArray[np.uint64], ascending: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) whether each value is among `ascending`."""
    at = np.searchsorted(ascending, values)
    return (at < ascending.size) & (np.append(ascending, np.uint64(0))[at] == values)


def _hashed(columns: pd.DataFrame, seed: str) -> NDArray[np.uint64]:
    """(n,) 64 bits; numbers by value (0 and -0 are one), text by SipHash, hashes as they are."""
    hashed = np.full(len(columns), int.from_bytes(seed[-8:].encode(), "little"), dtype=np.uint64)
    for name in columns:
        column = columns[name]
        if column.dtype == np.uint64:
            bits = column.to_numpy()
        elif column.dtype == np.float64:
            bits = (column.to_numpy() + 0.0).view(np.uint64)
        else:
            bits = pd.util.hash_array(column.array, hash_key=seed, categorize=True)
        with np.errstate(over="ignore"):
            hashed = _mixed(hashed * np.uint64(0xD1342543DE82EF95) + bits)
    return hashed


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
