"""Studies whose folders lie at other paths on other machines.

Below the folder that POOLWISE_STUDIES names, a deployment names a study by its path from there; each worker finds it
below its own.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "POOLWISE_STUDIES"


def reference_of(folder: Path) -> str:
    """What a deployment calls the study in this folder: its path below POOLWISE_STUDIES, else its whole path."""
    root = _root()
    return (
        folder.resolve().relative_to(root).as_posix() if root and folder.resolve().is_relative_to(root) else str(folder)
    )


def found(study: Path) -> Path:
    """The study's folder on this machine."""
    root = _root()
    return root / study if root else study


def _root() -> Path | None:
    named = os.environ.get(VARIABLE, "").strip()
    return Path(named).resolve() if named else None
