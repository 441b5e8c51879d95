"""New reports as an Atom feed (RFC 4287).

An entry's id depends on its study and run alone, so a report keeps its id whatever the address
at which the feed is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urljoin
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from tasks.view.catalogue.catalogue import RunEntry
from tasks.view.words.text import clean

ATOM = "http://www.w3.org/2005/Atom"
MOST_ENTRIES = 50
NEVER = "1970-01-01T00:00:00Z"  # a feed has to say when it was updated, even one that has no entry yet


def atom_feed(title: str, runs: Sequence[RunEntry], base: str, study: str = "") -> bytes:
    """The newest of `runs`, which come newest first. `base` is the catalogue's address; `study` narrows to one."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    folder = f"{quote(study)}/" if study else ""
    _add(feed, "id", _urn("study", study) if study else _urn("catalogue"))
    _add(feed, "title", title)
    _add(feed, "updated", _moment(runs[0].started) if runs else NEVER)
    _add(ElementTree.SubElement(feed, "author"), "name", "Poolwise")
    _add(feed, "generator", "Poolwise")
    _link(feed, "self", urljoin(base, f"{folder}feed.atom"), "application/atom+xml")
    _link(feed, "alternate", urljoin(base, folder), "text/html")
    for run in runs[:MOST_ENTRIES]:
        _entry(feed, run, base)
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _entry(feed: ElementTree.Element, run: RunEntry, base: str) -> None:
    entry = ElementTree.SubElement(feed, "entry")
    _add(entry, "id", _urn("run", run.study, run.run_id))
    _add(entry, "title", f"{run.title} – {run.label.lower()}")
    _add(entry, "updated", _moment(run.started))
    _add(entry, "published", _moment(run.started))
    _link(entry, "alternate", urljoin(base, quote(run.report)), "text/html")
    for category in (run.study, run.status):
        ElementTree.SubElement(entry, "category", {"term": _text(category)})
    rejected = f", {run.n_rejected:,} rejected" if run.n_rejected else ""
    _add(entry, "summary", f"{run.headline} {run.n_rows:,} rows in {run.n_groups:,} groups{rejected}.")


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = _text(text)


def _link(parent: ElementTree.Element, relation: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "href": href, "type": kind})


def _text(text: str) -> str:
    """The text as XML allows it: without control characters, lone surrogates and noncharacters."""
    return clean(text).replace("\ufffe", "").replace("\uffff", "")


def _urn(*parts: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, '/'.join(('poolwise', *parts)))}"


def _moment(moment: datetime) -> str:
    """RFC 3339, in UTC."""
    return moment.isoformat().replace("+00:00", "Z")
