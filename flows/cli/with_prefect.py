"""Prefect for one command: the server that is configured, else one that lives as long as the command."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from flows.server.imports import nothing_collected
from flows.server.prefect_settings import is_prefect_configured
from flows.server.short_lived_server import ShortLivedServer, instead_of_prefects

# Imported while Prefect's server comes up, rather than when first needed.
HEAVY_MODULES = ("pandera.pandas", "arviz_stats.base", "scipy.optimize", "jinja2", "xarray", "h5netcdf")


@contextmanager
def prefect_for_a_run(flow_module: str = "flows.portfolio.portfolio") -> Iterator[bool]:
    """Inside of the block Prefect answers, and `flow_module` is imported; yields whether the server lasts."""
    own = None if is_prefect_configured() else ShortLivedServer()
    if own:
        own.announce()  # before Prefect reads it: its own threads have to know too
    with nothing_collected():
        for name in HEAVY_MODULES:
            importlib.import_module(name)
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        importlib.import_module(flow_module)
    own = own or instead_of_prefects()
    if own:
        own.wait()
    # No heartbeat on a server that ends with the run: nobody reads it, and joining its thread takes 0.9 s.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None} if own else {}):
        yield own is None
