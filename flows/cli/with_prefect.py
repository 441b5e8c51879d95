"""Prefect for a portfolio: the server that is configured, else one that lives as long as the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flows.server.imports import nothing_collected
from flows.server.prefect_settings import is_prefect_configured
from flows.server.short_lived_server import ShortLivedServer, instead_of_prefects


@contextmanager
def prefect_answering() -> Iterator[None]:
    """Inside of the block Prefect answers, and the flow is imported."""
    own = None if is_prefect_configured() else ShortLivedServer()
    if own:
        own.announce()  # before Prefect reads it: its own threads have to know too
    with nothing_collected():
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        import flows.portfolio.portfolio  # noqa: F401
    own = own or instead_of_prefects()
    if own:
        own.wait()
    # No heartbeat on a server that ends with the run: nobody reads it, and joining its thread takes 0.9 s.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None} if own else {}):
        yield
