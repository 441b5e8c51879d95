"""A report page → one HTML file.

The file asks for nothing but plotly.js, which all reports share beside them; a standalone one carries it
inside. Arrays that its figures and tables share stand in it once. Its Content-Security-Policy works from a
disk and from a server: the report's own script is inline and named by its hash, plotly.js is read from the
page's own place ('self', and file: because browsers give files no origin), and styles are inline because
Plotly writes its own. Plotly's WebGL traces compile their shaders' bindings at run time: only a page that
has one allows 'unsafe-eval'.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from tasks.look.look import STYLE, TEMPLATES, Look
from tasks.look.problems import look_problem
from tasks.study.errors import StudyError
from tasks.view.figures.pool import Pool
from tasks.view.figures.style import theme
from tasks.view.recolour import recoloured
from tasks.view.records import GROUP_TABLE_PAGE, ReportPage
from tasks.view.words.glossary_terms import meanings, segments

PAGE = "report.html.j2"
POLICY_WITHIN = 4096  # characters from the start; the catalogue's server looks for the policy there, too
# Joined in this order into one script: each file adds its functions to `poolwise`, the last one starts them.
SCRIPTS = (
    "report.js",
    "report/data.js",
    "report/texts.js",
    "report/figures.js",
    "report/stages.js",
    "report/selection.js",
    "report/contrast.js",
    "report/finder.js",
    "report/tables.js",
    "report/page.js",
)
_JSON_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def render_report(page: ReportPage, plotly_src: str, *, standalone: bool = False, look: Look | None = None) -> str:
    """The report as HTML. `plotly_src` is the address of the shared plotly.js; a standalone report does not use it.

    Raises StudyError when the look's templates cannot be rendered.
    """
    script, plotly = "\n".join(map(_file, SCRIPTS)), plotly_js() if standalone else ""
    policy = content_security_policy(script, plotly, allow_eval=page.uses_webgl)
    values = {
        "page": in_colours_of(look, page) if look else page,
        "pool": Pool(page.groups.labels),
        "glossary": Glossary(),
        "printed_rows": GROUP_TABLE_PAGE,
        "standalone": standalone,
        "plotly_src": plotly_src,
        "plotly_script": _trusted(plotly, "script"),
        "script": _trusted(script, "script"),
        "style": _trusted(_style(look), "style"),
        "policy": policy,
    }
    return _rendered(look, values) if look else environment().get_template(PAGE).render(**values)


def _rendered(look: Look, values: dict[str, Any]) -> str:
    """The page by the look's templates. Raises StudyError if they fail, or leave the page's policy out."""
    try:
        html = environment_of(look).get_template(PAGE).render(**values)
    except Exception as error:
        raise look_problem(look, error) from error
    if f'http-equiv="Content-Security-Policy" content="{escape(values["policy"])}"' not in html[:POLICY_WITHIN]:
        raise StudyError(
            f"{look.place(PAGE)} leaves out the page’s Content-Security-Policy, or puts it too late. Keep its line, "
            '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">, at the top of <head>, as in ours.'
        )
    return html


def in_colours_of(look: Look, page: ReportPage) -> ReportPage:
    """The page in the look's colours: figures, swatches, and what figures draw in the page's own colours."""
    themes = {}
    for scheme, hover in (("light", "paper"), ("dark", "card")):
        ink, grid, paper = (look.colours.page(scheme, name) for name in ("ink", "rule", hover))
        themes[scheme] = theme(ink=ink, grid=grid, paper=paper)
    return replace(recoloured(page, look.colours.in_figures), themes=themes)


def _style(look: Look | None) -> str:
    """The style sheet, the look's or Poolwise's, and what the look adds."""
    return f"{look.texts.get(STYLE) or _file(STYLE)}\n{look.style}" if look else _file(STYLE)


BRACKETED = re.compile(r"\(<button .*?</button>")


class Glossary:
    """Collects the words to explain where they stand: in every section, the first mention of each."""

    def __init__(self) -> None:
        self._sections: list[set[str]] = []

    def section(self) -> set[str]:
        """A set for the filter `explained`, which fills it with the terms met in a new section."""
        self._sections.append(set())
        return self._sections[-1]

    def meanings(self) -> tuple[tuple[str, str, str], ...]:
        """(id, term, meaning) of all terms met."""
        return meanings(set().union(*self._sections))


def explained(text: str, seen: set[str]) -> Markup:
    """The text, escaped, in which a button opens the meaning of each term that is not in `seen`.

    Browsers break lines before any button: an opening bracket is kept with it.
    """
    button = Markup('<button type="button" class="term" popovertarget="{}">{}</button>')
    made = Markup("").join(
        button.format(piece.meaning, piece.text) if piece.meaning else piece.text for piece in segments(text, seen)
    )
    return Markup(BRACKETED.sub(r'<span class="unbroken">\g<0></span>', str(made)))


def content_security_policy(*scripts: str, allow_eval: bool) -> str:
    """A policy for a page whose inline scripts are `scripts`, exactly; empty ones are left out."""
    allowed = ["'self'", "file:", *(f"'sha256-{_digest(script)}'" for script in scripts if script)]
    if allow_eval:
        allowed.append("'unsafe-eval'")
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(allowed)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def render_plain(template: str, *, script: str = "", **values: Any) -> str:
    """A page of the catalogue: one style sheet and at most one script of ours, which its policy names by hash."""
    style, code = _trusted(_file("catalogue.css"), "style"), _file(script) if script else ""
    policy, trusted = Markup(plain_policy(code)), _trusted(code, "script")
    return environment().get_template(template).render(style=style, script=trusted, policy=policy, **values)


def plain_policy(script: str = "") -> str:
    """The Content-Security-Policy of such a page; a search form may ask its own place."""
    style = f"'sha256-{_digest(_file('catalogue.css'))}'"
    run = f"script-src 'sha256-{_digest(script)}'; " if script else ""
    return f"default-src 'none'; {run}style-src {style}; img-src data:; base-uri 'none'; form-action 'self'"


def plotly_js() -> str:
    """The plotly.js that the plotly package carries, found without importing the package."""
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the plotly package is not installed")
    return (Path(package.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Jinja with Poolwise's templates."""
    return _prepared(Environment, FileSystemLoader(TEMPLATES))


