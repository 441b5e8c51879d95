"""`estimates.csv` of a counted outcome: what each group is compared by, and every model's coefficients."""

from __future__ import annotations

import csv
from types import SimpleNamespace
from typing import Any

import numpy as np

from tasks.stats.records import Floats
from tasks.stats.rows.spreadsheet import cell
from tasks.view.counted.context import CountedContext
from tasks.view.counted.rates_summary import group_rates

TEXTS = ("group", "model", "term", "note")


def estimates_csv(context: CountedContext) -> str:
    """The columns as comma-separated text with a header line; numbers at full precision."""
    columns = estimate_columns(context)
    lines: list[str] = []
    rows = csv.writer(SimpleNamespace(write=lines.append), lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(_cells(name, values) for name, values in columns.items()), strict=True))
    return "".join(lines)


def estimate_columns(context: CountedContext) -> dict[str, Any]:
    """Columns of equal length J x models x p; groups vary slowest, then models, then terms.

    - `group`, `n`: label and number of rows used
    - `model`: complete_pooling, no_pooling, partial_pooling (the fullest flavour), bayes, bayes_extended
    - `term`: "intercept" or a predictor
    - `estimate`, `se`, `lower`, `upper`: on the link's scale (log odds, or log rate) and on centre-scaled predictors.
      Limits are 95 %; those of partial pooling count the uncertainty of all its parameters
    - then what the group is compared by, as under `rates` in summary.json, the same in each of its lines: events,
      size, observed rate, expected events, their ratios, standardised rate, target, probabilities
    - `too_few`: 1 where the group has less than the study asks for
    - `note`: why a group has no estimate of its own

    NaN where there is no number; the cell in the file is then empty.
    """
    findings = context.findings
    models = _models(context)
    n_groups, n_models, p = len(findings.labels), len(models), len(findings.terms)
    each = n_models * p
    parts = {
        name: np.stack([model[at] for model in models.values()], axis=1).ravel()
        for at, name in enumerate(("estimate", "se", "lower", "upper"))
    }
    notes = np.full((n_groups, n_models, p), "", dtype=object)
    notes[:, list(models).index("no_pooling"), :] = np.array(findings.fits.own.gap, dtype=object)[:, None]
    return {
        "group": np.repeat(np.array(findings.labels, dtype=object), each),
        "n": np.repeat(findings.group_sizes, each),
        "model": np.tile(np.repeat(np.array(list(models), dtype=object), p), n_groups),
        "term": np.tile(np.array(findings.terms, dtype=object), n_groups * n_models),
        **parts,
        **{name: np.repeat(values, each) for name, values in group_rates(context).items()},
        "too_few": np.repeat(context.too_few.astype(int), each),
        "note": notes.ravel(),
    }


def _models(context: CountedContext) -> dict[str, tuple[Floats, Floats, Floats, Floats]]:
    """Estimate, standard error, lower and upper limit by model, (J, p) each."""
    findings = context.findings
    fits, own, part = findings.fits, findings.fits.own, findings.estimates
    shape = (len(findings.labels), len(findings.terms))
    complete = tuple(
        np.broadcast_to(values, shape)
        for values in (fits.complete.coef, fits.complete.se, fits.complete.lower, fits.complete.upper)
    )
    bayes = {"bayes": findings.bayes.groups}
    if findings.answer:
        bayes["bayes_extended"] = findings.answer.groups
    return {
        "complete_pooling": (complete[0], complete[1], complete[2], complete[3]),
        "no_pooling": (own.coef, own.se, own.lower, own.upper),
        "partial_pooling": (part.coef, part.se, part.lower, part.upper),
        **{name: (fit.mean, fit.sd, fit.lower, fit.upper) for name, fit in bayes.items()},
    }


def _cells(name: str, values: Any) -> list[Any]:
    if name in TEXTS:
        return list(map(cell, values))
    return [None if value != value else value for value in values.tolist()]
