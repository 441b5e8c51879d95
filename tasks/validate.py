"""Checks rows against their study: good rows become `GroupedData`, bad ones are kept with the reason.

A row fails for a missing value, a number that is none or infinite, a value out of range, an unknown
group, or a key that an earlier good row has. A failed row is dropped; every reason against it is kept.
Group labels are text without surrounding whitespace, in the order of `tasks.natural_order`.
What no row can be blamed for (one group only, a constant predictor) stops the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow.compute as pc

from tasks.natural_order import natural_order
from tasks.numbers import as_arrow, is_missing, parse_numbers
from tasks.stats.cross_products import cross_products
from tasks.stats.records import GroupedData, Rejection, SourceFile
from tasks.stats.spreadsheet import cell
from tasks.stats.study import Range, Study
from tasks.structure import require_enough_rows, require_structure, rule_kind

KEY_SEPARATOR = ", "


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


def schema_of(study: Study) -> pandera.DataFrameSchema:
    """What the parsed columns must satisfy. Not in it: uniqueness, which only good rows are held to."""
    numeric = {
        column: pandera.Column(float, _number_checks(study.rules.ranges.get(column)), nullable=False)
        for column in numeric_columns(study)
    }
    text = {column: pandera.Column(str, nullable=False) for column in study.columns if column not in numeric}
    if study.rules.groups is not None:
        known = pandera.Check.isin(study.rules.groups, error="unknown group")
        text[study.group] = pandera.Column(str, known, nullable=False)
    return pandera.DataFrameSchema({**numeric, **text})


def validate_rows(frame: pd.DataFrame, study: Study, sha256: Mapping[str, str]) -> Validated:
    """Split rows, as `tasks.load` reads them, into good and rejected ones.

    `sha256` names each file that was read. Raises `DataRejected`, with every rejection so far, when too
    many rows fail or the good ones cannot carry the study's model.
    """
    frame = frame.reset_index(drop=True)
    good, failures = split_rows(frame, study)
    repeats = _repeats(good, frame, study)
    rejections = rejections_of(pd.concat([failures, repeats]), frame, study)
    good = good.drop(index=pd.Index(repeats["at"]))
    require_enough_rows(len(frame), len(good), study, rejections)
    data = in_natural_order(grouped(good, study))
    require_structure(cross_products(data), study, rejections)
    return Validated(
        data=data,
        rejections=rejections,
        n_rejected=len(frame) - len(good),
        files=_files(frame, good.index, sha256),
        rejected_by_rule=count_by_rule(rejections),
    )


def split_rows(frame: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good rows, parsed and under their positions in `frame`; and a line `at`, `column`, `rule` per failure.

    Rows are held to every rule but uniqueness, which needs all of the study's rows.
    """
    parsed = _parsed(frame, study)
    failures = _row_failures(parsed, frame, study)
    return parsed.drop(index=pd.Index(failures["at"].unique())), failures


def rejections_frame(rejections: Iterable[Rejection]) -> pd.DataFrame:
    """One line per reason, for rejected.csv.

    Texts are as their file had them, but for an apostrophe before what a spreadsheet would take for a formula.
    """
    columns = [field.name for field in fields(Rejection)]
    frame = pd.DataFrame.from_records([astuple(rejection) for rejection in rejections], columns=columns)
    return frame.assign(**{name: frame[name].map(cell) for name in columns if name != "row"})


def count_by_rule(rejections: Iterable[Rejection]) -> dict[str, int]:
    """How many rows each "column: rule" rejected, most frequent first; duplicates count as one rule."""
    counts = Counter(f"{each.column or 'file'}: {rule_kind(each.rule)}" for each in rejections)
    return dict(counts.most_common())


def numeric_columns(study: Study) -> tuple[str, ...]:
    return (study.outcome, *study.predictors)


def _number_checks(limits: Range | None) -> list[pandera.Check]:
    checks = [pandera.Check(np.isfinite, error="infinite")]
    if limits is not None and limits.min is not None:
        checks.append(_limit(np.less, limits.min, "below"))
    if limits is not None and limits.max is not None:
        checks.append(_limit(np.greater, limits.max, "above"))
    return checks


