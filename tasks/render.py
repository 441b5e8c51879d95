"""A report page → one HTML file.

The file asks for nothing but plotly.js, which all reports share beside them; a standalone one carries it
inside. Its Content-Security-Policy works from a disk and from a server: the report's own script is
inline and named by its hash, plotly.js is read from the page's own place ('self', and file: because
browsers give files no origin), and styles are inline because Plotly writes its own. Plotly's WebGL traces
compile their shaders' bindings at run time: only a page that has one allows 'unsafe-eval'.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.view.records import ReportPage

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_JSON_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def render_report(page: ReportPage, plotly_src: str, *, standalone: bool = False) -> str:
    """`plotly_src` is the shared plotly.js, relative to the report; standalone, it is not used."""
    script, plotly = _file("report.js"), plotly_js() if standalone else ""
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            standalone=standalone,
            plotly_src=plotly_src,
            plotly_script=_trusted(plotly, "script"),
            script=_trusted(script, "script"),
            style=_trusted(_file("report.css"), "style"),
            policy=content_security_policy(script, plotly, allow_eval=page.uses_webgl),
        )
    )


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


def render_plain(template: str, **values: Any) -> str:
    """A page of the catalogue: no script, one style sheet, which its policy names by hash."""
    style = _trusted(_file("catalogue.css"), "style")
    return environment().get_template(template).render(style=style, policy=Markup(plain_policy()), **values)


def plain_policy() -> str:
    """The Content-Security-Policy of such a page; a search form may ask its own place."""
    style = f"'sha256-{_digest(_file('catalogue.css'))}'"
    return f"default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; form-action 'self'"


def plotly_js() -> str:
    """The plotly.js that the plotly package carries, found without importing the package."""
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the plotly package is not installed")
    return (Path(package.origin).parent / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Everything is escaped; a name that a template does not get is an error."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["json_block"] = json_block
    return jinja


def json_block(value: Any) -> Markup:
    """JSON for a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_JSON_ESCAPES))


def _trusted(content: str, element: str) -> Markup:
    """Our own file's text, put into an element verbatim."""
    if f"</{element}" in content.lower() or "<!--" in content:
        raise ValueError(f"the text would end its <{element}> element")
    return Markup(content)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
