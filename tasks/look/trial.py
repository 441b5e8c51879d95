"""Tries a study's look on made-up pages, so that what is wrong with it is said before anything is sampled."""

from __future__ import annotations

from tasks.look.look import Look, read_look
from tasks.look.render import render_report
from tasks.opening.studies import OpenedStudy
from tasks.view.specimen import specimens


def look_of(opened: OpenedStudy) -> Look | None:
    """The study's look, read, checked and tried; None if the study names none. Raises StudyError."""
    folder = opened.look_folder
    if folder is None:
        return None
    look = read_look(folder)
    full, bare = specimens()
    for page, standalone in ((full, False), (bare, False), (full, True)):
        render_report(page, "plotly.js", standalone=standalone, look=look)
    return look
