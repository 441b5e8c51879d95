"""The topics of a report on a counted outcome in reading order, in chapters."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.view.counted.context import CountedContext
from tasks.view.counted.topics import (
    data,
    effects,
    fits,
    funnel,
    held_out,
    methods,
    model,
    models,
    predictive,
    priors,
    ranks,
    rates,
    remedies,
    size,
    variance,
)
from tasks.view.topic import Topic
from tasks.view.topics import changes, history, sampler

COUNTED_CHAPTERS: Mapping[str, tuple[Topic[CountedContext], ...]] = {
    "What changed": (changes.TOPIC, history.TOPIC),
    "Group by group": (rates.TOPIC, variance.TOPIC),
    "Which intervals to believe": (fits.TOPIC, remedies.TOPIC),
    "Small groups": (size.TOPIC, funnel.TOPIC, ranks.TOPIC),
    "Within groups and between them": (effects.TOPIC,),
    "Does the model fit?": (predictive.TOPIC, model.TOPIC),
    "Models side by side": (models.TOPIC, held_out.TOPIC),
    "Appendix": (data.TOPIC, priors.TOPIC, sampler.TOPIC, methods.TOPIC),
}
COUNTED_TOPICS: tuple[Topic[CountedContext], ...] = tuple(
    topic for topics in COUNTED_CHAPTERS.values() for topic in topics
)
