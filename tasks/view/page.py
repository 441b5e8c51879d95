"""Findings → the report as a tree of records that templates only loop over and print."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasks.stats.records import Check, Findings, GroupedData, PosteriorDraws, Rejection, Status
from tasks.stats.study import Study
from tasks.view import answers, numbers, text, wording
from tasks.view.context import MODEL_NAMES, Context
from tasks.view.figures.style import DARK, LIGHT, MODELS
from tasks.view.records import Answer, Block, Figure, Fold, GroupNames, HealthItem, Link, ReportPage, Section
from tasks.view.sections import (
    assumptions,
    changes,
    data,
    displacement,
    groups,
    held_out,
    history,
    methods,
    models,
    predictive,
    priors,
    ranks,
    remedies,
    sampler,
    simpson,
    singularity,
    size,
    variance,
)
from tasks.view.verdict_labels import LABELS

# Per kind of check: its title, and the section with its evidence. What follows an underscore may be a term.
CHECKS: dict[str, tuple[str, str]] = {
    "rejected_rows": ("Rejected rows", data.ID),
    "alike_labels": ("Labels that look alike", data.ID),
    "missing_like_labels": ("Groups called NA or the like", data.ID),
    "copied_rows": ("Rows that are copies", data.ID),
    "freshness": ("Freshness of the data", data.ID),
    "missing_codes": ("Numbers that may stand for “missing”", data.ID),
    "totals_row": ("Rows of totals", data.ID),
    "cut_short": ("Files that may be cut short", data.ID),
    "group_count": ("Number of groups", data.ID),
    "group_sizes": ("Size of groups", data.ID),
    "simpson": ("Simpson’s paradox", simpson.ID),
    "collinearity": ("Predictors that go together", models.ID),
    "fixed": ("Effect that cannot differ by group", data.ID),
    "convergence": ("Convergence", models.ID),
    "singularity": ("Singular fit", singularity.ID),
    "variance_component": ("Test of the differences between groups", singularity.ID),
    "intervals": ("Usual intervals", singularity.ID),
    "rhat": ("Chains agree (R-hat)", sampler.ID),
    "ess": ("Enough draws (ESS)", sampler.ID),
    "divergences": ("Divergences", sampler.ID),
    "treedepth": ("Tree depth", sampler.ID),
    "ebfmi": ("Energy (E-BFMI)", sampler.ID),
    "pareto_k": ("Influential rows (Pareto k)", predictive.ID),
    "posterior_predictive": ("Simulated data look like the data", predictive.ID),
    "prior_predictive": ("The priors allow the data", priors.ID),
    "prior_sensitivity": ("How much the priors matter", priors.ID),
    "equal_spread": ("Equal spread in all groups", assumptions.ID),
    "predictive_groups": ("Simulated groups look like the groups", predictive.ID),
    "loo_pit": ("Predictions of rows are calibrated (LOO-PIT)", predictive.ID),
    "influential_groups": ("Influential groups", held_out.ID),
    "size_trend": ("Level and size of groups", size.ID),
}
# What each check measured, against what is wanted.
MEASURES: dict[str, str] = {
    "rejected_rows": "{share} rejected, at most {limit_share}",
    "alike_labels": "sets of such labels: {value}",
    "missing_like_labels": "such labels: {value}",
    "copied_rows": "rows copied: {value}",
    "freshness": "{value} days old, at most {limit}",
    "missing_codes": "at most {value} rows of a column",
    "totals_row": "rows: {value}",
    "cut_short": "files: {value}",
    "group_count": "{value} groups, at least {limit}",
    "group_sizes": "smallest: {value} rows",
    "singularity": "least spread {value}, singular below {limit}",
    "intervals": "{share} as wide as needed, at least {limit_share}",
    "rhat": "{value}, below {limit}",
    "ess": "{value} draws, at least {limit}",
    "divergences": "{value}, none allowed",
    "treedepth": "{value}, none allowed",
    "ebfmi": "{value}, at least {limit}",
    "pareto_k": "highest {value}, at most {limit}",
    "posterior_predictive": "least p {value}, at least {limit}",
    "predictive_groups": "{value} groups off, at most {limit}",
    "loo_pit": "{share} outside the band",
    "influential_groups": "{value} standard errors, at most {limit}",
    "prior_sensitivity": "{value}, below {limit}",
    "variance_component": "p = {value}",
    "prior_predictive": "least p {value}, at least {limit}",
    "size_trend": "",
    "collinearity": "variance inflation {value}, at most {limit}",
    "equal_spread": "ratio {value}, at most {limit}",
}
WORST_FIRST: tuple[Status, ...] = ("fail", "review", "pass")
DOWNLOADS = (
    Link("estimates.csv", "estimates.csv"),
    Link("summary.json", "summary.json"),
    Link("posterior.nc", "posterior.nc"),
    Link("study.toml", "study.toml"),
)


def build_page(
    study: Study,
    findings: Findings,
    data: GroupedData,
    draws: PosteriorDraws | None,
    rejections: Sequence[Rejection],
    *,
    study_text: str = "",
) -> ReportPage:
    """The whole report. `study_text` is the study file as run; without it the study is shown as JSON."""
    context = Context(study, findings, data, draws, rejections, study_text)
    verdict, sections = findings.verdict, _sections(context)
    return ReportPage(
        title=text.label(study.title, 300),
        asked=answers.asked(context),
        answer=text.sentence_case(answers.one_sentence(context)),
        status=verdict.status,
        status_label=LABELS[verdict.status],
        headline=text.typeset(verdict.headline),
        reason=text.typeset(verdict.reason),
        recommended=text.sentence_case(MODEL_NAMES.get(verdict.recommended_model, verdict.recommended_model)),
        answers=_answers(context),
        health_summary=wording.health_summary(findings.checks),
        health=tuple(_health(check) for check in sorted(findings.checks, key=_urgency)),
        run_line=f"Run {findings.run.id}, started {findings.run.started_at}",
        run_link=_run_link(findings.run.link),
        downloads=_downloads(findings),
        sections=sections,
        colours=tuple((model.replace("_", "-"), style.color) for model, style in MODELS.items()),
        themes={"light": LIGHT, "dark": DARK},
        uses_webgl=any(_uses_webgl(section.blocks) for section in sections),
        groups=GroupNames(context.group, context.labels, tuple(map(int, findings.group_sizes))),
    )


def _answers(context: Context) -> tuple[Answer, ...]:
    return (
        Answer("Is there a difference between groups?", answers.is_there_a_difference(context)),
        Answer("Which groups?", answers.which_groups(context)),
        Answer("Can I trust it?", answers.can_i_trust_it(context)),
        Answer("What should I do?", answers.what_should_i_do(context)),
    )


def _sections(context: Context) -> tuple[Section, ...]:
    """In reading order; what changed comes first, from the second report on. Simpson's check needs a predictor."""
    builders: list[Callable[[Context], Section]] = [
        data.section,
        groups.section,
        *([ranks.section] if context.findings.ranks or context.findings.funnel else []),
        *([size.section] if context.findings.funnel else []),
        displacement.section,
        variance.section,
        singularity.section,
        *([remedies.section] if context.findings.remedies else []),
        *([simpson.section] if context.findings.simpson else []),
        predictive.section,
        *([held_out.section] if context.findings.leave_one_group_out else []),
        models.section,
        *_assumed(context),
        sampler.section,
        methods.section,
    ]
    return (*_looking_back(context), *(build(context) for build in builders))


