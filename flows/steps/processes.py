"""Processes on this machine that are given work, each one piece after another: starting costs seconds."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from queue import Queue
from typing import TypeVar

from flows.server.quiet import keep_log
from tasks.disk.leftovers import undo_all, undone_if_cut_short

R = TypeVar("R")

MOST_DEATHS = 3


class ProcessDied(Exception):
    """What was to be done ended its process each time, as when memory runs out."""


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Processes:
    """`n` of them. One that dies is replaced, and what it was at is run again; the others do not notice."""

    def __init__(self, n: int) -> None:
        self._free: Queue[ProcessPoolExecutor] = Queue()
        self._all = [_new() for _ in range(n)]
        for each in self._all:
            self._free.put(each)

    def run(self, function: Callable[..., R], *arguments: object) -> R:
        """What the function returns; threads may call it side by side. Raises ProcessDied, or what it raises."""
        process = self._free.get()
        try:
            for _ in range(MOST_DEATHS):
                try:
                    return process.submit(function, *arguments).result()
                except BrokenProcessPool:
                    process = self._replaced(process)
        finally:
            self._free.put(process)
        raise ProcessDied

    def end(self) -> None:
        """At once, whatever they are at."""
        for each in self._all:
            for process in list((each._processes or {}).values()):
                with suppress(OSError, ValueError):
                    process.terminate()
            each.shutdown(wait=False, cancel_futures=True)

    def _replaced(self, broken: ProcessPoolExecutor) -> ProcessPoolExecutor:
        broken.shutdown(wait=False)
        self._all[self._all.index(broken)] = new = _new()
        return new


def _new() -> ProcessPoolExecutor:
    """One process: executors of several fail as a whole where one dies. A fork would share Prefect's threads' locks."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


@contextmanager
def processes(n: int) -> Iterator[Processes]:
    """`n` processes, which end with the block."""
    started = Processes(n)
    with undone_if_cut_short(started.end):
        try:
            yield started
        finally:
            started.end()


def _begin() -> None:
    keep_log()
    threading.Thread(target=_end_with_parent, daemon=True, name="poolwise-parent").start()


def _end_with_parent() -> None:
    """A process whose parent is gone leaves nothing behind and ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        undo_all()
        os._exit(1)
