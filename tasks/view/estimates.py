"""`estimates.csv`: one row per group, model and term, for spreadsheets and further analysis."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from tasks.stats.findings import Findings
from tasks.stats.records import Estimate, Floats
from tasks.stats.rows.spreadsheet import cell
from tasks.study.model import Study
from tasks.view.raw_units import coef_in_raw_units, interval_in_raw_units
from tasks.view.words.gaps import gaps_in_words
from tasks.view.words.text import singular

TEXT_COLUMNS = ("group", "model", "term", "unit", "unit_raw", "note")


@dataclass(frozen=True)
class _Model:
    """A model's estimates per group, each (J, p)."""

    name: str
    estimate: Floats
    se: Floats
    lower: Floats
    upper: Floats
    conditional_sd: Floats


def estimate_columns(study: Study, findings: Findings) -> dict[str, Any]:
    """Columns of equal length J x models x p; groups vary slowest, then models, then terms.

    - `group`, `n`: label and number of rows used
    - `model`: complete_pooling, no_pooling, varying_intercept, varying_slope,
      varying_intercept_slope, bayes, bayes_extended (those the study has)
    - `term`: "intercept" or a predictor
    - `estimate`, `se`, `lower`, `upper`: on centre-scaled predictors, in `unit`. Limits are 95 %:
      t intervals without pooling and with complete pooling, joint intervals for the three partially
      pooled models, central posterior intervals for bayes (whose `se` is the posterior SD)
    - `conditional_sd`: SD of the group's effect with everything else taken as known; partial pooling only
    - `estimate_raw`, `se_raw`, `lower_raw`, `upper_raw`: on predictors as they came, in `unit_raw`. The
      raw intercept stands where every predictor is 0; its spread is left empty
    - `note`: why a group has no estimate of its own

    NaN where there is no number; the cell in the file is then empty. In the file, texts that a spreadsheet would
    take for a formula begin with an apostrophe: a group "=A1" is written '=A1.
    """
    models = _models(findings)
    stacked = {name: _stack(models, name) for name in ("estimate", "se", "lower", "upper", "conditional_sd")}
    raw = {
        "estimate_raw": coef_in_raw_units(findings.scaling, stacked["estimate"]),
        **{f"{name}_raw": interval_in_raw_units(findings.scaling, stacked[name]) for name in ("se", "lower", "upper")},
    }
    return {
        **_keys(findings, [model.name for model in models]),
        **{name: values.ravel() for name, values in {**stacked, **raw}.items()},
        **_words(study, findings, [model.name for model in models]),
    }


def estimates_csv(study: Study, findings: Findings) -> str:
    """The columns as comma-separated text with a header line; numbers at full precision."""
    columns = estimate_columns(study, findings)
    lines: list[str] = []
    rows = csv.writer(SimpleNamespace(write=lines.append), lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(_cells(name, values) for name, values in columns.items()), strict=True))
    return "".join(lines)


def _cells(name: str, values: Any) -> list[Any]:
    if name in TEXT_COLUMNS:
        return list(map(cell, values))
    return [None if value != value else value for value in values.tolist()]


def _models(findings: Findings) -> list[_Model]:
    bayes = [_posterior("bayes", findings.bayes.groups)]
    if findings.answer:
        bayes.append(_posterior("bayes_extended", findings.answer.groups))
    return [_complete(findings), _no_pooling(findings), *_partial(findings), *bayes]


def _complete(findings: Findings) -> _Model:
    fit, shape = findings.complete, (len(findings.labels), len(findings.terms))
    coef, se, lower, upper = (np.broadcast_to(v, shape) for v in (fit.coef, fit.se, fit.lower, fit.upper))
    return _Model("complete_pooling", coef, se, lower, upper, np.full(shape, np.nan))


def _no_pooling(findings: Findings) -> _Model:
    fit = findings.no_pooling
    return _Model("no_pooling", fit.coef, fit.se, fit.lower, fit.upper, np.full(fit.coef.shape, np.nan))


def _partial(findings: Findings) -> list[_Model]:
    return [
        _Model(name, fit.coef, fit.coef_se, fit.lower, fit.upper, fit.conditional_sd)
        for name, fit in findings.partial.items()
    ]


def _posterior(name: str, fit: Estimate) -> _Model:
    return _Model(name, fit.mean, fit.sd, fit.lower, fit.upper, np.full(fit.mean.shape, np.nan))


def _stack(models: list[_Model], name: str) -> Floats:
    """(J, models, p)"""
    return np.stack([getattr(model, name) for model in models], axis=1)


def _keys(findings: Findings, models: list[str]) -> dict[str, Any]:
    J, M, p = len(findings.labels), len(models), len(findings.terms)
    return {
        "group": np.repeat(np.array(findings.labels, dtype=object), M * p),
        "n": np.repeat(findings.group_sizes, M * p),
        "model": np.tile(np.repeat(np.array(models, dtype=object), p), J),
        "term": np.tile(np.array(findings.terms, dtype=object), J * M),
    }


def _words(study: Study, findings: Findings, models: list[str]) -> dict[str, Any]:
    J, M, p = len(findings.labels), len(models), len(findings.terms)
    notes, levels = np.full((J, M, p), "", dtype=object), findings.rows.level_terms
    notes[:, models.index("no_pooling"), :] = np.array(gaps_in_words(findings.no_pooling), dtype=object)[:, None]
    return {
        "unit": np.tile(np.array(_units(study, "SD", levels), dtype=object), J * M),
        "unit_raw": np.tile(np.array(_units(study, "raw", levels), dtype=object), J * M),
        "note": notes.ravel(),
    }


def _units(study: Study, basis: str, levels: tuple[str, ...]) -> list[str]:
    """(p,) of each term; a level of a category has the outcome's."""
    outcome = study.outcome_unit or study.outcome
    per = [
        ""
        if name in levels
        else f" per SD of {name}"
        if basis == "SD"
        else f" per {singular(study.predictor_units.get(name) or name)}"
        for name in study.predictors
    ]
    return [outcome, *(f"{outcome}{unit}" for unit in per)]
