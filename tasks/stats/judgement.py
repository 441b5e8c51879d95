"""What an analysis says of one thing: a status and a case, without words.

pass: nothing to know. review: read this before using the numbers. fail: the thing judged must not be used. A judgement
is of one thing only; what follows for the report as a whole is `tasks.stats.judged.verdict`. Each kind of judgement
has its words in one topic of `tasks.view.topics`.
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
    term: str = ""  # the term of the model that it is about, where a kind judges each
    value: float | None = None  # what was measured ...
    limit: float | None = None  # ... against what
    against: Literal["", "partial_pooling", "every model"] = ""  # what cannot be recommended because of it

    @property
    def name(self) -> str:
        """Unique in a report, the same in every run of a study."""
        return f"{self.kind}_{self.term}" if self.term else self.kind
