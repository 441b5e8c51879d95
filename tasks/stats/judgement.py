"""The judgement of one thing that an analysis looked at: a status and a case, without words.

pass: nothing to know. review: read this before using the numbers. fail: the thing judged must not be used.
`tasks.stats.judged.verdict` draws the conclusion for the report as a whole. Each kind of judgement has its words in
one topic of `tasks.view.topics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["pass", "review", "fail"]


@dataclass(frozen=True)
class Judgement:
    kind: str
    status: Status
    case: str  # which of the kind's sentences applies
    term: str = ""  # the model's term judged; empty if the kind does not judge each term
    value: float | None = None  # the value measured
    limit: float | None = None  # the limit that the value was compared with
    against: Literal["", "partial_pooling", "every model"] = ""  # what this rules out as a recommendation

    @property
    def name(self) -> str:
        """Unique in a report, the same in every run of a study."""
        return f"{self.kind}_{self.term}" if self.term else self.kind
