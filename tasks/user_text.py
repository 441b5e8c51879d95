"""Text files that users write: study files, templates, style sheets, colours."""

from __future__ import annotations

from pathlib import Path

from tasks.stats.errors import StudyError


def text_of(file: Path) -> str:
    """The text of a file that a user wrote, without a byte-order mark. Raises StudyError where it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{file} is not UTF-8 text (byte {error.start + 1} is not). Save it again with the encoding UTF-8."
        ) from None
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}. Check its permissions.") from None
