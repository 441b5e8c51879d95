"""A Dask cluster that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tasks.study.errors import PoolwiseError

if TYPE_CHECKING:
    from distributed import Client

SECONDS_FOR_A_WORKER = 30


@contextmanager
def cluster_at(address: str) -> Iterator[Client]:
    """Its client, while the block lasts. Raises PoolwiseError where Dask is not installed or nothing answers there."""
    try:
        from distributed import Client
    except ImportError:
        raise PoolwiseError("--dask needs another package: make extra EXTRA=dask") from None
    with _connected(Client, address) as client:
        yield client


def _connected(client: type[Client], address: str) -> Client:
    try:
        connected = client(address, timeout=10, set_as_default=False)
        connected.wait_for_workers(1, timeout=SECONDS_FOR_A_WORKER)
    except TimeoutError:
        raise PoolwiseError(
            f"The Dask scheduler at {address} has no workers, or does not answer. Start some, with Poolwise installed: "
            f"dask worker {address} --nthreads 1"
        ) from None
    except (OSError, ValueError) as error:
        raise PoolwiseError(
            f"No Dask scheduler answers at {address} ({type(error).__name__}). Give its address, as in: "
            "--dask tcp://HOST:8786"
        ) from None
    return connected
