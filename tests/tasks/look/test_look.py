"""A study's own look: what it may change, and how what is wrong with it is told before a run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from tasks.look.colours import FIGURE_COLOURS, SCHEMES, TEXT_ON, contrast, page_defaults, read_colours
from tasks.look.look import TEMPLATES
from tasks.look.render import render_report
from tasks.look.trial import look_of
from tasks.opening.studies import OpenedStudy, read_study
from tasks.reports.run_record import open_run
from tasks.study.errors import StudyError
from tasks.study.model import Study
from tasks.view import records, specimen
from tasks.view.figures.style import DARK, LIGHT
from tasks.view.page import build_page
from tasks.view.recolour import recoloured
from tests.factories import hostile_case, singular_case, two_predictors_case

STUDY = 'title = "T"\noutcome = "y"\ngroup = "g"\n[report]\nlook = "look"\n'
DEFAULTS = page_defaults((TEMPLATES / "report.css").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study's folder, with a look that is still empty."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "look" / "blocks").mkdir(parents=True)
    return tmp_path


def opened(folder: Path, **files: str) -> OpenedStudy:
    """`files` by name, with __ for the dot and ___ for the slash, are the look's."""
    for name, text in files.items():
        (folder / "look" / name.replace("___", "/").replace("__", ".")).write_text(text, "utf-8")
    return read_study(folder)


def problem(folder: Path, **files: str) -> str:
    with pytest.raises(StudyError) as raised:
        look_of(opened(folder, **files))
    assert raised.value.exit_code == 2
    message = str(raised.value)
    assert len(message) < 900
    assert "\n" not in message
    return message


def html_of(folder: Path, case=None, *, standalone: bool = False, **files: str) -> str:
    page = build_page((case or singular_case()).context)
    return render_report(page, "plotly.js", standalone=standalone, look=look_of(opened(folder, **files)))


# What it may change


def test_study_without_a_look_has_poolwises(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY.split("[report]")[0])
    assert look_of(read_study(tmp_path)) is None


def test_template_of_the_same_name_takes_the_place_of_ours(folder: Path) -> None:
    code = "<pre class=ours>{{ block.text }}{% include '_part.html.j2' %}</pre>\n"
    html = html_of(folder, blocks___code__html__j2=code, _part__html__j2="<i>by the {{ 'team' | upper }}</i>")
    assert "<pre class=ours>" in html
    assert "<i>by the TEAM</i>" in html
    assert 'id="verdict"' in html


@pytest.mark.parametrize("standalone", [False, True])
def test_styles_come_last_and_keep_ours(folder: Path, standalone: bool) -> None:
    html = html_of(folder, standalone=standalone, extra__css="h1 { letter-spacing: 0.3em; }")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    assert style.rstrip().endswith("h1 { letter-spacing: 0.3em; }")
    assert "--paper: #ffffff" in style


def test_style_sheet_can_be_replaced_whole(folder: Path) -> None:
    html = html_of(folder, report__css="body { color: black; }")
    assert "body { color: black; }" in html
    assert "--paper" not in html


COLOURS = """
[light]
paper = "#fffdf7"
ink = "#102030"
[dark]
paper = "#000"
[figures]
bayes = "#00688B"
"""


def test_colours_reach_page_figures_swatches_and_themes(folder: Path) -> None:
    html = html_of(folder, colours__toml=COLOURS)
    assert "@media screen { :root { --paper: #fffdf7; --ink: #102030; } }" in html
    assert "@media screen and (prefers-color-scheme: dark) { :root { --paper: #000000; } }" in html
    assert "--bayes: #00688b;" in html
    assert "#009E73" not in html
    assert html.count("#00688b") > 10
    themes = json.loads(re.search(r'id="figure-themes">(.*?)</script>', html)[1])
    assert themes["light"]["layout"]["font"]["color"] == "#102030"
    assert themes["light"]["layout"]["hoverlabel"]["bgcolor"] == "#fffdf7"
    assert themes["dark"] == DARK


def test_a_look_without_colours_changes_none(folder: Path) -> None:
    case = two_predictors_case()
    plain = render_report(build_page(case.context), "plotly.js")
    assert html_of(folder, case, extra__css="/* nothing */").replace("\n/* nothing */", "") == plain


