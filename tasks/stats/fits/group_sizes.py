"""Are there enough groups, and are they large enough, for the fits?"""

from __future__ import annotations

from tasks.stats.judgement import Judgement
from tasks.stats.records import NoPooling


def judge_groups(no_pooling: NoPooling, few: int) -> tuple[Judgement, ...]:
    """Two judgements: are there at least `few` groups, and can each group carry a fit of its own?"""
    return judge_count(no_pooling.n.size, few), judge_sizes(no_pooling)


def judge_count(n_groups: int, few: int) -> Judgement:
    if n_groups < few:
        return Judgement("group_count", "review", "few", value=n_groups, limit=few, against="partial_pooling")
    return Judgement("group_count", "pass", "enough", value=n_groups, limit=few)


def judge_sizes(no_pooling: NoPooling) -> Judgement:
    smallest = int(no_pooling.n.min())
    if any(no_pooling.gap):
        return Judgement("group_sizes", "review", "gaps", value=smallest)
    return Judgement("group_sizes", "pass", "all fitted", value=smallest)
