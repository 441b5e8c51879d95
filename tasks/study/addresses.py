"""Addresses of data that are elsewhere: which texts are ones, and that no password stands in them."""

from __future__ import annotations

import re

VARIABLE = re.compile(r"\$\{(?:secret:)?[A-Za-z_][A-Za-z0-9_-]*\}")
REMOTE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
SECRET_KEYS = re.compile(r"(?i)[?&;]([^=&;]*(?:pass|pwd|secret|token|key|credential)[^=&;]*)=([^&;]*)")
ADVICE = "write ${NAME} in its place and set that environment variable"


def is_remote(source: str) -> bool:
    """Whether a study's source is an address, as `s3://bucket/rows/*.parquet`, rather than a path."""
    return REMOTE.fullmatch(source) is not None


def require_no_password(address: str) -> None:
    """Raises ValueError when a password or a key stands in the address other than as a variable."""
    found = REMOTE.fullmatch(address)
    place = found["rest"].partition("/")[0] if found else ""
    user, at, _ = place.rpartition("@")
    if at and not _is_variable(user.partition(":")[2]):
        raise ValueError(f"no password may stand in it; {ADVICE}")
    for key, value in SECRET_KEYS.findall(address):
        if not _is_variable(value):
            raise ValueError(f"{key} may not stand in it; {ADVICE}")


def _is_variable(text: str) -> bool:
    return not VARIABLE.sub("", text)
