import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tasks.look import render
from tasks.view.figures import by_size
from tasks.view.page import build_page
from tasks.view.records import Column, Figure, GroupNames, GroupTable
from tests import factories
from tests.pooled import unpooled

SRC = "../../plotly-7.min.js"
OUR_MARKUP = {"<b>", "</b>", "<br>", "<extra>", "</extra>"}  # in the texts of figures
VOID = {"meta", "link", "input", "br", "img", "mspace", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and texts, and whether every one is closed in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    def inside(self, tag):
        return [data for name, data in self.texts if name == tag]


def words_of(html):
    """The text, as if no word in it were explained."""
    return re.sub(r"</?button[^>]*>", "", html)


def html_of(case, **options):
    return render.render_report(build_page(case.context), SRC, **options)


@pytest.fixture(scope="module")
def singular():
    return html_of(factories.singular_case())


@pytest.fixture(scope="module")
def hostile():
    return html_of(factories.hostile_case())


@pytest.fixture(params=["regular_case", "intercept_only_case", "two_predictors_case", "hostile_case"])
def any_page(request):
    return html_of_case(request.param)


@cache
def html_of_case(name):
    return html_of(getattr(factories, name)())


def test_elements_close_in_order_and_ids_are_unique(any_page):
    page = Page(any_page)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert page.open == []
    assert len(ids) == len(set(ids))


def test_headings_descend_one_level_at_a_time(any_page):
    levels = [int(tag[1]) for tag, _ in Page(any_page).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_links_within_the_page_lead_somewhere(any_page):
    page = Page(any_page)
    ids = {attrs.get("id") for _, attrs in page.elements}
    anchors = [attrs["href"][1:] for attrs in page.all("a") if attrs["href"].startswith("#")]
    assert len(anchors) > 10
    assert set(anchors) <= ids


def test_tables_have_names_and_scopes_and_figures_captions_and_alternatives(any_page):
    page = Page(any_page)
    names = {attrs["id"] for attrs in page.all("span") if attrs.get("class") == "table-title"}
    assert {attrs["aria-labelledby"] for attrs in page.all("table")} == names
    assert all("scope" in attrs for attrs in page.all("th"))
    assert len(page.all("figcaption")) == len(page.all("figure"))
    plots = [attrs for attrs in page.all("div") if "data-spec" in attrs]
    assert plots
    assert all(attrs["role"] in ("img", "group") and attrs["aria-label"] for attrs in plots)


def test_the_first_section_has_every_group_at_a_glance_and_answers_the_four_questions(singular):
    first = words_of(singular[: singular.index('id="health"')])
    for words in ("Is there a difference between groups?", "Which groups?", "Can I trust it?", "What should I do?"):
        assert words in first
    assert "groups can be told from their average." in first
    assert "kent" in first
    assert "Quote the estimates and intervals of this page, “Bayes” in tables and figures" in first
    assert first.count("data-spec") == 1


def test_nothing_is_asked_from_elsewhere(any_page):
    page = Page(any_page)
    outside = [v for _, attrs in page.elements for k, v in attrs.items() if k in ("src", "href") and "//" in (v or "")]
    assert outside == []
    assert [attrs["href"] for attrs in page.all("link") if attrs["rel"] == "preload"] == [SRC]
    assert not [attrs for attrs in page.all("script") if "src" in attrs]
    assert "@import" not in any_page
    assert "url(" not in any_page


def test_plotly_is_told_not_to_offer_its_cloud(singular):
    assert "showSendToCloud: false" in singular
    assert 'plotlyServerURL: ""' in singular


def test_the_policy_names_the_inline_script_by_its_hash_and_allows_no_eval(singular):
    policy = _policy(singular)
    script = re.search(r"<script>(.*?)</script>", singular, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy["script-src"]
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy["script-src"])
    assert policy["default-src"] == ["'none'"]


def _policy(html):
    content = next(a["content"] for a in Page(html).all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    return {name: values for name, *values in (part.split() for part in content.split(";"))}


def test_hostile_text_is_shown_and_inert(hostile):
    page = Page(hostile)
    assert "<script>alert('title')</script>" in "".join(page.inside("h1"))
    assert all(set(attrs) <= {"src", "id", "type"} for attrs in page.all("script"))
    assert sum("src" not in attrs and "type" not in attrs for attrs in page.all("script")) == 1
    assert page.all("img") == []
    assert [set(attrs) for attrs in page.all("svg")] == [{"viewbox", "preserveaspectratio"}], "the first figure"
    assert not [k for _, attrs in page.elements for k in attrs if k.startswith("on")]
    assert not [attrs for attrs in page.all("a") if attrs["href"].startswith("javascript")]
    assert "{{ 7 * 7 }}" in hostile
    assert "L" * 61 not in hostile
    assert "\u202e" not in hostile


def test_no_text_in_a_figure_can_become_markup(hostile):
    for block in [*_figures(hostile), _block(hostile, "figure-data")]:
        for text in _strings(block):
            assert set(re.findall(r"<\S[^>]*>?", text)) <= OUR_MARKUP
            assert "<b>bold" not in text


def _figures(html):
    found = re.findall(r'<script type="application/json" id="[^"]*-spec">(.*?)</script>', html, re.DOTALL)
    assert len(found) > 10
    assert all(not set("<>&\u2028\u2029") & set(block) for block in found)
    return [json.loads(block) for block in found]


def _block(html, name):
    return json.loads(
        re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL).group(1)
    )


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def test_json_blocks_cannot_end_their_element():
    shown = str(render.json_block({"a": "</script><!--&\u2028"}))
    assert not set("<>&\u2028") & set(shown)
    assert json.loads(shown) == {"a": "</script><!--&\u2028"}


def test_json_blocks_refuse_what_is_no_json():
    with pytest.raises(ValueError, match="Out of range float"):
        render.json_block([float("nan")])


def test_a_report_of_eight_groups_is_small(singular):
    assert len(singular.encode()) < 1_000_000


def test_figures_for_the_graphics_card_may_compile_what_they_draw_with(monkeypatch):
    assert "'unsafe-eval'" not in _policy(html_of(factories.singular_case()))["script-src"]
    monkeypatch.setattr(by_size, "WEBGL_FROM", 8)
    assert "'unsafe-eval'" in _policy(html_of(factories.singular_case()))["script-src"]


def test_standalone_carries_plotly_inside_and_links_to_no_other_file():
    html = html_of(factories.intercept_only_case(), standalone=True)
    page = Page(html)
    assert "plotly.js v" in html
    assert not [attrs for attrs in page.all("script") if "src" in attrs]
    assert all(attrs["href"].startswith("#") for attrs in page.all("a"))
    assert sum(value.startswith("'sha256-") for value in _policy(html)["script-src"]) == 2


def test_the_study_file_stands_escaped_in_the_report():
    case = factories.regular_case()
    page = build_page(replace(case.context, study_text='title = "</pre><script>1</script>"'))
    assert "&lt;/pre&gt;&lt;script&gt;1&lt;/script&gt;" in render.render_report(page, SRC)


def test_long_lists_of_figures_stand_once_and_nothing_is_lost():
    case = factories.many_groups_case()
    page = build_page(case.context)
    html = render.render_report(page, SRC)
    lists = _block(html, "figure-data")
    figures = [block for section in page.sections for block in section.blocks if isinstance(block, Figure)]
    assert len(figures) > 3
    for figure in figures:
        assert unpooled(_block(html, f"{figure.id}-spec"), lists) == json.loads(json.dumps(figure.spec))
    stored = [json.dumps(one) for one in lists]
    assert len(stored) == len(set(stored))
    assert unpooled(_block(html, "group-names"), lists)["labels"] == list(page.groups.labels)


def test_a_word_is_explained_at_its_first_mention_in_a_section_and_only_there():
    seen = set()
    first = render.explained("Partial pooling, ICC and partial-pooling & <b>", seen)
    button = '<button type="button" class="term" popovertarget="meaning-{}">{}</button>'
    partial, icc = button.format("partial-pooling", "Partial pooling"), button.format("icc", "ICC")
    assert first == f"{partial}, {icc} and partial-pooling &amp; &lt;b&gt;"
    assert "button" not in render.explained("ICC", seen)


def test_a_bracket_is_not_left_alone_before_an_explained_word() -> None:
    found = render.explained("more (ICC 0.2) & <button x</button>", set())
    assert found.startswith('more <span class="unbroken">(<button type="button"')
    assert "ICC</button></span> 0.2) &amp; &lt;button x&lt;/button&gt;" in found


def test_every_explained_word_has_one_meaning_on_the_page(any_page):
    page = Page(any_page)
    targets = {attrs["popovertarget"] for attrs in page.all("button") if attrs.get("class") == "term"}
    meanings = [attrs["id"] for attrs in page.all("div") if attrs.get("class") == "meaning"]
    assert targets
    assert sorted(targets) == sorted(meanings)
    assert all("popover" in attrs for attrs in page.all("div") if attrs.get("class") == "meaning")


def test_checks_that_passed_are_folded_and_the_others_are_not(singular):
    card = singular[singular.index('id="health"') : singular.index("</section>", singular.index('id="health"'))]
    shown, folded = card.split('<details class="passed">')
    assert re.search(r"<summary>\d+ checks passed</summary>", folded)
    assert set(re.findall(r'<li class="(\w+)">', folded)) == {"pass"}
    assert "pass" not in set(re.findall(r'<li class="(\w+)">', shown))


def test_rows_and_panels_of_groups_say_which(singular):
    page = Page(singular)
    rows = {attrs["data-group"] for attrs in page.all("tr") if "data-group" in attrs}
    panels = {attrs["data-group"] for attrs in page.all("div") if "data-group" in attrs}
    assert rows == panels == {str(group) for group in range(8)}


def test_a_table_of_many_groups_shows_its_first_rows_and_carries_all():
    labels = tuple(f"clinic {number}" for number in range(120))
    ends = tuple(f"{number % 7}.5 to {number % 9}.5" for number in range(120))
    columns = (Column("Group", is_number=False), Column("Level", "min"))
    table = GroupTable("table-all", "All", columns, (labels, ends), tuple(range(120)), details=((), ends))
    page = build_page(factories.regular_case().context)
    section = replace(page.sections[0], blocks=(table,))
    html = render.render_report(
        replace(page, sections=(section,), groups=GroupNames("clinic", labels, (3,) * 120)), SRC
    )
    assert sum("data-group" in attrs for attrs in Page(html).all("tr")) == render.GROUP_TABLE_PAGE
    lists = _block(html, "figure-data")
    carried = unpooled(_block(html, "table-all-rows"), lists)
    assert carried == {"groups": list(range(120)), "cells": [list(labels), list(ends)], "details": [[], list(ends)]}
    assert "50 of 120 rows are printed" in html


def test_a_table_of_many_groups_must_be_whole():
    column = (Column("Group", is_number=False),)
    with pytest.raises(ValueError, match="2 groups, but columns of"):
        GroupTable("t", "c", column, (("a",),), (0, 1))
    with pytest.raises(ValueError, match="1 columns, but cells for 2"):
        GroupTable("t", "c", column, (("a",), ("b",)), (0,))


def test_the_script_s_contract_names_only_what_is_there(singular):
    """What the head of report.js promises to tests and to other files stands in the page or in the scripts."""
    contract, scripts = singular.split("What other files")[1].split("*/")[0], singular.split('"use strict"')[1]
    rest = singular.split("What other files")[0] + scripts
    promised = set(re.findall(r"[#.]([a-z]+(?:-[a-z]+)+)\b", contract))
    assert len(promised) > 8
    assert {name for name in promised if name not in rest} == set()
