"""`summary.json`: everything a report says, as numbers for programs.

Public API, version 2. A record per part of the document describes every entry with its unit and is filled from the
findings. What every run has stands here; each analysis adds its keys by its topic (`tasks.view.topic.Entry`). From the
records comes the schema, `tasks/view/summary.schema.json`, which `make docs` writes.

A test fails when that file is not what the records give. Verdict and run come before the fits, so that a reader of
many runs need not read whole files. Documents of version 1 are read by `tasks.reports.summary_versions`.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, create_model
from pydantic.json_schema import GenerateJsonSchema

from tasks.view import verdict_words
from tasks.view.context import Context
from tasks.view.document.changes import ChangesSummary, changes_of
from tasks.view.document.checks import CheckSummary, checks_of
from tasks.view.document.overview import OverviewSummary, overview_of
from tasks.view.summary.fits import FitsSummary, fits_of
from tasks.view.summary.recommended import RecommendedSummary, recommended_of
from tasks.view.summary.record import Record, Seconds
from tasks.view.summary.run import RunSummary, run_of
from tasks.view.summary.scaling import OutcomeScalingSummary, ScalingSummary, outcome_scaling_of, scaling_of
from tasks.view.summary.study import StudySummary, study_of
from tasks.view.summary.verdict import VerdictSummary, verdict_of
from tasks.view.topics import TOPICS

SCHEMA_VERSION: Literal[2] = 2


class Head(Record):
    """What one run found. p terms (intercept first), q of them varying by group. null stands for what is undefined."""

    schema_version: Literal[2] = Field(
        description="raised when a key changes its meaning or goes; new keys do not raise it"
    )
    study: StudySummary = Field(description="What was asked")
    verdict: VerdictSummary = Field(description="The answer")
    run: RunSummary = Field(description="Of which data, when, with what")
    overview: OverviewSummary = Field(
        description="The run at a glance, for readers of many runs; it stands before the fits"
    )
    checks: list[CheckSummary] = Field(description="every check that was made")
    recommended: RecommendedSummary | None = Field(
        description=(
            "The numbers to quote, with one meaning whatever model is recommended; null where no model can be trusted"
        )
    )
    terms: list[str] = Field(
        description="the p terms in the order of every coefficient list: `intercept`, then the predictors"
    )
    scaling: dict[str, ScalingSummary] = Field(description="by predictor; empty for a study without one")
    outcome_scaling: OutcomeScalingSummary = Field(description="For reference: fits are in the outcome's unit")
    fits: FitsSummary = Field(description="Every model, on centre-scaled predictors and in the outcome's unit")


class _Tail(Record):
    """What comes last."""

    changes: ChangesSummary | None = Field(description="Since the previous report of the study; null on the first")
    timings: dict[str, Seconds] = Field(description="seconds by step")


ENTRIES = {entry.key: entry for topic in TOPICS for entry in topic.summary}
FIELDS: dict[str, Any] = {
    **{key: (entry.type, Field(description=entry.description)) for key, entry in ENTRIES.items()},
    **{key: (field.annotation, field) for key, field in _Tail.model_fields.items()},
}
Summary = create_model("Summary", __base__=Head, __doc__=Head.__doc__, **FIELDS)


def summary_of(context: ReportContext) -> dict[str, Any]:
    """The summary as plain dicts, lists, strings, numbers and `None` (for NaN and infinities)."""
    study, findings, verdict = context.study, context.findings, verdict_words.verdict_of(context)
    return Summary.given(
        schema_version=SCHEMA_VERSION,
        study=study_of(study, findings.rows.categories),
        verdict=verdict_of(verdict),
        run=run_of(findings.run),
        overview=overview_of(context),
        checks=checks_of(context),
        recommended=recommended_of(findings),
        terms=findings.terms,
        scaling=scaling_of(findings.scaling),
        outcome_scaling=outcome_scaling_of(findings.scaling),
        fits=fits_of(findings),
        **{key: entry.of(context) for key, entry in ENTRIES.items()},
        changes=changes_of(context.changes, verdict.headline, findings.labels),
        timings=findings.timings,
    ).told()


def summary_json(summary: dict[str, Any]) -> str:
    """JSON text, one line per top-level key: compact at 10^4 groups, still readable at the top."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    lines = (f"{encode(key)}: {encode(value)}" for key, value in summary.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


class _Untitled(GenerateJsonSchema):
    """Without a title for every entry: its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> dict[str, Any]:
    """JSON schema (2020-12) of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:poolwise:summary:{SCHEMA_VERSION}",
        **Summary.model_json_schema(schema_generator=_Untitled),
        "title": f"Poolwise summary, version {SCHEMA_VERSION}",
    }


def schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
