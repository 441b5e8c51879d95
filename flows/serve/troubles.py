"""What keeps studies from running: printed once on the terminal, shown in the catalogue while it lasts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from tasks.disk.atomic import write_whole
from tasks.disk.layout import troubles_file
from tasks.view.catalogue.search import Trouble
from tasks.view.words.text import clean

LONGEST_REASON = 600


class Troubles:
    """Problems by who found them and their subject: a study's folder, or "Prefect". Threads may share it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = Lock()
        self._known: dict[tuple[str, str], str] = {}

    def found(self, finder: str, subject: Path | str, reason: str) -> None:
        """Note a problem with `subject`; an empty reason means that this finder has none with it any more."""
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
        """Replace all problems of this finder by `reasons`, by subject."""
        over = [subject for known, subject in list(self._known) if known == finder and subject not in reasons]
        for subject, reason in [*reasons.items(), *((subject, "") for subject in over)]:
            self.found(finder, subject, reason)

    def now(self) -> tuple[Trouble, ...]:
        """The present problems for readers of the catalogue, without the folders' paths."""
        with self._lock:
            known = {(subject, reason) for (_, subject), reason in self._known.items()}
        return tuple(Trouble(Path(where).name, reason.replace(f"{where}/", "")) for where, reason in sorted(known))

    def _reasons(self, subject: str) -> set[str]:
        return {reason for (_, about), reason in self._known.items() if about == subject}


def one_line(text: str) -> str:
    """The text on one line without escape codes, at most LONGEST_REASON characters."""
    line = clean(text)
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def tell(reports: Path, reasons: Mapping[str, str]) -> None:
    """Write the problems for the server process to read; the runner calls it."""
    write_whole(troubles_file(reports), json.dumps(dict(reasons)))


def forget_told(reports: Path) -> None:
    """Remove what an earlier runner told."""
    troubles_file(reports).unlink(missing_ok=True)


def told(reports: Path) -> dict[str, str]:
    """What the runner told last: reasons by subject; empty if nothing can be read."""
    try:
        found = json.loads(troubles_file(reports).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(subject): str(reason) for subject, reason in found.items()} if isinstance(found, dict) else {}