def test_only_what_is_a_colour_is_recoloured() -> None:
    spec = {
        "data": [{"text": ["#009E73"], "marker": {"color": ["#009e73", 1]}, "fillcolor": "rgba(0,158,115,0.2)"}],
        "layout": {"shapes": [{"line": {"color": "#767676"}}], "title": "#009E73"},
    }
    page = specimen.specimens()[0]
    figure = records.Figure("f", "", "", spec)
    inside = records.Fold("more", (figure,))
    section = records.Section("s", "", "", (figure, inside))
    changed = recoloured(replace(page, sections=(section,)), {"#009e73": "#00688b"})
    for block in (changed.sections[0].blocks[0], changed.sections[0].blocks[1].blocks[0]):
        assert block.spec == {
            "data": [{"text": ["#009E73"], "marker": {"color": ["#00688b", 1]}, "fillcolor": "rgba(0,104,139,0.2)"}],
            "layout": {"shapes": [{"line": {"color": "#767676"}}], "title": "#009E73"},
        }


def test_hostile_labels_stay_text_under_a_look(folder: Path) -> None:
    html = html_of(folder, hostile_case(), blocks___paragraph__html__j2="<p class=own>{{ block.text }}</p>\n")
    assert "<p class=own>" in html
    assert "<img src=x" not in html
    assert "<script>alert" not in html


def test_the_report_says_that_it_has_a_look_and_the_summary_its_hash() -> None:
    case = singular_case()
    run = replace(case.findings.run, look_sha256="abc")
    page = build_page(replace(case, findings=replace(case.findings, run=run)).context)
    assert "a look of the study’s own" in render_report(page, "plotly.js")
    assert "a look of the study’s own" not in render_report(build_page(case.context), "plotly.js")


# The fingerprint


def test_fingerprint_follows_the_looks_content_not_its_place(folder: Path) -> None:
    def fingerprint() -> str:
        look = look_of(read_study(folder))
        return open_run(read_study(folder).study, {"a": "1"}, look.sha256).fingerprint

    (folder / "look" / "extra.css").write_text("a {}")
    first = fingerprint()
    (folder / "look" / "README.md").write_text("Notes are no part of a look.")
    (folder / "look").rename(folder / "other")
    (folder / "study.toml").write_text(STUDY.replace('"look"', '"other"'))
    assert fingerprint() == first
    (folder / "other" / "extra.css").write_text("b {}")
    assert fingerprint() != first


def test_seed_does_not_follow_the_look() -> None:
    study = Study(name="a", title="T", outcome="y", group="g")
    plain, dressed = open_run(study, {"a": "1"}), open_run(study, {"a": "1"}, "abc")
    assert plain.seed == dressed.seed
    assert plain.fingerprint != dressed.fingerprint


# What is wrong with it


@pytest.mark.parametrize("look", ["../look", "a/../../b", "/etc", "C:\\\\looks", "\\\\\\\\server\\\\looks", ""])
def test_look_stays_within_the_study(tmp_path: Path, look: str) -> None:
    (tmp_path / "study.toml").write_text(STUDY.replace('"look"', f'"{look}"'))
    with pytest.raises(StudyError, match=r"report\.look"):
        read_study(tmp_path)


def test_folder_that_is_missing_or_empty(folder: Path) -> None:
    assert "is empty" in problem(folder)
    (folder / "look" / "blocks").rmdir()
    (folder / "look").rmdir()
    assert "there is no such folder" in problem_of_reading(folder)


def problem_of_reading(folder: Path) -> str:
    with pytest.raises(StudyError) as raised:
        look_of(read_study(folder))
    return str(raised.value)


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        ("<p>\n{% if %}</p>", 2, "Expected an expression"),
        ("a\nb\n{{ page.titel }}", 3, "ReportPage has no attribute 'titel'"),
        ("{{ nothing }}", 1, "'nothing' is undefined"),
        ("a\n{{ page.title | nonsense }}", 2, "No filter named 'nonsense'"),
        ("a\n{% include 'missing.html.j2' %}", 2, "there is no template 'missing.html.j2'"),
        ("{{ 1 / 0 }}", 1, "division by zero"),
        ("\n\n{{ page.health[7].title }}", 3, "no element 7"),
        ("{{ ''.__class__.__mro__ }}", 1, "is unsafe"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", 1, "Range too big"),
        ("{% include 'verdict.html.j2' %}", 1, "include each other without end"),
    ],
)
def test_broken_template_is_named_with_its_line(folder: Path, template: str, line: int, said: str) -> None:
    message = problem(folder, verdict__html__j2=template)
    assert f"{folder / 'look' / 'verdict.html.j2'}, line {line}: " in message
    assert said in message
    assert "Traceback" not in message


def test_template_that_only_fails_for_some_pages_is_found(folder: Path) -> None:
    assert "line 1" in problem(folder, verdict__html__j2="{{ page.run_link.href }}")


