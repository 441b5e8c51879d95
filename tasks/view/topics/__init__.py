"""The topics of a report in reading order, in chapters: what changed comes first, from the second report on."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.view.context import Context
from tasks.view.topic import Topic
from tasks.view.topics import (
    assumptions,
    categories,
    changes,
    extended,
    groups,
    held_out,
    history,
    methods,
    models,
    predictive,
    priors,
    ranks,
    remedies,
    rows_by_group,
    sampler,
    simpson,
    singularity,
    size,
    variance,
)

# A chapter's first topic stands open. The others do where something in them is open; else they fold themselves.
CHAPTERS: Mapping[str, tuple[Topic[Context], ...]] = {
    "What changed": (changes.TOPIC, history.TOPIC),
    "Group by group": (groups.TOPIC, variance.TOPIC),
    "Which intervals to believe": (singularity.TOPIC, remedies.TOPIC),
    "Small groups": (size.TOPIC, ranks.TOPIC),
    "Within groups and between them": (categories.TOPIC, simpson.TOPIC),
    "Does the model fit?": (predictive.TOPIC, assumptions.TOPIC, extended.TOPIC),
    "Models side by side": (models.TOPIC, held_out.TOPIC),
    "Appendix": (rows_by_group.TOPIC, priors.TOPIC, sampler.TOPIC, methods.TOPIC),
}
FOLDED = "Appendix"  # even its first topic folds itself where nothing in it is open
TOPICS: tuple[Topic[Context], ...] = tuple(topic for topics in CHAPTERS.values() for topic in topics)
