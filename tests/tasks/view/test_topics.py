"""Everything that statistics judge is said, once, by one topic; and what is said of it in several places agrees."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tasks.stats.judgement import Judgement, Status
from tasks.view.answers import is_there_a_difference, one_sentence
from tasks.view.checks import Check, checks_of
from tasks.view.context import Context
from tasks.view.document import summary_of
from tasks.view.page import build_page
from tasks.view.records import Block, Fold, Paragraph, Section, Table
from tasks.view.topic import Case, worded
from tasks.view.topics import TOPICS
from tasks.view.words import numbers, text
from tests import factories
from tests.judged_source import PASSING, SAMPLER, Judged, judged_of
from tests.measured import is_what_is_said
from tests.noticed import noticed_rows
from tests.past_runs import earlier, grown, looked_back
from tests.posteriors import sampled
from tests.said import block, by_name, changed, context_of_sampled, section

MOST_WORDS = 25
SPECS = {spec.kind: spec for topic in TOPICS for spec in topic.checks}
TOPIC_OF = {spec.kind: topic for topic in TOPICS for spec in topic.checks}
JUDGED = judged_of("normal")
SAMPLED = ("bounce_rates", "sleepstudy", "dyestuff", "dyestuff2", "curved")


@cache
def noticed() -> Context:
    """A report in which there is something to say of everything, so that every sentence can be made."""
    case = factories.categories_case()
    rows = noticed_rows(case.findings.rows, case.findings.rows.categories, (1, 2))
    return changed(case, rows=rows)


def _later(case: factories.Case) -> factories.Case:
    """A third report, in which the last group has moved."""
    return looked_back(case, earlier(case), (earlier(case).run,) * 2, grown(case, case.data.labels[-1], 500.0))


@cache
def reports() -> dict[str, Context]:
    made = {name: context_of_sampled(sampled(name)) for name in SAMPLED}
    makers = (
        factories.singular_case,
        factories.regular_case,
        factories.intercept_only_case,
        factories.two_predictors_case,
        factories.categories_case,
        factories.hostile_case,
    )
    cases = {make.__name__: make() for make in makers}
    later = {name: _later(case) for name, case in cases.items()}
    made |= {name: case.context for name, case in cases.items()}
    return made | {f"later {name}": case.context for name, case in later.items()} | {"noticed": noticed()}


NAMES = [
    *SAMPLED,
    "noticed",
    *(
        f"{when}{make}_case"
        for when in ("", "later ")
        for make in ("singular", "regular", "intercept_only", "two_predictors", "categories", "hostile")
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_values_are_what_their_measures_say(name: str) -> None:
    for judged in reports()[name].findings.judgements:
        measure = SPECS[judged.kind].measure
        if measure and judged.value is not None:
            assert is_what_is_said(measure, judged.value), (judged, measure)


def test_every_measure_has_a_meaning() -> None:
    for spec in SPECS.values():
        assert not spec.measure or is_what_is_said(spec.measure, 1.0)


@pytest.fixture(params=NAMES, scope="module")
def report(request: pytest.FixtureRequest) -> Context:
    return reports()[request.param]


# Complete


def test_the_source_is_read_as_it_runs() -> None:
    made = {(one.kind, one.case, one.against) for one in JUDGED}
    seen = {(one.kind, one.case, one.against) for context in reports().values() for one in context.findings.judgements}
    assert seen - made == set()
    assert len(seen) > 30


def test_every_kind_is_said_by_exactly_one_topic() -> None:
    said = Counter(spec.kind for topic in TOPICS for spec in topic.checks)
    assert said.keys() == {one.kind for one in JUDGED}
    assert set(said.values()) == {1}


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_every_case_is_said_and_none_that_cannot_be(kind: str) -> None:
    assert SPECS[kind].kind == kind
    assert SPECS[kind].title
    assert SPECS[kind].cases.keys() == {one.case for one in JUDGED if one.kind == kind}


def _words(one: Judged, status: Status, part: str) -> str:
    case: Case[Context] = SPECS[one.kind].cases[one.case]
    judged = Judgement(one.kind, status, one.case, "severity", 3.0, 2.0)
    return worded(getattr(case, part), noticed(), judged)


def _asks(one: Judged) -> bool:
    """Whether the case asks for something to be done."""
    return bool({"review", "fail"} & {*one.statuses}) and one.case not in PASSING.get(one.kind, ())


@pytest.mark.parametrize("one", JUDGED, ids=lambda one: f"{one.kind}: {one.case}")
def test_every_case_has_a_sentence_and_an_advice_where_something_is_to_be_done(one: Judged) -> None:
    assert _words(one, "review", "message").endswith(".")
    for part in ("advice", "step"):
        said = _words(one, "review", part)
        assert said == "" or said.endswith(".")
    assert bool(_words(one, "review", "advice")) == _asks(one)


@pytest.mark.parametrize("one", JUDGED, ids=lambda one: f"{one.kind}: {one.case}")
def test_every_message_begins_with_a_short_sentence(one: Judged) -> None:
    """It may open a section."""
    lead, _ = text.first_sentence(text.typeset(_words(one, "review", "message")))
    assert len(lead.split()) <= MOST_WORDS, lead


@pytest.mark.parametrize("one", [one for one in JUDGED if one.against], ids=lambda one: f"{one.kind}: {one.case}")
def test_what_speaks_against_a_model_says_why(one: Judged) -> None:
    """Against every model, the message is the reason."""
    reason = _words(one, "review", "reason")
    assert bool(reason) == (one.against == "partial_pooling")
    assert not reason.endswith(".")


def test_ids_are_unique() -> None:
    ids = [topic.id for topic in TOPICS]
    assert len(set(ids)) == len(ids)
    assert len({topic.title for topic in TOPICS}) == len(ids)


def test_every_topic_but_the_methods_has_a_guide() -> None:
    assert [topic.id for topic in TOPICS if not topic.guide] == ["methods"]


def test_every_source_is_a_key_of_the_summary(report: Context) -> None:
    keys = summary_of(report).keys()
    assert {source for topic in TOPICS for source in topic.sources} <= {*keys, "priors"}


def _blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for one in blocks:
        yield one
        yield from _blocks(one.blocks) if isinstance(one, Fold) else ()


def _paragraphs(made: Section) -> str:
    return " ".join(one.text for one in _blocks(made.blocks) if isinstance(one, Paragraph))


def test_guides_stand_in_their_sections(report: Context) -> None:
    for topic in TOPICS:
        if topic.is_shown(report):
            shown = _paragraphs(section(topic, report))
            assert all(guide in shown for guide in topic.guide), topic.id


def test_every_topic_is_shown_in_some_report() -> None:
    assert [topic.id for topic in TOPICS if not any(map(topic.is_shown, reports().values()))] == []


# Side by side

# Kinds whose section opens with something else; where their numbers stand again is looked at below.
OPENS_OTHERWISE = {
    *(spec.kind for topic in TOPICS if topic.id in ("data", "sampler") for spec in topic.checks),
    *("collinearity", "fixed", "convergence", "second_opinion", "variance_component", "pareto_k", "loo_pit"),
}


def _section(context: Context, check: Check) -> Section:
    return section(TOPIC_OF[check.kind], context)


def test_card_section_and_summary_say_the_same_of_every_check(report: Context) -> None:
    page, checks = build_page(report), checks_of(report)
    told = {one["name"]: one for one in summary_of(report)["checks"]}
    findings = {made.id: made.finding for made in page.sections}
    on_card = Counter((item.status, item.message, item.advice, item.link.href) for item in page.health)
    for check in checks:
        topic, message = TOPIC_OF[check.kind].id, text.typeset(check.message)
        assert (told[check.name]["status"], told[check.name]["message"]) == (check.status, check.message)
        assert told[check.name]["advice"] == check.advice
        assert on_card[check.status, message, text.typeset(check.advice), f"#{topic}"] >= 1
        is_quiet = check.kind in OPENS_OTHERWISE or (check.status == "pass" and check.term in report.rows.level_terms)
        assert (message in findings[topic]) == (not is_quiet), check.name


def test_sentences_that_open_no_section_stand_in_it(report: Context) -> None:
    for name, check in by_name(report).items():
        if name in ("variance_component", "loo_pit", "second_opinion"):
            assert check.message in _paragraphs(_section(report, check))


def test_rows_and_groups_are_counted_alike(report: Context) -> None:
    checks, run = by_name(report), report.findings.run
    finding = section(TOPIC_OF["rejected_rows"], report).finding
    assert f"{numbers.plural(run.n_groups, 'group')} were used" in finding
    assert checks["group_count"].value == run.n_groups
    assert checks["group_count"].message.split(" groups")[0].endswith(str(run.n_groups))
    assert checks["group_sizes"].value == report.findings.group_sizes.min()


def test_every_finding_opens_with_a_sentence_of_at_most_25_words(report: Context) -> None:
    page = build_page(report)
    long = [section.lead for section in page.sections if len(section.lead.split()) > MOST_WORDS]
    checks = (text.first_sentence(item.message)[0] for item in page.health)
    assert [*long, *(lead for lead in checks if len(lead.split()) > MOST_WORDS)] == []


def test_how_far_groups_lie_apart_is_one_number_on_the_first_screen_and_in_its_section(report: Context) -> None:
    """Whichever model is recommended."""
    finding = next(topic for topic in TOPICS if topic.id == "variance").finding(report)
    said = re.search(r"(?:typically by|typical distance) (.+?)(?: from their average|\))", one_sentence(report))
    assert said
    assert finding.startswith(f"Groups typically lie {said[1]} from the average group")
    share = re.search(r"about (.{1,8}) of the variation", is_there_a_difference(report), re.IGNORECASE)
    assert share
    assert f"average group: {share[1]} of the variation lies between groups." in finding


def test_the_samplers_numbers_are_its_checks(report: Context) -> None:
    checks, made = by_name(report), section(TOPIC_OF["rhat"], report)
    assert f"R-hat is {checks['rhat'].value:.3f}" in made.finding
    assert f"worth about {numbers.fixed(checks['ess'].value or 0.0, 0)} independent" in made.finding
    last = {row[0].text: (row[1].text, row[-1].text) for row in block(made, "table-attempts").rows}
    assert last["Largest R-hat"] == (f"below {checks['rhat'].threshold:g}", numbers.fixed(checks["rhat"].value or 0, 4))
    assert last["Divergent transitions"] == ("0", numbers.count(int(checks["divergences"].value or 0)))
    of_chains = [name for name in SAMPLER if name != "weights"]  # these are of draws that were resampled
    assert all(checks[name].status == "pass" for name in of_chains)
    assert last["Judgement"][1] == "every threshold holds"


def _row(table: Table, first: str) -> tuple[Any, ...]:
    return next(row for row in table.rows if row[0].text == first)


def test_pareto_k_is_the_same_on_card_and_in_the_table(report: Context) -> None:
    check = by_name(report)["pareto_k"]
    table = block(_section(report, check), "table-loo")
    assert _row(table, "Highest Pareto k")[1].text == numbers.fixed(check.value or 0, 2)
    assert _row(table, "Limit of Pareto k")[1].text == numbers.fixed(check.threshold or 0, 2)
    n_above = _row(table, "Rows above the limit")[1].text
    assert (n_above != "0") == (check.status == "review")
    assert check.status == "pass" or check.message.startswith(f"{n_above} of ")


def _has_badge(table: Table, status: Status = "review") -> bool:
    return any(cell.status == status for row in table.rows for cell in row)


def test_badges_of_tables_agree_with_the_checks(report: Context) -> None:
    checks = by_name(report)
    made = {kind: section(TOPIC_OF[kind], report) for kind in SPECS if TOPIC_OF[kind].is_shown(report)}
    for row, found in zip(block(made["intervals"], "table-widths").rows, report.findings.intervals, strict=True):
        check = checks[f"intervals_{found.term}"]
        assert row[-1].status == check.status
        assert row[5].text == numbers.fixed(check.value or 0, 2)
    priors = block(made["prior_sensitivity"], "table-prior-sensitivity")
    assert _has_badge(priors) == (checks["prior_sensitivity"].status == "review")
    spread = next((one for one in made["equal_spread"].blocks if getattr(one, "id", "") == "table-spread"), None)
    assert spread is None or _has_badge(spread) == (checks["equal_spread"].status == "review")
    flavours = block(made["convergence"], "table-flavours")
    assert _row(flavours, "Singular")[-1].status == ("review" if checks["singularity"].status == "review" else None)
    assert any(cell.status == "fail" for cell in _row(flavours, "Converged")) == (
        checks["convergence"].status == "fail"
    )


def test_odd_groups_are_marked_where_the_check_names_them(report: Context) -> None:
    check = by_name(report)["influential_groups"]
    table = block(_section(report, check), "table-held-out")
    assert any(row[5].status == "review" for row in table.rows) == (check.status == "review")


def test_slopes_are_the_same_on_card_and_in_the_table(report: Context) -> None:
    checks = by_name(report)
    judged = {"not within": "no slope within groups", "not comparable": "cannot be compared"}
    misleads = any(check.kind == "simpson" and check.status != "pass" for check in checks.values())
    assert ("Simpson" in build_page(report).reason) == misleads
    last = -1
    for k, found in enumerate(report.findings.simpson):
        check = checks[f"simpson_{found.term}"]
        last += 1 if report.is_level(k + 1) else 2
        row = block(_section(report, check), "table-simpson").rows[last]
        assert row[1].text == report.raw_unit(k + 1)
        case = next(one.case for one in report.findings.judgements if one.name == check.name)
        assert row[-1].text == judged.get(case, case)
        if case != "not comparable":
            assert all(cell.text in check.message for cell in row[2:4])
