"""How long R's lme4 takes for the same fit, where both are installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pandas as pd

LONGEST = 120.0  # seconds that R may take
SCRIPT = """
suppressMessages(library(lme4))
frame <- read.csv("{rows}")
took <- system.time(fit <- suppressWarnings(suppressMessages(
  glmer({formula}, data = frame, family = {family}, nAGQ = {points}, {sizes}))))
cat(took[["elapsed"]])
"""


@cache
def has_lme4() -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", 'quit(status = !requireNamespace("lme4", quietly = TRUE))']
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def seconds_of_glmer(frame: pd.DataFrame, formula: str, family: str, points: int, sizes: str) -> float | None:
    """Without the start of R and the reading of rows; None where it takes longer than LONGEST.

    `sizes` is the argument that has trials or exposure.
    """
    with tempfile.TemporaryDirectory(prefix="poolwise-") as folder:
        rows = Path(folder) / "rows.csv"
        frame.to_csv(rows, index=False)
        script = SCRIPT.format(rows=rows, formula=formula, family=family, points=points, sizes=sizes)
        try:
            ran = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            return None
    return float(ran.stdout)
