"""Writes a portfolio's page and its data: `portfolio-<name>.html` and `.json` in the reports folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.disk.atomic import explained, write_whole
from tasks.disk.layout import REPORT, folder_of, portfolio_json, portfolio_page_file
from tasks.disk.mirror import mirror_of
from tasks.look.render import render_plain
from tasks.reports.catalogue import estimate_in
from tasks.reports.run_folders import OVERVIEW, UnreadableRun, read_summary
from tasks.view.catalogue.portfolio import MemberEntry, portfolio_page

OPEN = ("review", "fail")


def write_portfolio(reports: Path, name: str, title: str, ended: Sequence[Mapping[str, Any]]) -> Path:
    """Write both files, into the object store too if there is one; returns the page's path.

    `ended` says of each study its `name`, `label`, `how` it ended, its `run_id`, and the `reason` if it has no report.
    """
    members = [_entry(reports, each) for each in sorted(ended, key=lambda each: str(each["label"]))]
    moment = datetime.now(UTC).isoformat(" ", "minutes")[:16]
    page, told = portfolio_page_file(reports, name), portfolio_json(reports, name)
    with explained("write the portfolio's page", reports):
        write_whole(told, json.dumps({"name": name, "title": title, "as_of": moment, "studies": list(ended)}))
        html = render_plain("portfolio.html.j2", page=portfolio_page(title, moment, members))
        write_whole(page, html)
    if mirror := mirror_of(reports):
        mirror.push(told, page)
    return page


def _entry(reports: Path, ended: Mapping[str, Any]) -> MemberEntry:
    name, run_id = str(ended["name"]), str(ended["run_id"])
    words: dict[str, Any] = {key: str(ended[key]) for key in ("label", "how", "reason", "headline")}
    if run_id:
        with suppress(UnreadableRun, KeyError, TypeError):
            summary = read_summary(folder_of(reports, name) / run_id)
            checks = summary["checks"]
            return MemberEntry(
                **words,
                status=ended["status"],
                href=f"{name}/{run_id}/{REPORT}",
                kinds=tuple(each["kind"] for each in checks),
                open_kinds=tuple(each["kind"] for each in checks if each["status"] in OPEN),
                estimates=tuple(estimate_in(each) for each in summary[OVERVIEW]["estimates"]),
            )
    return MemberEntry(**words, status=None, href="")
