"""Findings → the report as a tree of records that templates only loop over and print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tasks.stats.concluded import Concluded
from tasks.view.chapters import chapters_of
from tasks.view.checks import STATUS_LABELS, WORST_FIRST, Check, checks_of, health_summary, titles_of, topic_of_kind
from tasks.view.families import words_of
from tasks.view.figures.style import DARK, LIGHT, MODELS
from tasks.view.records import Answer, Block, Figure, Fold, GroupNames, HealthItem, Link, Panels, ReportPage, Section
from tasks.view.report_context import ReportContext
from tasks.view.topic import Report, Topic
from tasks.view.topics import FOLDED
from tasks.view.verdict_words import recommended_name, verdict_of
from tasks.view.words import text
from tasks.view.words.verdict_labels import LABELS

DOWNLOADS = (
    Link("estimates.csv", "estimates.csv"),
    Link("summary.json", "summary.json"),
    Link("posterior.nc", "posterior.nc"),
    Link("study.toml", "study.toml"),
)


def build_page(context: ReportContext) -> ReportPage:
    """The whole report."""
    context = replace(context, check_titles=titles_of(context))
    study, findings, verdict, checks = context.study, context.findings, verdict_of(context), checks_of(context)
    words, evidence = words_of(context), topic_of_kind(context)
    sections = tuple(_sections(context, checks))
    return ReportPage(
        title=text.label(study.title, 300),
        asked=words.asked(context),
        answer=text.typeset(text.sentence_case(words.one_sentence(context))),
        status=verdict.status,
        status_label=LABELS[verdict.status],
        headline=text.typeset(verdict.headline),
        reason=text.typeset(verdict.reason),
        recommended=_recommended(context, verdict.headline),
        answers=tuple(
            Answer(question, text.typeset(answer)) for question, answer in words.answers(context, checks).items()
        ),
        health_summary=health_summary(checks),
        health=tuple(_health(context, check, evidence[check.kind].id) for check in sorted(checks, key=_urgency)),
        run_line=f"Run {findings.run.id}, started {findings.run.started_at}",
        run_link=_run_link(findings.run.link),
        downloads=_downloads(findings),
        hero=words.hero(context),
        sections=sections,
        colours=tuple((model.replace("_", "-"), style.color) for model, style in MODELS.items()),
        themes={"light": LIGHT, "dark": DARK},
        uses_webgl=any(_uses_webgl(section.blocks) for section in sections),
        groups=GroupNames(context.group, context.labels, tuple(map(int, findings.group_sizes))),
    )


def _recommended(context: ReportContext, headline: str) -> str:
    """The model to quote; empty where there is none, and where the headline names it."""
    if context.findings.verdict.status == "none" or recommended_name(context).removeprefix("the ") in headline:
        return ""
    return text.sentence_case(recommended_name(context))


def _sections(context: ReportContext, checks: Sequence[Check]) -> Iterator[Section]:
    evidence = topic_of_kind(context)
    asking = {evidence[check.kind].id for check in checks if check.status != "pass"}
    for title, topics in chapters_of(context).items():
        is_first = title != FOLDED
        for topic in topics:
            if topic.is_shown(context):
                is_asking = topic.id in asking
                made = section_of(topic, context)
                yield replace(made, chapter=title, is_open=is_first or is_asking, is_asking=is_asking)
                is_first = False


def section_of(topic: Topic[Report], context: Report) -> Section:
    """The topic's section, open."""
    blocks = tuple(topic.blocks(context))
    lead, rest = text.first_sentence(text.typeset(topic.finding(context)))
    return Section(
        topic.id, topic.title, lead, blocks, rest, topic.n_open(context) if topic.n_open else _n_open(blocks)
    )


def _n_open(blocks: Sequence[Block]) -> int:
    """All up to the first picture; without one, the first."""
    pictures = [at for at, block in enumerate(blocks, 1) if isinstance(block, Figure | Panels)]
    return pictures[0] if pictures else 1


def _uses_webgl(blocks: tuple[Block, ...]) -> bool:
    figures = [block for block in blocks if isinstance(block, Figure)]
    folded = any(_uses_webgl(block.blocks) for block in blocks if isinstance(block, Fold))
    return folded or any(trace["type"].endswith("gl") for figure in figures for trace in figure.spec["data"])


def _urgency(check: Check) -> int:
    return WORST_FIRST.index(check.status)


def _health(context: ReportContext, check: Check, topic: str) -> HealthItem:
    return HealthItem(
        title=context.check_title(check.kind, check.term),
        status=check.status,
        status_label=STATUS_LABELS[check.status],
        message=text.typeset(check.message),
        advice=text.typeset(check.advice),
        measure=check.measure,
        link=Link("Evidence", f"#{topic}"),
    )


def _run_link(href: str) -> Link | None:
    """A link if `href` is an ordinary web address, else None."""
    return Link("the run in Prefect", href) if href.startswith(("http://", "https://")) else None


def _downloads(findings: Concluded) -> tuple[Link, ...]:
    rejected = (Link("rejected.csv", "rejected.csv"),) if findings.run.rejected_by_rule else ()
    return (*DOWNLOADS, *rejected)
