"""A process whose clock is wrong, by a library that it loads first.

Debian's libfaketime cannot be taken: with it Python's `time.sleep` fails.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("clock.c")

# What a process's environment needs for its clock to be so many minutes ahead; files keep the times of the disk.
ClockAhead = Callable[[float], dict[str, str]]


@pytest.fixture(scope="session")
def clock_ahead(tmp_path_factory: pytest.TempPathFactory) -> ClockAhead:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here, for a clock that is wrong (Debian: apt-get install gcc libc6-dev)")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
    return lambda minutes: {"LD_PRELOAD": str(library), "CLOCK_AHEAD": f"{60.0 * minutes:.0f}"}
