"""The first screen of a counted outcome: answers for every verdict, rates in their unit, the picture of all groups."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tasks.stats.records import Verdict
from tasks.view.checks import checks_of
from tasks.view.counted.compared import apart_from_average, beyond_target
from tasks.view.counted.context import CountedContext
from tasks.view.counted.hero import hero
from tasks.view.counted_answers import all_answers, asked, one_sentence
from tasks.view.figures.style import NEUTRAL
from tasks.view.page import build_page
from tasks.view.topics.rank_blocks import chance
from tests.counted_reports import (
    CASES,
    counts_case,
    hospitals_case,
    shares_case,
    singular_counts_case,
    zero_one_case,
)

QUESTIONS = [
    "Is there a difference between groups?",
    "Which groups?",
    "Can I trust it?",
    "What should I do?",
    "What could change the answer?",
]


def answers(context: CountedContext) -> dict[str, str]:
    return all_answers(context, checks_of(context))


def without_a_model(context: CountedContext) -> CountedContext:
    """The same report, had no model been one to trust."""
    verdict = Verdict("none", None)
    return replace(context, findings=replace(context.findings, verdict=verdict, recommended=None))


@pytest.mark.parametrize("name", CASES)
def test_every_question_is_answered_in_sentences(name: str) -> None:
    told = answers(CASES[name]().context)
    assert list(told) == QUESTIONS
    for answer in told.values():
        assert answer.endswith(".")
        assert "nan" not in answer
        assert "  " not in answer


def test_of_a_trusted_fit() -> None:
    told = answers(shares_case().context)
    assert shares_case().findings.verdict.status == "trust"
    assert told["Is there a difference between groups?"].startswith("Yes: ")
    assert told["Can I trust it?"].startswith("Yes, the estimates on this page")
    assert "“Partial pooling” in tables and figures" in told["What should I do?"]


def test_of_another_model_to_use() -> None:
    told = answers(hospitals_case().context)
    assert hospitals_case().findings.verdict.recommended_model == "bayes_extended"
    assert "they are those of the model to use" in told["Can I trust it?"]
    assert "“Bayes” in tables and figures" in told["What should I do?"]
    assert "Look first at" in told["What should I do?"]


def test_where_no_model_holds_nothing_is_answered_but_what_was_counted() -> None:
    context = without_a_model(shares_case().context)
    told = answers(context)
    assert told["Is there a difference between groups?"].startswith("Not answered")
    assert told["Which groups?"].startswith("Not answered")
    assert told["Can I trust it?"].startswith("No")
    assert told["What should I do?"].startswith("Do not act on these numbers yet.")
    assert "as observed" in one_sentence(context)
    made = hero(context)
    assert made is not None
    assert "own rate" in made.caption
    colours = {trace["marker"]["color"] for trace in _points(made.spec)}
    assert colours == {NEUTRAL}
    assert build_page(context).status == "none"


def test_where_groups_do_not_differ_none_is_named() -> None:
    told = answers(singular_counts_case().context)
    assert told["Is there a difference between groups?"].startswith("Not clearly.")
    assert told["Which groups?"].startswith("None stands out")
    assert "Look first" not in told["What should I do?"]


@pytest.mark.parametrize("make", [counts_case, hospitals_case])
def test_groups_with_too_few_are_never_named_nor_coloured(make) -> None:
    context = make().context
    few = np.flatnonzero(context.too_few)
    assert few.size >= 1
    assert not np.isin(np.concatenate([*apart_from_average(context), beyond_target(context)]), few).any()
    told = [one_sentence(context), *answers(context).values()]
    for group in few:
        name = f"{context.named(int(group))} ("
        assert not any(name in answer for answer in told)
    assert f"{few.size} groups have too few" in answers(context)["Which groups?"]
    made = hero(context)
    assert made is not None
    coloured = [
        group
        for trace in _points(made.spec)
        if trace["marker"]["color"] != NEUTRAL
        for group, x in zip(trace["meta"]["groups"], trace["x"], strict=True)
        if x is not None
    ]
    assert not np.isin(coloured, few).any()


def _points(spec: dict) -> list[dict]:
    """Traces of groups, without those of the legend."""
    return [trace for trace in spec["data"] if "markers" in trace["mode"] and trace["x"] != [None] and "meta" in trace]


def test_the_worse_side_is_the_one_to_look_at_first() -> None:
    context = hospitals_case().context
    above, below = apart_from_average(context)
    told = answers(context)["What should I do?"]
    assert context.named(int(above[0])) in told
    assert not any(context.named(int(group)) in told for group in below)
    lower = zero_one_case().context
    assert "(low)" in answers(lower)["What should I do?"]
    assert "(high)" not in answers(lower)["What should I do?"]


def test_targets_stand_in_the_picture_still_and_interactive() -> None:
    context = counts_case().context
    made = hero(context)
    assert made is not None
    json.dumps(made.spec, allow_nan=False)
    assert "targets" in made.caption
    shown = json.dumps([trace.get("name") for trace in made.spec["data"]])
    assert "target" in shown
    assert made.still is not None
    assert "target" in repr(made.still)
    other = hero(shares_case().context)
    assert other is not None
    assert "target" not in json.dumps([trace.get("name") for trace in other.spec["data"]])
    assert "target" not in other.caption


def test_a_group_beyond_its_target_is_named() -> None:
    context = counts_case().context
    beyond = beyond_target(context)
    assert [context.named(int(group)) for group in beyond] == ["ward 16"], "its own target is lower"
    assert "Above its target: ward 16" in answers(context)["Which groups?"]


def test_rates_are_told_in_the_unit_of_the_study() -> None:
    shares, counts, plain = (make().context for make in (shares_case, counts_case, singular_counts_case))
    assert (shares.rate_unit, shares.difference_unit) == ("%", "percentage points")
    assert shares.rate_text(0.1534) == "15.3\u202f%"
    assert shares.rate_interval(0.0881, 0.2094) == "8.8 to 20.9\u202f%"
    assert counts.rate_unit == counts.difference_unit == "per 1,000 patient-days"
    assert counts.rate_text(0.0062) == "6.2 per 1,000 patient-days"
    assert counts.rate_name == "falls per 1,000 patient-days"
    assert plain.rate_text(3.356) == "3.4 per row"
    for context in (shares, counts, plain):
        assert context.rate_text(float("nan")) == context.rate_interval(float("nan"), 1.0) == "–"


def test_what_is_asked_counts_events_and_cases() -> None:
    context = counts_case().context
    events, days = int(context.events.sum()), int(context.sizes.sum())
    assert asked(context).endswith(f"Answered from {events:,} falls in {days:,} patient-days.")


def test_effects_are_never_said_to_cause() -> None:
    for make in CASES.values():
        context = make().context
        told = " ".join([one_sentence(context), *answers(context).values()]).lower()
        assert not any(word in told for word in ("cause", "leads to", "because of", "reduces", "increases"))


def test_no_probability_is_told_as_certain() -> None:
    assert chance(1.0, 100) == ">\u202f99\u202f%"
