"""`summary.json`: everything a report says, as numbers for programs.

Public API, version 2. A record per part of the document describes every entry with its unit and is filled from the
findings. What every run has stands here; each analysis adds its keys by its topic (`tasks.view.topic.Entry`). From the
records come the schemas, `tasks/view/summary.schema.json` and, of counted outcomes, `summary_counted.schema.json`,
which `make docs` writes. A test fails when these files are not what the records give.

Verdict and run come before the fits, so that a reader of many runs need not read whole files. Documents of version 1
are read by `tasks.reports.summary_versions`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, create_model
from pydantic.json_schema import GenerateJsonSchema

from tasks.view import verdict_words
from tasks.view.context import Context
from tasks.view.counted.context import CountedContext
from tasks.view.counted.rates_summary import effects_of, rates_of
from tasks.view.counted.summary import (
    CountedFitsSummary,
    CountedRecommendedSummary,
    EffectSummary,
    RatesSummary,
    counted_fits_of,
    counted_recommended_of,
)
from tasks.view.counted.topics import COUNTED_TOPICS
from tasks.view.document.changes import ChangesSummary, changes_of
from tasks.view.document.checks import CheckSummary, checks_of
from tasks.view.document.overview import OverviewSummary, overview_of
from tasks.view.report_context import ReportContext
from tasks.view.summary.fits import FitsSummary, fits_of
from tasks.view.summary.recommended import RecommendedSummary, recommended_of
from tasks.view.summary.record import Record, Seconds
from tasks.view.summary.run import RunSummary, run_of
from tasks.view.summary.scaling import OutcomeScalingSummary, ScalingSummary, outcome_scaling_of, scaling_of
from tasks.view.summary.study import StudySummary, study_of
from tasks.view.summary.verdict import VerdictSummary, verdict_of
from tasks.view.topic import Entry
from tasks.view.topics import TOPICS

SCHEMA_VERSION: Literal[2] = 2


class Common(Record):
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
    terms: list[str] = Field(
        description="the p terms in the order of every coefficient list: `intercept`, then the predictors"
    )
    scaling: dict[str, ScalingSummary] = Field(description="by predictor; empty for a study without one")


class Head(Common):
    """What one run found. p terms (intercept first), q of them varying by group. null stands for what is undefined."""

    recommended: RecommendedSummary | None = Field(
        description=(
            "The numbers to quote, with one meaning whatever model is recommended; null where no model can be trusted"
        )
    )
    outcome_scaling: OutcomeScalingSummary = Field(description="For reference: fits are in the outcome's unit")
    fits: FitsSummary = Field(description="Every model, on centre-scaled predictors and in the outcome's unit")


class _Tail(Record):
    """What comes last."""

    changes: ChangesSummary | None = Field(description="Since the previous report of the study; null on the first")
    timings: dict[str, Seconds] = Field(description="seconds by step")


class CountedHead(Common):
    """What one run found. p terms (intercept first), q of them varying by group. null stands for what is undefined."""

    recommended: CountedRecommendedSummary | None = Field(
        description=(
            "The numbers to quote, with one meaning whatever model is recommended; null where no model can be trusted"
        )
    )
    rates: RatesSummary = Field(description="How groups compare on the outcome's own scale")
    effects: dict[str, EffectSummary] = Field(description="by term, without the intercept")
    fits: CountedFitsSummary = Field(description="Every model, on centre-scaled predictors and on the link's scale")


def _with_topics(head: type[Head] | type[CountedHead], name: str, entries: Mapping[str, Entry[Any]]) -> type[Record]:
    fields: dict[str, Any] = {
        **{key: (entry.type, Field(description=entry.description)) for key, entry in entries.items()},
        **{key: (field.annotation, field) for key, field in _Tail.model_fields.items()},
    }
    return create_model(name, __base__=head, __doc__=head.__doc__, **fields)


ENTRIES = {entry.key: entry for topic in TOPICS for entry in topic.summary}
COUNTED_ENTRIES = {entry.key: entry for topic in COUNTED_TOPICS for entry in topic.summary}
Summary = _with_topics(Head, "Summary", ENTRIES)
CountedSummary = _with_topics(CountedHead, "CountedSummary", COUNTED_ENTRIES)


def summary_of(context: ReportContext) -> dict[str, Any]:
    """The summary as plain dicts, lists, strings, numbers and `None` (for NaN and infinities)."""
    is_counted = isinstance(context, CountedContext)
    entries: Mapping[str, Entry[Any]] = COUNTED_ENTRIES if is_counted else ENTRIES
    made: type[Record] = CountedSummary if is_counted else Summary
    return made.given(
        **_common(context),
        **_of_family(context),
        **{key: entry.of(context) for key, entry in entries.items()},
        changes=changes_of(context.changes, verdict_words.verdict_of(context).headline, context.findings.labels),
        timings=context.findings.timings,
    ).told()


def _common(context: ReportContext) -> dict[str, Any]:
    findings = context.findings
    return {
        "schema_version": SCHEMA_VERSION,
        "study": study_of(context.study, findings.rows.categories),
        "verdict": verdict_of(verdict_words.verdict_of(context)),
        "run": run_of(findings.run),
        "overview": overview_of(context),
        "checks": checks_of(context),
        "terms": findings.terms,
        "scaling": scaling_of(findings.scaling),
    }


def _of_family(context: ReportContext) -> dict[str, Any]:
    if isinstance(context, CountedContext):
        return {
            "recommended": counted_recommended_of(context.findings),
            "rates": rates_of(context),
            "effects": effects_of(context),
            "fits": counted_fits_of(context.findings),
        }
    assert isinstance(context, Context)
    return {
        "recommended": recommended_of(context.findings),
        "outcome_scaling": outcome_scaling_of(context.scaling),
        "fits": fits_of(context.findings),
    }


def summary_json(summary: dict[str, Any]) -> str:
    """JSON text, one line per top-level key: compact at 10^4 groups, still readable at the top."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    lines = (f"{encode(key)}: {encode(value)}" for key, value in summary.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


class _Untitled(GenerateJsonSchema):
    """Without a title for every entry: its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema(counted: bool = False) -> dict[str, Any]:
    """JSON schema (2020-12) of the document; of counted outcomes, of theirs."""
    made: Any = CountedSummary if counted else Summary
    of = ":counted" if counted else ""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:poolwise:summary:{SCHEMA_VERSION}{of}",
        **made.model_json_schema(schema_generator=_Untitled),
        "title": f"Poolwise summary, version {SCHEMA_VERSION}{', of a counted outcome' if counted else ''}",
    }


def schema_text(counted: bool = False) -> str:
    return json.dumps(schema(counted), indent=2, ensure_ascii=False) + "\n"
