"""Make text safe for files that spreadsheets open."""

from __future__ import annotations

import re

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?")


def cell(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet would take it for a formula; numbers such as -1 are unchanged.

    The rule is OWASP's for CSV injection.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text
