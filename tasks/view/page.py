"""Findings → the report as a tree of records that templates only loop over and print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.stats.findings import Findings
from tasks.view import answers
from tasks.view.checks import STATUS_LABELS, TITLES, TOPIC_OF, WORST_FIRST, Check, checks_of, health_summary, measure
from tasks.view.context import Context
from tasks.view.figures.style import DARK, LIGHT, MODELS
from tasks.view.records import Answer, Block, Figure, Fold, GroupNames, HealthItem, Link, ReportPage, Section
from tasks.view.topic import Topic
from tasks.view.topics import TOPICS
from tasks.view.verdict_words import recommended_name, verdict_of
from tasks.view.words import text
from tasks.view.words.verdict_labels import LABELS

DOWNLOADS = (
    Link("estimates.csv", "estimates.csv"),
    Link("summary.json", "summary.json"),
    Link("posterior.nc", "posterior.nc"),
    Link("study.toml", "study.toml"),
)


def build_page(context: Context) -> ReportPage:
    """The whole report."""
    context = replace(context, check_titles=TITLES)
    study, findings, verdict, checks = context.study, context.findings, verdict_of(context), checks_of(context)
    sections = tuple(section_of(topic, context) for topic in TOPICS if topic.is_shown(context))
    return ReportPage(
        title=text.label(study.title, 300),
        asked=answers.asked(context),
        answer=text.sentence_case(answers.one_sentence(context)),
        status=verdict.status,
        status_label=LABELS[verdict.status],
        headline=text.typeset(verdict.headline),
        reason=text.typeset(verdict.reason),
        recommended="" if verdict.status == "none" else text.sentence_case(recommended_name(context)),
        answers=_answers(context, checks),
        health_summary=health_summary(checks),
        health=tuple(_health(context, check) for check in sorted(checks, key=_urgency)),
        run_line=f"Run {findings.run.id}, started {findings.run.started_at}",
        run_link=_run_link(findings.run.link),
        downloads=_downloads(findings),
        sections=sections,
        colours=tuple((model.replace("_", "-"), style.color) for model, style in MODELS.items()),
        themes={"light": LIGHT, "dark": DARK},
        uses_webgl=any(_uses_webgl(section.blocks) for section in sections),
        groups=GroupNames(context.group, context.labels, tuple(map(int, findings.group_sizes))),
    )


def section_of(topic: Topic, context: Context) -> Section:
    return Section(topic.id, topic.title, text.typeset(topic.finding(context)), tuple(topic.blocks(context)))


def _answers(context: Context, checks: Sequence[Check]) -> tuple[Answer, ...]:
    return (
        Answer("Is there a difference between groups?", answers.is_there_a_difference(context)),
        Answer("Which groups?", answers.which_groups(context)),
        Answer("Can I trust it?", answers.can_i_trust_it(context, checks)),
        Answer("What should I do?", answers.what_should_i_do(context, checks)),
    )


def _uses_webgl(blocks: tuple[Block, ...]) -> bool:
    figures = [block for block in blocks if isinstance(block, Figure)]
    folded = any(_uses_webgl(block.blocks) for block in blocks if isinstance(block, Fold))
    return folded or any(trace["type"].endswith("gl") for figure in figures for trace in figure.spec["data"])


def _urgency(check: Check) -> int:
    return WORST_FIRST.index(check.status)


def _health(context: Context, check: Check) -> HealthItem:
    return HealthItem(
        title=context.check_title(check.kind, check.term),
        status=check.status,
        status_label=STATUS_LABELS[check.status],
        message=text.typeset(check.message),
        advice=text.typeset(check.advice),
        measure=measure(check),
        link=Link("Evidence", f"#{TOPIC_OF[check.kind].id}"),
    )


def _run_link(href: str) -> Link | None:
    """A link if `href` is an ordinary web address, else None."""
    return Link("the run in Prefect", href) if href.startswith(("http://", "https://")) else None


def _downloads(findings: Findings) -> tuple[Link, ...]:
    rejected = (Link("rejected.csv", "rejected.csv"),) if findings.run.rejected_by_rule else ()
    return (*DOWNLOADS, *rejected)
