"""Reads text files that users write, such as study files and templates, and checks the names they give."""

from __future__ import annotations

from pathlib import Path

from tasks.disk.atomic import refusal
from tasks.study.errors import StudyError
from tasks.study.plain_text import brief

MOST_BYTES = 4_000_000
MOST_OF_A_PATH = 200  # characters, in a message


def text_of(file: Path) -> str:
    """The text of a user's file, without a byte order mark. Raises StudyError if it cannot be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {refusal(error)}") from None
    if len(content) > MOST_BYTES:
        raise StudyError(f"{file} is larger than {MOST_BYTES:,} bytes, more than people write. Is it another file?")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{file} is not UTF-8 text (byte {error.start + 1} is not). Save it again with the encoding UTF-8."
        ) from None


def is_file(path: Path) -> bool:
    """Whether there is an ordinary file. Raises StudyError if the system does not tell."""
    try:
        return path.is_file()
    except OSError as error:
        raise StudyError(f"{brief(str(path), MOST_OF_A_PATH)} cannot be opened: {refusal(error)}") from None


def require_utf8(path: Path) -> Path:
    """The path. Raises StudyError if it is not UTF-8: addresses, databases and web pages can hold no other names."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise StudyError(
            f"The name {brief(str(path), MOST_OF_A_PATH)} is not UTF-8 text. Rename that file or folder."
        ) from None
    return path
