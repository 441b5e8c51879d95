"""Prints the schema: `python -m tasks.view.document > tasks/view/summary.schema.json`."""

from __future__ import annotations

from tasks.view.document import schema_text

print(schema_text(), end="")
