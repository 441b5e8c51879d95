"""A notice on a report as a mail: what happened, then what the report's first screen says, its figure in the text."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tasks.look.render import environment
from tasks.notify.picture import WIDTH, png
from tasks.view.notices import Notice
from tasks.view.records import Figure
from tasks.view.words import text

PICTURE = "groups.png"  # a file's name, and by it the text's reference to it: `cid:groups.png`
TINTS = {"trust": ("#176f42", "#e8f5ee"), "use": ("#7d5200", "#fdf3dc"), "none": ("#b3261e", "#fdecea")}
LOG = logging.getLogger("poolwise")


@dataclass(frozen=True)
class Mail:
    html: str
    picture: bytes | None  # PNG; None if there is nothing to draw, or it could not be drawn


def mail_of(notice: Notice) -> Mail | None:
    """None for a notice on something else than a report that was just published."""
    screen = notice.screen
    if screen is None:
        return None
    picture = _drawn(screen.figure) if screen.figure else None
    said = [text.typeset(line) for line in notice.lines]
    color, tint = TINTS[screen.status]
    html = (
        environment()
        .get_template("mail.html.j2")
        .render(
            notice=notice,
            lines=[line for line in said if screen.headline not in line],
            screen=screen,
            color=color,
            tint=tint,
            picture=PICTURE if picture else "",
            width=WIDTH,
        )
    )
    return Mail(html, picture)


def _drawn(figure: Figure) -> bytes | None:
    """The figure's still picture. What hinders it does not hinder the mail."""
    try:
        return png(figure.still) if figure.still else None
    except Exception as error:
        LOG.warning("a notice goes out without its picture: %s", error)
        return None
