"""Prints the schema: `python -m tasks.view.document > tasks/view/summary.schema.json`; of counted outcomes with
`counted` after it.
"""

from __future__ import annotations

import sys

from tasks.view.document import schema_text

print(schema_text(counted="counted" in sys.argv[1:]), end="")
