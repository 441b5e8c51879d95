"""Text in cells that spreadsheets open."""

from __future__ import annotations

import re

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?")


def cell(text: str) -> str:
    """The text, after an apostrophe where a spreadsheet would take it for a formula; numbers such as -1 stay.

    The rule is OWASP's for CSV injection.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text
