"""What keeps studies from running: said once on the terminal, and shown in the catalogue while it lasts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from tasks.atomic import write_whole
from tasks.reports_layout import troubles_file
from tasks.view.reading_list import Trouble
from tasks.view.text import clean

LONGEST_REASON = 600


class Troubles:
    """By who found them and what they are about: a study's folder, or Prefect. Threads may share it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = Lock()
        self._known: dict[tuple[str, str], str] = {}

    def found(self, finder: str, subject: Path | str, reason: str) -> None:
        """An empty reason: there is none (any more)."""
        with self._lock:
            key, before = (finder, str(subject)), self._reasons(str(subject))
            if reason:
                self._known[key] = one_line(reason)
            else:
                self._known.pop(key, None)
            now = self._reasons(str(subject))
        for new in now - before:
            self._say(f"{clean(Path(subject).name)}: {new}")
        if before and not now:
            self._say(f"is over: {clean(Path(subject).name)} is in order again.")

    def found_all(self, finder: str, reasons: Mapping[str, str]) -> None:
        """Everything that this finder knows of; what it does not name is over."""
        over = [subject for known, subject in list(self._known) if known == finder and subject not in reasons]
        for subject, reason in [*reasons.items(), *((subject, "") for subject in over)]:
            self.found(finder, subject, reason)

    def now(self) -> tuple[Trouble, ...]:
        """For readers, who need not know where folders lie."""
        with self._lock:
            known = {(subject, reason) for (_, subject), reason in self._known.items()}
        return tuple(Trouble(Path(where).name, reason.replace(f"{where}/", "")) for where, reason in sorted(known))

    def _reasons(self, subject: str) -> set[str]:
        return {reason for (_, about), reason in self._known.items() if about == subject}


def one_line(text: str) -> str:
    """Without escape codes, line ends and the like, which would forge lines or steer the terminal."""
    line = clean(text)
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def tell(reports: Path, reasons: Mapping[str, str]) -> None:
    write_whole(troubles_file(reports), json.dumps(dict(reasons)))


def forget_told(reports: Path) -> None:
    troubles_file(reports).unlink(missing_ok=True)


def told(reports: Path) -> dict[str, str]:
    """Reasons by subject; none where nothing was told."""
    try:
        found = json.loads(troubles_file(reports).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(subject): str(reason) for subject, reason in found.items()} if isinstance(found, dict) else {}
