import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tasks import render
from tasks.view.page import build_page
from tests import factories

SRC = "../../plotly-7.min.js"
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


def html_of(case, **options):
    return render.render_report(build_page(*case.arguments), SRC, **options)


@pytest.fixture(scope="module")
def singular():
    return html_of(factories.singular_case())


@pytest.fixture(scope="module")
def hostile():
    return html_of(factories.hostile_case())


@pytest.fixture(params=["regular_case", "intercept_only_case", "two_predictors_case", "hostile_case"])
def any_page(request):
    return html_of(getattr(factories, request.param)())


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


def test_tables_have_captions_and_scopes_and_figures_captions_and_alternatives(any_page):
    page = Page(any_page)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in attrs for attrs in page.all("th"))
    assert len(page.all("figcaption")) == len(page.all("figure"))
    plots = [attrs for attrs in page.all("div") if "data-spec" in attrs]
    assert plots
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in plots)


def test_the_first_section_answers_the_four_questions_before_any_figure(singular):
    first = singular[: singular.index('id="health"')]
    for words in ("Is there a difference between groups?", "Which groups?", "Can I trust it?", "What should I do?"):
        assert words in first
    assert "Yes: about" in first
    assert "kent" in first
    assert "Use the estimates and intervals of the Bayesian partial-pooling model" in first
    assert "data-spec" not in first


def test_nothing_is_asked_from_elsewhere(any_page):
    page = Page(any_page)
    outside = [v for _, attrs in page.elements for k, v in attrs.items() if k in ("src", "href") and "//" in (v or "")]
    assert outside == []
    assert [attrs["src"] for attrs in page.all("script") if "src" in attrs] == [SRC]
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
    assert page.all("img") == page.all("svg") == []
    assert not [k for _, attrs in page.elements for k in attrs if k.startswith("on")]
    assert not [attrs for attrs in page.all("a") if attrs["href"].startswith("javascript")]
    assert "{{ 7 * 7 }}" in hostile
    assert "L" * 61 not in hostile
    assert "\u202e" not in hostile


def test_no_text_in_a_figure_can_become_markup(hostile):
    for block in _figures(hostile):
        for text in _strings(block):
            assert "alert" not in text or "<" not in text
            assert "<b>bold" not in text
            assert "<i>y" not in text


def _figures(html):
    found = re.findall(r'<script type="application/json" id="[^"]*-spec">(.*?)</script>', html, re.DOTALL)
    assert len(found) > 10
    assert all(not set("<>&\u2028\u2029") & set(block) for block in found)
    return [json.loads(block) for block in found]


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


def test_a_report_of_eight_groups_is_small_and_of_ten_thousand_bearable(singular):
    assert len(singular.encode()) < 1_000_000
    html = html_of(factories.many_groups_case(10_000))
    assert len(html.encode()) < 5_000_000
    assert "'unsafe-eval'" in _policy(html)["script-src"]


def test_standalone_carries_plotly_inside_and_links_to_no_other_file():
    html = html_of(factories.intercept_only_case(), standalone=True)
    page = Page(html)
    assert "plotly.js v" in html
    assert not [attrs for attrs in page.all("script") if "src" in attrs]
    assert all(attrs["href"].startswith("#") for attrs in page.all("a"))
    assert sum(value.startswith("'sha256-") for value in _policy(html)["script-src"]) == 2


def test_the_study_file_stands_escaped_in_the_report():
    case = factories.regular_case()
    page = build_page(*case.arguments, study_text='title = "</pre><script>1</script>"')
    assert "&lt;/pre&gt;&lt;script&gt;1&lt;/script&gt;" in render.render_report(page, SRC)
