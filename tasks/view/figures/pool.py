"""Arrays that figures and tables share: each is stored once on the page, and figures and tables refer to it.

A list is stored as it is, or in one of these shorter forms, in which lists may be references again:

    {"texts": list, "at": list}     texts by their places in another list, of few different texts or of group labels
    {"columns": [list, …]}          rows of equal length, by columns
    {"joined": " to ", "of": [list, list]}   intervals, by their two ends
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

SHORT = 16  # entries; for a list of at most so many, a reference saves too little
REFERENCE = "pooled"
BETWEEN = " to "  # as `numbers.interval` writes it
MOST_COLUMNS = 8
FEW = 4  # different texts are few if each occurs at least this often on average

Values = Sequence[Any]


class Pool:
    """The long lists of one page, each once. If `labels` all differ, texts that are labels refer to them."""

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self._places: dict[str, int] = {}  # a list's JSON text → its place
        self._texts: list[str] = []  # the JSON text stored at each place
        self._labels: dict[str, int] = {}
        if len(labels) > SHORT and len(set(labels)) == len(labels):
            self._labels_at = self._stored(labels)
            self._labels = {label: place for place, label in enumerate(labels)}

    def refer(self, value: Any) -> Any:
        """The value with every list or tuple of more than `SHORT` entries replaced by `{"pooled": place}`.

        Lists are the same when their JSON is: 1 and 1.0 differ.
        """
        if isinstance(value, dict):
            return {key: self.refer(item) for key, item in value.items()}
        if not isinstance(value, list | tuple):
            return value
        if len(value) > SHORT:
            return self._stored(value)
        return [self.refer(item) for item in value]

    def json_text(self) -> str:
        """All lists, as one JSON array in the order of their places."""
        return f"[{','.join(self._texts)}]"

    def _stored(self, values: Values) -> dict[str, int]:
        text = _json(values)
        if text not in self._places:
            place = self._places[text] = len(self._texts)
            self._texts.append(text)
            if short := self._shorter(values):
                self._texts[place] = _json(short)
        return {REFERENCE: self._places[text]}

    def _shorter(self, values: Values) -> dict[str, Any] | None:
        if all(isinstance(value, str) for value in values):
            return self._by_label(values) or _by_few(values) or self._by_ends(values)
        return self._by_columns(values)

    def _by_label(self, texts: Sequence[str]) -> dict[str, Any] | None:
        if not all(text in self._labels for text in texts):
            return None
        return {"texts": self._labels_at, "at": self.refer([self._labels[text] for text in texts])}

    def _by_ends(self, texts: Sequence[str]) -> dict[str, Any] | None:
        """Intervals by their two ends. None unless both ends take few different values, as nothing would be saved."""
        ends = [text.split(BETWEEN) for text in texts]
        if not all(len(pair) == 2 for pair in ends):
            return None
        columns = [list(column) for column in zip(*ends, strict=True)]
        return {"joined": BETWEEN, "of": self.refer(columns)} if all(map(_by_few, columns)) else None

    def _by_columns(self, rows: Values) -> dict[str, Any] | None:
        lengths = {len(row) if isinstance(row, list | tuple) else 0 for row in rows}
        if len(lengths) > 1 or not 1 <= max(lengths) <= MOST_COLUMNS:
            return None
        return {"columns": self.refer([list(column) for column in zip(*rows, strict=True)])}


def _by_few(texts: Sequence[str]) -> dict[str, Any] | None:
    places: dict[str, int] = {}
    at = [places.setdefault(text, len(places)) for text in texts]
    return {"texts": list(places), "at": at} if FEW * len(places) <= len(texts) else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
