"""All of a study's rows in memory at once: a second way to what `collect` finds file by file, for comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.disk.natural_order import natural_order
from tasks.opening.studies import OpenedStudy
from tasks.rows.reduce import readings_of
from tasks.rows.row_reader import read_chunks
from tasks.rows.structure import require_enough_rows, require_structure
from tasks.rows.study_files import file_path, hash_files
from tasks.rows.validate import KEY_SEPARATOR, count_by_rule, grouped, key_columns, rejections_of, split_rows
from tasks.rows.values import HEAD_ROWS
from tasks.stats.fits.cross_products import cross_products
from tasks.stats.labels import one_spelling, spellings
from tasks.stats.records import Floats, GroupedData
from tasks.stats.rows.categories import categories_in, contrasts
from tasks.stats.rows.coding import Coding, recoded, recoded_rows
from tasks.stats.rows.digest import extremes_of_rows
from tasks.study.errors import Rejection
from tasks.study.model import Study
from tasks.study.run import SourceFile


@dataclass(frozen=True)
class Validated:
    """Good rows, in the order they were read, and what became of the others."""

    data: GroupedData
    rejections: tuple[Rejection, ...]  # by row, then by column; a row may have several
    n_rejected: int  # rows
    files: tuple[SourceFile, ...]
    rejected_by_rule: dict[str, int]  # "column: rule" to rows, most frequent first

    @property
    def n_read(self) -> int:
        return self.data.n_rows + self.n_rejected


def read_rows(path: Path, study: Study, name: str | None = None) -> pd.DataFrame:
    """One file's rows, whole: see `tasks.rows.row_reader.read_chunks`."""
    return pd.concat(list(read_chunks(path, study, name)), ignore_index=True)


def load_rows(opened: OpenedStudy) -> pd.DataFrame:
    """Rows of all the study's files, in the files' order."""
    names = hash_files(opened)
    return pd.concat(
        [read_rows(file_path(name, opened.folder), opened.study, name) for name in names], ignore_index=True
    )


def validate_at_once(opened: OpenedStudy) -> Validated:
    """Split the rows of all files into good and rejected ones.

    Raises DataRejected, with every rejection so far, when too many rows fail or the good ones cannot carry the model.
    """
    return _validated(load_rows(opened), opened.study, hash_files(opened))


def _validated(frame: pd.DataFrame, study: Study, sha256: Mapping[str, str]) -> Validated:
    frame = frame.reset_index(drop=True)
    good, failures, categories = _split_by_file(frame, study)
    repeats = _repeats(good, frame, study)
    rejections = rejections_of(pd.concat([failures, repeats]), frame, study)
    good = good.drop(index=pd.Index(repeats["at"]))
    require_enough_rows(len(frame), len(good), study, rejections)
    coding = _coding(good, categories, study)
    data = _in_natural_order(_joined(grouped(good, coding, study), study))
    products = replace(cross_products(data, _offset(data, coding)), categories=coding.categories)
    found = categories_in(products, coding, study.categories.reference)
    fitted = contrasts(coding, found)
    extremes = extremes_of_rows(data, coding)
    data = replace(data, x=recoded_rows(data.x, coding, fitted), terms=fitted.terms)
    require_structure(recoded(products, coding, fitted), data, extremes, study, found, rejections)
    return Validated(
        data=data,
        rejections=rejections,
        n_rejected=len(frame) - len(good),
        files=_files(frame, good.index, sha256),
        rejected_by_rule=count_by_rule(rejections),
    )


def _coding(good: pd.DataFrame, categories: Sequence[str], study: Study) -> Coding:
    levels = {name: sorted(set(good[name].tolist())) for name in categories}
    return Coding(
        study.predictors, {name: tuple(found[i] for i in natural_order(found)) for name, found in levels.items()}
    )


def _offset(data: GroupedData, coding: Coding) -> Floats:
    return np.append(np.where(coding.is_level, 0.0, data.x.mean(axis=0)), data.y.mean())


def _split_by_file(frame: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """The same for rows of several files, and the predictors that are a category in all of them."""
    places = [np.asarray(place) for place in frame.groupby("_file", sort=False).indices.values()] or [np.arange(0)]
    parts = [frame.iloc[place].reset_index(drop=True) for place in places]
    kinds = [readings_of(part.head(HEAD_ROWS), study) for part in parts]
    having = [kind for part, kind in zip(parts, kinds, strict=True) if len(split_rows(part, study, kind)[0])]
    categories = [name for name in study.predictors if having and not any(name in kind for kind in having)]
    if any(kind.keys() != having[0].keys() for kind in having):
        as_numbers = {"numbers": [name for name in study.predictors if name not in categories]}
        study = study.model_copy(update={"categories": study.categories.model_copy(update=as_numbers)})
        kinds = [readings_of(part.head(HEAD_ROWS), study) for part in parts]
    found = [split_rows(part, study, kind) for part, kind in zip(parts, kinds, strict=True)]
    good = [rows.set_axis(place[rows.index], axis=0) for place, (rows, _) in zip(places, found, strict=True)]
    failures = [lines.assign(at=place[lines["at"]]) for place, (_, lines) in zip(places, found, strict=True)]
    return pd.concat(good).sort_index(), pd.concat(failures), categories


def _repeats(good: pd.DataFrame, frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Rows whose key an earlier good row has: columns as of `_row_failures`."""
    key = list(study.rules.unique)
    if not key or good.empty:
        return pd.DataFrame({"at": np.empty(0, int), "column": [], "rule": []})
    at = good.index.to_numpy()
    codes = key_columns(good, study).groupby(key, sort=False).ngroup().to_numpy()
    first = np.empty(codes.max() + 1, dtype=np.int64)
    first[codes[::-1]] = at[::-1]
    later = at[first[codes] != at]
    original = frame.loc[first[codes][first[codes] != at], ["_row", "_file"]]
    rules = [f"duplicate of row {row} in {file}" for row, file in original.itertuples(index=False)]
    return pd.DataFrame({"at": later, "column": KEY_SEPARATOR.join(key), "rule": rules})


def _joined(data: GroupedData, study: Study) -> GroupedData:
    """The same rows, labels that are one group to the study under one spelling."""
    n = np.bincount(data.group_index, minlength=data.n_groups).tolist()
    spelling = spellings({data.labels[i]: n[i] for i in natural_order(data.labels)}, study)
    labels, index = one_spelling(data.labels, spelling)
    return replace(data, labels=labels, group_index=index[data.group_index])


def _in_natural_order(data: GroupedData) -> GroupedData:
    """The same rows with their labels in natural order."""
    order = natural_order(data.labels)
    position = np.empty(data.n_groups, dtype=np.int64)
    position[order] = np.arange(data.n_groups)
    labels = tuple(data.labels[i] for i in order)
    return replace(data, labels=labels, group_index=position[data.group_index])


def _files(frame: pd.DataFrame, good: pd.Index, sha256: Mapping[str, str]) -> tuple[SourceFile, ...]:
    read = frame["_file"].value_counts()
    used = frame["_file"].loc[good].value_counts()
    counts = {name: (int(read.get(name, 0)), int(used.get(name, 0))) for name in sha256}
    return tuple(SourceFile(name, sha256[name], n, n - n_used) for name, (n, n_used) in counts.items())
