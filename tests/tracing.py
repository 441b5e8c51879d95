"""Where the numbers on a page come from: each is looked for among what the run's data files say.

A number in a table row of one group is looked for among that group's numbers only, without those of other models than
the column's where the column has one; any other number among what the summary says on the subject of its section. A
sentence may also use the numbers of the groups it names, and how far a column of all groups' numbers reaches. A number
is found when one of these, rounded as it is shown, equals it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tasks.study.settings import Thresholds
from tasks.view.topics import TOPICS
from tests.page_numbers import Shown

ESTIMATES = ["estimate", "se", "lower", "upper", "conditional_sd", "estimate_raw", "se_raw", "lower_raw", "upper_raw"]
# A swatch on the page may stand for several fits.
FLAVOURS = ("varying_intercept", "varying_slope", "varying_intercept_slope")
MODELS = {"partial-pooling": FLAVOURS}
EVERY_MODEL = {"complete_pooling", "no_pooling", *FLAVOURS, "bayes"}
# What of the summary the first screen and the health card are about; sections say it themselves.
FIRST_SCREEN = {
    "verdict": ("overview", "checks", "intervals", "simpson", "variance_components"),
    "health": ("checks",),
}
COUNTS = "counts"
LONGEST_LIST = 24  # longer lists of numbers are curves, which no text quotes


@dataclass
class Sources:
    """The numbers of a run folder."""

    folder: Path
    _of_subject: dict[str, np.ndarray] = field(default_factory=dict)
    _of_group: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    @cached_property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "summary.json").read_text("utf-8")))

    @cached_property
    def labels(self) -> list[str]:
        return list(self.summary["fits"]["no_pooling"]["groups"])

    @cached_property
    def estimates(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "estimates.csv", dtype={"group": str}, keep_default_na=False, na_values=[""])

    @cached_property
    def _rows_by_group(self) -> Any:
        return self.estimates.groupby("group")

    def has(self, shown: Shown) -> bool:
        if shown.row in self.labels:
            return shown.is_near(self.of_group(shown.row, shown.model))
        if any(shown.is_near(self.of_subject(key)) for key in self._subjects(shown)):
            return True
        return shown.is_sentence and any(shown.is_near(values) for values in self._of_named(shown.words))

    def _subjects(self, shown: Shown) -> Iterable[str]:
        places = filter(None, (shown.section, shown.evidence))
        asked = {key for place in places for key in self._sources[place]}
        return asked & set(self.summary) | {COUNTS}

    @cached_property
    def _sources(self) -> Mapping[str, tuple[str, ...]]:
        """By section; one whose topic names no source may use all of the summary."""
        every = tuple(self.summary)
        return FIRST_SCREEN | {topic.id: topic.sources or every for topic in TOPICS}

    def _of_named(self, words: str) -> Iterator[np.ndarray]:
        yield self.over_groups
        yield from (self.of_group(label, "") for label in self.labels if label in words)

    def of_subject(self, key: str) -> np.ndarray:
        """Numbers of no single group below a key of the summary; per raw unit of a predictor too."""
        if key not in self._of_subject:
            values = self._counts if key == COUNTS else _leaves(_without_groups(self.summary[key]))
            self._of_subject[key] = _with(values, self._per_raw_unit)
        return self._of_subject[key]

    @cached_property
    def _per_raw_unit(self) -> list[float]:
        return [1 / entry["scale"] for entry in self.summary["scaling"].values() if entry["scale"]]

    @cached_property
    def quoted(self) -> set[str]:
        """Texts about the run: versions, dates, ids."""
        run = self.summary["run"]
        return {str(value) for value in (*run.values(), *run["versions"].values())}

    @property
    def _counts(self) -> list[float]:
        """Groups, rows, how many checks have each status, and the limits and priors of a study that sets none."""
        limits = [*_leaves(Thresholds().model_dump()), 2.5 * self.summary["outcome_scaling"]["scale"]]
        statuses, run = [check["status"] for check in self.summary["checks"]], self.summary["run"]
        of_status = [float(statuses.count(status)) for status in ("pass", "review", "fail")]
        return [run["n_groups"], run["n_rows"], len(statuses), *of_status, *limits]

    def of_group(self, label: str, model: str) -> np.ndarray:
        if (label, model) not in self._of_group:
            self._of_group[label, model] = np.asarray(list(self._numbers_of(label, model)), dtype=float)
        return self._of_group[label, model]

    def _numbers_of(self, label: str, model: str) -> Iterator[float]:
        """What the files say of a group, but not what they say of other models than `model`.

        As it is, per raw unit, per row, relative to the residual SD, without its sign; widths of intervals, and
        differences between models.
        """
        rows = self._rows_by_group.get_group(label)
        names = set(MODELS.get(model, (model.replace("-", "_"),))) if model else EVERY_MODEL
        kept = rows[rows["model"].isin(names)]
        yield from kept[[*ESTIMATES, "n"]].to_numpy(float).ravel()
        yield from kept["upper"] - kept["lower"]
        own = list(_leaves(list(_entries_of(self.summary, label, EVERY_MODEL - names))))
        yield from _with(
            own, [*self._per_raw_unit, -1, 1 / rows["n"].iloc[0], 1 / self.summary["assumptions"]["sigma"]]
        )
        if not model:
            yield from self._differences(rows)
            yield from self._spread_of_predictors(label)
            yield from self._outcomes_by_group.get(self.labels.index(label), [])

    def _differences(self, rows: pd.DataFrame) -> Iterator[float]:
        """Between two models' estimates of one term, and from the average group's."""
        bayes = self.summary["fits"]["bayes"]
        average = {"estimate": bayes["fixef"]["mean"], "estimate_raw": bayes["raw_units"]["mean"]}
        for column, (place, term) in itertools.product(average, enumerate(self.summary["terms"])):
            values = [*rows.loc[rows["term"] == term, column].to_numpy(float), average[column][place]]
            yield from (one - other for one, other in itertools.permutations(values, 2))

    def _spread_of_predictors(self, label: str) -> Iterator[float]:
        """SD of each predictor among the group's rows, and the median over groups, from the posterior file."""
        spread = self._spread_by_group
        if spread is not None:
            yield from spread.loc[self.labels.index(label)]
            yield from spread.median()

    @cached_property
    def _spread_by_group(self) -> pd.DataFrame | None:
        """By position; None where the file is without rows or predictors."""
        tree = xr.open_datatree(self.folder / "posterior.nc", engine="h5netcdf")
        if "constant_data" not in tree or "x" not in tree["constant_data"]:
            return None
        rows = tree["constant_data"]
        return pd.DataFrame(rows["x"].to_numpy()).groupby(rows["group_index"].to_numpy()).std()

    @cached_property
    def _outcomes_by_group(self) -> dict[int, list[float]]:
        """Every row's outcome, from the posterior file: an odd row is named by its own."""
        tree = xr.open_datatree(self.folder / "posterior.nc", engine="h5netcdf")
        group = tree["constant_data"]["group_index"].to_numpy()
        return pd.Series(tree["observed_data"]["y"].to_numpy()).groupby(group).agg(list).to_dict()

    @cached_property
    def over_groups(self) -> np.ndarray:
        """Least, median and greatest of each column of group numbers, and of how far the fits move from each other."""
        columns = self.estimates.groupby(["model", "term"])[[*ESTIMATES, "n"]]
        wide = self.estimates.pivot(index="group", columns=["term", "model"], values=["estimate", "estimate_raw"])
        moves = [
            (terms[one] - terms[other]).abs()
            for _, terms in wide.T.groupby(level=[0, 1])
            for terms in [terms.T.droplevel([0, 1], axis=1)]
            for one, other in itertools.combinations(terms.columns, 2)
        ]
        return np.concatenate(
            [
                *(columns.agg(how).to_numpy(float).ravel() for how in ("min", "median", "max")),
                *([move.min(), move.median(), move.max()] for move in moves),
            ]
        )


def _with(values: Iterable[float], factors: Iterable[float]) -> np.ndarray:
    plain = np.asarray(list(values), dtype=float)
    return np.concatenate([plain, *(factor * plain for factor in factors)])


def _leaves(value: Any) -> Iterator[float]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, (int, float)):
        yield float(value)
        return
    if isinstance(value, list) and len(value) > LONGEST_LIST and not isinstance(value[0], (dict, list)):
        return
    for part in value.values() if isinstance(value, dict) else value:
        yield from _leaves(part)


def _without_groups(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_groups(part) for key, part in value.items() if key != "groups"}
    return [_without_groups(part) for part in value] if isinstance(value, list) else value


def _entries_of(value: Any, label: str, others: set[str]) -> Iterator[Any]:
    """Everything below a key `groups` that is said of this group, but not below the names of other models."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "groups" and isinstance(part, dict) and label in part:
                yield part[label]
            elif key not in others:
                yield from _entries_of(part, label, others)
    elif isinstance(value, list):
        for part in value:
            yield from _entries_of(part, label, others)