def environment_of(look: Look) -> Environment:
    """Jinja with the look's templates before Poolwise's; in a sandbox, as others wrote them."""
    templates = look.templates

    def own(name: str) -> tuple[str, str, None] | None:
        return (templates[name], str(look.place(name)), None) if name in templates else None

    return _prepared(ImmutableSandboxedEnvironment, ChoiceLoader([FunctionLoader(own), FileSystemLoader(TEMPLATES)]))


def _prepared(kind: type[Environment], loader: BaseLoader) -> Environment:
    """A Jinja environment that escapes everything and raises an error for unknown names."""
    jinja = kind(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    jinja.filters["json_block"] = json_block
    jinja.filters["script_text"] = script_text
    jinja.filters["explained"] = explained
    return jinja


def json_block(value: Any) -> Markup:
    """The value as JSON for a script element: nothing in it can end the element or open a comment."""
    return script_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def script_text(text: str) -> Markup:
    """The same for a text that is JSON already."""
    return Markup(text.translate(_JSON_ESCAPES))


def _trusted(content: str, element: str) -> Markup:
    """A text of ours, to stand in an element verbatim. Raises ValueError if it would end the element."""
    if f"</{element}" in content.lower() or "<!--" in content:
        raise ValueError(f"the text would end its <{element}> element")
    return Markup(content)


def _digest(script: str) -> str:
    """The sha256 of a script, as a policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    """One of Poolwise's own templates, styles or scripts."""
    return (TEMPLATES / name).read_text(encoding="utf-8")
