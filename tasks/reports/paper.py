"""A published report as a PDF, printed by a Chromium where one is installed: it is no dependency."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tasks.disk.atomic import refusal, write_whole
from tasks.study.errors import PoolwiseError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
SECONDS = 120
# It draws the figures before it prints, and asks nobody anything.
OPTIONS = (
    *("--headless", "--disable-gpu", "--no-pdf-header-footer", "--run-all-compositor-stages-before-draw"),
    *("--virtual-time-budget=20000", "--disable-background-networking", "--disable-component-update", "--no-first-run"),
)


def print_report(report: Path, to: Path) -> None:
    """Print the report's HTML to `to`. Raises PoolwiseError where no Chromium is found, or none prints."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise PoolwiseError(
            "--pdf prints with a Chromium or Chrome, and none was found. Install one, or open the report in a browser "
            "and print it there."
        )
    with tempfile.TemporaryDirectory(prefix="poolwise-paper-") as scratch:
        made = Path(scratch) / "report.pdf"
        _printed(program, report, made, Path(scratch))
        try:
            write_whole(to, made.read_bytes())
        except OSError as error:
            raise PoolwiseError(f"The PDF could not be written: {refusal(error)}") from None


def _printed(program: str, report: Path, made: Path, scratch: Path) -> None:
    """Have the browser make the PDF, in a profile of its own. Raises PoolwiseError."""
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []  # root has none
    command = [program, *OPTIONS, *sandbox, f"--user-data-dir={scratch / 'profile'}", f"--print-to-pdf={made}"]
    try:
        subprocess.run([*command, report.resolve().as_uri()], timeout=SECONDS, capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PoolwiseError(f"{Path(program).name} did not print the report ({type(error).__name__}).") from None
    if not made.exists():
        raise PoolwiseError(f"{Path(program).name} printed nothing.")