def _limit(is_beyond: Callable[..., pd.Series], limit: float, word: str) -> pandera.Check:
    """Infinite values pass: they have a rule of their own."""
    return pandera.Check(lambda values: ~is_beyond(values, limit) | np.isinf(values), error=f"{word} {limit:.15g}")


def _parsed(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The study's columns as numbers (NaN for what is none) and stripped text (null for what is empty)."""
    numeric = numeric_columns(study)
    return pd.DataFrame(
        {
            column: parse_numbers(frame[column], study.decimal) if column in numeric else _stripped(frame[column])
            for column in study.columns
        }
    )


def _stripped(text: pd.Series) -> pd.Series:
    trimmed = pc.utf8_trim_whitespace(as_arrow(text))
    return pd.Series(pd.array(pc.if_else(pc.equal(trimmed, ""), None, trimmed), dtype="str"))


def _row_failures(parsed: pd.DataFrame, frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Columns `at` (position of the row), `column`, `rule`; one line per reason."""
    try:
        schema_of(study).validate(parsed, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return pd.DataFrame({"at": np.empty(0, int), "column": [], "rule": []})
    failures = pd.DataFrame({"at": cases["index"].astype(int), "column": cases["column"], "rule": cases["check"]})
    return pd.concat([_null_named(part, frame, study) for _, part in failures.groupby("column", sort=False)])


def _null_named(failures: pd.DataFrame, frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The failures of one column; null there is either missing or, where something stands, not a number."""
    column = failures["column"].iat[0]
    is_null = failures["rule"] == "not_nullable"
    is_text = column not in numeric_columns(study)
    is_left_out = is_text | is_missing(frame[column].iloc[failures["at"]])
    names = np.where(is_left_out, "missing", "not a number")
    return failures.assign(rule=np.where(is_null, names, failures["rule"]))


def _repeats(good: pd.DataFrame, frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Rows whose key an earlier good row has: columns as of `_row_failures`."""
    key = list(study.rules.unique)
    if not key or good.empty:
        return pd.DataFrame({"at": np.empty(0, int), "column": [], "rule": []})
    at = good.index.to_numpy()
    codes = good.groupby(key, sort=False).ngroup().to_numpy()
    first = np.empty(codes.max() + 1, dtype=np.int64)
    first[codes[::-1]] = at[::-1]
    later = at[first[codes] != at]
    original = frame.loc[first[codes][first[codes] != at], ["_row", "_file"]]
    rules = [f"duplicate of row {row} in {file}" for row, file in original.itertuples(index=False)]
    return pd.DataFrame({"at": later, "column": KEY_SEPARATOR.join(key), "rule": rules})


def rejections_of(failures: pd.DataFrame, frame: pd.DataFrame, study: Study) -> tuple[Rejection, ...]:
    """In the order of the rows, and in a row of the study's columns."""
    rank = {column: i for i, column in enumerate(study.columns)}
    order = np.lexsort((failures["column"].map(rank).fillna(len(rank)), failures["at"]))
    failures = failures.iloc[order].reset_index(drop=True)
    rows = frame.loc[failures["at"], ["_file", "_row"]]
    columns, values = failures["column"].tolist(), _values(failures, frame, study)
    return tuple(map(Rejection, rows["_file"], rows["_row"].tolist(), columns, values, failures["rule"]))


def _values(failures: pd.DataFrame, frame: pd.DataFrame, study: Study) -> list[str]:
    """What the file says where a rule failed."""
    values = np.empty(len(failures), dtype=object)
    for column, part in failures.groupby("column", sort=False):
        names = [column] if column in frame else list(study.rules.unique)
        texts = [frame[name].iloc[part["at"]].tolist() for name in names]
        values[part.index] = [KEY_SEPARATOR.join(each) for each in zip(*texts, strict=True)]
    return values.tolist()


def grouped(good: pd.DataFrame, study: Study) -> GroupedData:
    """Good rows, their labels in the order in which they are met."""
    codes, index = pd.factorize(good[study.group])
    return GroupedData(
        y=good[study.outcome].to_numpy(dtype=np.float64),
        x=good[list(study.predictors)].to_numpy(dtype=np.float64),
        group_index=codes.astype(np.int64),
        labels=tuple(map(str, index)),
        terms=study.terms,
    )


def in_natural_order(data: GroupedData) -> GroupedData:
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
