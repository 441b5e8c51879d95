"""Where the numbers on a page about a counted outcome come from: each is looked for in the run's summary.

As `tests.tracing`, which is about measured outcomes: a number in a row of one group is looked for among what the
summary says of that group, any other among what it says on the subject of its section. Coefficients may stand per raw
unit and as ratios, rates per so many as the report shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from tasks.stats.fits.intervals import Z_95
from tasks.study.settings import Thresholds
from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics import COUNTED_TOPICS
from tasks.view.document import summary_of
from tests.page_numbers import Shown
from tests.tracing import _entries_of, _leaves, _without_groups

FIRST_SCREEN = {
    "verdict": ("overview", "checks", "intervals", "rates", "effects", "variance_components", "run"),
    "health": ("checks",),
}


class CountedSources:
    """The numbers of a report."""

    def __init__(self, context: CountedContext) -> None:
        self.summary: dict[str, Any] = summary_of(context)
        self.labels = list(self.summary["rates"]["groups"])
        self._of_subject: dict[str, np.ndarray] = {}

    @property
    def quoted(self) -> set[str]:
        """Texts about the run: versions, dates, ids."""
        run = self.summary["run"]
        return {str(value) for value in (*run.values(), *run["versions"].values())}

    def has(self, shown: Shown) -> bool:
        row = shown.row.removesuffix("too few")
        if row in self.labels:
            return shown.is_near(self._of_group(row))
        if any(shown.is_near(self._of(key)) for key in self._subjects(shown)):
            return True
        named = [label for label in self.labels if label in shown.words]
        return shown.is_sentence and any(shown.is_near(values) for values in self._named(named))

    def _named(self, labels: Iterable[str]) -> Iterator[np.ndarray]:
        yield self._over_groups
        yield from map(self._of_group, labels)

    def _subjects(self, shown: Shown) -> set[str]:
        sources = FIRST_SCREEN | {topic.id: topic.sources or tuple(self.summary) for topic in COUNTED_TOPICS}
        asked = {key for place in filter(None, (shown.section, shown.evidence)) for key in sources[place]}
        return (asked & set(self.summary)) | {"counts"}

    def _of(self, key: str) -> np.ndarray:
        if key not in self._of_subject:
            values = self._counts if key == "counts" else list(_leaves(_without_groups(self.summary[key])))
            derived = [*(self._of_fits if key == "fits" else []), *_ends(self.summary.get(key))]
            self._of_subject[key] = self._told([*values, *derived])
        return self._of_subject[key]

    def _of_group(self, label: str) -> np.ndarray:
        own = list(_leaves(list(_entries_of(self.summary, label, set()))))
        rates = self.summary["rates"]["groups"][label]
        pooled = self.summary["variance_components"]["groups"][label]["pooled"]
        return self._told([*own, pooled - rates["observed"]])

    @cached_property
    def _over_groups(self) -> np.ndarray:
        """Least, median and greatest of what is told of groups, and of how far pooling moves them."""
        rates = list(self.summary["rates"]["groups"].values())
        spread = self.summary["variance_components"]["groups"].values()
        columns = [[one[name] for one in rates] for name in ("rate", "observed", "size", "events")]
        columns.append([abs(one["pooled"] - own["observed"]) for one, own in zip(spread, rates, strict=True)])
        return self._told([float(how(column)) for column in columns for how in (np.min, np.median, np.max)])

    @property
    def _of_fits(self) -> list[float]:
        """Ends of intervals, differences of AIC, ratios of standard errors, numbers of parameters."""
        fits = self.summary["fits"]
        complete = fits["complete_pooling"]
        partial = [fit for fit in fits["partial_pooling"].values() if fit]
        ends = [
            value + side * Z_95 * se
            for coef, errors in [(complete["coef"], complete["robust_se"]), *((f["fixef"], f["se"]) for f in partial)]
            for value, se in zip(coef, errors, strict=True)
            for side in (-1.0, 1.0)
        ]
        aic = [complete["aic"], *(fit["aic"] for fit in partial)]
        ratios = [robust / se for robust, se in zip(complete["robust_se"], complete["se"], strict=True)]
        n_points = [len(fit["fixef"]) + len(fit["theta"]) for fit in partial]
        return [*ends, *(one - other for one in aic for other in aic), *ratios, len(complete["coef"]), *n_points]

    @property
    def _counts(self) -> list[float]:
        statuses, run = [check["status"] for check in self.summary["checks"]], self.summary["run"]
        of_status = [float(statuses.count(status)) for status in ("pass", "review", "fail")]
        sums = [sum(one[name] for one in self.summary["rates"]["groups"].values()) for name in ("events", "size")]
        groups = list(self.summary["fits"]["no_pooling"]["groups"].values())
        rates, funnel = self.summary["rates"]["groups"].values(), self.summary["funnel"]["groups"].values()
        told = [
            *Counter(one["gap"] for one in groups).values(),
            *(how(one["n"] for one in groups) for how in (min, max)),
            *(sum(one["above_average"] >= 0.975 for one in rates), sum(one["above_average"] <= 0.025 for one in rates)),
            sum(one["outside"] != 0 for one in funnel),
            sum(one["too_few"] for one in rates),
            1.0 / np.sqrt(2.0 * (run["n_groups"] - 1)),  # how well so many groups can tell how much they differ
        ]
        return [
            *told,
            run["n_groups"],
            run["n_rows"],
            len(statuses),
            *of_status,
            *sums,
            *_leaves(Thresholds().model_dump()),
        ]

    def _told(self, values: Iterable[float]) -> np.ndarray:
        plain = np.asarray(list(values), dtype=float)
        scales = [1.0, *(1.0 / entry["scale"] for entry in self.summary["scaling"].values() if entry["scale"])]
        raw = np.concatenate([factor * plain for factor in scales])
        small = raw[np.abs(raw) < 10.0]
        family = np.exp(small) if self.summary["study"]["family"] == "poisson" else 1.0 / (1.0 + np.exp(-small))
        per = self.summary["rates"]["per"]
        return np.concatenate([raw, -raw, per * plain, -per * plain, np.exp(small), per * family])


def _ends(node: Any) -> Iterator[float]:
    """Ends of the intervals of every estimate that stands beside its standard error."""
    if isinstance(node, dict):
        value, se = node.get("coef", node.get("per_doubling")), node.get("se")
        if isinstance(value, float) and isinstance(se, float):
            yield from (value - Z_95 * se, value + Z_95 * se)
        for key, part in node.items():
            yield from _ends(part) if key != "groups" else ()
    elif isinstance(node, list):
        for part in node:
            yield from _ends(part)
