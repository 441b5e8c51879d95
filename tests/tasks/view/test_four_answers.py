"""The answers that a reader wants are in the first section of the real pages of both bundled studies."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.shelf import Shelf

# What the published data say, in words; figures are those of the REML and Bayesian fits to within a rounding.
ANSWERS = {
    "bounce_rates": {
        "Is there a difference between groups?": (
            r"^Yes: 6 of 8 groups can be told from their average\.",
            r"from 18[56]\.\d s to 22[01]\.\d s\.",
            r"At the average age, about 7\d % of the variation in bounce time lies between groups "
            r"\(95 % interval 5\d % to 9\d %\)",
            r"no clear sign that the effect of age differs between groups",
        ),
        "Which groups?": (
            r"Above the average of the groups, 20[23]\.\d s: kent \(22[01]\.\d s\), cumbria \(21[78]\.\d s\) and "
            r"dorset \(21[12]\.",
            r"Below it: cheshire \(18[56]\.\d s\), devon \(186\.\d s\) and london \(190\.",
            r"Too close to call: essex and norfolk",
        ),
        "Can I trust it?": (
            r"^Yes, the estimates on this page",
            r"Not the intervals that other programs draw for the effect of age by group",
            r"about [345] % of the time, not 95 %",
            r"\d+ of \d+ checks passed",
        ),
        "What should I do?": (
            r"Quote the estimates and intervals of this page, “Bayes” in tables and figures\.",
            r"Look first at kent and cumbria \(high\), and at cheshire and devon \(low\)\.",
            r"Do not quote the usual intervals for the effect of age by group",
        ),
        "What could change the answer?": (
            r"^More groups, or more rows in them, that show how far groups differ; more rows in groups too close to",
        ),
    },
    "sleepstudy": {
        "Is there a difference between groups?": (
            r"^Yes: 10 of 18 groups can be told from their average\.",
            r"At the average Days, about (6\d|7[0-2]) % of the variation in Reaction lies between groups",
            r"The effect of Days differs too",
        ),
        "Which groups?": (
            r"Above the average of the groups, 298\.\d ms: Subject 337 \(37[12] ms\), Subject 308 \(34[123] ms\)",
            r"Below it: Subject 309 \(2(19|20) ms\), Subject 310 \(23[456] ms\)",
        ),
        "Can I trust it?": (
            r"^Yes, the estimates on this page",
            r"\d+ of \d+ checks passed",
        ),
        "What should I do?": (
            r"Quote the estimates and intervals of this page, “Partial pooling” in tables and figures\.",
        ),
        "What could change the answer?": (r"more rows in groups too close to call",),
    },
}
JARGON = ("REML", "posterior", "singular", "R-hat", "ICC", "hyperparameter", "heteroscedastic")


def first_section(shelf: Shelf, name: str) -> str:
    page = (shelf.run(name) / "report.html").read_text("utf-8")
    found = re.search(r'<section id="verdict".*?</section>', page, re.DOTALL)
    assert found
    return found.group()


def answers(section: str) -> dict[str, str]:
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", section, re.DOTALL)
    return {as_read(question): as_read(answer) for question, answer in pairs}


def as_read(html: str) -> str:
    """The text with ordinary spaces; a word that opens its meaning is still that word."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.mark.parametrize(
    ("name", "question"), [(name, question) for name, written in ANSWERS.items() for question in written]
)
def test_the_first_section_answers(shelf: Shelf, name: str, question: str) -> None:
    answer = answers(first_section(shelf, name))[question]
    missing = [words for words in ANSWERS[name][question] if not re.search(words, answer)]
    assert missing == [], answer


@pytest.mark.parametrize("name", ANSWERS)
def test_the_questions_come_in_order_and_alone(shelf: Shelf, name: str) -> None:
    assert list(answers(first_section(shelf, name))) == list(ANSWERS[name])


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_use_no_unexplained_jargon(shelf: Shelf, name: str) -> None:
    for question, answer in re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", first_section(shelf, name), re.DOTALL):
        unexplained = re.sub(r'<button[^>]*class="term".*?</button>', "", answer, flags=re.DOTALL)
        assert [word for word in JARGON if re.search(rf"\b{word}", unexplained)] == [], question


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_is_said_to_cause(shelf: Shelf, name: str) -> None:
    assert not re.search(r"\b(caus|because of age|leads? to|due to)", as_read(first_section(shelf, name)))
