"""Find rows that are exact copies of others: of rows in the same file, and of rows in earlier files.

Equal rows count as copies only if chance (`tasks.stats.rows.chance_of_equal`) does not explain their number; between
files, there must also be more than equal rows within files suggest. A row that stands several times in one file is no
evidence, because a frequent row turns up in any file. If rows are too coarse for this, runs of RUN consecutive rows
are compared: the chance that a whole run agrees is that of one row to the power of RUN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import pdtrc

from tasks.stats.judgement import Judgement
from tasks.stats.records import Floats, GroupedData, Integers
from tasks.stats.rows.chance_of_equal import Chance, chance_of_equal, n_pairs
from tasks.stats.rows.row_sketch import RUN, FileSketch, Hashes, RowSketch, below, equal_together, mixed, total_size

SAFETY = 3.0  # up to so many times the expected equal rows are still called chance
ALARM = 1e-3  # the largest probability of an alarm when there are no copies
FEWEST = 3  # copies that are worth an alarm
RARE = 3  # a row that occurs more often than this in a file is no evidence of repetition
MOST_HASHES = 4_000_000  # compared at once


@dataclass(frozen=True)
class SharedRows:
    """Rows of `file` that are also in the file `earlier`."""

    earlier: str
    file: str
    n_rows: int
    n_earlier: int  # used rows of `earlier`
    n_file: int  # used rows of `file`
    is_about: bool = False  # estimated from a sample
    in_order: bool = False  # found by the order of rows, as single rows are too coarse to tell from chance
    by_study: bool = False  # equal in the study's columns only, as the files' other columns differ


@dataclass(frozen=True)
class RepeatedRows:
    """Rows of `file` that repeat an earlier row of it."""

    file: str
    n_rows: int
    n_file: int
    is_about: bool = False
    in_order: bool = False


@dataclass(frozen=True)
class Copies:
    shared: tuple[SharedRows, ...] = ()  # most rows first
    repeated: tuple[RepeatedRows, ...] = ()
    n_dropped: int = 0  # rows dropped by the study's rule
    n_by_chance: float = 0.0  # pairs of equal rows that chance explains, among all rows

    @property
    def n_rows(self) -> int:
        return sum(each.n_rows for each in self.shared) + sum(each.n_rows for each in self.repeated)

    @property
    def is_about(self) -> bool:
        return any(each.is_about for each in self.shared) or any(each.is_about for each in self.repeated)

    def chance_explains_dropped(self, n_used: int) -> bool:
        """Whether the dropped rows may be equal by chance rather than copies; `n_used` rows were kept."""
        n_by_chance = self.n_by_chance * ((n_used + self.n_dropped) / max(n_used, 1)) ** 2
        return SAFETY * n_by_chance >= self.n_dropped


def judge_copies(found: Copies | None, rule: str | None, n_used: int) -> tuple[Judgement, ...]:
    """Review copies, unless the study keeps or drops them, and dropped rows that may be equal by chance.

    `n_used` is the number of the study's rows in use.
    """
    if found is None:
        return ()
    kind, n = "copied_rows", float(found.n_rows)
    if n and rule == "keep":
        return (Judgement(kind, "pass", "kept", value=n, limit=0),)
    if n:
        return (Judgement(kind, "review", "found", value=n, limit=0),)
    if found.n_dropped and found.chance_explains_dropped(n_used):
        return (Judgement(kind, "review", "dropped by chance", value=found.n_dropped),)
    if found.n_dropped:
        return (Judgement(kind, "pass", "dropped", value=found.n_dropped),)
    return (Judgement(kind, "pass", "none", value=0, limit=0),)


@dataclass(frozen=True)
class _Pairs:
    """For each file, the number of pairs of rows that could be equal: within the file, and with all earlier files."""

    in_group: Floats  # (F,) both rows of one group, within the file
    in_group_before: Floats  # (F,) both rows of one group, with earlier files
    within: Floats  # (F,) rows of any groups, within the file
    before: Floats  # (F,) rows of any groups, with earlier files


@dataclass(frozen=True)
class _Matches:
    """Hashes that a file shares with an earlier file, the latest one if there are several."""

    file: Integers  # (m,)
    earlier: Integers  # (m,)
    n_rows: Integers  # (m,) equal rows
    is_single: np.ndarray  # (m,) bool: the row stands once in each of the two files


def find_copies(
    sketches: Mapping[str, FileSketch], rows_by_label: Mapping[str, Mapping[str, int]], sample: GroupedData
) -> Copies:
    """Copies within and between files. Both mappings are by file name, in the files' order; `sample` holds some of all
    rows."""
    names, found = tuple(sketches), limited(tuple(sketches.values()))
    chance, pairs = chance_of_equal(sample), _pairs(list(rows_by_label.values()))
    rows = _judged(names, found, chance, pairs)
    told = {(each.earlier, each.file) for each in rows.shared}
    repeated = {each.file for each in rows.repeated}
    runs = _judged_runs(names, found, chance)
    in_order = {(each.earlier, each.file): each for each in (*runs.shared, *_same_sequences(names, found, chance))}
    shared = (*rows.shared, *(each for pair, each in in_order.items() if pair not in told))
    return Copies(
        tuple(sorted(shared, key=lambda each: -each.n_rows)),
        (*rows.repeated, *(each for each in runs.repeated if each.file not in repeated)),
        n_by_chance=float(pairs.in_group.sum() + pairs.in_group_before.sum()) * chance.row,
    )


def limited(sketches: Sequence[FileSketch]) -> tuple[FileSketch, ...]:
    """The sketches, all cut at the same hash so that about MOST_HASHES are left; unchanged if there are no more."""
    if total_size(sketches) <= MOST_HASHES:
        return tuple(sketches)
    hashes = np.concatenate([part.asked for each in sketches for part in (each.rows, each.runs)])
    limit = np.partition(hashes, MOST_HASHES)[MOST_HASHES]
    return tuple(replace(each, rows=below(each.rows, limit), runs=below(each.runs, limit)) for each in sketches)


def _pairs(files: Sequence[Mapping[str, int]]) -> _Pairs:
    position: dict[str, int] = {}
    found = np.zeros((4, len(files)))
    before = np.zeros(len({label for rows in files for label in rows}))
    for j, rows in enumerate(files):
        at = np.array([position.setdefault(label, len(position)) for label in rows], dtype=np.int64)
        n = np.array(list(rows.values()), dtype=float)
        found[:, j] = (n * (n - 1) / 2).sum(), n @ before[at], n.sum() * (n.sum() - 1) / 2, n.sum() * before.sum()
        before[at] += n
    return _Pairs(*found)


def _judged(names: Sequence[str], sketches: Sequence[FileSketch], chance: Chance, pairs: _Pairs) -> Copies:
    """The copies found by comparing single rows."""
    parts, others = [each.rows for each in sketches], np.array([each.others for each in sketches], dtype=np.uint64)
    share = np.array([part.share for part in parts])
    agree_in_rest = _agree_in_rest(parts, others)
    of_files = np.array([(part.count * (part.count - 1) // 2).sum() for part in parts]).sum() / max(
        float((pairs.within * share).sum()), 1.0
    )
    within = np.minimum(pairs.in_group * chance.row, pairs.within * agree_in_rest) * share
    of_study = np.maximum(pairs.in_group_before * chance.row, pairs.before * of_files) * share
    before = np.minimum(of_study, pairs.before * agree_in_rest * share)
    few = np.array([((part.count > 1) & (part.count <= RARE)).sum() for part in parts])
    repeated = _repeated(names, parts, few) if few.sum() >= FEWEST and _is_more(few.sum(), within.sum()) else ()
    matches = _matches(parts, others)
    shared = _shared(names, parts, matches, _has_more(matches, before))
    if np.unique(others).size > 1:
        across = _matches([_of_study(part) for part in parts], others, across=True)
        shared += _shared(names, parts, across, _has_more(across, of_study), by_study=True)
    return Copies(tuple(shared), repeated)


def _judged_runs(names: Sequence[str], sketches: Sequence[FileSketch], chance: Chance) -> Copies:
    """The copies found by comparing runs of rows."""
    parts, rows = [each.runs for each in sketches], [each.rows for each in sketches]
    n, share = np.array([part.n_rows for part in parts], dtype=float), np.array([part.share for part in parts])
    others = np.array([each.others for each in sketches], dtype=np.uint64)
    agree = max(
        chance.outcome, sum(each.n_like_before for each in sketches) / max(sum(part.n_rows for part in rows), 1)
    )
    few = np.array([(part.count == 2).sum() for part in parts])
    is_told = (few >= RUN // 4) & _is_longer(few / share, n**2 / 2, agree, len(names))
    about = np.minimum(np.rint(few / share).astype(int) + RUN - 1, [part.n_rows for part in rows]).tolist()
    repeated = [
        RepeatedRows(names[j], about[j], rows[j].n_rows, bool(share[j] < 1), in_order=True)
        for j in np.flatnonzero(is_told).tolist()
    ]
    matches = _matches(parts, others)
    n_single = np.bincount(matches.file[matches.is_single], minlength=len(names))
    is_shared = (n_single > 0) & _is_longer(n_single / share, n * _before(n), agree, len(names))
    return Copies(tuple(_shared(names, rows, matches, is_shared, runs=parts)), tuple(repeated))


def _same_sequences(names: Sequence[str], sketches: Sequence[FileSketch], chance: Chance) -> list[SharedRows]:
    """Files that hold exactly the rows of an earlier file, in the same order, unless chance may explain it."""
    latest: dict[tuple[int, int, int], str] = {}
    found = []
    for name, each in zip(names, sketches, strict=True):
        n = each.rows.n_rows
        earlier = latest.get((each.sequence, each.others, n))
        latest[each.sequence, each.others, n] = name
        if earlier and len(names) ** 2 * chance.outcome**n < ALARM:
            found.append(SharedRows(earlier, name, n, n, n, in_order=True))
    return found


def _before(n: Floats) -> Floats:
    """(F,) for each file, the sum of the values of `n` before it."""
    return np.r_[0.0, np.cumsum(n)[:-1]]


def _is_longer(found: Floats, n_pairs_of_places: Floats, agree: float, n_tests: int) -> np.ndarray:
    """(F,) whether `found` equal runs are more than chance gives if two rows agree with probability `agree`.

    Equal runs come in stretches of geometric length, so their number is compound Poisson (Polya-Aeppli).
    """
    if agree >= 1.0:
        return np.zeros(found.shape, dtype=bool)
    stretches = SAFETY * n_pairs_of_places * agree**RUN * (1.0 - agree)
    mean, sd = stretches / (1.0 - agree), np.sqrt(stretches * (1.0 + agree)) / (1.0 - agree)
    beyond = np.log(n_tests / ALARM)  # an exponential tail beyond six standard deviations
    return np.asarray(found > mean + 6.0 * sd + beyond * (stretches > 1e-6) / -np.log(agree))


def _has_more(matches: _Matches, expected: Floats) -> np.ndarray:
    """(F,) whether a file has more single rows in common with earlier ones than expected."""
    n_single = np.bincount(matches.file[matches.is_single], minlength=expected.size)
    return (n_single >= FEWEST) & _is_more(n_single, expected, expected.size)


def _is_more(found: np.ndarray, expected: np.ndarray, n_tests: int = 1) -> np.ndarray:
    """Whether `found` is more than chance gives: Poisson, with mean SAFETY times `expected`."""
    tail = np.where(found > 0, pdtrc(np.maximum(found - 1, 0), SAFETY * expected), 1.0)
    return np.asarray(tail < ALARM / n_tests)


def _repeated(names: Sequence[str], parts: Sequence[RowSketch], few: Integers) -> tuple[RepeatedRows, ...]:
    return tuple(
        RepeatedRows(name, round((part.count - 1).sum() / part.share), part.n_rows, not part.is_whole)
        for name, part, n in zip(names, parts, few, strict=True)
        if n
    )


def _shared(
    names: Sequence[str],
    rows: Sequence[RowSketch],
    matches: _Matches,
    is_told: np.ndarray,
    *,
    by_study: bool = False,
    runs: Sequence[RowSketch] | None = None,
) -> list[SharedRows]:
    """The rows shared by each pair of files, for the later files that `is_told` (F,) marks."""
    parts = runs or rows
    kept = is_told[matches.file]
    pair, at = np.unique(matches.file[kept] * len(names) + matches.earlier[kept], return_inverse=True)
    total = np.bincount(at, weights=matches.n_rows[kept], minlength=pair.size)
    found = []
    for code, n in zip(pair.tolist(), total.tolist(), strict=True):
        file, earlier = divmod(code, len(names))
        share = min(parts[file].share, parts[earlier].share)
        sizes = rows[earlier].n_rows, rows[file].n_rows
        about = round(n / share) + (RUN - 1 if runs else 0)
        found.append(
            SharedRows(names[earlier], names[file], min(about, *sizes), *sizes, share < 1, bool(runs), by_study)
        )
    return found


def _matches(parts: Sequence[RowSketch], others: Hashes, across: bool = False) -> _Matches:
    """Matches by whole rows, of files with the same other columns.

    With `across`: matches by the study's columns, of files whose other columns differ.
    """
    size = [part.asked.size for part in parts]
    file = np.repeat(np.arange(len(parts)), size)
    asked, rest, count = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("asked", "rest", "count")
    )
    kind = np.zeros_like(asked) if across else mixed(rest + others[file])
    order = np.lexsort((file, kind, asked))
    asked, kind, count, file = asked[order], kind[order], count[order], file[order]
    is_same = (asked[1:] == asked[:-1]) & (kind[1:] == kind[:-1])
    if across:
        is_same &= others[file[1:]] != others[file[:-1]]
    later, earlier = np.flatnonzero(is_same) + 1, np.flatnonzero(is_same)
    n = np.minimum(count[later], count[earlier])
    return _Matches(file[later], file[earlier], n, np.maximum(count[later], count[earlier]) == 1)


def _of_study(part: RowSketch) -> RowSketch:
    """The sketch by the study's columns alone: rows that are equal in these are counted together."""
    nothing = np.zeros_like(part.rest)
    return RowSketch(*equal_together(part.asked, nothing, part.count), part.n_rows)


def _agree_in_rest(parts: Sequence[RowSketch], others: Hashes) -> float:
    """The chance that two different rows agree in all columns that the study does not ask for."""
    if not any(part.rest.any() for part in parts):
        return 1.0
    asked, rest = (np.concatenate([getattr(part, name) for part in parts]) for name in ("asked", "rest"))
    kind = mixed(rest + np.repeat(others, [part.rest.size for part in parts]))
    _, kind, _ = equal_together(asked, kind, np.ones(kind.size, dtype=np.int64))
    return (n_pairs(kind) + 1.0) / (kind.size * (kind.size - 1) / 2 + 1.0)
