"""Finds the encoding of a text file before any of its rows is read.

In this order: a byte order mark; zero bytes at every other place, which are UTF-16's; valid UTF-8, whatever the study
says; the encoding that the study names.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tasks.study.errors import DataRejected
from tasks.study.plain_text import shown
from tasks.study.setting_words import set_in_file

BLOCK_BYTES = 1 << 20
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with UTF-16's mark, so it is tried before that
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMON = "cp1252"  # the most common encoding of files that are not UTF-8


def find_encoding(
    path: Path, name: str, setting: str | None = None, advised: Callable[[str], str] = set_in_file
) -> str:
    """The codec that reads the whole file. `setting` is the study's `encoding`; `advised` puts a setting in words.

    Raises DataRejected, with the setting to make, if there is none.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
        marked = _marked(head)
        if marked or (setting and b"\0" in head and not _holds_ascii(setting)):
            encoding = marked or setting or ""
            _require(stream, name, encoding, setting)
        elif _offender(stream, "utf-8") is None:
            encoding = "utf-8"
        elif setting and codecs.lookup(setting).name not in ("utf-8", "utf-8-sig"):
            encoding = setting
            _require(stream, name, encoding, setting)
        else:
            raise DataRejected(_not_utf8(stream, name, advised))
    return encoding


def _marked(head: bytes) -> str:
    """The encoding that the first bytes show; empty if they show none."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    if even.count(0) > 0.6 * len(even) and not odd.count(0):
        return "utf-16-be"
    return "utf-16-le" if odd.count(0) > 0.6 * len(odd) and not even.count(0) else ""


def _holds_ascii(encoding: str) -> bool:
    return "a".encode(encoding) == b"a"


def _require(stream: BinaryIO, name: str, encoding: str, setting: str | None) -> None:
    at = _offender(stream, encoding)
    if at is None:
        return
    line, byte, _ = _place(stream, at)
    named = f'encoding = "{setting}"' if encoding == setting else f"{encoding.upper()}, as it begins"
    raise DataRejected(
        f"{name} is not text in {named}: {byte} in line {line} does not belong there. Name the encoding it was saved "
        'in, or save the file as UTF-8 (in Excel: "CSV UTF-8").'
    )


def _not_utf8(stream: BinaryIO, name: str, advised: Callable[[str], str]) -> str:
    at = _offender(stream, "utf-8") or 0
    line, byte, content = _place(stream, at)
    found = f"{name} is not UTF-8: {byte} in line {line} does not belong there."
    if _offender(stream, COMMON) is not None:
        return f'{found} Name the encoding it was saved in, as in encoding = "shift_jis", or save the file as UTF-8.'
    advice = advised(f'encoding = "{COMMON}"')
    line_read = shown(content.decode(COMMON, "replace").strip())
    return (
        f"{found} If the line should read {line_read} (Windows, western Europe), {advice}; if not, another "
        "encoding; or save the file as UTF-8. The setting is for files that are not UTF-8; the others stay UTF-8."
    )


def _offender(stream: BinaryIO, encoding: str) -> int | None:
    """The offset of the first byte that cannot be read, exact for UTF-8 and near it otherwise; or None."""
    stream.seek(0)
    decoder, n_before, held = codecs.getincrementaldecoder(encoding)(), 0, 0
    while True:
        block = stream.read(BLOCK_BYTES)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return n_before - held + error.start
        except UnicodeError:
            return n_before
        if not block:
            return None
        n_before += len(block)
        state = decoder.getstate()[0]
        held = len(state) if isinstance(state, bytes) else 0


def _place(stream: BinaryIO, at: int) -> tuple[int, str, bytes]:
    """For an offset: the number of its line, from 1; its byte; its line, shortened."""
    stream.seek(0)
    line, rest = 1, at
    while rest > 0 and (block := stream.read(min(rest, BLOCK_BYTES))):
        line += block.count(b"\n")
        rest -= len(block)
    start = max(at - 200, 0)
    stream.seek(start)
    around = stream.read(at - start + 200)
    before, after = around[: at - start], around[at - start :]
    content = before.splitlines()[-1] if before and not before.endswith((b"\n", b"\r")) else b""
    rest_of_line = after.splitlines()[0] if after else b""
    byte = f"the byte 0x{after[0]:02x}" if after else "the file's end"
    return line, byte, content + rest_of_line
