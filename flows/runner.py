"""The process that executes deployments: `python -m flows.runner REPORTS ENGINE LIMIT FOLDER…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from flows.quiet import set_defaults

set_defaults()

from prefect import serve  # noqa: E402

from flows.deployments import deployment_of  # noqa: E402
from flows.quiet import keep_log  # noqa: E402
from tasks.engines import EngineName  # noqa: E402
from tasks.studies import read_study  # noqa: E402


def main() -> None:
    reports, engine, limit, *folders = sys.argv[1:]
    keep_log()
    deployments = [deployment_of(read_study(folder), Path(reports), cast(EngineName, engine)) for folder in folders]
    # Schedules stay on while nobody serves: what was missed is caught up at once, and finds nothing changed.
    serve(*deployments, limit=int(limit), pause_on_shutdown=False, print_starting_message=False)


if __name__ == "__main__":
    main()
