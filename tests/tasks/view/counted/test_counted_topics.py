"""Everything that is judged of a counted outcome is said, once, by one topic, and every page of one can be made."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from tasks.look.render import render_report
from tasks.stats.counted.screening import CountedAnswer
from tasks.stats.fits.mean_structure import Added
from tasks.stats.judged.missing_terms import MissingTerm
from tasks.stats.judgement import Judgement, Status
from tasks.stats.rows.categories import Level
from tasks.view.checks import checks_of
from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics import COUNTED_TOPICS, held_out, priors
from tasks.view.document import summary_of
from tasks.view.page import build_page, section_of
from tasks.view.records import Block, Fold, Paragraph
from tasks.view.topic import Case, Topic, worded
from tasks.view.words import text
from tests.counted_reports import CASES, hospitals_case, shares_case
from tests.factories import HOSTILE_LABELS
from tests.judged_source import PASSING, Judged, judged_of
from tests.measured import is_what_is_said
from tests.noticed import noticed_rows
from tests.said import block

MOST_WORDS = 25
SPECS = {spec.kind: spec for topic in COUNTED_TOPICS for spec in topic.checks}
JUDGED = judged_of("counted")


@pytest.fixture(params=CASES, scope="module")
def report(request: pytest.FixtureRequest) -> CountedContext:
    return CASES[request.param]().context


def test_the_source_is_read_as_it_runs() -> None:
    made = {(one.kind, one.case) for one in JUDGED}
    seen = {(one.kind, one.case) for make in CASES.values() for one in make().findings.judgements}
    assert seen - made == set()
    assert len(seen) > 25


def test_every_kind_is_said_by_exactly_one_topic() -> None:
    said = Counter(spec.kind for topic in COUNTED_TOPICS for spec in topic.checks)
    assert said.keys() == {one.kind for one in JUDGED}
    assert set(said.values()) == {1}


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_every_case_is_said_and_none_that_cannot_be(kind: str) -> None:
    assert SPECS[kind].kind == kind
    assert SPECS[kind].title
    assert SPECS[kind].cases.keys() == {one.case for one in JUDGED if one.kind == kind}


def test_values_are_what_their_measures_say(report: CountedContext) -> None:
    for judged in report.findings.judgements:
        measure = SPECS[judged.kind].measure
        if measure and judged.value is not None:
            assert is_what_is_said(measure, judged.value), (judged, measure)


@cache
def noticed() -> CountedContext:
    """A report in which there is something to say of everything, so that every sentence can be made."""
    case, other = shares_case(), hospitals_case().findings
    found = case.findings
    size = other.screening.size
    assert size is not None
    added = (Added("size"), Added("context", 1), Added("curve", 1))
    missing: tuple[MissingTerm, ...] = tuple(replace(size, added=each) for each in added)
    serial = replace(found.screening.serial, correlation=0.4) if found.screening.serial else None
    screening = replace(found.screening, missing=missing, serial=serial, answer=CountedAnswer(added, True))
    (category,) = other.rows.categories
    alike = replace(category, others=(*category.others, Level("High", 3, 2)))
    rows = noticed_rows(found.rows, (alike,), (1, 1))
    return replace(case, findings=replace(found, rows=rows, screening=screening)).context


def _words(one: Judged, status: Status, part: str) -> str:
    case: Case[CountedContext] = SPECS[one.kind].cases[one.case]
    return worded(getattr(case, part), noticed(), Judgement(one.kind, status, one.case, "price", 3.0, 2.0))


def _asks(one: Judged) -> bool:
    """Whether the case asks for something to be done."""
    return bool({"review", "fail"} & {*one.statuses}) and one.case not in PASSING.get(one.kind, ())


@pytest.mark.parametrize("one", JUDGED, ids=lambda one: f"{one.kind}: {one.case}")
def test_every_case_has_a_short_sentence_and_an_advice_where_something_is_to_be_done(one: Judged) -> None:
    message = _words(one, "review", "message")
    assert message.endswith(".")
    lead, _ = text.first_sentence(text.typeset(message))
    assert len(lead.split()) <= MOST_WORDS, lead
    for part in ("advice", "step"):
        said = _words(one, "review", part)
        assert said == "" or said.endswith(".")
    assert bool(_words(one, "review", "advice")) == _asks(one)


@pytest.mark.parametrize("one", [one for one in JUDGED if one.against], ids=lambda one: f"{one.kind}: {one.case}")
def test_what_speaks_against_a_model_says_why(one: Judged) -> None:
    """Against every model, the message is the reason."""
    reason = _words(one, "review", "reason")
    against = "every model" if one.kind == "serial" else one.against  # so of counted outcomes, by `row_order`
    assert bool(reason) == (against == "partial_pooling")
    assert not reason.endswith(".")


def test_ids_are_unique() -> None:
    ids = [topic.id for topic in COUNTED_TOPICS]
    assert len(set(ids)) == len(ids)
    assert len({topic.title for topic in COUNTED_TOPICS}) == len(ids)


def test_every_topic_but_the_methods_has_a_guide() -> None:
    assert [topic.id for topic in COUNTED_TOPICS if not topic.guide] == ["methods"]


def test_every_topic_is_shown_in_some_report() -> None:
    contexts = [make().context for make in CASES.values()]
    unseen = [topic.id for topic in COUNTED_TOPICS if not any(map(topic.is_shown, contexts))]
    assert unseen == ["changes", "history"], "those come with a second report"


def test_every_source_is_a_key_of_the_summary(report: CountedContext) -> None:
    keys = summary_of(report).keys()
    for topic in COUNTED_TOPICS:
        assert set(topic.sources) <= {*keys, "history"}, topic.id


def _inside(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for one in blocks:
        yield one
        yield from _inside(one.blocks) if isinstance(one, Fold) else ()


def test_guides_stand_in_their_sections(report: CountedContext) -> None:
    for topic in COUNTED_TOPICS:
        was_resampled = topic.id == "sampler" and report.findings.bayes.attempts[-1].is_resampled
        if topic.is_shown(report) and not was_resampled:
            blocks = _inside(section_of(topic, report).blocks)
            shown = " ".join(one.text for one in blocks if isinstance(one, Paragraph))
            assert all(guide in shown for guide in topic.guide), topic.id


def test_every_finding_opens_with_a_sentence_of_at_most_25_words(report: CountedContext) -> None:
    page = build_page(report)
    leads = [
        *(section.lead for section in page.sections),
        *(text.first_sentence(each.message)[0] for each in page.health),
    ]
    assert [lead for lead in leads if len(lead.split()) > MOST_WORDS] == []


def test_card_section_and_summary_say_the_same_of_every_check(report: CountedContext) -> None:
    page, checks = build_page(report), checks_of(report)
    told: dict[str, Any] = {one["name"]: one for one in summary_of(report)["checks"]}
    topic_of = {spec.kind: topic.id for topic in COUNTED_TOPICS for spec in topic.checks}
    on_card = Counter((item.status, item.message, item.advice, item.link.href) for item in page.health)
    for check in checks:
        assert (told[check.name]["status"], told[check.name]["message"]) == (check.status, check.message)
        assert told[check.name]["advice"] == check.advice
        item = (check.status, text.typeset(check.message), text.typeset(check.advice), f"#{topic_of[check.kind]}")
        assert on_card[item] >= 1, check.name


def test_block_ids_are_unique_on_a_page(report: CountedContext) -> None:
    ids = [one.id for made in build_page(report).sections for one in _inside(made.blocks) if getattr(one, "id", "")]
    assert [name for name, times in Counter(ids).items() if times > 1] == []


def test_every_page_renders(report: CountedContext) -> None:
    html = render_report(build_page(report), "plotly.js")
    assert "</html>" in html
    shown = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)
    assert re.findall(r"\b(?:nan|inf|None)\b(?! of| stands| lies)", shown) == []
    assert "&amp;amp;" not in shown


def test_hostile_labels_and_names_are_escaped() -> None:
    html = render_report(build_page(CASES["hostile_counts"]().context), "plotly.js")
    scripts = html.split("<script")
    assert not any("alert(" in piece.partition(">")[0] for piece in scripts)
    for unescaped in ("<script>alert", "<img src=x", "<i>age</i>", "<s>beds</s>", "<u>place</u>", "</title><script>"):
        assert unescaped not in html
    for label in HOSTILE_LABELS[:3]:
        assert label not in html


def test_the_ways_on_stand_where_the_fit_is_singular() -> None:
    ids = {name: {made.id for made in build_page(make().context).sections} for name, make in CASES.items()}
    singular = {name for name, make in CASES.items() if make().findings.fits.fullest.is_singular}
    assert {name for name, shown in ids.items() if "remedies" in shown} == singular
    assert "singular_counts" in singular


def test_a_ratio_is_one_number_on_the_first_screen_and_in_its_section(report: CountedContext) -> None:
    page = build_page(report)
    found = report.findings.heterogeneity
    ratio = f"{float(found.estimate):.2f} times the {'odds' if report.is_binomial else 'rate'} of the other"
    finding = next(made.finding for made in page.sections if made.id == "variance")
    answers = " ".join(each.answer for each in page.answers)
    assert ratio in finding
    assert ratio in answers or report.findings.verdict.status == "none"


def test_the_pooled_rate_lies_between_what_was_counted_and_the_average_of_most_groups() -> None:
    """Of a study without predictors; pooling draws towards the average."""
    context = CASES["counts"]().context
    own, pooled = context.findings.fits.rates.rate, context.findings.variance.pooled
    average = float(context.comparison.average.estimate)
    drawn = np.abs(pooled - average) <= np.abs(own - average) + 0.02 * average
    assert drawn.mean() > 0.9


@pytest.mark.parametrize(("n", "said"), [(1, "1 cell decides"), (3, "3 cells decide")])
def test_cells_that_decide_their_own_score_are_counted(n: int, said: str) -> None:
    """The judgement's value is the largest Pareto k, not their number."""
    context = CASES["shares"]().context
    loo = replace(context.findings.loo, n_high_pareto_k=n)
    context = replace(context, findings=replace(context.findings, loo=loo))
    judged = Judgement("pareto_k", "review", "some", value=0.93, limit=0.7)
    assert worded(SPECS["pareto_k"].cases["some"].message, context, judged).startswith(said)


def test_what_the_recommended_model_has_no_figures_of_is_said() -> None:
    case = hospitals_case()
    assert case.findings.answer is not None
    answer = replace(case.findings.answer, is_overdispersed=True)
    other = replace(case, findings=replace(case.findings, answer=answer, answer_left_out=None)).context
    said = [_note(context, held_out.TOPIC, "table-left-out") for context in (case.context, other)]
    assert ["recommended model is not among them" in one for one in said] == [False, True]
    said = [_note(made, priors.TOPIC, "table-prior-sensitivity") for made in (case.context, CASES["shares"]().context)]
    assert ["not of the model with more terms" in one for one in said] == [True, False]


def _note(context: CountedContext, topic: Topic[CountedContext], table: str) -> str:
    return str(block(section_of(topic, context), table).note)