def _assumed(context: Context) -> list[Callable[[Context], Section]]:
    """What the model takes for granted, where it was looked at."""
    found = context.findings
    spread, expected, moved = found.assumptions, found.prior_predictive, found.prior_sensitivity
    return [
        *([lambda context: assumptions.section(context, spread)] if spread else []),
        *([lambda context: priors.section(context, expected, moved)] if expected and moved else []),
    ]


def _looking_back(context: Context) -> tuple[Section, ...]:
    found, so_far = context.findings.changes, context.findings.history
    return (
        *((changes.section(context, found, lambda name: _check_title_and_section(name)[0]),) if found else ()),
        *((history.section(context, so_far),) if so_far and history.is_worth_showing(so_far) else ()),
    )


def _uses_webgl(blocks: tuple[Block, ...]) -> bool:
    figures = [block for block in blocks if isinstance(block, Figure)]
    folded = any(_uses_webgl(block.blocks) for block in blocks if isinstance(block, Fold))
    return folded or any(trace["type"].endswith("gl") for figure in figures for trace in figure.spec["data"])


def _urgency(check: Check) -> int:
    return WORST_FIRST.index(check.status)


def _health(check: Check) -> HealthItem:
    title, section = _check_title_and_section(check.name)
    return HealthItem(
        title=title,
        status=check.status,
        status_label=wording.STATUS_LABELS[check.status],
        message=text.typeset(check.message),
        advice=text.typeset(check.advice),
        measure=_measure(check),
        link=Link("Evidence", f"#{section}"),
    )


def kind_and_term(name: str) -> tuple[str, str]:
    """Of a check by name: the longest kind that it is or begins with, and the term that follows; empty for none."""
    for kind in sorted(CHECKS, key=len, reverse=True):
        if name == kind or name.startswith(f"{kind}_"):
            return kind, name[len(kind) + 1 :]
    return name, ""


def _check_title_and_section(name: str) -> tuple[str, str]:
    if name in CHECKS:
        return CHECKS[name]
    kind, _, term = name.partition("_")
    if kind in CHECKS:
        title, section = CHECKS[kind]
        return f"{title}: {'level' if term == 'intercept' else text.readable(term)}", section
    return text.sentence_case(text.readable(name)), methods.ID


def _measure(check: Check) -> str:
    """Value and limit, where they are numbers; Simpson's check compares two slopes and says so itself."""
    kind = check.name if check.name in MEASURES else check.name.partition("_")[0]
    if isinstance(check.value, str) or check.value is None or isinstance(check.threshold, str) or kind == "simpson":
        return ""
    value, limit = float(check.value), check.threshold
    if limit is None:
        return MEASURES.get(kind, "{value}").format(value=numbers.plain(value), share=numbers.percent(value))
    return MEASURES.get(kind, "{value}, limit {limit}").format(
        value=numbers.plain(value),
        limit=numbers.plain(float(limit)),
        share=numbers.percent(value),
        limit_share=numbers.percent(float(limit)),
    )


def _run_link(href: str) -> Link | None:
    """Only an ordinary web address becomes a link."""
    return Link("the run in Prefect", href) if href.startswith(("http://", "https://")) else None


def _downloads(findings: Findings) -> tuple[Link, ...]:
    rejected = (Link("rejected.csv", "rejected.csv"),) if findings.run.rejected_by_rule else ()
    return (*DOWNLOADS, *rejected)
