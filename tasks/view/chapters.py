"""Which topics a report has: those of its outcome's family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics import COUNTED_CHAPTERS
from tasks.view.report_context import ReportContext
from tasks.view.topic import Topic
from tasks.view.topics import CHAPTERS


def chapters_of(context: ReportContext) -> Mapping[str, tuple[Topic[Any], ...]]:
    """The topics in reading order, by the title of their chapter."""
    return COUNTED_CHAPTERS if isinstance(context, CountedContext) else CHAPTERS


def topics_of(context: ReportContext) -> tuple[Topic[Any], ...]:
    return tuple(topic for topics in chapters_of(context).values() for topic in topics)
