"""The topics of a report in reading order: what changed comes first, from the second report on."""

from __future__ import annotations

from tasks.view.topic import Topic
from tasks.view.topics import (
    assumptions,
    changes,
    data,
    displacement,
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
    sampler,
    simpson,
    singularity,
    size,
    variance,
)

TOPICS: tuple[Topic, ...] = (
    changes.TOPIC,
    history.TOPIC,
    data.TOPIC,
    extended.TOPIC,
    groups.TOPIC,
    ranks.TOPIC,
    size.TOPIC,
    displacement.TOPIC,
    variance.TOPIC,
    singularity.TOPIC,
    remedies.TOPIC,
    simpson.TOPIC,
    predictive.TOPIC,
    held_out.TOPIC,
    models.TOPIC,
    assumptions.TOPIC,
    priors.TOPIC,
    sampler.TOPIC,
    methods.TOPIC,
)
