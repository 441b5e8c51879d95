"""Object stores (S3, Google, Azure and what else fsspec knows): opening one by an address that holds no secret."""

from __future__ import annotations

from typing import Any

from tasks.disk.secret_blocks import use_store_block
from tasks.study.errors import PoolwiseError

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "adl": "az"}
ADVICE = (
    "Check the address, and the credentials in the environment of this process (for S3: AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL where the store is not Amazon's) or in the block that "
    "POOLWISE_STORE_BLOCK names."
)


def store_of(address: str) -> Any:
    """The store of this address as a file system of fsspec's.

    Credentials are the environment's, or a block's. Raises PoolwiseError when a package is missing or the block cannot
    be read, ValueError for an unknown scheme.
    """
    from fsspec.core import url_to_fs

    use_store_block()
    try:
        return url_to_fs(address)[0]
    except ImportError as missing:
        scheme = address.partition("://")[0]
        extra = EXTRAS.get(scheme)
        what = f"make extra EXTRA={extra}" if extra else str(missing)
        raise PoolwiseError(f"{scheme}:// needs another package: {what}") from None