def test_misspelt_template_is_told(folder: Path) -> None:
    assert "Did you mean verdict.html.j2?" in problem(folder, verdcit__html__j2="x")
    (folder / "look" / "verdcit.html.j2").unlink()
    assert "catalogue.html.j2" in problem(folder, catalogue__html__j2="x")


def test_page_has_to_keep_its_policy(folder: Path) -> None:
    ours = (TEMPLATES / "report.html.j2").read_text("utf-8")
    for broken in (
        ours.replace('<meta http-equiv="Content-Security-Policy" content="{{ policy }}">\n', ""),
        ours.replace("{{ policy }}", "default-src *"),
    ):
        assert "Content-Security-Policy" in problem(folder, report__html__j2=broken)


@pytest.mark.parametrize("css", ["</style><script>alert(1)</script>", "a {} <!-- b", "</STYLE>"])
def test_style_cannot_leave_its_element(folder: Path, css: str) -> None:
    assert "extra.css holds </style" in problem(folder, extra__css=css)


def test_files_that_cannot_be_read(folder: Path) -> None:
    (folder / "look" / "extra.css").write_bytes(b"a {}\xff")
    assert "is not UTF-8 text (byte 5 is not)" in problem(folder)


def test_a_look_has_a_limit(folder: Path) -> None:
    assert "1,000,001 bytes" in problem(folder, extra__css="x" * 1_000_001)


@pytest.mark.parametrize(
    ("colours", "said"),
    [
        ("[light]\npaper = #fff", "is not valid TOML"),
        ('[ligth]\npaper = "#ffffff"', "ligth is not one of its tables"),
        ('paper = "#ffffff"', "paper is not one of its tables"),
        ('[light]\npapre = "#ffffff"', "light.papre is no colour that a report has. Did you mean paper?"),
        ('[light]\nlink = "blue"', "light.link is 'blue', but a colour has to be written as # and six digits"),
        ('[light]\nlink = "#12345"', "light.link is '#12345'"),
        ('[light]\nlink = "red;} body{display:none"', "light.link is 'red;} body"),
        ("[figures]\nbayes = 7", "figures.bayes is 7"),
        ('[light]\nlink = "#aaaaaa"', "light.link is #aaaaaa, whose contrast with the paper #ffffff is 2.32 : 1"),
        ('[dark]\nink = "#333333"', "Choose a lighter colour."),
        ('[figures]\nbayes = "#ffffff"', "figures.bayes is #ffffff, whose contrast with the light paper"),
        ('[figures]\nbayes = "#1F80C0"', "figures.bayes and figures.partial_pooling are both #1f80c0"),
        ('[light]\npaper = "#1f80c0"', "There are"),
    ],
)
def test_colours_that_cannot_be(folder: Path, colours: str, said: str) -> None:
    message = problem(folder, colours__toml=colours)
    assert f"{folder / 'look' / 'colours.toml'}" in message
    assert said in message


# What it rests on


def test_poolwises_own_colours_keep_the_rule() -> None:
    for scheme in SCHEMES:
        assert all(contrast(DEFAULTS[scheme][text], DEFAULTS[scheme][ground]) >= 4.5 for text, ground in TEXT_ON)
        assert all(contrast(colour, DEFAULTS[scheme]["paper"]) >= 3 for colour in FIGURE_COLOURS.values())
    read_colours("", "colours.toml", DEFAULTS)


def test_contrast_is_wcags() -> None:
    """Values of the WebAIM contrast checker."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.59, abs=0.005)


def test_themes_of_figures_are_the_pages_colours() -> None:
    for scheme, ours, hover in (("light", LIGHT, "paper"), ("dark", DARK, "card")):
        layout, page = ours["layout"], DEFAULTS[scheme]
        assert layout["font"]["color"] == page["ink"]
        assert layout["xaxis"]["gridcolor"] == page["rule"]
        assert layout["hoverlabel"]["bgcolor"] == page[hover]


def test_looks_are_tried_on_every_kind_of_block() -> None:
    full, _ = specimen.specimens()
    shown = {type(block).__name__ for section in full.sections for block in section.blocks}
    has_template = {path.name.removesuffix(".html.j2") for path in (TEMPLATES / "blocks").glob("*.j2")}
    names = re.findall(r"\w+", records.Block if isinstance(records.Block, str) else str(get_args(records.Block)))
    kinds = {name for name in names if getattr(getattr(records, name, None), "kind", "") in has_template}
    assert kinds
    assert kinds <= shown


def test_the_run_uses_what_was_read(folder: Path) -> None:
    look = look_of(opened(folder, extra__css="a {}"))
    (folder / "look" / "extra.css").unlink()
    assert "a {}" in render_report(specimen.specimens()[1], "plotly.js", look=look)
