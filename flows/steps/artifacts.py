"""What a flow run leaves on its page in Prefect."""

from __future__ import annotations

from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from tasks.disk.layout import REPORT
from tasks.disk.mirror import place_of
from tasks.notify.notify import report_address
from tasks.view.families import words_of
from tasks.view.report_context import ReportContext
from tasks.view.verdict_words import verdict_of
from tasks.view.words.text import markdown


def leave_artifacts(context: ReportContext, folder: Path) -> None:
    """Leave the verdict with a link to the report, and a table of the estimates, on the run's page.

    Prefect's pages strip file addresses: where no catalogue is served, the report's path is given as text.
    """
    study, verdict, address = context.study, verdict_of(context), report_address(folder)
    name = study.name.replace("_", "-")
    headline, reason = markdown(verdict.headline), markdown(verdict.reason)
    if address.startswith("http"):
        create_link_artifact(address, link_text=headline, key=f"report-{name}", description=reason)
    else:
        where = markdown(place_of(folder / REPORT))
        words = f"# {headline}\n\n{reason}\n\nReport: {where}\n"
        create_markdown_artifact(words, key=f"report-{name}", description=headline)
    create_table_artifact(words_of(context).key_estimates(context), key=f"estimates-{name}", description=headline)
