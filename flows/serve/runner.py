"""The process that executes deployments: `python -m flows.serve.runner REPORTS ENGINE LIMIT FOLDER…`.

Each study is registered, and registered again when its study file changes. One that cannot be registered is told to the
server process (`flows.serve.troubles`) and tried again; the others go on.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from flows.server.quiet import set_defaults

set_defaults()

from httpx import TransportError  # noqa: E402
from prefect.exceptions import TerminationSignal  # noqa: E402
from prefect.runner import Runner  # noqa: E402

from flows.serve.deployments import deployment_of  # noqa: E402
from flows.serve.troubles import one_line, tell  # noqa: E402
from flows.server.quiet import keep_log  # noqa: E402
from tasks.engines.engines import EngineName  # noqa: E402
from tasks.opening.studies import STUDY_FILE, read_study  # noqa: E402
from tasks.rows.file_stamps import FileStamp, stamp_of  # noqa: E402
from tasks.study.errors import PoolwiseError  # noqa: E402

SECONDS_BETWEEN_LOOKS = 2.0

log = logging.getLogger("poolwise")


class Registrar:
    """Keeps the runner's deployments as the study files are now."""

    def __init__(self, runner: Runner, folders: Sequence[Path], reports: Path, engine: EngineName) -> None:
        self._runner, self._folders, self._reports, self._engine = runner, folders, reports, engine
        self._registered: dict[Path, FileStamp | None] = {}
        self._troubles: dict[str, str] = {}

    async def keep_looking(self) -> None:
        """Look every SECONDS_BETWEEN_LOOKS until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    async def look(self) -> None:
        """Register the studies that are new, changed or failed before; tell troubles if they changed."""
        before = dict(self._troubles)
        for folder in self._folders:
            stamp = stamp_of(folder / STUDY_FILE)
            if str(folder) in self._troubles or self._registered.get(folder) != stamp:
                await self._register(folder, stamp)
        if self._troubles != before:
            await asyncio.to_thread(tell, self._reports, self._troubles)

    async def _register(self, folder: Path, stamp: FileStamp | None) -> None:
        try:
            opened = await asyncio.to_thread(read_study, folder)
            deployment = await asyncio.to_thread(deployment_of, opened, self._reports, self._engine)
            await self._runner.aadd_deployment(deployment)
        except TransportError as error:  # the server is away, which says nothing about the study
            log.warning("%s waits to be registered: %s", folder, one_line(str(error)))
        except Exception as error:
            self._troubles[str(folder)] = _reason(error)
        else:
            self._registered[folder] = stamp
            self._troubles.pop(str(folder), None)


def _reason(error: Exception) -> str:
    """Why a study cannot be registered, on one line."""
    if isinstance(error, PoolwiseError):
        return str(error)
    return one_line(f"Prefect does not take it: {type(error).__name__}: {error}")


async def run(folders: Sequence[Path], reports: Path, engine: EngineName, limit: int) -> None:
    # Without pausing: schedules that were missed while nobody served are caught up at once, and find nothing changed.
    """Register the studies and execute their runs, at most `limit` at once, until the process is told to end."""
    runner = Runner(limit=limit, pause_on_shutdown=False)
    registrar = Registrar(runner, folders, reports, engine)
    await registrar.look()
    looking = asyncio.create_task(registrar.keep_looking())
    try:
        await runner.start()
    finally:
        looking.cancel()


def main() -> None:
    reports, engine, limit, *folders = sys.argv[1:]
    keep_log()
    try:
        asyncio.run(run([Path(folder) for folder in folders], Path(reports), cast(EngineName, engine), int(limit)))
    except (KeyboardInterrupt, TerminationSignal):
        log.info("the runner was told to end")


if __name__ == "__main__":
    main()
