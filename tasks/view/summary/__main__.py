"""Prints the schema: `python -m tasks.view.summary > tasks/view/summary.schema.json`."""

from __future__ import annotations

from tasks.view.summary import schema_text

print(schema_text(), end="")
