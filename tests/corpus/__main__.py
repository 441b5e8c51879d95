"""`python -m tests.corpus FOLDER`: every case on disk, with its command and what is right for it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.corpus.all_cases import CASES


def main(folder: Path) -> None:
    for case in CASES:
        own = folder / case.name
        case.write(own)
        print(f"{own}\tpoolwise {shlex.join(case.command)}\texit {case.exit_code}\t{'; '.join(case.says)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
