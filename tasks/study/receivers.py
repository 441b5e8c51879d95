"""Receivers' addresses as a study gives them: variables filled in, secrets masked.

An address such as `mailto://user:password@host` or `slack://token/token/token` is itself a secret. It
leaves the study file only to send a message: what is published, logged or shown is masked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from tasks.study.toml_text import toml_text

MASK = "***"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# A run of a scheme's characters is tried only from its beginning: long words do not make the search slow.
ADDRESS = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]++://[^\s\"']+")
NOTIFY_TABLE = re.compile(r"^[ \t]*\[[ \t]*notify[ \t]*\].*?(?=^[ \t]*\[+[A-Za-z\"']|\Z)", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
# Schemes whose host names the receiver and is no secret; of all other addresses only the scheme is shown.
WITH_HOST = ("mailto", "mailtos", "json", "jsons", "form", "forms", "xml", "xmls", "http", "https")
HOST = re.compile(r"(?P<user>[^/?#@\s]*@)?(?P<host>[A-Za-z0-9.-]+(?::\d{1,5})?)(?P<rest>[/?#][^@]*)?")
SHORTEST_SECRET = 3
# Variables that hold Poolwise's own keys and passwords: a study from elsewhere must not be able to send them out.
OWN_SECRET = re.compile(r"PREFECT_.*|POOLWISE_.*PASSWORD|POOLWISE_DATABASE_URL")


class MissingVariable(Exception):
    """An address names an environment variable that is not set, or that no address may hold."""


def filled(address: str, environment: Mapping[str, str]) -> str:
    """The address with every `${NAME}` replaced. Raises MissingVariable, which names it."""

    def value(found: re.Match[str]) -> str:
        if OWN_SECRET.fullmatch(found[1]):
            raise MissingVariable(f"{found[1]} is a key of Poolwise's own, which no address may hold")
        if not environment.get(found[1]):
            raise MissingVariable(f"the environment variable {found[1]} is not set")
        return environment[found[1]]

    return VARIABLE.sub(value, address)


def masked(address: str) -> str:
    """The address as it may be shown: scheme, and host for mail and webhooks; unchanged if it holds only variables."""
    scheme, separator, rest = address.partition("://")
    if _is_all_variables(rest if separator else address):
        return address
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return MASK
    found = HOST.fullmatch(rest) if scheme.lower() in WITH_HOST else None
    if found is None:
        return f"{scheme}://{MASK}"
    hidden = f"/{MASK}" if (found["rest"] or "/") != "/" else ""
    return f"{scheme}://{MASK + '@' if found['user'] else ''}{found['host']}{hidden}"


def masked_study(text: str) -> str:
    """A study file's text with its receivers masked, comments kept.

    If an address is written in a way that text replacement does not find, the whole file is written anew.
    """
    values = tomllib.loads(text)
    receivers = _receivers(values)
    shown = text
    for receiver in sorted(receivers, key=len, reverse=True):
        shown = shown.replace(receiver, masked(receiver))
    shown = NOTIFY_TABLE.sub(lambda table: masked_addresses(table[0]), shown)
    shown = COMMENT.sub(lambda comment: masked_addresses(comment[0]), shown)
    wanted = _with_receivers(values, [masked(receiver) for receiver in receivers])
    return shown if _means(shown, wanted) else toml_text(wanted)


def masked_addresses(text: str) -> str:
    """The text with everything that looks like an address masked."""
    return ADDRESS.sub(lambda found: masked(found[0]), text)


def scrubbed(text: str, address: str) -> str:
    """A message of Apprise's about an address, without the address's secrets."""
    shown = masked(address)
    parts = {part for form in (address, unquote(address)) for part in (form, *re.split(r"[^A-Za-z0-9._~!$*+-]+", form))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET and part not in shown:
            text = text.replace(part, MASK)
    return text


def _is_all_variables(text: str) -> bool:
    """Whether the text holds only variables and separators, as in `${A}/${B}`."""
    return bool(VARIABLE.search(text)) and not VARIABLE.sub("", text).strip("/:@?&=#,")


def _receivers(values: Mapping[str, Any]) -> list[str]:
    """The receivers' addresses in a study file's values."""
    notify = values.get("notify")
    receivers = notify.get("to") if isinstance(notify, Mapping) else None
    return [each for each in receivers if isinstance(each, str) and each] if isinstance(receivers, Sequence) else []


def _with_receivers(values: Mapping[str, Any], receivers: Sequence[str]) -> dict[str, Any]:
    return {**values, "notify": {**values["notify"], "to": list(receivers)}} if receivers else dict(values)


def _means(text: str, wanted: Mapping[str, Any]) -> bool:
    """Whether the text is TOML with these values."""
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False
